"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.iscsi.iscsi_server_target import IscsiServerTarget
from provisioner.lab.resources.iscsi.iscsi_virtual_disk import IscsiVirtualDisk
from tests.unit.lab.machines import iscsi_machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases

_DISK_FIELDS = ("Path", "Size", "DiskType", "Description", "ParentPath", "BlockSize", "LogicalSectorSize")


def _disks(state: dict[str, Any]) -> Machine:
    made = iscsi_machine(volumes={"C": 100, "E": 100, "D": 10})
    made.files.make_folder("E:\\iSCSI")
    for item in state["disks"]:
        made.files.write(item["Path"], b"")
    disks = [
        VirtualDisk(
            item["Path"], item["Size"], item["DiskType"], item["Description"] or "", item["ParentPath"] or ""
        )
        for item in state["disks"]
    ]
    made.iscsi.adopt(disks, [])
    return made


def _read_disks(made: Machine, _before: dict[str, Any]) -> Any:
    return sorted(
        (
            item.path,
            item.size,
            item.type,
            item.description,
            item.parent_path,
            item.block_size,
            item.logical_sector_size,
        )
        for item in made.iscsi.disks()
    )


def _expected_disks(state: dict[str, Any]) -> Any:
    return sorted(tuple(item.get(name) for name in _DISK_FIELDS) for item in state["disks"])


def _targets(state: dict[str, Any]) -> Machine:
    made = iscsi_machine(initiator_ids=state["value_form"])
    paths = [f"E:\\iSCSI\\{name}.vhdx" for name in "abc"]
    targets = [
        Target(
            item["TargetName"],
            "iqn",
            tuple(InitiatorId.parse(text) for text in item["InitiatorIds"]),
            tuple(item["Paths"]),
        )
        for item in state["targets"]
    ]
    made.iscsi.adopt([VirtualDisk(path, 1, "Dynamic") for path in paths], targets)
    made.iscsi.isns = state["isns"]
    return made


def _read_targets(made: Machine, _before: dict[str, Any]) -> Any:
    targets = [
        {
            "TargetName": item.name,
            "InitiatorIds": [str(one) for one in item.initiators],
            "Paths": list(item.luns),
        }
        for item in made.iscsi.targets()
    ]
    return targets, made.iscsi.isns


SCENARIOS = {
    ("iSCSIDsc", "iSCSIVirtualDisk"): Scenario(IscsiVirtualDisk(), _disks, _read_disks, _expected_disks),
    ("iSCSIDsc", "iSCSIServerTarget"): Scenario(
        IscsiServerTarget(),
        _targets,
        _read_targets,
        lambda state: (state["targets"], state["isns"]),
        # Without disks the module gives a list of one null.
        shown=lambda values: values | {"Paths": [path for path in values.get("Paths") or () if path]},
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
