"""Disk and WaitForDisk answer as the published modules did, in every recorded case but those listed."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.storage.disks import Disk, Disks, Partition
from provisioner.lab.resources.storage.disk import DiskResource
from provisioner.lab.resources.storage.wait_for_disk import WaitForDisk
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Differing, Scenario, all_cases, compare, unknown_cases


def _disk(state: dict[str, Any], **fields: Any) -> Disk:
    return Disk(
        state["Number"],
        state["UniqueId"],
        state.get("Size", 0),
        state.get("Guid") or "",
        state.get("Location") or "",
        state.get("FriendlyName") or "",
        state.get("SerialNumber") or "",
        **fields,
    )


def _partitioned(state: dict[str, Any]) -> Machine:
    made = machine(volumes={"C": 100})
    it = state["disk"]
    disk = _disk(
        it,
        style=it["PartitionStyle"],
        is_offline=it.get("IsOffline", False),
        is_read_only=it.get("IsReadOnly", False),
        keeps_partitions_read_only=bool(state.get("new_readonly")),
    )
    partitions = [
        Partition(
            item["DiskNumber"],
            item["PartitionNumber"],
            item["Size"],
            (item["DriveLetter"] or "").strip("\0"),
            item.get("Type", "Basic"),
            item["FileSystem"] or "",
            item["Label"] or "",
            item["BlockSize"] or 0,
            item.get("IsReadOnly", False),
        )
        for item in state["partitions"]
    ]
    made.area(Disks).adopt([disk], partitions)
    return made


def _read_partitioned(made: Machine, before: dict[str, Any]) -> Any:
    disks = made.area(Disks)
    disk = disks.disk(before["disk"]["Number"])
    return (
        disk.is_offline,
        disk.is_read_only,
        disk.style.casefold(),
        [
            {
                "DiskNumber": item.disk,
                "PartitionNumber": item.number,
                "DriveLetter": item.letter or None,
                "Size": item.size,
                "Type": item.type,
                "FileSystem": item.file_system.casefold(),
                "Label": item.label,
                "BlockSize": item.unit,
                "IsReadOnly": item.is_read_only,
            }
            for item in disks.partitions(disk.number)
        ],
    )


def _expected_partitioned(state: dict[str, Any]) -> Any:
    disk = state["disk"]
    partitions = [
        {
            **item,
            "DriveLetter": item["DriveLetter"] and item["DriveLetter"].upper(),
            # Windows spells what it was told in its own way.
            "FileSystem": (item["FileSystem"] or "").casefold(),
        }
        for item in state["partitions"]
    ]
    return (
        disk.get("IsOffline", False),
        disk.get("IsReadOnly", False),
        disk["PartitionStyle"].casefold(),
        partitions,
    )


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    letter = values.get("DriveLetter")
    spelled = {
        name: str(values[name]).casefold()
        for name in ("FSFormat", "PartitionStyle")
        if values.get(name) is not None
    }
    read = letter["$char"] if isinstance(letter, dict) else letter
    return values | spelled | ({"DriveLetter": read.upper()} if read else {})


class _LateDisks(Disks):
    """Disks that nobody sees the first times."""

    hidden = 0

    def all(self) -> list[Disk]:
        self.hidden -= 1
        return [] if self.hidden >= 0 else super().all()


def _waiting(state: dict[str, Any]) -> Machine:
    made = machine(volumes={"C": 100})
    disks = _LateDisks(made)
    disks.adopt([_disk(item) for item in state["disks"]], [])
    disks.hidden = int(state.get("appears", 0))
    made.areas._made["machine.storage.disks:Disks"] = disks
    return made


SCENARIOS = {
    ("StorageDsc", "Disk"): Scenario(
        DiskResource(), _partitioned, _read_partitioned, _expected_partitioned, shown=_shown
    ),
    ("StorageDsc", "WaitForDisk"): Scenario(
        WaitForDisk(), _waiting, lambda _made, _before: None, lambda _state: None
    ),
}

DIFFERING: Differing = {
    ("Disk", "devdrive_ntfs"): Different(
        "the check for Dev Drives was made on a system without the Windows API",
        "set_error",
        "set_nonterminating",
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(
    key: tuple[str, str], case: dict[str, Any]
) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_case_exists() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
