"""Commands about the computer as a whole: its name, shares, time zone, events and tasks; one line each."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, CMDLETS, COMPUTER, FORCE, MANAGEMENT

_HERE: Final = "provisioner.lab.commands.computer"
_PASS: Final = Parameter("PassThru", "switch")
_RESTART: Final = Parameter("Restart", "switch")
_SHARE_ACCESS: Final = (
    Parameter("Name", "array", 0),
    Parameter("AccountName", "array", mandatory=True),
    FORCE,
    *ASK,
)
_TASK: Final = (Parameter("TaskName", "array", 0), Parameter("TaskPath", "array", 1))


def _cmdlet(
    name: str, function: str, type_name: str, *parameters: Parameter, module: str = MANAGEMENT
) -> CommandSpec:
    return CommandSpec(name, f"{_HERE}.{function}", module, parameters, type_name=f"{CMDLETS}.{type_name}")


def _function(name: str, function: str, module: str, *parameters: Parameter) -> CommandSpec:
    return CommandSpec(name, f"{_HERE}.{function}", module, parameters)


COMMANDS: Final = (
    _cmdlet(
        "Add-Computer",
        "add_computer:run",
        "AddComputerCommand",
        Parameter("DomainName", "string", 0, aliases=("DN", "Domain")),
        Parameter("Credential", "any", aliases=("DomainCredential",)),
        Parameter("OUPath", "string", aliases=("OU",)),
        Parameter("Server", "string", aliases=("DC",)),
        Parameter("WorkgroupName", "string", aliases=("WGN",)),
        Parameter("NewName", "string"),
        Parameter("UnjoinDomainCredential", "any"),
        Parameter("Options", "array"),
        COMPUTER,
        FORCE,
        _PASS,
        _RESTART,
        *ASK,
    ),
    _cmdlet(
        "Rename-Computer",
        "rename_computer:run",
        "RenameComputerCommand",
        Parameter("NewName", "string", 0, mandatory=True),
        Parameter("ComputerName", "string"),
        Parameter("DomainCredential", "any"),
        Parameter("LocalCredential", "any"),
        FORCE,
        _PASS,
        _RESTART,
        *ASK,
    ),
    _cmdlet(
        "Test-ComputerSecureChannel",
        "test_computer_secure_channel:run",
        "TestComputerSecureChannelCommand",
        Parameter("Server", "string"),
        *ASK,
    ),
    _cmdlet(
        "Get-ComputerInfo",
        "get_computer_info:run",
        "GetComputerInfoCommand",
        Parameter("Property", "array", 0),
    ),
    _cmdlet(
        "Get-TimeZone",
        "get_time_zone:run",
        "GetTimeZoneCommand",
        Parameter("Id", "array", 0),
        Parameter("ListAvailable", "switch"),
    ),
    _cmdlet(
        "Set-TimeZone",
        "set_time_zone:run",
        "SetTimeZoneCommand",
        Parameter("Name", "string", 0),
        Parameter("Id", "string"),
        _PASS,
        *ASK,
    ),
    _cmdlet(
        "Get-EventLog",
        "get_event_log:run",
        "GetEventLogCommand",
        Parameter("LogName", "string", 0, aliases=("LN",)),
        Parameter("InstanceId", "array", 1),
        Parameter("EntryType", "array"),
        Parameter("Source", "array"),
        Parameter("Newest", "int"),
        Parameter("List", "switch"),
    ),
    _cmdlet(
        "Get-WinEvent",
        "get_win_event:run",
        "GetWinEventCommand",
        Parameter("LogName", "array", 0),
        Parameter("ListLog", "array"),
        Parameter("ProviderName", "array"),
        Parameter("FilterHashtable", "any"),
        Parameter("MaxEvents", "int"),
        Parameter("Oldest", "switch"),
        FORCE,
        module="Microsoft.PowerShell.Diagnostics",
    ),
    _function(
        "Get-SmbShare",
        "get_smb_share:run",
        "SmbShare",
        Parameter("Name", "array", 0),
        Parameter("Special", "any"),
    ),
    _function("Get-SmbShareAccess", "get_smb_share_access:run", "SmbShare", Parameter("Name", "array", 0)),
    _function(
        "New-SmbShare",
        "new_smb_share:run",
        "SmbShare",
        Parameter("Name", "string", 0, mandatory=True),
        Parameter("Path", "string", 1, mandatory=True),
        Parameter("Description", "string"),
        *(Parameter(name, "array") for name in ("FullAccess", "ChangeAccess", "ReadAccess", "NoAccess")),
        *ASK,
    ),
    _function(
        "Remove-SmbShare",
        "remove_smb_share:run",
        "SmbShare",
        Parameter("Name", "array", 0),
        FORCE,
        *ASK,
    ),
    _function(
        "Grant-SmbShareAccess",
        "change_smb_share_access:run_grant",
        "SmbShare",
        Parameter("AccessRight", "any"),
        *_SHARE_ACCESS,
    ),
    _function("Revoke-SmbShareAccess", "change_smb_share_access:run_revoke", "SmbShare", *_SHARE_ACCESS),
    _function("Block-SmbShareAccess", "change_smb_share_access:run_block", "SmbShare", *_SHARE_ACCESS),
    _function("Unblock-SmbShareAccess", "change_smb_share_access:run_unblock", "SmbShare", *_SHARE_ACCESS),
    *(
        _function(
            f"{verb}-ScheduledTask",
            f"change_scheduled_task:run_{verb.casefold()}",
            "ScheduledTasks",
            *_TASK,
            Parameter("InputObject", "array"),
            *ASK,
        )
        for verb in ("Enable", "Disable", "Unregister")
    ),
    _function("Get-ScheduledTask", "get_scheduled_task:run", "ScheduledTasks", *_TASK),
    _function(
        "Get-ScheduledTaskInfo",
        "get_scheduled_task:run_info",
        "ScheduledTasks",
        *_TASK,
        Parameter("InputObject", "array"),
    ),
)
