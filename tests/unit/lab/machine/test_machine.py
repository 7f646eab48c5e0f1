"""A machine keeps its areas together: boots settle what was pending, and state survives being written down."""

from __future__ import annotations

import json
from typing import Any

from provisioner.lab.machine.ground.iscsi import VirtualDisk
from provisioner.lab.machine.ground.power import IN_BOX
from provisioner.lab.machine.ground.registry import PENDING_RENAMES, SESSION_MANAGER
from provisioner.lab.machine.machine import Machine
from provisioner.lab.spec import Durations, FileSpec, ServiceSpec
from tests.unit.lab.machines import BOOTED, REBOOTED, machine, node_spec


def again(made: Machine, **fields: Any) -> Machine:
    """Write a machine down and read it back."""
    return Machine.from_plain(json.loads(json.dumps(made.to_plain())), node_spec(**fields))


def test_a_boot_counts_up_and_takes_the_time_it_happened() -> None:
    made = machine()
    assert (made.boot_id, made.boot_time) == (1, BOOTED)
    made.on_boot(REBOOTED)
    assert (made.boot_id, made.boot_time) == (2, REBOOTED)


def test_hyper_v_is_there_only_after_the_boot() -> None:
    made = machine(durations=Durations(boot_s=60, feature_reboot_s=30))
    assert made.boot_duration_s == 60
    change = made.features.install(["Hyper-V"], with_tools=True)
    assert change.restart_needed == "Yes"
    assert made.boot_duration_s == 90
    assert made.needs_reboot
    assert not made.features.is_installed("Hyper-V")
    assert made.features.is_installed("Hyper-V-PowerShell")
    assert made.services.find("vmms") is None
    made.on_boot(REBOOTED)
    assert made.hyperv.is_active
    service = made.services.find("vmms")
    assert service
    assert service.status == "Running"
    assert not made.needs_reboot


def test_a_boot_clears_pending_renames_and_starts_only_automatic_services() -> None:
    made = machine()
    made.registry.add_pending_rename(r"C:\a", r"C:\b")
    assert made.registry.get(SESSION_MANAGER, PENDING_RENAMES) == [r"\??\C:\a", r"!\??\C:\b"]
    made.services.stop("W32Time")
    made.services.start("MSiSCSI")
    made.on_boot(REBOOTED)
    assert not made.registry.has_pending_renames
    status = {item.name: item.status for item in made.services}
    assert status["W32Time"] == "Running"
    assert status["MSiSCSI"] == "Stopped"


def test_everything_survives_being_written_down() -> None:
    fields = {
        "files": (FileSpec(r"C:\src\a.txt", "a"), FileSpec(r"C:\src\b.txt", "b")),
        "services": (ServiceSpec("app", dependencies=("RpcSs",)),),
    }
    made = machine(**fields)
    made.features.install(["Hyper-V", "FS-iSCSITarget-Server"], with_tools=True)
    made.on_boot(REBOOTED)
    made.hyperv.new_switch("external", "External", ["Ethernet 2"])
    made.files.write(r"C:\src\a.txt", b"\xff")
    made.files.remove(r"C:\src\b.txt")
    made.iscsi.new_disk(VirtualDisk(r"D:\a.vhdx", 1, "Dynamic"))
    made.iscsi.new_target("t", ["IQN:iqn.x"])
    made.iscsi.map_disk("t", r"D:\a.vhdx")
    made.power.activate(IN_BOX[1].guid)
    made.services.stop("Spooler")
    made.services.delete("Spooler")
    made.registry.add_pending_rename(r"C:\x")
    twin = again(made, **fields)
    assert twin.to_plain() == made.to_plain()
    assert twin.files.read(r"C:\src\a.txt") == b"\xff"
    assert twin.files.find(r"C:\src\b.txt") is None
    assert twin.services.find("Spooler") is None
    assert twin.hyperv.switches() == made.hyperv.switches()
    assert twin.network.adapters == made.network.adapters
    assert twin.iscsi.target("T") == made.iscsi.target("t")
    assert twin.power.active == IN_BOX[1].guid
    assert twin.boot_id == made.boot_id


def test_what_follows_from_the_specification_is_not_written_down() -> None:
    plain = machine(files=(FileSpec(r"C:\big.bin", "x" * 10_000),)).to_plain()
    assert len(json.dumps(plain)) < 4000
    assert plain["services"] == plain["features"] == plain["files"] == {}


def test_machines_share_the_feature_table() -> None:
    assert machine().features.table is machine().features.table


def test_listeners_hear_of_each_change() -> None:
    made = machine()
    heard: list[tuple[str, str]] = []
    made.ledger.listeners.append(lambda area, what: heard.append((area, what)))
    made.services.start("MSiSCSI")
    made.files.write(r"C:\a.txt", b"")
    assert heard == [("services", "MSiSCSI started"), ("files", r"C:\a.txt written")]
