"""Features come with what they need, and the table is that of the release."""

from __future__ import annotations

import json

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.features import FeatureState, table_of
from tests.shared_data import shared
from tests.unit.lab.machines import REBOOTED, machine


def test_parents_and_dependencies_come_along() -> None:
    made = machine()
    change = made.features.install(["fs-iscsitarget-server"])
    assert set(change.changed) == {"File-Services", "FS-FileServer", "FS-iSCSITarget-Server"}
    assert (change.restart_needed, change.exit_code) == ("No", "Success")
    service = made.services.find("WinTarget")
    assert service
    assert service.status == "Running"
    assert made.features.install(["FS-iSCSITarget-Server"]).exit_code == "NoChangeNeeded"


def test_a_role_does_not_bring_its_tools_unless_asked() -> None:
    made = machine()
    made.features.install(["Hyper-V"])
    assert not made.features.is_installed("Hyper-V-PowerShell")


def test_sub_features_come_when_asked_for() -> None:
    made = machine()
    made.features.install(["RSAT-Hyper-V-Tools"], with_subs=True)
    assert made.features.is_installed("Hyper-V-Tools")
    assert made.features.is_installed("Hyper-V-PowerShell")


def test_removing_takes_what_depends_on_it_and_its_services() -> None:
    made = machine()
    made.features.install(["FS-iSCSITarget-Server"])
    change = made.features.uninstall(["FS-FileServer"])
    assert set(change.changed) == {"FS-FileServer", "FS-iSCSITarget-Server"}
    assert made.services.find("WinTarget") is None


def test_a_pending_removal_of_hyper_v_settles_at_boot() -> None:
    made = machine()
    made.features.install(["Hyper-V"])
    made.on_boot(REBOOTED)
    assert made.features.uninstall(["Hyper-V"]).restart_needed == "Yes"
    assert made.features.state("Hyper-V") is FeatureState.UNINSTALL_PENDING
    made.on_boot(REBOOTED)
    assert made.features.state("Hyper-V") is FeatureState.AVAILABLE
    assert made.services.find("vmms") is None


def test_unknown_names_and_dism_spellings_are_refused() -> None:
    for name in ("Hyper-X", "MultiPathIO", "iSCSITarget-Server"):
        with pytest.raises(MachineError) as caught:
            machine().features.install([name])
        assert (caught.value.error_id, caught.value.category) == ("NameDoesNotExist", "InvalidArgument")


def test_a_release_has_its_own_features() -> None:
    assert machine(windows="2022").features.find("ISNS") is None
    assert machine(windows="2019").features.find("ISNS") is not None


@pytest.mark.parametrize("release", ["2016", "2019", "2022", "2025"])
def test_the_table_agrees_with_the_catalogue(release: str) -> None:
    raw = json.loads(shared("catalog", "windows-features.json").read_text("utf-8"))
    expected = {
        item["name"]: item for item in raw["features"] if item["releases"].get(release, {}).get("desktop")
    }
    table = table_of(release)
    assert {item.name for item in table.features.values()} == set(expected)
    for item in table.features.values():
        known = expected[item.name]
        assert item.parent == known.get("parent_by_release", {}).get(release, known["parent"])
        assert item.display_name == known["display_name"]
        assert item.optional_name == next(iter(known["optional_feature"] or ()), "")
        needs_boot = str((known["reboot"] or {}).get("on_install", "")).startswith("yes")
        assert (item.restart == "Yes") is needs_boot
        assert item.is_default is (known["releases"][release].get("default_desktop") is True)
        assert list(item.depends_on) == [name.replace(" [?]", "") for name in known["depends_on"] or ()]


@pytest.mark.parametrize("release", ["2016", "2019", "2022", "2025"])
def test_every_feature_can_be_removed_and_installed(release: str) -> None:
    for name in [item.name for item in table_of(release).features.values()]:
        made = machine(windows=release)
        made.features.uninstall([name])
        made.on_boot(REBOOTED)
        made.features.install([name])
        made.on_boot(REBOOTED)
        assert made.features.is_installed(name), name


def test_every_name_a_feature_points_to_is_in_the_table_or_of_another_release() -> None:
    everything = {
        item.name
        for release in ("2016", "2019", "2022", "2025")
        for item in table_of(release).features.values()
    }
    for release in ("2016", "2019", "2022", "2025"):
        table = table_of(release)
        for item in table.features.values():
            assert {*item.depends_on, *item.tools, *item.subs} <= everything
            assert set(item.services) <= table.services.keys()
