"""Commands of services and Windows features, one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, CMDLETS, COMPUTER, FORCE, MANAGEMENT

_HERE = "provisioner.lab.commands.basics"
_SERVICE_NAME = Parameter("Name", "array", 0, aliases=("ServiceName",))
_SERVICE = (
    _SERVICE_NAME,
    Parameter("DisplayName", "array"),
    Parameter("InputObject", "any"),
    Parameter("PassThru", "switch"),
    Parameter("Include", "array"),
    Parameter("Exclude", "array"),
    *ASK,
)
_SERVER_MANAGER = "Microsoft.Windows.ServerManager.Commands"
_FEATURE = (
    Parameter("Restart", "switch"),
    Parameter("ComputerName", "string", aliases=("Cn",)),
    Parameter("Credential", "any"),
    Parameter("LogPath", "string"),
    *ASK,
)
_DISM_TYPES = "Microsoft.Dism.Commands"
_DISM = (
    Parameter("Online", "switch"),
    Parameter("LogPath", "string", aliases=("LP",)),
    Parameter("LogLevel", "any", aliases=("LL",)),
    Parameter("ScratchDirectory", "string"),
)
_LOCAL_ACCOUNTS = "Microsoft.PowerShell.LocalAccounts"

COMMANDS = (
    CommandSpec(
        "Get-Service",
        f"{_HERE}.get_service:run",
        MANAGEMENT,
        (_SERVICE_NAME, Parameter("DisplayName", "array"), Parameter("InputObject", "any"), COMPUTER),
        type_name=f"{CMDLETS}.GetServiceCommand",
    ),
    CommandSpec(
        "Start-Service",
        f"{_HERE}.start_service:run",
        MANAGEMENT,
        _SERVICE,
        type_name=f"{CMDLETS}.StartServiceCommand",
    ),
    CommandSpec(
        "Stop-Service",
        f"{_HERE}.stop_service:run",
        MANAGEMENT,
        (*_SERVICE, FORCE, Parameter("NoWait", "switch")),
        type_name=f"{CMDLETS}.StopServiceCommand",
    ),
    CommandSpec(
        "Restart-Service",
        f"{_HERE}.restart_service:run",
        MANAGEMENT,
        (*_SERVICE, FORCE),
        type_name=f"{CMDLETS}.RestartServiceCommand",
    ),
    CommandSpec(
        "New-Service",
        f"{_HERE}.new_service:run",
        MANAGEMENT,
        (
            Parameter("Name", "string", 0, mandatory=True, aliases=("ServiceName",)),
            Parameter("BinaryPathName", "string", 1, mandatory=True),
            Parameter("DisplayName", "string"),
            Parameter("Description", "string"),
            Parameter("StartupType", "any"),
            Parameter("Credential", "any"),
            Parameter("DependsOn", "array"),
            *ASK,
        ),
        type_name=f"{CMDLETS}.NewServiceCommand",
    ),
    CommandSpec(
        "Set-Service",
        f"{_HERE}.set_service:run",
        MANAGEMENT,
        (
            Parameter("Name", "array", 0, aliases=("ServiceName", "SN")),
            Parameter("DisplayName", "string", aliases=("DN",)),
            Parameter("Description", "string"),
            Parameter("StartupType", "any", aliases=("StartMode", "SM", "ST")),
            Parameter("Status", "any"),
            Parameter("InputObject", "any"),
            Parameter("PassThru", "switch"),
            COMPUTER,
            *ASK,
        ),
        type_name=f"{CMDLETS}.SetServiceCommand",
    ),
    *(
        CommandSpec(
            name,
            f"{_HERE}.change_windows_features:install",
            "ServerManager",
            (
                Parameter("Name", "array", 0),
                Parameter("IncludeAllSubFeature", "switch"),
                Parameter("IncludeManagementTools", "switch"),
                Parameter("Source", "array"),
                *_FEATURE,
            ),
            type_name=f"{_SERVER_MANAGER}.AddWindowsFeatureCommand",
        )
        for name in ("Install-WindowsFeature", "Add-WindowsFeature")
    ),
    *(
        CommandSpec(
            name,
            f"{_HERE}.change_windows_features:uninstall",
            "ServerManager",
            (
                Parameter("Name", "array", 0),
                Parameter("IncludeManagementTools", "switch"),
                Parameter("Remove", "switch"),
                *_FEATURE,
            ),
            type_name=f"{_SERVER_MANAGER}.RemoveWindowsFeatureCommand",
        )
        for name in ("Uninstall-WindowsFeature", "Remove-WindowsFeature")
    ),
    CommandSpec(
        "Get-WindowsOptionalFeature",
        f"{_HERE}.windows_optional_features:get",
        "Dism",
        (Parameter("FeatureName", "string", 0), *_DISM),
        type_name=f"{_DISM_TYPES}.GetWindowsOptionalFeatureCommand",
    ),
    CommandSpec(
        "Get-WindowsDriver",
        f"{_HERE}.get_windows_driver:run",
        "Dism",
        (
            Parameter("Online", "switch", mandatory=True),
            *(parameter for parameter in _DISM if parameter.name != "Online"),
        ),
        type_name=f"{_DISM_TYPES}.GetWindowsDriverCommand",
    ),
    CommandSpec(
        "Enable-WindowsOptionalFeature",
        f"{_HERE}.windows_optional_features:enable",
        "Dism",
        (
            Parameter("FeatureName", "array", 0, mandatory=True),
            Parameter("All", "switch"),
            Parameter("LimitAccess", "switch"),
            Parameter("Source", "array"),
            Parameter("NoRestart", "switch"),
            Parameter("PackageName", "string"),
            *_DISM,
        ),
        type_name=f"{_DISM_TYPES}.EnableWindowsOptionalFeatureCommand",
    ),
    CommandSpec(
        "Disable-WindowsOptionalFeature",
        f"{_HERE}.windows_optional_features:disable",
        "Dism",
        (
            Parameter("FeatureName", "array", 0, mandatory=True),
            Parameter("Remove", "switch"),
            Parameter("NoRestart", "switch"),
            Parameter("PackageName", "string"),
            *_DISM,
        ),
        type_name=f"{_DISM_TYPES}.DisableWindowsOptionalFeatureCommand",
    ),
    CommandSpec(
        "Get-Process",
        f"{_HERE}.processes:get",
        MANAGEMENT,
        (
            Parameter("Name", "array", 0, aliases=("ProcessName",)),
            Parameter("Id", "array", aliases=("PID",)),
            Parameter("InputObject", "any"),
            Parameter("IncludeUserName", "switch"),
            COMPUTER,
        ),
        type_name=f"{CMDLETS}.GetProcessCommand",
    ),
    CommandSpec(
        "Stop-Process",
        f"{_HERE}.processes:stop",
        MANAGEMENT,
        (
            Parameter("Id", "array", 0),
            Parameter("Name", "array", aliases=("ProcessName",)),
            Parameter("InputObject", "any"),
            Parameter("PassThru", "switch"),
            FORCE,
            *ASK,
        ),
        type_name=f"{CMDLETS}.StopProcessCommand",
    ),
    CommandSpec(
        "Get-LocalUser",
        f"{_HERE}.local_accounts:users",
        _LOCAL_ACCOUNTS,
        (Parameter("Name", "array", 0), Parameter("SID", "array")),
        type_name=f"{CMDLETS}.GetLocalUserCommand",
    ),
    CommandSpec(
        "Get-LocalGroup",
        f"{_HERE}.local_accounts:groups",
        _LOCAL_ACCOUNTS,
        (Parameter("Name", "array", 0), Parameter("SID", "array")),
        type_name=f"{CMDLETS}.GetLocalGroupCommand",
    ),
    CommandSpec(
        "Get-LocalGroupMember",
        f"{_HERE}.local_accounts:members",
        _LOCAL_ACCOUNTS,
        (
            Parameter("Name", "string", 0),
            Parameter("Member", "string", 1),
            Parameter("Group", "any"),
            Parameter("SID", "string"),
        ),
        type_name=f"{CMDLETS}.GetLocalGroupMemberCommand",
    ),
    CommandSpec(
        "Get-Package",
        f"{_HERE}.get_package:run",
        "PackageManagement",
        (Parameter("Name", "array", 0), Parameter("ProviderName", "array", aliases=("Provider",)), FORCE),
        type_name="Microsoft.PowerShell.PackageManagement.Cmdlets.GetPackage",
    ),
    CommandSpec(
        "Get-HotFix",
        f"{_HERE}.get_hot_fix:run",
        MANAGEMENT,
        (Parameter("Id", "array", 0, aliases=("HFID",)), COMPUTER, Parameter("Credential", "any")),
        type_name=f"{CMDLETS}.GetHotFixCommand",
    ),
    CommandSpec(
        "Import-Module",
        f"{_HERE}.import_module:run",
        "Microsoft.PowerShell.Core",
        (
            Parameter("Name", "array", 0, mandatory=True),
            FORCE,
            Parameter("Global", "switch"),
            Parameter("PassThru", "switch"),
            Parameter("DisableNameChecking", "switch"),
            Parameter("RequiredVersion", "string"),
        ),
        type_name=f"{CMDLETS}.ImportModuleCommand",
    ),
    CommandSpec(
        "Get-Date",
        f"{_HERE}.get_date:run",
        "Microsoft.PowerShell.Utility",
        (Parameter("Format", "string"), Parameter("UFormat", "string")),
        type_name=f"{CMDLETS}.GetDateCommand",
    ),
    CommandSpec(
        "Measure-Object",
        f"{_HERE}.measure_object:run",
        "Microsoft.PowerShell.Utility",
        (
            Parameter("Property", "array", 0),
            Parameter("InputObject", "any"),
            Parameter("Sum", "switch"),
            Parameter("Average", "switch"),
            Parameter("Maximum", "switch"),
            Parameter("Minimum", "switch"),
        ),
        type_name=f"{CMDLETS}.MeasureObjectCommand",
    ),
    CommandSpec(
        "Get-WindowsFeature",
        f"{_HERE}.get_windows_feature:run",
        "ServerManager",
        (
            Parameter("Name", "array", 0),
            Parameter("ComputerName", "string", aliases=("Cn",)),
            Parameter("Credential", "any"),
            Parameter("LogPath", "string"),
        ),
        type_name="Microsoft.Windows.ServerManager.Commands.GetWindowsFeatureCommand",
    ),
)
