"""The resource for every type of the catalogue that has no behaviour of its own here: it keeps what it is told.

State is kept by key properties and touches nothing else of the machine, so that a document with such resources
can be applied, drifts when told to, and is reported. It proves nothing about the real resource, and everything
that shows resources says which are of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import Property, Qualifier, ResourceType
from provisioner.lab.machine.basics.generic_state import GenericState
from provisioner.lab.resources.base import ResourceContext, SimulatedResource
from provisioner.lab.resources.binding import refuse_value

Kind: TypeAlias = Literal["specific", "generic"]

_ENSURE: Final = "ensure"
_ABSENT: Final = "absent"
#: Types whose Test is never true, whatever was set before. Source: the in-box Log, which only writes an event.
_NEVER_THERE: Final = frozenset({"msft_logresource"})


class GenericResource:
    """Any resource type, by its schema. Stateless: what was set is in the machine's ``GenericState``."""

    def __init__(self, resource_type: ResourceType) -> None:
        self.class_name = resource_type.class_name
        self.module = resource_type.module
        self._type = resource_type

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Give the keys and what was set; ``Ensure`` tells whether anything was."""
        self._bind("Get-TargetResource", properties)
        known = context.machine.area(GenericState).find(self.class_name, self._keys(properties))
        found = {**self._key_values(properties), **(known or {})}
        ensure = self._type.property(_ENSURE)
        if ensure:
            found[ensure.name] = "Absent" if known is None else found.get(ensure.name, "Present")
        return found

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Whether every bound property is as it was set."""
        self._bind("Test-TargetResource", properties)
        if self.class_name.casefold() in _NEVER_THERE:
            return False
        known = context.machine.area(GenericState).find(self.class_name, self._keys(properties))
        if self._is_absence(properties):
            return known is None
        if known is None:
            return False
        return all(_same(_kept(value), known.get(name)) for name, value in self._settable(properties).items())

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Remember what is bound, or forget the instance where its absence is wanted."""
        self._bind("Set-TargetResource", properties)
        state = context.machine.area(GenericState)
        await context.sleep(context.machine.durations.other_s)
        context.verbose("A generic resource of the lab: it keeps its properties and does nothing else.")
        if self._is_absence(properties):
            state.forget(self.class_name, self._keys(properties))
        else:
            kept = {name: _kept(value) for name, value in self._settable(properties).items()}
            state.keep(self.class_name, self._keys(properties), kept)

    def _bind(self, function: str, properties: Mapping[str, Any]) -> None:
        """Refuse values outside the list of the schema, as ValidateSet does in the module's functions."""
        for name, value in properties.items():
            prop = self._type.property(name)
            if prop is None or not prop.value_map:
                continue
            allowed = {item.casefold() for item in prop.value_map}
            for item in value if isinstance(value, list) else [value]:
                if str(item).casefold() not in allowed:
                    raise refuse_value(function, prop.name, str(item), prop.value_map)

    def _key_properties(self) -> tuple[Property, ...]:
        """Give the keys; a type without any is told apart by what is required."""
        required = [prop for prop in self._type.properties if prop.qualifier is Qualifier.REQUIRED]
        return self._type.keys or tuple(required)

    def _key_values(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        given = {name.casefold(): value for name, value in properties.items()}
        return {prop.name: given.get(prop.name.casefold()) for prop in self._key_properties()}

    def _keys(self, properties: Mapping[str, Any]) -> list[Any]:
        return [_kept(value) for value in self._key_values(properties).values()]

    def _settable(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Give what can be set, in the spelling of the schema, without the keys."""
        keys = {prop.name for prop in self._key_properties()}
        bound = ((self._type.property(name), value) for name, value in properties.items())
        return {
            prop.name: value for prop, value in bound if prop and prop.is_settable and prop.name not in keys
        }

    def _is_absence(self, properties: Mapping[str, Any]) -> bool:
        return any(
            name.casefold() == _ENSURE and str(value).casefold() == _ABSENT
            for name, value in properties.items()
        )


def find(class_name: str, module: str, known: Registry) -> GenericResource | None:
    """Make the resource of a type that ``known`` has facts about; None when it has none.

    The newest version that has the class decides: keys of a resource do not change between versions.
    """
    return _made(class_name.casefold(), module.casefold(), known)


@cache
def _made(class_name: str, module: str, known: Registry) -> GenericResource | None:
    for version in known.versions(module):
        described = known.module(module, version)
        found = described.resource_of_class(class_name) if described else None
        if found is not None:
            return GenericResource(found)
    return None


def kind_of(resource: SimulatedResource) -> Kind:
    """Say whether a resource behaves as its type does or only keeps what it is told."""
    return "generic" if isinstance(resource, GenericResource) else "specific"


def _kept(value: Any) -> Any:
    """Give the form that is remembered: of a credential the user alone, never the password."""
    match value:
        case list() | tuple():
            return [_kept(item) for item in value]
        case Mapping():
            is_credential = {name.casefold() for name in value} <= {"username", "password"}
            return {
                name: _kept(item)
                for name, item in value.items()
                if not (is_credential and name.casefold() == "password")
            }
        case _:
            return value


def _same(wanted: Any, found: Any) -> bool:
    """Compare as PowerShell's ``-eq``: texts without regard to case."""
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted.casefold() == found.casefold()
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_same, wanted, found))
    return bool(wanted == found)
