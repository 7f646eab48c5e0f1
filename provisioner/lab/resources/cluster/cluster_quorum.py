"""ClusterQuorum of FailoverClusterDsc 2.2 (class DSC_ClusterQuorum): type and witness, never a key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.cluster.cluster import Quorum, demand_module
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, thrown
from provisioner.lab.resources.calls import works, written
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of

_TYPES: Final = (
    "NodeMajority",
    "NodeAndDiskMajority",
    "NodeAndFileShareMajority",
    "NodeAndCloudMajority",
    "DiskOnly",
)
_RULES = (
    Rule("IsSingleInstance", is_mandatory=True, allowed=("Yes",)),
    Rule("Type", allowed=_TYPES),
    Rule("Resource"),
    Rule("StorageAccountAccessKey"),
)
_DISK, _SHARE, _CLOUD = "Physical Disk", "File Share Quorum Witness", "Cloud Witness"
_OF_WITNESS: Final[Mapping[str | None, str]] = {
    None: "NodeMajority",
    _DISK: "NodeAndDiskMajority",
    _SHARE: "NodeAndFileShareMajority",
    _CLOUD: "NodeAndCloudMajority",
}


class ClusterQuorum:
    """Stateless."""

    class_name = "DSC_ClusterQuorum"
    module = "FailoverClusterDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        kind, resource = _current(context)
        return {
            "IsSingleInstance": bound["IsSingleInstance"],
            "Type": kind,
            "Resource": resource,
            "StorageAccountAccessKey": "",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        kind, resource = _current(context)
        # Nothing is not the empty text: a witness without its parameter is never as wanted.
        return is_same(kind, bound.get("Type", "")) and (
            resource is not None and is_same(resource, bound.get("Resource", ""))
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: without a type it does nothing."""
        bound = bind("Set-TargetResource", _RULES, properties)
        if "Type" not in bound:
            return
        await context.sleep(context.machine.durations.other_s)
        resource = bound.get("Resource", "")
        wanted = {
            "nodemajority": Quorum(),
            "nodeanddiskmajority": Quorum("Majority", _DISK, resource),
            "nodeandfilesharemajority": Quorum("Majority", _SHARE, "File Share Witness", resource),
            "nodeandcloudmajority": Quorum("Majority", _CLOUD, "Cloud Witness", resource),
            "diskonly": Quorum("DiskOnly", _DISK, resource),
        }[bound["Type"].casefold()]
        written(context, CMDLETS + "SetClusterQuorumCommand", partial(_set, context, wanted))


def _set(context: ResourceContext, wanted: Quorum) -> None:
    clusters = clusters_of(context)
    demand_module(context.machine, "Set-ClusterQuorum")
    clusters.set_quorum(context.machine, clusters.own(context.machine), wanted)


def _current(context: ResourceContext) -> tuple[str, str | None]:
    """Read type and witness.

    Raises:
        ResourceError: Windows says something the module does not know, or nothing.
    """
    try:
        demand_module(context.machine, "Get-ClusterQuorum")
        context.machine.ledger.attempt("Get-ClusterQuorum")
        quorum = clusters_of(context).own(context.machine).quorum
    except MachineError as error:
        context.nonterminating.append(thrown(error, CMDLETS + "GetClusterQuorumCommand"))
        raise _unknown("Unknown quorum type: ") from None
    if quorum.type == "Majority":
        kind = _OF_WITNESS.get(quorum.resource_type)
        if kind is None:
            shown = f"@{{Name={quorum.resource_name}; OwnerGroup=Cluster Group; ResourceType=}}"
            raise _unknown(f"Unknown quorum resource: {shown}")
    elif quorum.type in {"NodeMajority", "NodeAndDiskMajority", "NodeAndFileShareMajority", "DiskOnly"}:
        kind = quorum.type
    else:
        raise _unknown(f"Unknown quorum type: {quorum.type}")
    if kind in {"NodeAndFileShareMajority", "NodeAndCloudMajority"}:
        return kind, quorum.parameter if works(context, "Get-ClusterParameter") else None
    return kind, quorum.resource_name or ""


def _unknown(message: str) -> ResourceError:
    """Make the error of a plain throw of a text, which is its id too."""
    return ResourceError(
        message, message, "OperationStopped", "System.Management.Automation.RuntimeException"
    )
