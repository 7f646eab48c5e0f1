"""What a node says about its commands when a client asks for command metadata.

Pure functions. Names, order and type names as Windows PowerShell 5.1 sends them; help addresses and output types
are not told, nor the parameter sets, which nobody asks for.

Source: MS-PSRP 2.2.3.21 to 2.2.3.24, recording of a real server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.wire.clixml import Structure, enum_structure

_SELECTED: Final = ("System.Management.Automation.PSCustomObject", "System.Object")
_LIBRARY: Final = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
_ENGINE: Final = (
    "System.Management.Automation, Version=3.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"
)
_METADATA: Final = "System.Management.Automation.ParameterMetadata"
_COLLECTIONS: Final = "System.Collections.ObjectModel"
_OUTPUT_TYPES: Final = (
    f"{_COLLECTIONS}.ReadOnlyCollection`1[[System.Management.Automation.PSTypeName, {_ENGINE}]]",
    "System.Object",
)
_PARAMETERS_TYPES: Final = (
    f"System.Collections.Generic.Dictionary`2[[System.String, {_LIBRARY}],[{_METADATA}, {_ENGINE}]]",
    "System.Object",
)
_ALIASES_TYPES: Final = (f"{_COLLECTIONS}.Collection`1[[System.String, {_LIBRARY}]]", "System.Object")
_SWITCH: Final = "System.Management.Automation.SwitchParameter"
_PREFERENCE: Final = "System.Management.Automation.ActionPreference"
_NET_TYPES: Final = {
    "string": "System.String",
    "switch": _SWITCH,
    "int": "System.Int32",
    "array": "System.Object[]",
    "any": "System.Object",
}
#: The parameters that every command has.
_COMMON: Final = (
    ("Verbose", _SWITCH, "vb"),
    ("Debug", _SWITCH, "db"),
    ("ErrorAction", _PREFERENCE, "ea"),
    ("WarningAction", _PREFERENCE, "wa"),
    ("InformationAction", _PREFERENCE, "infa"),
    ("ErrorVariable", "System.String", "ev"),
    ("WarningVariable", "System.String", "wv"),
    ("InformationVariable", "System.String", "iv"),
    ("OutVariable", "System.String", "ov"),
    ("OutBuffer", "System.Int32", "ob"),
    ("PipelineVariable", "System.String", "pv"),
)
_COMMAND_TYPES: Final = "System.Management.Automation.CommandTypes"


def metadata_count(count: int) -> Structure:
    """Build the first answer: how many commands follow."""
    name = "Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo"
    return Structure((name, *_SELECTED), extended={"Count": count})


def command_metadata(command: CommandSpec) -> Structure:
    """Build the answer for one command."""
    kind, number = ("Cmdlet", 8) if command.type_name else ("Function", 2)
    parameters = {item.name: _own(item) for item in command.parameters}
    parameters |= {name: _parameter(name, type_name, (alias,)) for name, type_name, alias in _COMMON}
    return Structure(
        (f"Selected.System.Management.Automation.{kind}Info", *_SELECTED),
        extended={
            "Name": command.name,
            "Namespace": command.module,
            "HelpUri": "",
            "CommandType": enum_structure(_COMMAND_TYPES, kind, number),
            "ResolvedCommandName": None,
            "OutputType": Structure(_OUTPUT_TYPES, value=[]),
            "Parameters": Structure(_PARAMETERS_TYPES, value=parameters),
        },
    )


def _own(parameter: Parameter) -> Structure:
    return _parameter(parameter.name, _NET_TYPES.get(parameter.kind, "System.Object"), parameter.aliases)


def _parameter(name: str, type_name: str, aliases: Sequence[str]) -> Structure:
    properties: dict[str, Any] = {
        "Name": name,
        "ParameterType": type_name,
        "Aliases": Structure(_ALIASES_TYPES, value=list(aliases)),
        "IsDynamic": False,
        "SwitchParameter": type_name == _SWITCH,
    }
    return Structure((_METADATA, "System.Object"), properties, text=_METADATA)
