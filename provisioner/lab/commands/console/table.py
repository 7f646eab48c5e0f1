"""Commands that write, show and run text."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.console"
_UTILITY = "Microsoft.PowerShell.Utility"
_TYPES = "Microsoft.PowerShell.Commands"

COMMANDS = (
    CommandSpec(
        "Write-Output",
        f"{_HERE}.write_output:run",
        _UTILITY,
        (Parameter("InputObject", "any", 0), Parameter("NoEnumerate", "switch")),
        type_name=f"{_TYPES}.WriteOutputCommand",
    ),
    CommandSpec(
        "Write-Error",
        f"{_HERE}.write_output:error",
        _UTILITY,
        (
            Parameter("Message", "string", 0, mandatory=True, aliases=("Msg",)),
            Parameter("Category", "any"),
            Parameter("ErrorId", "string"),
            Parameter("TargetObject", "any"),
        ),
        type_name=f"{_TYPES}.WriteErrorCommand",
    ),
    CommandSpec(
        "Write-Warning",
        f"{_HERE}.write_output:warning",
        _UTILITY,
        (Parameter("Message", "string", 0, mandatory=True, aliases=("Msg",)),),
        type_name=f"{_TYPES}.WriteWarningCommand",
    ),
    CommandSpec(
        "Write-Verbose",
        f"{_HERE}.write_output:verbose",
        _UTILITY,
        (Parameter("Message", "string", 0, mandatory=True, aliases=("Msg",)),),
        type_name=f"{_TYPES}.WriteVerboseCommand",
    ),
    CommandSpec(
        "Write-Debug",
        f"{_HERE}.write_output:debug",
        _UTILITY,
        (Parameter("Message", "string", 0, mandatory=True, aliases=("Msg",)),),
        type_name=f"{_TYPES}.WriteDebugCommand",
    ),
    CommandSpec(
        "Write-Information",
        f"{_HERE}.write_output:information",
        _UTILITY,
        (
            Parameter("MessageData", "any", 0, mandatory=True, aliases=("Msg", "Message")),
            Parameter("Tags", "array", 1),
        ),
        type_name=f"{_TYPES}.WriteInformationCommand",
    ),
    CommandSpec(
        "Out-Null",
        f"{_HERE}.write_output:nothing",
        "Microsoft.PowerShell.Core",
        (Parameter("InputObject", "any"),),
        type_name=f"{_TYPES}.OutNullCommand",
    ),
    CommandSpec(
        "Out-String",
        f"{_HERE}.out_string:run",
        _UTILITY,
        (Parameter("Stream", "switch"), Parameter("Width", "int"), Parameter("InputObject", "any")),
        type_name=f"{_TYPES}.OutStringCommand",
    ),
    CommandSpec(
        "Invoke-Expression",
        # Named by its path: scripts run commands, so they stand above them.
        "provisioner.lab.foreign.execution:invoke_expression",
        _UTILITY,
        (Parameter("Command", "string", 0, mandatory=True),),
        type_name=f"{_TYPES}.InvokeExpressionCommand",
    ),
)
