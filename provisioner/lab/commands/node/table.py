"""Commands about the node as a whole: CIM, restart, the pipeline itself."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import CMDLETS

_HERE = "provisioner.lab.commands.node"
_CIM = "Microsoft.Management.Infrastructure.CimCmdlets"

COMMANDS = (
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
        "Invoke-DscResource",
        f"{_HERE}.invoke_dsc_resource:run",
        "PSDesiredStateConfiguration",
        (
            Parameter("Name", "string", mandatory=True),
            Parameter("Method", "string", mandatory=True),
            Parameter("ModuleName", "any", mandatory=True, aliases=("FQN",)),
            Parameter("Property", "any", mandatory=True),
        ),
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
        type_name=f"{CMDLETS}.RestartComputerCommand",
    ),
    CommandSpec(
        "Start-Sleep",
        f"{_HERE}.start_sleep:run",
        "Microsoft.PowerShell.Utility",
        (Parameter("Seconds", "any", 0), Parameter("Milliseconds", "int", aliases=("m",))),
        type_name=f"{CMDLETS}.StartSleepCommand",
    ),
    CommandSpec(
        "Select-Object",
        f"{_HERE}.select_object:run",
        "Microsoft.PowerShell.Utility",
        (
            Parameter("Property", "array", 0),
            Parameter("ExpandProperty", "string"),
            Parameter("First", "int"),
        ),
        type_name=f"{CMDLETS}.SelectObjectCommand",
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
        type_name=f"{CMDLETS}.GetCommandCommand",
    ),
)
