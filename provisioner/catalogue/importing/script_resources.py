"""What the PowerShell of a script based module adds to its schema, and its composites.

Parameters of Set-TargetResource may ask more of a value than the MOF class does; a node refuses it then. A
composite is a Configuration with parameters; those of the Set kind hand all of them to one helper, which makes
one resource for each value of one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from provisioner.catalogue.importing.declarations import CommandDeclaration, Declarations, Variable
from provisioner.catalogue.importing.ps_types import (
    MofType,
    Report,
    allowed_values,
    default_of,
    is_mandatory,
    limits_of,
    mof_type,
)
from provisioner.catalogue.schema import CimType, Limits, Property, Qualifier, ResourceKind, ResourceType
from provisioner.diagnostics import Diagnostics, SourceRange

_KEY_NAMES = ("keyparametername", "keyparamname")


def add_set_function(
    resource: ResourceType, declarations: Declarations, problems: Diagnostics
) -> ResourceType:
    """Add what the parameters of Set-TargetResource ask to a script based resource."""
    function = next(
        (each for each in declarations.commands if each.name.casefold() == "set-targetresource"), None
    )
    if function is None:
        return resource
    by_name = {each.name.casefold(): each for each in function.parameters}
    properties = tuple(
        _with_parameter(prop, by_name[prop.name.casefold()], problems)
        if prop.name.casefold() in by_name
        else prop
        for prop in resource.properties
    )
    return replace(resource, properties=properties)


def _with_parameter(prop: Property, parameter: Variable, problems: Diagnostics) -> Property:
    report = _reporter(parameter, problems)
    limits = limits_of(parameter, report, is_checked_on_node=True)
    if not prop.value_map and (values := allowed_values(parameter, report)):
        limits = replace(limits or Limits(is_checked_on_node=True), values=values)
    return replace(
        prop,
        limits=limits,
        is_needed_on_node=prop.qualifier is Qualifier.WRITE and is_mandatory(parameter),
        default=default_of(parameter) if prop.qualifier is not Qualifier.READ else None,
    )


def read_composites(
    declarations: Declarations, module: str, version: str, problems: Diagnostics
) -> list[ResourceType]:
    """Return the composites a script declares."""
    return [
        _composite(each, module, version, problems) for each in declarations.commands if each.is_configuration
    ]


def _composite(command: CommandDeclaration, module: str, version: str, problems: Diagnostics) -> ResourceType:
    properties = tuple(_parameter(each, problems) for each in command.parameters)
    expands_to, split_by = _set_kind(command.tables)
    resource = ResourceType(
        command.name, "", module, version, properties, ResourceKind.COMPOSITE, expands_to, split_by
    )
    split = resource.property(split_by) if split_by else None
    if split is None or not split.is_array:
        problems.warning(
            "Composite is known by its parameters only",
            f"The body of '{command.name}' is PowerShell that is not run here, so a configuration that uses it "
            "cannot be compiled.",
            command.where,
        )
        return replace(resource, expands_to="", split_by="")
    return resource


def _set_kind(tables: tuple[Mapping[str, object], ...]) -> tuple[str, str]:
    """Return what a Set kind expands to and by which parameter; empty texts for another composite."""
    for table in tables:
        member = table.get("resourcename")
        key = next((table[name] for name in _KEY_NAMES if name in table), None)
        if isinstance(member, str) and isinstance(key, str) and "parameters" in table:
            return member, key
    return "", ""


def _parameter(variable: Variable, problems: Diagnostics) -> Property:
    report = _reporter(variable, problems)
    # Any object may be handed to a composite; what is no MOF type is taken for text.
    kind = mof_type(variable.type_name, {}, {}) or MofType(
        CimType.STRING, variable.type_name.strip().endswith("[]")
    )
    return Property(
        variable.name,
        kind.type,
        kind.is_array,
        Qualifier.REQUIRED if is_mandatory(variable) else Qualifier.WRITE,
        allowed_values(variable, report),
        embedded_class=kind.embedded_class,
        limits=limits_of(variable, report, is_checked_on_node=False),
        default=default_of(variable),
    )


def _reporter(variable: Variable, problems: Diagnostics) -> Report:
    def report(sentence: str, where: SourceRange) -> None:
        problems.warning("Limit is not known", f"Parameter '{variable.name}': {sentence}", where)

    return report
