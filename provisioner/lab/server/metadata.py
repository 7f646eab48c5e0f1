"""What a node says about its commands when a client asks for command metadata.

Pure functions. Type names and property order as a real server sends them; the parameter sets are not told.

Source: MS-PSRP 2.2.3.21 to 2.2.3.24, recording of a real server.
"""

from __future__ import annotations

from typing import Any, Final

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.values import EnumValue, PsObject

_SELECTED: Final = ("System.Management.Automation.PSCustomObject", "System.Object")
_NET_TYPES: Final = {
    "string": "System.String",
    "switch": "System.Management.Automation.SwitchParameter",
    "int": "System.Int32",
    "array": "System.Object[]",
    "any": "System.Object",
}
_CMDLET: Final = EnumValue("System.Management.Automation.CommandTypes", "Cmdlet", 8)
_FUNCTION: Final = EnumValue("System.Management.Automation.CommandTypes", "Function", 2)


def metadata_count(count: int) -> PsObject:
    """Build the first answer: how many commands follow."""
    name = "Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo"
    return PsObject((name, *_SELECTED), extended={"Count": count})


def command_metadata(command: CommandSpec) -> PsObject:
    """Build the answer for one command."""
    kind = "CmdletInfo" if command.type_name else "FunctionInfo"
    return PsObject(
        (f"Selected.System.Management.Automation.{kind}", *_SELECTED),
        extended={
            "Name": command.name,
            "Namespace": command.module,
            "HelpUri": "",
            "CommandType": _CMDLET if command.type_name else _FUNCTION,
            "ResolvedCommandName": None,
            "OutputType": [],
            "Parameters": {parameter.name: _parameter(parameter) for parameter in command.parameters},
        },
    )


def _parameter(parameter: Parameter) -> PsObject:
    name = "System.Management.Automation.ParameterMetadata"
    properties: dict[str, Any] = {
        "Name": parameter.name,
        "ParameterType": _NET_TYPES.get(parameter.kind, "System.Object"),
        "Aliases": list(parameter.aliases),
        "IsDynamic": False,
        "SwitchParameter": parameter.kind == "switch",
    }
    return PsObject((name, "System.Object"), properties=properties, text=name)
