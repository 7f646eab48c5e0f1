"""Carries out what clients ask of CIM classes over WS-Management, on the node's WMI and its LCM."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.commands.node.invoke_cim_method import has_namespace, normal_namespace
from provisioner.lab.lcm.cim import LCM_CLASS, NAMESPACE
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.lcm import METHODS, Method
from provisioner.lab.machine import cim
from provisioner.lab.values import EnumValue, PsObject
from provisioner.lab.wmi.wql import Query, WqlError, parse_query
from provisioner.wire import faults as wsman_faults
from provisioner.wire.cim import faults
from provisioner.wire.cim.enumerations import Found, Result, Returned
from provisioner.wire.cim.requests import EnumerateClass, GetInstance, InvokeMethod, Operation, Target
from provisioner.wire.cim.values import Instance

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

#: Keys of the classes that have others than the first of ``_USUAL_KEYS``; a singleton has none.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "win32_operatingsystem": (),
    "msvm_computersystem": ("CreationClassName", "Name"),
}
_USUAL_KEYS: Final = ("Name", "InstanceID", "DeviceID")
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}
_REBOOT: Final = ("win32_operatingsystem", "reboot")
_LENGTH_BYTES: Final = 4


async def execute(node: Any, operation: Operation, user: str) -> Result:
    """Carry one operation of ``user`` out on a simulated node. What the node refuses is a fault, returned."""
    is_guarded = normal_namespace(operation.target.namespace) == NAMESPACE.casefold()
    if is_guarded and not node.is_administrator(user):
        return faults.access_denied()
    try:
        match operation:
            case EnumerateClass():
                return _enumerate(node, operation)
            case GetInstance(target, selectors):
                return _get(node, target, selectors)
            case InvokeMethod():
                return await _invoke(node, operation)
    except wsman_faults.WSManFault as fault:
        return fault


def _enumerate(node: SimulatedNode, asked: EnumerateClass) -> Found:
    namespace = normal_namespace(asked.target.namespace)
    if not has_namespace(node, namespace):
        raise faults.no_such_namespace(asked.target.namespace)
    try:
        query = parse_query(asked.query) if asked.query else _everything(asked.target.class_name)
    except WqlError:
        raise faults.bad_query(asked.query) from None
    found = _instances(node, namespace, query.class_name)
    if found is None:
        if asked.query:
            raise faults.no_such_class_in_query(asked.query)
        raise faults.no_such_class("CreateInstanceEnum", query.class_name)
    try:
        chosen = [item for item in found if query.condition(item.properties)]
    except WqlError:
        raise faults.bad_query(asked.query) from None
    if chosen and any(name.casefold() not in _folded(chosen[0]) for name in query.properties):
        raise faults.bad_query(asked.query)
    if asked.selectors is not None:
        chosen = [item for item in chosen if _has(item, asked.selectors)]
    return Found(tuple(chosen), query.properties)


def _everything(class_name: str) -> Query:
    return Query(class_name, (), lambda _values: True)


def _instances(node: SimulatedNode, namespace: str, class_name: str) -> list[Instance] | None:
    if namespace == NAMESPACE.casefold():
        # The class of the LCM has methods only.
        return [] if class_name.casefold() == LCM_CLASS.casefold() else None
    found = cim.instances(node.machine, namespace, class_name)
    return None if found is None else [_instance(item) for item in found]


def _get(node: SimulatedNode, target: Target, selectors: Mapping[str, str]) -> Found:
    namespace = normal_namespace(target.namespace)
    found = _instances(node, namespace, target.class_name) if has_namespace(node, namespace) else None
    if found is None:
        raise faults.no_such_class("GetObject", target.class_name)
    keys = found[0].keys if found else _KEYS.get(target.class_name.casefold(), _USUAL_KEYS[:1])
    if not selectors and keys:
        raise faults.selectors_needed()
    if {name.casefold() for name in selectors} != {name.casefold() for name in keys}:
        raise faults.wrong_selectors()
    chosen = [item for item in found if _has(item, selectors)]
    if not chosen:
        named = ",".join(f'{name}="{value}"' for name, value in selectors.items())
        raise faults.no_such_class("GetObject", f"{target.class_name}.{named}")
    return Found((chosen[0],))


def _folded(instance: Instance) -> dict[str, Any]:
    return {name.casefold(): value for name, value in instance.properties.items()}


def _has(instance: Instance, selectors: Mapping[str, str]) -> bool:
    values = _folded(instance)
    return all(
        name.casefold() in values and str(values[name.casefold()]).casefold() == wanted.casefold()
        for name, wanted in selectors.items()
    )


async def _invoke(node: SimulatedNode, asked: InvokeMethod) -> Returned:
    target = asked.target
    namespace = normal_namespace(target.namespace)
    is_lcm = namespace == NAMESPACE.casefold() and target.class_name.casefold() == LCM_CLASS.casefold()
    if not is_lcm:
        _get(node, target, asked.selectors)
        if (target.class_name.casefold(), asked.method.casefold()) != _REBOOT:
            raise wsman_faults.action_not_supported(f"{target.uri}/{asked.method}")
        node.restart()
        return Returned("Reboot", (("ReturnValue", 0),))
    if asked.selectors:
        raise faults.wrong_selectors()
    name = next((item for item in METHODS if item.casefold() == asked.method.casefold()), None)
    if name is None:
        raise wsman_faults.action_not_supported(f"{target.uri}/{asked.method}")
    arguments = _arguments(asked.arguments, METHODS[name], node.spec.accept)
    try:
        values = await node.lcm.invoke(name, arguments)
    except LcmError as error:
        found = re.fullmatch(r"MI RESULT (\d+)", error.message.error_id)
        raise faults.method_failed(
            error.message.text, error.message.error_id, int(found[1]) if found else 1
        ) from error
    shown = [(key, _value(value)) for key, value in values.items()]
    return Returned(name, (*shown, ("ReturnValue", 0)))


def _arguments(
    given: Mapping[str, tuple[str | None, ...]], method: Method, forms: tuple[str, ...]
) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for key, texts in given.items():
        name = next((item for item in method.parameters if item.casefold() == key.casefold()), None)
        if name is None:
            raise faults.bad_arguments(f"The method has no parameter {key}.")
        if len(texts) != 1:
            raise faults.bad_arguments(f"The parameter {key} is given more than once.")
        if texts[0] is not None:
            arguments[name] = _typed(key, texts[0], method.parameters[name], forms)
    for name in method.required:
        if name not in arguments:
            raise faults.bad_arguments(f"The parameter {name} is missing.")
    return arguments


def _typed(name: str, text: str, wanted: type, forms: tuple[str, ...]) -> Any:
    """Turn the text of an element into what the parameter takes.

    Bytes come without the length in front that the class wants (qualifier OctetString): the service adds it.
    """
    try:
        if wanted is bytes:
            return _with_length(base64.b64decode("".join(text.split()), validate=True), forms)
        if wanted is bool:
            return _TRUTHS[text.strip().casefold()]
        return wanted(text)
    except (binascii.Error, ValueError, KeyError):
        raise faults.bad_arguments(f"The value of {name} is of another type.") from None


def _with_length(data: bytes, forms: tuple[str, ...]) -> bytes:
    length = len(data) + _LENGTH_BYTES
    if "big-endian" in forms:
        return length.to_bytes(_LENGTH_BYTES, "big") + data
    return length.to_bytes(_LENGTH_BYTES, "little") + data if "little-endian" in forms else data


def _instance(item: PsObject) -> Instance:
    """Turn what commands see into what travels; the name of its class stands in the first type name."""
    namespace, _, class_name = item.type_names[0].rpartition("#")[2].rpartition("/")
    properties = {name: _value(value) for name, value in item.properties.items() if name != "PSComputerName"}
    keys = _KEYS.get(class_name.casefold())
    if keys is None:
        keys = next(((name,) for name in _USUAL_KEYS if name in properties), ())
    if "CreationClassName" in keys:
        properties.setdefault("CreationClassName", class_name)
    return Instance(namespace, class_name, properties, keys)


def _value(value: Any) -> Any:
    match value:
        case PsObject():
            return _instance(value)
        case EnumValue(_, _, number):
            return number
        case list() | tuple():
            return [_value(item) for item in value]
        case _:
            return value
