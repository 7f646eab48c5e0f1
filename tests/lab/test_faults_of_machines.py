"""Each fault of power, LCM, resources and machine: what an unmodified client sees, and that it sees none without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from provisioner.lab.hosting.running import RunningLab, RunningNode
from provisioner.lab.spec import FileSpec, PackageSpec
from tests.lab.clients import ask, call, errors_of, fault, push, registry_value, seen

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know

PRODUCT = "{6F2E8C4A-1111-4C7E-9A7A-0123456789AB}"
MSI = r"C:\Setup\app.msi"
on_and_off = pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    package = PackageSpec(PRODUCT, "App", files=(("app.txt", "x"),))
    settings = {"files": (FileSpec(MSI, package=package),)}
    running = RunningLab(tmp_path_factory.mktemp("faulty") / "lab", 1, settings)
    yield running
    running.stop()


@pytest.fixture
def node(lab: RunningLab) -> Iterator[RunningNode]:
    yield lab["node01"]
    _answers(lab["node01"])


def _answers(node: RunningNode, limit_s: float = 5.0) -> float:
    """Wait until a session works; the seconds it took."""
    begin = time.monotonic()
    while seen(lambda: ask(node)).error:
        assert time.monotonic() - begin < limit_s, f"{node} does not answer"
        time.sleep(0.05)
    return time.monotonic() - begin


def _boot(node: RunningNode) -> tuple[str, int]:
    """Boot time and boot id, as a client has them."""
    (system,) = ask(node, "Get-CimInstance", ClassName="Win32_OperatingSystem")
    (values,) = ask(
        node,
        "Get-ItemProperty",
        Path=r"HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters",
        Name="BootId",
    )
    boot_time = {**system.adapted_properties, **system.extended_properties}["LastBootUpTime"]
    return str(boot_time), int({**values.adapted_properties, **values.extended_properties}["BootId"])


def _restart(node: RunningNode) -> None:
    boots = len(node.journal("shutdown"))
    ask(node, "Restart-Computer", Force=True)
    deadline = time.monotonic() + 5
    while len(node.journal("shutdown")) == boots:
        assert time.monotonic() < deadline, "the node does not go down"
        time.sleep(0.01)


def _state(node: RunningNode) -> str:
    (meta,) = call(node, "GetMetaConfiguration").output
    found = {**meta.adapted_properties, **meta.extended_properties}["MetaConfiguration"]
    return str({**found.adapted_properties, **found.extended_properties}["LCMState"])


# -- power -------------------------------------------------------------------------------------------------


@on_and_off
def test_a_slow_reboot_refuses_connections_for_longer(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "slow-reboot", is_on=is_on, seconds=1.0):
        _restart(node)
        refused = seen(lambda: ask(node))
        away_s = _answers(node)
    if is_on:
        assert (refused.error, refused.seconds < 0.5) == ("requests.ConnectionError", True)
        assert "Connection refused" in refused.text
        assert 0.8 < away_s < 2.5
    else:
        assert away_s < 0.8


@on_and_off
def test_a_node_that_never_returns_refuses_until_somebody_helps(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "no-return", is_on=is_on):
        _restart(node)
        time.sleep(0.4)
        found = seen(lambda: ask(node))
        assert found.error == ("requests.ConnectionError" if is_on else "")
    _answers(node)
    assert node.journal("boot")[-1]["boot_id"] == _boot(node)[1]


@on_and_off
def test_a_node_comes_back_with_another_address(lab: RunningLab, node: RunningNode, *, is_on: bool) -> None:
    first = node.address
    other = first.rpartition(".")[0] + ".251"
    with fault(node, "new-address", is_on=is_on, address=other):
        assert seen(lambda: ask(node)).error == ""
        _restart(node)
        time.sleep(0.3)
        there = seen(lambda: ask(node))
        node.address = other
        moved = seen(lambda: ask(node))
        node.address = first
        expected = ("requests.ConnectionError", "") if is_on else ("", "requests.ConnectionError")
        assert (there.error, moved.error) == expected


@on_and_off
@pytest.mark.parametrize("keeps", ["id", "time", "both"])
def test_a_boot_does_not_show(node: RunningNode, keeps: str, *, is_on: bool) -> None:
    before = _boot(node)
    with fault(node, "same-boot", is_on=is_on, keeps=keeps):
        _restart(node)
        _answers(node)
        after = _boot(node)
    same = (after[0] == before[0], after[1] == before[1])
    assert same == ((keeps != "id", keeps != "time") if is_on else (False, False))


@on_and_off
def test_a_node_restarts_by_itself(node: RunningNode, *, is_on: bool) -> None:
    before = _boot(node)
    with fault(node, "restart", is_on=is_on):
        time.sleep(0.3)
        _answers(node)
    assert (_boot(node) != before) == is_on


# -- LCM ---------------------------------------------------------------------------------------------------


@on_and_off
@pytest.mark.parametrize(
    ("by", "cmdlet"), [("consistency", "Consistency Check or Pull"), ("push", "Start-DscConfiguration")]
)
def test_a_busy_lcm_refuses_a_push(node: RunningNode, by: str, cmdlet: str, *, is_on: bool) -> None:
    with fault(node, "lcm-busy", is_on=is_on, by=by):
        found = seen(lambda: push(node, registry_value("busy")))
        state = _state(node)
    assert found.error == ""
    if is_on:
        assert found.seconds < 1.5
        assert [name for name, _ in found.value] == [
            "MI RESULT 1,Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"
        ]
        assert f"The {cmdlet} cmdlet is in progress" in found.value[0][1]
        assert state == "Busy"
    else:
        assert (found.value, state) == ([], "Idle")


@on_and_off
def test_a_stuck_lcm_neither_ends_nor_stops(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "lcm-stuck", is_on=is_on):
        document = registry_value("stuck") + (
            'instance of OMI_ConfigurationDocument { Version="2.0.0"; MinimumCompatibleVersion="1.0.0"; '
            'CompatibleVersionAdditionalProperties={"Omi_BaseResource:ConfigurationName"}; Name="Faults"; };\n'
        )
        started = call(node, "SendConfigurationApplyAsync", ConfigurationData=document.encode(), force=True)
        assert errors_of(started) == []
        time.sleep(0.2)
        stopped = errors_of(call(node, "StopConfiguration", force=True))
        state = _state(node)
    assert state == ("Busy" if is_on else "Idle")
    assert [text for _, text in stopped] == (["Could not cancel the current operation."] if is_on else [])
    # Cleared, it goes on where it hung.
    _idle(node)


def _idle(node: RunningNode) -> None:
    deadline = time.monotonic() + 5
    while _state(node) != "Idle":
        assert time.monotonic() < deadline, _state(node)
        time.sleep(0.05)


def test_a_killed_lcm_leaves_its_job_pending(node: RunningNode) -> None:
    node.fault("lcm-stuck")
    node.fault("lcm-killed", after={"seconds": 0.4})
    found = seen(lambda: push(node, registry_value("killed")))
    node.clear()
    assert found.error == ""
    assert _state(node) == "PendingConfiguration"
    assert found.seconds < 2.0
    assert push(node, registry_value("killed")) == []
    assert _state(node) == "Idle"


# -- resources ---------------------------------------------------------------------------------------------


@on_and_off
@pytest.mark.parametrize("pattern", ["[Registry]fails*", "registry", "Reg?stry"])
def test_a_resource_fails_so_many_times_and_then_succeeds(
    node: RunningNode, pattern: str, *, is_on: bool
) -> None:
    name = f"fails{abs(hash(pattern))}{is_on}"
    with fault(node, "resource-fails", is_on=is_on, resource=pattern, message="No such luck.", times=2):
        results = [push(node, registry_value(name)) for _ in range(3)]
    assert [len(result) for result in results] == ([2, 2, 0] if is_on else [0, 0, 0])
    if is_on:
        (inner, text), (outer, _) = results[0]
        assert inner.partition(",")[0] == "ProviderOperationExecutionFailure"
        assert "failed to execute Set-TargetResource functionality with error message: No such luck." in text
        assert outer.partition(",")[0] == "MI RESULT 1"


@on_and_off
def test_a_set_that_lies_changes_nothing_and_says_it_went_well(node: RunningNode, *, is_on: bool) -> None:
    name = f"lies{is_on}"
    with fault(node, "set-lies", is_on=is_on, resource=f"[Registry]{name}"):
        assert push(node, registry_value(name)) == []
        (test,) = call(node, "TestConfiguration").output
    found = {**test.adapted_properties, **test.extended_properties}
    assert bool(found["InDesiredState"]) is not is_on


# -- machine -----------------------------------------------------------------------------------------------


@on_and_off
def test_a_full_disk_takes_no_file(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "disk-full", is_on=is_on, volume="D"):
        resource = (
            'instance of MSFT_FileDirectoryConfiguration { ResourceID = "[File]full"; SourceInfo = "t"; '
            'ModuleName = "PSDesiredStateConfiguration"; ModuleVersion = "1.1"; ConfigurationName = "Faults"; '
            f'DestinationPath = "D:\\\\full{is_on}.txt"; Contents = "x"; Ensure = "Present"; }};\n'
        )
        found = push(node, resource)
    if is_on:
        assert "There is not enough space on the disk." in found[0][1]
    assert bool(found) == is_on


@on_and_off
def test_a_full_system_disk_lets_the_lcm_save_nothing(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "disk-full", is_on=is_on):
        found = push(node, registry_value("system"))
    assert bool(found) == is_on
    if is_on:
        assert "There is not enough space on the disk." in found[0][1]
        assert found[0][0].startswith("MI RESULT 1")


@on_and_off
@pytest.mark.parametrize("code", [1603, 112])
def test_an_installer_finds_no_room(lab: RunningLab, node: RunningNode, code: int, *, is_on: bool) -> None:
    package = (
        'instance of MSFT_PackageResource { ResourceID = "[Package]app"; SourceInfo = "t"; Name = "App"; '
        'ModuleName = "PSDesiredStateConfiguration"; ModuleVersion = "1.1"; ConfigurationName = "Faults"; '
        f'ProductId = "{PRODUCT}"; Path = "C:\\\\Setup\\\\app.msi"; Arguments = "INSTALLDIR=D:\\\\App"; Ensure = "%s"; }};\n'
    )
    with fault(node, "disk-full", is_on=is_on, volume="D", msi_exit_code=code):
        found = push(node, package.replace("%s", "Present"))
    if is_on:
        assert f"The return code {code} was not expected." in found[0][1]
    assert bool(found) == is_on
    assert push(node, package.replace("%s", "Absent")) == []


@on_and_off
def test_the_clock_jumps_and_jumps_back(node: RunningNode, *, is_on: bool) -> None:
    def now() -> datetime:
        (moment,) = ask(node, "Get-Date")
        return datetime.fromisoformat(str(moment))

    before = now()
    with fault(node, "clock-jump", is_on=is_on, seconds=-7200):
        there = now()
    after = now()
    assert ((before - there).total_seconds() > 7000) == is_on
    assert abs((after - before).total_seconds()) < 60


@on_and_off
def test_a_corrupt_module_is_not_there(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "module-corrupt", is_on=is_on, module="PSDscResources"):
        found = push(node, registry_value(f"module{is_on}"))
    if is_on:
        assert "PSDscResources" in found[0][1]
        assert found[0][0].partition(",")[0] in {"DscResourceNotFound", "MI RESULT 1", "ResourceNotFound"}
    assert bool(found) == is_on
    assert push(node, registry_value(f"module{is_on}")) == []


def test_nothing_of_a_fault_stays_when_the_lab_ends(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    lab = RunningLab(folder, 1, {})
    lab["node01"].fault("clock-jump", seconds=9999999)
    lab["node01"].fault("module-corrupt", module="*")
    lab.stop()
    again = RunningLab(folder, 1, {})
    try:
        assert push(again["node01"], registry_value("after")) == []
        assert again["node01"].journal("start")[1]["time"] < "2100"
        assert again["node01"].show()["faults"] == []
    finally:
        again.stop()
