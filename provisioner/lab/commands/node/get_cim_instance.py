"""Get-CimInstance: instances by class name, filter or WQL query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.node.invoke_cim_method import (
    DEFAULT_NAMESPACE,
    has_namespace,
    may_enter,
    normal_namespace,
)
from provisioner.lab.lcm.cim import LCM_CLASS, NAMESPACE
from provisioner.lab.machine import cim
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError
from provisioner.lab.wmi import errors as cim_errors
from provisioner.lab.wmi.wql import Query, WqlError, parse_condition, parse_query

_TYPE = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
_NAME = "Get-CimInstance"


async def run(invocation: Invocation) -> None:
    """Write the instances; an unknown class or namespace is a non-terminating error, as CimCmdlets have it."""
    parameters = invocation.parameters
    namespace = normal_namespace(parameters.get("Namespace") or DEFAULT_NAMESPACE)
    try:
        query = _query(parameters)
    except WqlError:
        invocation.output.error(cim_errors.wmi_error(cim_errors.INVALID_QUERY, _TYPE, _NAME, namespace))
        return
    target = f"{namespace}:{query.class_name}"
    if not has_namespace(invocation.node, namespace):
        invocation.output.error(cim_errors.wmi_error(cim_errors.INVALID_NAMESPACE, _TYPE, _NAME, target))
        return
    if not may_enter(invocation, namespace):
        invocation.output.error(cim_errors.wmi_error(cim_errors.ACCESS_DENIED, _TYPE, _NAME, target))
        return
    found = _instances(invocation, namespace, query.class_name)
    if found is None:
        invocation.output.error(cim_errors.wmi_error(cim_errors.INVALID_CLASS, _TYPE, _NAME, target))
        return
    try:
        chosen = [instance for instance in found if query.condition(instance.properties)]
    except WqlError:
        invocation.output.error(cim_errors.wmi_error(cim_errors.INVALID_QUERY, _TYPE, _NAME, target))
        return
    for instance in chosen:
        invocation.output.write(_only(instance, query.properties))


def _query(parameters: Mapping[str, Any]) -> Query:
    class_name, text = parameters.get("ClassName"), parameters.get("Query")
    if bool(class_name) == bool(text):
        raise TerminatingError(
            ErrorRecord(
                "Parameter set cannot be resolved using the specified named parameters.",
                f"AmbiguousParameterSet,{_TYPE}",
                "InvalidArgument",
                "System.Management.Automation.ParameterBindingException",
                _NAME,
            )
        )
    if text:
        return parse_query(str(text))
    condition = parameters.get("Filter")
    query = Query(
        str(class_name), tuple(str(name) for name in parameters.get("Property") or ()), lambda _values: True
    )
    return replace(query, condition=parse_condition(str(condition))) if condition else query


def _instances(invocation: Invocation, namespace: str, class_name: str) -> list[PsObject] | None:
    if namespace == NAMESPACE.casefold():
        # The class of the LCM has methods only.
        return [] if class_name.casefold() == LCM_CLASS.casefold() else None
    return cim.instances(invocation.node.machine, namespace, class_name)


def _only(instance: PsObject, names: tuple[str, ...]) -> PsObject:
    """Leave the other properties null, as WMI does for those nobody asked for."""
    if not names:
        return instance
    wanted = {name.casefold() for name in names} | {"pscomputername"}
    values = {
        name: value if name.casefold() in wanted else None for name, value in instance.properties.items()
    }
    return PsObject(instance.type_names, values, instance.extended, instance.text)
