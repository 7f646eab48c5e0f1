"""Classes of the catalogue made ready for many look-ups: names without case, allowed words, patterns.

The rule of the room: a shape adds nothing to what the schema says. It is made once for a class and then asked for
every resource of a fleet, so everything that can be worked out beforehand is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.catalogue.schema import RUN_AS_CREDENTIAL, CimType, EmbeddedClass, Qualifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.catalogue.registry import Registry
    from provisioner.catalogue.schema import Property, ResourceType

#: What .NET writes otherwise than Python, and Python's word for it. A lone ``\z`` is the very end, and ``\Z``
#: lets one line break follow.
_RESPELLED = (
    (re.compile(r"\(\?<(?=[A-Za-z_])"), "(?P<"),
    (re.compile(r"\\k<(\w+)>"), r"(?P=\1)"),
    (re.compile(r"\\Z"), r"(?=\n?\\Z)"),
    (re.compile(r"\\z"), r"\\Z"),
)
#: Parts of .NET patterns Python has nothing for: classes less classes, balancing groups, Unicode categories.
_UNTRANSLATABLE = re.compile(r"-\[|\(\?<\w*-|\\[pP]\{|\(\?'")


def translated(pattern: str) -> re.Pattern[str] | None:
    """Return a .NET regular expression for Python; None when Python cannot say it.

    It is meant for ``search``, without regard to case, as ValidatePattern does.
    """
    if _UNTRANSLATABLE.search(pattern):
        return None
    for spelling, word in _RESPELLED:
        pattern = spelling.sub(word, pattern)
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Slot:
    """One property, ready to be filled.

    ``words`` are the values an author may write, as they are and folded, with the one the document holds; empty
    when any will do. ``is_any_text`` is true of a single text nothing more is asked of, which most properties are,
    and ``is_word`` of a single text that is one of several. ``is_limited`` tells that items have limits beyond
    that. ``integers`` are the smallest and the largest of an integer type. ``position`` is the place in the
    schema.
    """

    prop: Property
    position: int
    words: Mapping[str, str]
    pattern: re.Pattern[str] | None
    is_any_text: bool
    is_word: bool
    is_limited: bool
    integers: tuple[int, int] | None

    @classmethod
    def of(cls, prop: Property, position: int = 0) -> Slot:
        """Make a property ready."""
        pairs = list(zip(prop.values or prop.value_map, prop.value_map, strict=True))
        words = {word.casefold(): entry for word, entry in pairs} | dict(pairs)
        limits = prop.limits
        pattern = translated(limits.pattern) if limits and limits.pattern else None
        is_limited = limits is not None and limits.hold_items
        is_text = prop.type is CimType.STRING and not (prop.is_array or is_limited or prop.embedded_class)
        return cls(
            prop=prop,
            position=position,
            words=words,
            pattern=pattern,
            is_any_text=is_text and not words,
            is_word=is_text and bool(words),
            is_limited=is_limited,
            integers=prop.type.integer_range,
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """A resource type or an embedded class. ``label`` is its name at the start of a sentence.

    ``slots`` has every property under its own spelling and folded. ``secret_lines`` is the property that takes
    named secrets, empty when there is none.
    """

    name: str
    label: str
    slots: Mapping[str, Slot]
    needed: tuple[Slot, ...]
    keys: tuple[str, ...]
    secret_lines: str
    needed_on_node: tuple[Slot, ...]

    @classmethod
    def of(cls, kind: ResourceType | EmbeddedClass, label: str, *others: Property) -> Shape:
        """Make a class ready; ``others`` are properties it has beyond its own."""
        slots: dict[str, Slot] = {}
        needed: list[Slot] = []
        on_node: list[Slot] = []
        for position, prop in enumerate((*kind.properties, *others)):
            slot = Slot.of(prop, position)
            slots[prop.name] = slots[prop.name.casefold()] = slot
            if prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED}:
                needed.append(slot)
            elif prop.is_needed_on_node:
                on_node.append(slot)
        keys = tuple(prop.name for prop in kind.properties if prop.qualifier is Qualifier.KEY)
        secret_lines = next((prop.name for prop in kind.properties if prop.is_secret_lines), "")
        return cls(kind.name, label, slots, tuple(needed), keys, secret_lines, tuple(on_node))

    @property
    def is_resource(self) -> bool:
        """Whether it is a resource type, which has more properties than its schema lists."""
        return RUN_AS_CREDENTIAL.name in self.slots

    def slot(self, name: str) -> Slot | None:
        """Look a property up without regard to case."""
        return self.slots.get(name) or self.slots.get(name.casefold())

    @property
    def settable(self) -> tuple[str, ...]:
        """Names an author may write, in schema order."""
        named = {slot.prop.name: slot for slot in self.slots.values()}
        return tuple(name for name, slot in named.items() if slot.prop.is_settable)


class Shapes:
    """The shapes of one registry, each made when it is first asked for."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        #: The type is kept beside its shape: a look-up goes by identity, which only lasts as long as the object.
        self._of_types: dict[int, tuple[ResourceType, Shape]] = {}
        self._of_classes: dict[tuple[str, str, str], Shape | None] = {}

    def of(self, kind: ResourceType) -> Shape:
        """Return the shape of a resource type, with what every resource has."""
        found = self._of_types.get(id(kind))
        if found is None:
            found = self._of_types[id(kind)] = (
                kind,
                Shape.of(kind, f"The resource {kind.module}/{kind.name}", RUN_AS_CREDENTIAL),
            )
        return found[1]

    def embedded(self, kind: ResourceType, class_name: str) -> Shape | None:
        """Return the shape of a class that occurs inside properties of a type; None when nobody knows it."""
        key = (kind.module, kind.version, class_name)
        if key not in self._of_classes:
            found = self._with_inherited(kind, class_name)
            self._of_classes[key] = Shape.of(found, f"The class {found.name}") if found else None
        return self._of_classes[key]

    def _with_inherited(self, kind: ResourceType, class_name: str) -> EmbeddedClass | None:
        """Return a class with the properties of the classes it inherits from, theirs first."""
        found = self.registry.embedded_class(kind.module, kind.version, class_name)
        if found is None or not found.base or found.base == class_name:
            return found
        base = self._with_inherited(kind, found.base)
        own = {prop.name.casefold() for prop in found.properties}
        inherited = [prop for prop in base.properties if prop.name.casefold() not in own] if base else []
        return EmbeddedClass(found.name, (*inherited, *found.properties))
