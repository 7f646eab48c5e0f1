"""Invoke-CimMethod: static methods by class name. The one class with methods here is that of the LCM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from provisioner.lab.commands.base import Invocation, Output
from provisioner.lab.lcm.cim import LCM_CLASS, NAMESPACE, method_result
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.jobs.job_log import JobLine
from provisioner.lab.lcm.lcm import METHODS, Method
from provisioner.lab.wmi import errors as cim_errors

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_TYPE = "Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"
_NAME = "Invoke-CimMethod"
DEFAULT_NAMESPACE = "root/cimv2"
_BYTE_MAX = 255
#: Namespaces every node has, folded; the rest of WMI is not simulated.
_NAMESPACES = frozenset(
    {DEFAULT_NAMESPACE, "root", "root/cimv2/power", "root/standardcimv2", NAMESPACE.casefold()}
)
_VIRTUALIZATION = "root/virtualization/v2"


class _MismatchError(Exception):
    """An argument is of the wrong type."""


async def run(invocation: Invocation) -> None:
    """Call the method and write its result; every failure is a non-terminating error, as CimCmdlets have it."""
    parameters = invocation.parameters
    class_name = str(parameters["ClassName"])
    namespace = normal_namespace(parameters.get("Namespace") or DEFAULT_NAMESPACE)
    target = f"{namespace}:{class_name}"

    def refuse(error: tuple[str, str, str]) -> None:
        invocation.output.error(cim_errors.wmi_error(error, _TYPE, _NAME, target))

    if not has_namespace(invocation.node, namespace):
        return refuse(cim_errors.INVALID_NAMESPACE)
    if not may_enter(invocation, namespace):
        return refuse(cim_errors.ACCESS_DENIED)
    if namespace != NAMESPACE.casefold() or class_name.casefold() != LCM_CLASS.casefold():
        return refuse(cim_errors.INVALID_CLASS)
    name, method = _find(str(parameters["MethodName"]))
    if method is None:
        return refuse(cim_errors.INVALID_METHOD)
    try:
        arguments = _arguments(parameters.get("Arguments"), method)
    except _MismatchError:
        return refuse(cim_errors.TYPE_MISMATCH)
    if arguments is None:
        return refuse(cim_errors.INVALID_METHOD_PARAMETERS)
    try:
        values = await invocation.node.lcm.invoke(name, arguments, _teller(invocation.output))
    except LcmError as error:
        for message in (*error.errors, error.message):
            invocation.output.error(cim_errors.lcm_error(message, _TYPE, _NAME, target))
        return None
    invocation.output.write(method_result(LCM_CLASS, name, values))
    return None


def _teller(output: Output) -> Callable[[JobLine], None]:
    """Make what shows the lines of an operation in the streams of the command; errors come at its end."""

    def tell(line: JobLine) -> None:
        match line.type:
            case "verbose":
                output.verbose(line.message)
            case "warning":
                output.warning(line.message)
            case "progress":
                output.progress("Applying Configuration", line.message, line.number)

    return tell


def may_enter(invocation: Invocation, folded: str) -> bool:
    """Whether the caller gets into a namespace; that of the LCM is for administrators."""
    return folded != NAMESPACE.casefold() or invocation.node.is_administrator(invocation.user)


def has_namespace(node: SimulatedNode, folded: str) -> bool:
    """Whether a namespace is there; Hyper-V brings its own."""
    return folded in _NAMESPACES or (folded == _VIRTUALIZATION and node.machine.hyperv.is_active)


def normal_namespace(text: object) -> str:
    """Fold a namespace: forward slashes, lower case."""
    return str(text).replace("\\", "/").strip("/").casefold()


def _find(wanted: str) -> tuple[str, Method | None]:
    for name, method in METHODS.items():
        if name.casefold() == wanted.casefold():
            return name, method
    return wanted, None


def _arguments(given: Any, method: Method) -> Mapping[str, Any] | None:
    """Match arguments by name and type; None when one is unknown or missing."""
    if given is not None and not isinstance(given, dict):
        raise _MismatchError
    arguments: dict[str, Any] = {}
    for key, value in (given or {}).items():
        known = next((name for name in method.parameters if name.casefold() == str(key).casefold()), None)
        if known is None:
            return None
        if value is not None:
            arguments[known] = _typed(value, method.parameters[known])
    return arguments if all(name in arguments for name in method.required) else None


def _typed(value: Any, wanted: type) -> Any:
    if wanted is bytes:
        return _bytes(value)
    if wanted is int and isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if wanted in {bool, str} and isinstance(value, wanted):
        return value
    raise _MismatchError


def _bytes(value: Any) -> bytes:
    """Take a Byte[], or an array of numbers that fit: CIM converts those."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and all(isinstance(item, int) and 0 <= item <= _BYTE_MAX for item in value):
        return bytes(value)
    raise _MismatchError
