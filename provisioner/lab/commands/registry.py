"""Every command a simulated node may have, and whether a node has it now.

A command is one line in a table: its name, where its function is, the parameters it takes and the Windows
feature that brings it. Functions are imported at first use, so a table can name what has not been loaded.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from provisioner.lab.commands.base import CommandSpec, Parameter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from provisioner.lab.commands.base import Invocation
    from provisioner.lab.simulated_node import SimulatedNode

_HERE = "provisioner.lab.commands"
_CIM = "Microsoft.Management.Infrastructure.CimCmdlets"
_CMDLETS = "Microsoft.PowerShell.Commands"

#: Commands about the node as a whole. The areas of a machine list their own in ``area.py``.
NODE_COMMANDS = (
    CommandSpec(
        "Invoke-CimMethod",
        f"{_HERE}.invoke_cim_method:run",
        "CimCmdlets",
        (
            Parameter("ClassName", "string", 0, mandatory=True, aliases=("Class",)),
            Parameter("MethodName", "string", 2, mandatory=True, aliases=("Name",)),
            Parameter("Arguments", "any", 1),
            Parameter("Namespace", "string"),
            Parameter("OperationTimeoutSec", "int", aliases=("OT",)),
            Parameter("WhatIf", "switch", aliases=("wi",)),
            Parameter("Confirm", "switch", aliases=("cf",)),
        ),
        type_name=f"{_CIM}.InvokeCimMethodCommand",
    ),
    CommandSpec(
        "Get-CimInstance",
        f"{_HERE}.get_cim_instance:run",
        "CimCmdlets",
        (
            Parameter("ClassName", "string", 0),
            Parameter("Query", "string"),
            Parameter("Filter", "string"),
            Parameter("Namespace", "string"),
            Parameter("Property", "array", aliases=("SelectProperties",)),
            Parameter("KeyOnly", "switch"),
            Parameter("Shallow", "switch"),
            Parameter("QueryDialect", "string"),
            Parameter("OperationTimeoutSec", "int", aliases=("OT",)),
        ),
        type_name=f"{_CIM}.GetCimInstanceCommand",
    ),
    CommandSpec(
        "Restart-Computer",
        f"{_HERE}.restart_computer:run",
        "Microsoft.PowerShell.Management",
        (
            Parameter("ComputerName", "array", 0, aliases=("CN", "Cn", "__SERVER", "Server", "IPAddress")),
            Parameter("Force", "switch"),
            Parameter("Delay", "int"),
            Parameter("WhatIf", "switch", aliases=("wi",)),
            Parameter("Confirm", "switch", aliases=("cf",)),
        ),
        type_name=f"{_CMDLETS}.RestartComputerCommand",
    ),
    CommandSpec(
        "Start-Sleep",
        f"{_HERE}.start_sleep:run",
        "Microsoft.PowerShell.Utility",
        (Parameter("Seconds", "any", 0), Parameter("Milliseconds", "int", aliases=("m",))),
        type_name=f"{_CMDLETS}.StartSleepCommand",
    ),
    CommandSpec(
        "Select-Object",
        f"{_HERE}.select_object:run",
        "Microsoft.PowerShell.Utility",
        (Parameter("Property", "array", 0), Parameter("First", "int")),
        type_name=f"{_CMDLETS}.SelectObjectCommand",
    ),
    CommandSpec(
        "Get-Command",
        f"{_HERE}.get_command:run",
        "Microsoft.PowerShell.Core",
        (
            Parameter("Name", "array", 0),
            Parameter("Module", "array", aliases=("PSSnapin",)),
            Parameter("CommandType", "any", aliases=("Type",)),
            Parameter("ListImported", "switch"),
        ),
        type_name=f"{_CMDLETS}.GetCommandCommand",
    ),
)


@cache
def table() -> Mapping[str, CommandSpec]:
    """Give all commands by lower-case name."""
    area = import_module(f"{_HERE}.area")
    return {spec.name.casefold(): spec for spec in (*NODE_COMMANDS, *area.AREA_COMMANDS)}


def find(node: SimulatedNode, name: str) -> CommandSpec | None:
    r"""Find the command ``name``; None also while the feature that brings it is not installed.

    ``name`` may carry the module: ``CimCmdlets\\Get-CimInstance``.
    """
    module, _, bare = name.rpartition("\\")
    spec = table().get(bare.casefold())
    if spec is None or (module and module.casefold() != spec.module.casefold()):
        return None
    return spec if node.has_feature(spec.feature) else None


def available(node: SimulatedNode) -> list[CommandSpec]:
    """List the commands the node has now, by name."""
    return sorted(
        (spec for spec in table().values() if node.has_feature(spec.feature)), key=lambda spec: spec.name
    )


def function(spec: CommandSpec) -> Callable[[Invocation], Awaitable[None]]:
    """Import the function of a command."""
    module, _, name = spec.function.partition(":")
    loaded: Any = getattr(import_module(module), name)
    return loaded  # type: ignore[no-any-return]  # the string names it; a test resolves every line
