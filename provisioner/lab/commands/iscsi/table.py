"""Commands of iSCSI: those of the target server come with its feature, those of the initiator are always there."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, FORCE

_HERE = "provisioner.lab.commands.iscsi"
_ISCSI = "Microsoft.Iscsi.Target.Commands"
_ISCSI_FEATURE = "FS-iSCSITarget-Server"

_COMPUTER = (Parameter("ComputerName", "string"), Parameter("Credential"))
_TARGET = Parameter("TargetName", "string", 0, mandatory=True)
_PATH = Parameter("Path", "string", 0, mandatory=True, aliases=("DevicePath",))
_MAPPED = Parameter("Path", "string", 1, mandatory=True, aliases=("DevicePath",))
_PORTAL = Parameter("TargetPortalAddress", "string", 0, mandatory=True)
_SESSION = Parameter("SessionIdentifier", "array", 0)
_LOGIN = (
    Parameter("TargetPortalPortNumber", "int"),
    Parameter("InitiatorPortalAddress", "string"),
    Parameter("InitiatorInstanceName", "string"),
    Parameter("AuthenticationType", "string"),
    Parameter("ChapUsername", "string"),
    Parameter("ChapSecret", "string"),
    Parameter("IsDataDigest"),
    Parameter("IsHeaderDigest"),
)

COMMANDS = (
    CommandSpec(
        "Get-IscsiServerTarget",
        f"{_HERE}.get_iscsi_server_target:run",
        "IscsiTarget",
        (
            Parameter("TargetName", "string", 0),
            Parameter("Path", "string", aliases=("DevicePath",)),
            Parameter("InitiatorId", "string"),
            Parameter("ComputerName", "string"),
        ),
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.GetIscsiServerTargetCommand",
    ),
    CommandSpec(
        "Get-IscsiVirtualDisk",
        f"{_HERE}.get_iscsi_virtual_disk:run",
        "IscsiTarget",
        (
            Parameter("Path", "string", 0, aliases=("DevicePath",)),
            Parameter("TargetName", "string"),
            Parameter("ComputerName", "string"),
        ),
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.GetIscsiVirtualDiskCommand",
    ),
    *(
        CommandSpec(
            name,
            f"{_HERE}.server_targets:{function}",
            "IscsiTarget",
            (*parameters, *_COMPUTER),
            feature=_ISCSI_FEATURE,
            type_name=f"{_ISCSI}.{name.replace('-', '')}Command",
        )
        for name, function, parameters in (
            ("New-IscsiServerTarget", "new_target", (_TARGET, Parameter("InitiatorIds", "array"))),
            (
                "Set-IscsiServerTarget",
                "change_target",
                (
                    _TARGET,
                    Parameter("InitiatorIds", "array"),
                    Parameter("Description", "string"),
                    Parameter("Enable"),
                    Parameter("EnableChap"),
                    Parameter("Chap"),
                    Parameter("EnableReverseChap"),
                    Parameter("ReverseChap"),
                ),
            ),
            (
                "Remove-IscsiServerTarget",
                "remove_target",
                (Parameter("TargetName", "array", 0), FORCE, *ASK),
            ),
            (
                "New-IscsiVirtualDisk",
                "new_disk",
                (
                    _PATH,
                    Parameter("SizeBytes", position=1, aliases=("Size",)),
                    Parameter("Description", "string"),
                    Parameter("ParentPath", "string"),
                    Parameter("UseFixed", "switch"),
                    Parameter("DoNotClearData", "switch"),
                ),
            ),
            (
                "Remove-IscsiVirtualDisk",
                "remove_disk",
                (Parameter("Path", "array", 0, mandatory=True, aliases=("DevicePath",)), *ASK),
            ),
            ("Add-IscsiVirtualDiskTargetMapping", "add_mapping", (_TARGET, _MAPPED, Parameter("Lun", "int"))),
            ("Remove-IscsiVirtualDiskTargetMapping", "remove_mapping", (_TARGET, _MAPPED, *ASK)),
        )
    ),
    CommandSpec(
        "Get-IscsiTargetServerSetting",
        f"{_HERE}.target_server:get_setting",
        "IscsiTarget",
        _COMPUTER,
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.GetIscsiTargetServerSettingCommand",
    ),
    CommandSpec(
        "Set-IscsiTargetServerSetting",
        f"{_HERE}.target_server:set_setting",
        "IscsiTarget",
        (
            Parameter("IP", "string", 0, mandatory=True),
            Parameter("Port", "int"),
            Parameter("Enable"),
            Parameter("PassThru", "switch"),
            *_COMPUTER,
        ),
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.SetIscsiTargetServerSettingCommand",
    ),
    *(
        CommandSpec(name, f"{_HERE}.initiator:{function}", "iSCSI", parameters)
        for name, function, parameters in (
            ("Get-IscsiTarget", "get_target", (Parameter("NodeAddress", "array", 0),)),
            (
                "Get-IscsiTargetPortal",
                "get_portal",
                (
                    Parameter("TargetPortalAddress", "array", 0),
                    Parameter("InitiatorPortalAddress", "array", 1),
                ),
            ),
            ("Get-IscsiSession", "get_session", (Parameter("IscsiTarget"),)),
            (
                "Get-IscsiConnection",
                "get_connection",
                (Parameter("IscsiTarget"), Parameter("IscsiSession")),
            ),
            ("New-IscsiTargetPortal", "new_portal", (_PORTAL, *_LOGIN)),
            (
                "Remove-IscsiTargetPortal",
                "remove_portal",
                (
                    Parameter("TargetPortalAddress", "array", 0, mandatory=True),
                    Parameter("InitiatorPortalAddress", "string"),
                    Parameter("TargetPortalPortNumber", "int"),
                    *ASK,
                ),
            ),
            ("Update-IscsiTarget", "update", ()),
            (
                "Update-IscsiTargetPortal",
                "update_portal",
                (
                    Parameter("TargetPortalAddress", "array", 0, mandatory=True),
                    Parameter("InitiatorPortalAddress", "string"),
                    Parameter("TargetPortalPortNumber", "int"),
                ),
            ),
            (
                "Register-IscsiSession",
                "register",
                (
                    _SESSION,
                    Parameter("IsMultipathEnabled"),
                    Parameter("ChapUsername", "string"),
                    Parameter("ChapSecret", "string"),
                ),
            ),
            ("Unregister-IscsiSession", "unregister", (_SESSION,)),
            (
                "Set-IscsiChapSecret",
                "set_chap_secret",
                (Parameter("ChapSecret", "string", 0, mandatory=True),),
            ),
            (
                "Connect-IscsiTarget",
                "connect",
                (
                    Parameter("NodeAddress", "array"),
                    Parameter("TargetPortalAddress", "string"),
                    *_LOGIN,
                    Parameter("IsPersistent"),
                    Parameter("IsMultipathEnabled"),
                    Parameter("ReportToPnP"),
                ),
            ),
            (
                "Disconnect-IscsiTarget",
                "disconnect",
                (Parameter("NodeAddress", "array", 0), Parameter("SessionIdentifier", "string"), *ASK),
            ),
        )
    ),
)
