"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from provisioner.addresses import is_ip_address
from provisioner.lab.machine.ground.iscsi import InitiatorId, Target, VirtualDisk
from provisioner.lab.machine.iscsi.initiator import Connection, Initiator, Known, Path, Portal, Session
from provisioner.lab.machine.iscsi.portals import TargetPortals
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.iscsi.iscsi_initiator import IscsiInitiator
from provisioner.lab.resources.iscsi.iscsi_server_target import IscsiServerTarget
from provisioner.lab.resources.iscsi.iscsi_virtual_disk import IscsiVirtualDisk
from tests.unit.lab.machines import BOOTED, iscsi_machine, machine, node_spec
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases

_DISK_FIELDS = ("Path", "Size", "DiskType", "Description", "ParentPath", "BlockSize", "LogicalSectorSize")


def _disks(state: dict[str, Any]) -> Machine:
    made = iscsi_machine(volumes=dict.fromkeys("CDEF", 10_000))
    for item in state["disks"]:
        made.files.seed(item["Path"], b"")
    disks = [
        VirtualDisk(
            item["Path"],
            item["Size"],
            item["DiskType"],
            item.get("Description") or "",
            item.get("ParentPath") or "",
            item.get("BlockSize"),
            item.get("LogicalSectorSize"),
            item.get("PhysicalSectorSize"),
        )
        for item in state["disks"]
    ]
    made.iscsi.adopt(disks, [])
    # An answer of nothing (answer_null) is to the module the same as the error of a disk that is not there.
    return made


def _disk_folders(made: Machine, properties: dict[str, Any]) -> None:
    """Any folder is there for the recorded cmdlets, and any parent."""
    for path in (properties["Path"], properties.get("ParentPath")):
        if isinstance(path, str) and path[1:3] == ":\\":
            made.files.make_folder(path.rpartition("\\")[0])
            if path == properties.get("ParentPath") and not made.files.is_file(path):
                made.files.seed(path, b"")


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
    made = iscsi_machine(initiator_ids=state.get("value_form", "full"))
    targets = [
        Target(
            item["TargetName"],
            "iqn",
            tuple(InitiatorId.parse(text) for text in item["InitiatorIds"]),
            tuple(item["Paths"]),
        )
        for item in state["targets"]
    ]
    made.iscsi.adopt([], targets)
    made.iscsi.isns = state.get("isns")
    return made


def _mapped_disks(made: Machine, properties: dict[str, Any]) -> None:
    """The recorded targets map any path."""
    targets = made.iscsi.targets()
    wanted = properties.get("Paths")
    asked = wanted if isinstance(wanted, list) else [wanted]
    paths = {
        *(path for path in asked if isinstance(path, str)),
        *(path for target in targets for path in target.luns),
    }
    made.iscsi.adopt([VirtualDisk(path, 1, "Dynamic") for path in sorted(paths)], targets)


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
    discovers = ""

    def resolve(self, name: str) -> list[str]:
        if name[:1].isdigit() or ":" in name:
            return super().resolve(name)
        self.owner.ledger.attempt("Resolve-DnsName")
        return list(self.names)


def _san(made: Machine, properties: dict[str, Any]) -> None:
    """The target server that the recorded initiator talks to: it has the address and the port asked for."""
    initiator = made.area(Initiator)
    assert isinstance(initiator, _Initiator)
    named, known = str(properties.get("TargetPortalAddress")), initiator.names or ["192.168.1.10"]
    if not is_ip_address(named):
        named = "192.168.1.10" if "192.168.1.10" in known else known[0]
    server = Machine.create(node_spec(name="sv1", computer_name="SAN", address=named), BOOTED, made.world)
    server.features.install(["FS-iSCSITarget-Server"])
    port = properties.get("TargetPortalPortNumber")
    if str(port).isdecimal():
        server.area(TargetPortals).set(named, port=int(str(port)))
    server.iscsi.adopt([], [Target("t1", initiator.discovers, (InitiatorId("IQN", "*"),))])


def _initiating(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1", address="192.168.1.20")
    made.services.change("MSiSCSI", status="Running")
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
    paths: tuple[Path, ...] = ()
    if session:
        made_session = Session(
            session["AuthenticationType"],
            session["InitiatorInstanceName"],
            session["InitiatorPortalAddress"],
            session["SessionIdentifier"],
            session["IsPersistent"],
            session["IsDataDigest"],
            session["IsHeaderDigest"],
        )
        made_connection = connection and Connection(
            connection["TargetAddress"],
            connection["InitiatorAddress"],
            connection["TargetPortNumber"],
            connection["ConnectionIdentifier"],
        )
        paths = (Path(made_session, made_connection),)
    known = [Known(target["NodeAddress"], paths)] if target else []
    initiator = _Initiator(made)
    initiator.names = state.get("dns") or ()
    initiator.discovers = state.get("discover") or ""
    made.areas._made["machine.iscsi.initiator:Initiator"] = initiator
    initiator.adopt(portals, known)
    initiator.isns = state.get("isns")
    initiator.shares_isns = True
    return made


def _read_initiator(made: Machine, _before: dict[str, Any]) -> Any:
    initiator = made.area(Initiator)
    plain = initiator.to_plain()
    target = plain["targets"][0] if plain["targets"] else {}
    path = target["paths"][0] if target and target["paths"] else {}
    connection, session = path.get("connection"), path.get("session")
    return (
        plain["portals"][0] if plain["portals"] else None,
        target and (target["iqn"], bool(path)),
        connection and {**connection, "id": None},
        session and {**session, "id": None, "user": None, "secret": None},
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
        IscsiInitiator(), _initiating, _read_initiator, _expected_initiator, _san, shown=_shown_initiator
    ),
    ("iSCSIDsc", "iSCSIVirtualDisk"): Scenario(
        IscsiVirtualDisk(), _disks, _read_disks, _expected_disks, _disk_folders
    ),
    ("iSCSIDsc", "iSCSIServerTarget"): Scenario(
        IscsiServerTarget(),
        _targets,
        _read_targets,
        lambda state: (state["targets"], state.get("isns")),
        _mapped_disks,
        # Without disks or initiators the module gives a list of one null.
        shown=lambda values: (
            values
            | {name: [item for item in values.get(name) or () if item] for name in ("InitiatorIds", "Paths")}
        ),
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
