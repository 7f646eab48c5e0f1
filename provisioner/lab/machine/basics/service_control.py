"""What sc.exe writes of a service besides its start: actions after a failure, and triggers.

Both lie in the registry as Windows keeps them: FailureActions is SERVICE_FAILURE_ACTIONS with pointers of four
bytes, a trigger is a numbered key below TriggerInfo.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_SERVICES: Final = r"SYSTEM\CurrentControlSet\Services"
_HEAD: Final = struct.Struct("<5I")
_ACTION: Final = struct.Struct("<2I")
#: By SC_ACTION_TYPE.
ACTIONS: Final = ("none", "restart", "reboot", "run")
#: Triggers without data: SERVICE_TRIGGER_TYPE and subtype.
SIMPLE_TRIGGERS: Final = {
    "networkon": (2, "4f27f2de-14e2-430b-a549-7cd48cbc8245"),
    "networkoff": (2, "cc4ba62a-162e-4648-847a-b6bdf993e335"),
    "domainjoin": (3, "1ce20aba-9851-4421-9430-1ddeb766e809"),
    "domainleave": (3, "ddaf516e-58c2-4866-9574-c3b615d42ea1"),
}
_CUSTOM: Final = 20
_TEXT: Final = 2
_VERBS: Final = ("start", "stop")


def key_of(service: str) -> str:
    """Give the key of a service below HKLM."""
    return f"{_SERVICES}\\{service}"


def set_failure_actions(
    machine: Machine, service: str, reset_s: int, actions: Sequence[tuple[str, int]], command: str | None
) -> None:
    """Write what is done after failures: names of ``ACTIONS`` with delays in milliseconds."""
    has_command = bool(
        command if command is not None else machine.registry.get(key_of(service), "FailureCommand")
    )
    data = _HEAD.pack(reset_s, 0, int(has_command), len(actions), _HEAD.size)
    data += b"".join(_ACTION.pack(ACTIONS.index(name), delay) for name, delay in actions)
    machine.registry.set(key_of(service), "FailureActions", data.hex(), "Binary")
    if command is not None:
        machine.registry.set(key_of(service), "FailureCommand", command)


def failure_actions(machine: Machine, service: str) -> tuple[int, list[tuple[str, int]]]:
    """Read the seconds after which failures are counted anew, and the actions."""
    data = bytes.fromhex(machine.registry.get(key_of(service), "FailureActions") or "")
    if len(data) < _HEAD.size:
        return 0, []
    reset_s, _message, _command, count, _offset = _HEAD.unpack_from(data)
    found = []
    for number in range(count):
        at = _HEAD.size + _ACTION.size * number
        if len(data) < at + _ACTION.size:
            break
        kind, delay = _ACTION.unpack_from(data, at)
        found.append((ACTIONS[kind], delay))
    return reset_s, found


def set_triggers(machine: Machine, service: str, triggers: Sequence[str]) -> None:
    """Replace all triggers by these, written as sc.exe takes them."""
    parent = f"{key_of(service)}\\TriggerInfo"
    machine.registry.delete_key(parent)
    for number, trigger in enumerate(triggers):
        verb, kind, *rest = trigger.split("/", 3)
        key = f"{parent}\\{number}"
        number_of_kind, subtype = SIMPLE_TRIGGERS.get(kind.casefold(), (_CUSTOM, rest[0] if rest else ""))
        machine.registry.set(key, "Action", _VERBS.index(verb.casefold()) + 1)
        machine.registry.set(key, "Type", number_of_kind)
        machine.registry.set(key, "GUID", uuid.UUID(subtype).bytes_le.hex(), "Binary")
        if rest:
            machine.registry.set(key, "DataType0", _TEXT)
            machine.registry.set(key, "Data0", (rest[1] + "\0\0").encode("utf-16-le").hex(), "Binary")


def triggers(machine: Machine, service: str) -> list[str]:
    """Read the triggers as sc.exe takes them; one of another kind as ``start/type/NUMBER/GUID``."""
    parent = f"{key_of(service)}\\TriggerInfo"
    registry = machine.registry
    found = []
    for name in registry.subkeys(parent):
        values = {key.casefold(): value.data for key, value in registry.values(f"{parent}\\{name}").items()}
        verb = _VERBS[1 if values.get("action") == len(_VERBS) else 0]
        raw = bytes.fromhex(values.get("guid", ""))
        subtype = str(uuid.UUID(bytes_le=raw)) if len(raw) == len(uuid.NAMESPACE_DNS.bytes) else ""
        kind = values.get("type", 0)
        words = [word for word, known in SIMPLE_TRIGGERS.items() if known == (kind, subtype)]
        if words:
            found.append(f"{verb}/{words[0]}")
        elif kind == _CUSTOM and values.get("datatype0") == _TEXT:
            text = bytes.fromhex(values.get("data0", "")).decode("utf-16-le").replace("\0", "")
            found.append(f"{verb}/strcustom/{subtype}/{text}")
        else:
            found.append(f"{verb}/type/{kind}/{subtype}")
    return found
