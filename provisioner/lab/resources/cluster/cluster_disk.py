"""ClusterDisk of FailoverClusterDsc 2.2 (class DSC_ClusterDisk): a disk that is not available is silently left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.cluster.cluster import Cluster, ClusterDisk
from provisioner.lab.machine.storage.disks import Disk, Disks
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, thrown
from provisioner.lab.resources.calls import silenced
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of

_RULES = (
    Rule("Number", is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Label"),
)


class ClusterDiskResource:
    """Stateless. Numbers of disks differ from node to node; the GUID of the partition table does not."""

    class_name = "DSC_ClusterDisk"
    module = "FailoverClusterDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: the label of a disk without GPT is not found."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        found = _clustered(bound["Number"], context)
        has_label = found is not None and bool(found[1].id)
        return {
            "Number": bound["Number"],
            "Ensure": "Present" if found else "Absent",
            "Label": found[1].name if found and has_label else (None if found else ""),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        now = await self.get({"Number": bound["Number"]}, context)
        wanted = bound.get("Ensure", "Present")
        if is_same(wanted, "Absent"):
            return bool(now["Ensure"] == "Absent")
        return now["Ensure"] == "Present" and (
            "Label" not in bound or is_same(now["Label"] or "", bound["Label"])
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.disk_s)
        clusters = clusters_of(context)
        found = _clustered(bound["Number"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if found:
                with calling(CMDLETS + "RemoveClusterResourceCommand"):
                    clusters.remove_disk(context.machine, *found)
            return
        if found is None:
            _add(bound["Number"], context)
            found = _clustered(bound["Number"], context)
        label = bound.get("Label", "")
        if found is None or not found[1].id:
            if label:
                raise ResourceError(
                    "The property 'Name' cannot be found on this object. Verify that the property exists and can "
                    "be set.",
                    "PropertyNotFound",
                    "InvalidOperation",
                    "System.Management.Automation.RuntimeException",
                )
        elif label and not is_same(found[1].name, label):
            clusters.rename_disk(found[0], found[1], label)


def _disk(number: str, context: ResourceContext) -> Disk | None:
    disks = context.machine.area(Disks).all()
    return next((item for item in disks if str(item.number) == str(number)), None)


def _clustered(number: str, context: ResourceContext) -> tuple[Cluster, ClusterDisk] | None:
    cluster = silenced(lambda: clusters_of(context).find(context.machine))
    disk = _disk(number, context)
    if cluster is None or disk is None:
        return None
    same = (item for item in cluster.disks if item.source == disk.unique_id)
    found = next(same, None)
    return (cluster, found) if found else None


def _add(number: str, context: ResourceContext) -> None:
    """Get-ClusterAvailableDisk, filtered, to Add-ClusterDisk: a shared disk with a partition table."""
    clusters, disk = clusters_of(context), _disk(number, context)
    try:
        cluster = clusters.find(context.machine)
        if cluster is not None and disk is not None and disk.source and disk.style != "RAW":
            guid = disk.guid if disk.style == "GPT" else ""
            clusters.add_disk(context.machine, cluster, guid, disk.unique_id)
    except MachineError as error:
        context.nonterminating.append(thrown(error, CMDLETS + "AddClusterDiskCommand"))
