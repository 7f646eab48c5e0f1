"""ovs-vsctl.exe as a command line calls it: ``show``, with the options of every call.

It is there once its file is; what it waits for when ovs-vswitchd is down ends with its ``--timeout``.
"""

from __future__ import annotations

import json
import re
from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import command_not_found
from provisioner.lab.machine.openvswitch.bridges import DATABASE_SERVICE, OpenVSwitch
from provisioner.lab.values import ErrorRecord, TerminatingError

_NAME: Final = "ovs-vsctl.exe"
_OPTIONS: Final = ("One", "Two", "Three")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


async def run(invocation: Invocation) -> None:
    """Write what the database has, as lines of text."""
    words = [str(invocation.parameters[name]) for name in _OPTIONS if name in invocation.parameters]
    ovs = invocation.node.machine.area(OpenVSwitch)
    if not ovs.has_tool:
        error = command_not_found(_NAME)
        raise TerminatingError(
            ErrorRecord(error.message, error.error_id, error.category, error.exception_type, _NAME)
        )
    injected = invocation.node.machine.ledger.failing.get(_NAME)
    if injected is not None:
        _complain(invocation, injected.message)
        return
    if ovs.stopped() == DATABASE_SERVICE:
        _complain(invocation, "ovs-vsctl: tcp:127.0.0.1:6640: database connection failed (Unknown error)")
        return
    if words[-1:] != ["show"]:
        _complain(invocation, f"ovs-vsctl: the lab simulates 'show' only, not '{' '.join(words)}'")
        return
    for line in _shown(ovs):
        invocation.output.write(line)


def _complain(invocation: Invocation, text: str) -> None:
    kind = "System.Management.Automation.RemoteException"
    invocation.output.error(ErrorRecord(text, "NativeCommandError", "NotSpecified", kind, _NAME, text))


def _shown(ovs: OpenVSwitch) -> list[str]:
    lines = ["5a7d1c0e-0000-4000-8000-000000000000"]
    for name, bridge in ovs.bridges.items():
        lines.append(f"    Bridge {_quoted(name)}")
        for port, kind in {**bridge.ports, name: "internal"}.items():
            lines.append(f"        Port {_quoted(port)}")
            if port == name and bridge.tag:
                lines.append(f"            tag: {bridge.tag}")
            lines.append(f"            Interface {_quoted(port)}")
            if kind:
                lines.append(f"                type: {kind}")
    return [*lines, '    ovs_version: "2.17.0"']


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else json.dumps(name)
