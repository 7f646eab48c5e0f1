"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from provisioner.lab.machine.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.storage.initiator import Connection, Initiator, Known, Portal, Session
from provisioner.lab.resources.iscsi.iscsi_initiator import IscsiInitiator
from provisioner.lab.resources.iscsi.iscsi_server_target import IscsiServerTarget
from provisioner.lab.resources.iscsi.iscsi_virtual_disk import IscsiVirtualDisk
from tests.unit.lab.machines import BOOTED, iscsi_machine, machine, node_spec
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


class _Initiator(Initiator):
    """Knows every name by the addresses of the recording."""

    names: Sequence[str] = ()

    def resolve(self, name: str) -> list[str]:
        return super().resolve(name) if name[:1].isdigit() else list(self.names)


def _san(of: Machine, state: dict[str, Any]) -> None:
    """The target server that the recorded initiator talks to: its portal answers on every port asked for."""
    known = state["dns"] or ["192.168.1.10"]
    address = "192.168.1.10" if "192.168.1.10" in known else known[0]
    spec = node_spec(name="sv1", computer_name="SAN", address=address)
    server = Machine.create(spec, BOOTED, of.world)
    server.features.install(["FS-iSCSITarget-Server"])
    server.iscsi.ports = (3260, 3261)
    server.iscsi.adopt([], [Target("t1", state["discover"], (InitiatorId("IQN", "*"),))])


def _initiating(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1", address="192.168.1.20")
    made.services.change("MSiSCSI", status="Running")
    _san(made, state)
    portal, target, connection, session = (
        state[name] for name in ("portal", "target", "connection", "session")
    )
    portals = [
        Portal(
            portal["TargetPortalAddress"],
            portal["InitiatorPortalAddress"] or "",
            portal["TargetPortalPortNumber"],
            portal["InitiatorInstanceName"],
            portal["IsDataDigest"],
            portal["IsHeaderDigest"],
        )
        for portal in ([portal] if portal else [])
    ]
    known = [
        Known(
            target["NodeAddress"],
            target["IsConnected"],
            connection
            and Connection(
                connection["TargetAddress"],
                connection["InitiatorAddress"],
                connection["TargetPortNumber"],
                connection["ConnectionIdentifier"],
            ),
            session
            and Session(
                session["AuthenticationType"],
                session["InitiatorInstanceName"],
                session["InitiatorPortalAddress"],
                session["SessionIdentifier"],
                session["IsPersistent"],
                session["IsDataDigest"],
                session["IsHeaderDigest"],
            ),
        )
        for target in ([target] if target else [])
    ]
    initiator = _Initiator(made)
    initiator.names = state["dns"]
    made.areas._made["machine.storage.initiator:Initiator"] = initiator
    initiator.adopt(portals, known)
    initiator.isns = state["isns"]
    initiator.shares_isns = True
    return made


def _read_initiator(made: Machine, _before: dict[str, Any]) -> Any:
    initiator = made.area(Initiator)
    plain = initiator.to_plain()
    target = plain["targets"][0] if plain["targets"] else {}
    connection, session = target.get("connection"), target.get("session")
    return (
        plain["portals"][0] if plain["portals"] else None,
        target and (target["iqn"], target["is_connected"]),
        connection and {**connection, "id": None},
        session and {**session, "id": None},
        plain["isns"],
    )


def _expected_initiator(state: dict[str, Any]) -> Any:
    return _read_initiator(_initiating(state), state)


def _shown_initiator(values: dict[str, Any]) -> dict[str, Any]:
    """Ids are made up on both sides."""
    ids = ("ConnectionIdentifier", "SessionIdentifier")
    return values | {name: bool(values.get(name)) for name in ids}


SCENARIOS = {
    ("iSCSIDsc", "iSCSIInitiator"): Scenario(
        IscsiInitiator(), _initiating, _read_initiator, _expected_initiator, shown=_shown_initiator
    ),
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
