"""Shares and their access entries as commands show them."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.machine.computer.shares import Access, Share
from provisioner.lab.values import EnumValue, PsObject, UInt32

CLASS: Final = "MSFT_SmbShare"
NAMESPACE: Final = "ROOT/Microsoft/Windows/SMB"
_ENUM: Final = "Microsoft.PowerShell.Cmdletization.GeneratedTypes"
_MODES: Final = {"AccessBased": 0, "Unrestricted": 1}
_CACHING: Final = {"None": 0, "Manual": 1, "Documents": 2, "Programs": 3, "BranchCache": 4, "Unknown": 5}
_RIGHTS: Final = {"Full": 0, "Change": 1, "Read": 2, "Custom": 3}
_CONTROLS: Final = {"Allow": 0, "Deny": 1}


def shown(share: Share) -> PsObject:
    """Make the object of a share."""
    mode, caching = share.folder_enumeration_mode, share.caching_mode
    return instance(
        CLASS,
        {
            "Name": share.name,
            "ScopeName": share.scope_name,
            "Path": share.path,
            "Description": share.description,
            "ConcurrentUserLimit": UInt32(share.concurrent_user_limit),
            "EncryptData": share.encrypt_data,
            "ContinuouslyAvailable": share.continuously_available,
            "ShadowCopy": share.shadow_copy,
            "Special": share.special,
        },
        {
            "FolderEnumerationMode": EnumValue(
                f"{_ENUM}.SmbShare.FolderEnumerationMode", mode, _MODES.get(mode, 1)
            ),
            "CachingMode": EnumValue(f"{_ENUM}.SmbShare.CachingMode", caching, _CACHING.get(caching, 1)),
            "ShareState": EnumValue(f"{_ENUM}.SmbShare.ShareState", share.share_state, 1),
            "ShareType": EnumValue(f"{_ENUM}.SmbShare.ShareType", share.share_type, 0),
        },
        namespace=NAMESPACE,
        key=share.name,
    )


def shown_access(share: Share, item: Access) -> PsObject:
    """Make the object of one access entry."""
    control = EnumValue(f"{_ENUM}.SmbShare.AccessControlType", item.control, _CONTROLS[item.control])
    return instance(
        "MSFT_SmbShareAccessControlEntry",
        {"Name": share.name, "ScopeName": share.scope_name, "AccountName": item.account},
        {
            "AccessControlType": control,
            "AccessRight": EnumValue(f"{_ENUM}.SmbShare.ShareAccessRight", item.right, _RIGHTS[item.right]),
        },
        namespace=NAMESPACE,
        key=item.account,
    )
