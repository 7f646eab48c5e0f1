"""Resources a node may have to restart for.

Whether it does turns out when a resource runs: one that finds nothing to do asks for nothing. What is listed
here asks for a restart after changing something, in the source of the resource. Sources: the table of the
resource facts, and for features the lists of roles and features of Windows Server 2016 to 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from provisioner.addresses import ResourceId
    from provisioner.configuration.model import Resource

#: Roles and features that are not there before a restart.
_INSTALLED_BY_RESTART = frozenset(
    {
        "bitlocker",
        "containers",
        "hostguardian",
        "hyper-v",
        "microsoft-windows-subsystem-linux",
        "multipath-io",
        "rds-rd-server",
        "rds-virtualization",
        "storage-replica",
    }
)
#: Roles and features that are not gone before a restart, beside those above.
_REMOVED_BY_RESTART = _INSTALLED_BY_RESTART | {"fs-smb1", "windows-defender"}


def expects_reboot(resources: Iterable[Resource]) -> tuple[ResourceId, ...]:
    """Return the resources that ask for a restart when they change something, in the order given."""
    return tuple(
        each.id for each in resources if (asks := _ASKS.get(each.type.name.casefold())) and asks(each)
    )


def _always(_resource: Resource) -> bool:
    return True


def _is_feature(resource: Resource) -> bool:
    is_removed = str(resource.properties.get("Ensure", "")).casefold() == "absent"
    features = _REMOVED_BY_RESTART if is_removed else _INSTALLED_BY_RESTART
    return str(resource.properties.get("Name", "")).casefold() in features


def _is_optional_feature(resource: Resource) -> bool:
    # These go by the names of DISM: Microsoft-Hyper-V and its parts.
    return str(resource.properties.get("Name", "")).casefold().startswith("microsoft-hyper-v")


def _unless_ignored(resource: Resource) -> bool:
    return resource.properties.get("IgnoreReboot") is not True


def _renames_or_joins(resource: Resource) -> bool:
    """Computer asks after every Set; ``localhost`` alone changes nothing."""
    keeps_name = str(resource.properties.get("Name", "")).casefold() == "localhost"
    joins = any(resource.properties.get(name) for name in ("DomainName", "WorkGroupName"))
    return not keeps_name or joins


def _is_virtual_memory(resource: Resource) -> bool:
    return resource.properties.get("Type") != "NoPagingFile"


#: By the keyword, folded, which the modules that have the same resource share.
_ASKS: Mapping[str, Callable[[Resource], bool]] = {
    "computer": _renames_or_joins,
    "xcomputer": _renames_or_joins,
    "pendingreboot": _always,
    "xpendingreboot": _always,
    "virtualmemory": _is_virtual_memory,
    "xvirtualmemory": _is_virtual_memory,
    "windowsfeature": _is_feature,
    "xwindowsfeature": _is_feature,
    "windowsoptionalfeature": _is_optional_feature,
    "xwindowsoptionalfeature": _is_optional_feature,
    "addomain": _always,
    "addomaincontroller": _always,
    "xpackage": _unless_ignored,
}
