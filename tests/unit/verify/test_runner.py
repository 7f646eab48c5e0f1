"""Running checks: who is asked what, how checks end, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import CommandError, ConnectError
from provisioner.transport.base import ErrorRecord, Pipeline, Result
from provisioner.verify.runner import verify
from tests.unit.verify.nodes import TableNode, endings, rows, services, verified, write_checks

SERVICES = "Get-CimInstance"
FEATURES = "Get-WindowsFeature | Select-Object"
RUNNING = """
def test_vmms_runs(host):
    assert host.service("vmms").is_running
"""


async def test_a_check_runs_once_per_node_and_names_the_property_that_fails(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, RUNNING)
    good = TableNode("hv01", {SERVICES: services(vmms="Running")})
    bad = TableNode("hv02", {SERVICES: services(vmms="Stopped")})

    events = await verified([good.target(hyperv_host=checks), bad.target(hyperv_host=checks)])

    assert endings(events) == [("hv01", "test_vmms_runs", "passed"), ("hv02", "test_vmms_runs", "failed")]
    assert [event.role for event in events] == ["hyperv_host", "hyperv_host"]
    assert events[0].message == ""
    assert events[1].message == "service vmms is_running: False"
    assert events[1].duration_s > 0


async def test_each_question_is_put_once_to_all_nodes_of_the_role_at_the_same_time(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path,
        """
import pytest

@pytest.mark.parametrize("name", ["vmms", "winmgmt", "vmcompute"])
def test_runs(host, name):
    assert host.service(name).is_running
    assert host.service(name).is_enabled

def test_feature(host):
    assert host.feature("Hyper-V").is_installed
""",
    )
    answers = {
        SERVICES: services(vmms="Running", winmgmt="Running", vmcompute="Running"),
        FEATURES: rows({"Name": "Hyper-V", "InstallState": "Installed"}),
    }
    nodes = [TableNode(f"hv{number:02}", answers, delay_s=0.05) for number in range(20)]
    other = TableNode("stor01", {})

    events = await verified([node.target(hyperv_host=checks) for node in nodes] + [other.target()])

    assert len(events) == 80
    assert {event.outcome for event in events} == {"passed"}
    assert {event.check for event in events if event.node == "hv07"} == {
        "test_runs[vmms]",
        "test_runs[winmgmt]",
        "test_runs[vmcompute]",
        "test_feature",
    }
    for node in nodes:
        assert sorted(node.asked) == sorted([SERVICES, FEATURES])
    assert other.asked == []


async def test_nodes_are_asked_concurrently(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, RUNNING)
    at_once = 0
    most = 0

    class Counting(TableNode):
        async def run(self, pipeline: Pipeline) -> Result:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.02)
            at_once -= 1
            return await super().run(pipeline)

    nodes = [Counting(f"hv{number}", {SERVICES: services(vmms="Running")}) for number in range(5)]
    await verified([node.target(r=checks) for node in nodes])
    assert most == 5


async def test_checks_see_the_variables_of_their_node(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path,
        """
def test_variable(host, variables):
    assert variables is host.variables
    assert host.feature(variables["wanted"]).is_installed
""",
    )
    table = rows({"Name": "A", "InstallState": "Installed"}, {"Name": "B", "InstallState": "InstallPending"})
    one, two = TableNode("n1", {FEATURES: table}), TableNode("n2", {FEATURES: table})
    events = await verified([one.target({"wanted": "A"}, r=checks), two.target({"wanted": "B"}, r=checks)])
    assert [(event.outcome, event.message) for event in events] == [
        ("passed", ""),
        ("failed", "feature B is_installed: False"),
    ]


async def test_a_question_that_differs_from_node_to_node_is_not_put_to_all_of_them_again_and_again(
    tmp_path: Path,
) -> None:
    checks = write_checks(
        tmp_path, "def test_file(host, variables):\n    assert host.file(variables['path']).exists\n"
    )
    nodes = [TableNode(f"n{number}", {"Get-Item": rows({"Name": "x"})}) for number in range(10)]
    events = await verified(
        [node.target({"path": rf"C:\{node.name}.cfg"}, r=checks) for node in nodes],
    )
    assert {event.outcome for event in events} == {"passed"}
    assert sum(len(node.asked) for node in nodes) <= 10 + 10


async def test_a_node_that_cannot_be_reached_is_asked_once_and_spoils_no_other(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path, RUNNING + "\n\ndef test_feature(host):\n    assert host.feature('Hyper-V').is_installed\n"
    )
    answers = {
        SERVICES: services(vmms="Running"),
        FEATURES: rows({"Name": "Hyper-V", "InstallState": "Installed"}),
    }
    gone = TableNode(
        "hv02", dict.fromkeys(answers, ConnectError("hv02", "http://127.0.0.2", "nothing answers"))
    )
    events = await verified([TableNode("hv01", answers).target(r=checks), gone.target(r=checks)])
    assert [event.outcome for event in events if event.node == "hv01"] == ["passed", "passed"]
    assert [(event.outcome, event.message) for event in events if event.node == "hv02"] == [
        ("error", "nothing answers"),
        ("error", "nothing answers"),
    ]
    assert gone.asked == [SERVICES]


async def test_a_command_the_node_does_not_know_is_a_failure_that_names_it(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path, "def test_switch(host):\n    assert not host.vswitch('external').exists\n"
    )
    unknown = ErrorRecord(
        "The term 'Get-VMSwitch' is not recognized",
        "CommandNotFoundException",
        "ObjectNotFound",
        "Get-VMSwitch",
    )
    node = TableNode("hv01", {"Get-VMSwitch": Result(terminated=unknown)})
    (event,) = await verified([node.target(r=checks)])
    assert event.outcome == "failed"
    assert event.message.startswith("Get-VMSwitch failed: The term 'Get-VMSwitch' is not recognized")
    assert "CommandNotFoundException" in event.message


async def test_an_error_that_is_none_of_ours_ends_one_check_with_its_place(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, RUNNING + "\n\ndef test_bug(host):\n    host.variables['none']\n")
    events = await verified([TableNode("hv01", {SERVICES: services(vmms="Running")}).target(r=checks)])
    assert [event.outcome for event in events] == ["passed", "error"]
    assert events[1].message == f"KeyError: 'none' ({checks}:7)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def test_a(host:\n    pass\n", ":1: SyntaxError: '(' was never closed"),
        ("import no_such_module_at_all\n", "No module named 'no_such_module_at_all'"),
        ("x = 1\nraise RuntimeError('at import')\n", "RuntimeError: at import"),
        ("def test_a(hots):\n    pass\n", "there is no fixture named 'hots'"),
        ("def helper():\n    pass\n", "holds no checks"),
    ],
)
async def test_a_broken_check_file_is_an_error_of_every_node_of_its_role(
    tmp_path: Path, text: str, message: str
) -> None:
    broken = write_checks(tmp_path / "broken", text)
    fine = write_checks(tmp_path / "fine", RUNNING)
    nodes = [TableNode(f"hv0{number}", {SERVICES: services(vmms="Running")}) for number in (1, 2)]
    events = await verified([node.target(bad=broken, good=fine) for node in nodes])
    wrong = [event for event in events if event.role == "bad"]
    assert [(event.node, event.outcome) for event in wrong] == [("hv01", "error"), ("hv02", "error")]
    assert all(message in event.message for event in wrong), wrong[0].message
    if "import" in text or "raise" in text:
        assert f"{broken}:" in wrong[0].message
    assert [event.outcome for event in events if event.role == "good"] == ["passed", "passed"]


async def test_a_missing_check_file_is_an_error_of_every_node(tmp_path: Path) -> None:
    (event,) = await verified([TableNode("hv01", {}).target(r=tmp_path / "nothing.py")])
    assert (event.outcome, event.message) == ("error", f"there is no check file at {tmp_path / 'nothing.py'}")


async def test_a_check_without_host_counts_for_every_node(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, "def test_nothing():\n    assert 1 + 1 == 3\n")
    events = await verified([TableNode(name, {}).target(r=checks) for name in ("a", "b")])
    assert endings(events) == [("a", "test_nothing", "failed"), ("b", "test_nothing", "failed")]


async def test_a_skipped_check_says_why(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path, "import pytest\n\ndef test_later(host):\n    pytest.skip('no cluster here')\n"
    )
    (event,) = await verified([TableNode("a", {}).target(r=checks)])
    assert (event.outcome, event.message) == ("skipped", "no cluster here")


async def test_a_folder_of_checks_is_read_whole_and_conftest_is_not(tmp_path: Path) -> None:
    write_checks(tmp_path, "raise RuntimeError('never read')\n", "conftest.py")
    write_checks(tmp_path, RUNNING, "test_one.py")
    write_checks(tmp_path, RUNNING.replace("vmms_runs", "other"), "test_two.py")
    write_checks(tmp_path, "[pytest]\naddopts = --no-such-option\n", "pytest.ini")
    events = await verified([TableNode("a", {SERVICES: services(vmms="Running")}).target(r=tmp_path)])
    assert endings(events) == [("a", "test_vmms_runs", "passed"), ("a", "test_other", "passed")]


async def test_checks_left_out_by_an_option_of_pytest_do_not_pass_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = write_checks(tmp_path, RUNNING)
    node = TableNode("a", {SERVICES: services(vmms="Running")})
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing_like_it")
    (event,) = await verified([node.target(r=checks)])
    assert (event.outcome, event.message) == ("skipped", "deselected by an option of pytest")


async def test_no_variable_is_taken_from_the_environment_that_other_threads_look_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_VERSION")
    taken: list[object] = []
    remove = type(os.environ).__delitem__

    def note(environ: Any, name: str) -> None:
        taken.append(name)
        remove(environ, name)

    monkeypatch.setattr(type(os.environ), "__delitem__", note)
    checks = write_checks(
        tmp_path,
        """
import os
def test_nobody_is_named():
    assert "test_nobody_is_named" not in str(dict(os.environ))
""",
    )
    events = await verified([TableNode("hv01", {}).target(app=checks)])
    assert endings(events) == [("hv01", "test_nobody_is_named", "passed")]
    assert not taken


async def test_two_runs_in_one_process_read_the_file_as_it_is_now(tmp_path: Path) -> None:
    before = set(sys.modules)
    node = TableNode("a", {SERVICES: services(vmms="Running")})
    first = write_checks(tmp_path / "x", RUNNING)
    assert endings(await verified([node.target(r=first)])) == [("a", "test_vmms_runs", "passed")]
    write_checks(tmp_path / "x", "def test_changed(host):\n    assert False, 'now otherwise'\n")
    second = await verified([node.target(r=first)])
    assert [(event.check, event.message) for event in second] == [("test_changed", "now otherwise")]
    assert not [name for name in set(sys.modules) - before if "test_role" in name or tmp_path.name in name]


async def test_files_of_the_same_name_in_two_roles_do_not_clash(tmp_path: Path) -> None:
    one = write_checks(tmp_path / "one", "def test_it(host):\n    assert host.node == 'a'\n")
    two = write_checks(tmp_path / "two", "def test_it(host):\n    assert host.node == 'b'\n")
    events = await verified([TableNode("a", {}).target(one=one, two=two)])
    assert [(event.role, event.outcome) for event in events] == [("one", "passed"), ("two", "failed")]


async def test_two_verifications_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, RUNNING)
    runs = await asyncio.gather(
        *(
            verified([TableNode(f"n{number}", {SERVICES: services(vmms="Running")}, 0.02).target(r=checks)])
            for number in range(4)
        )
    )
    assert [endings(events) for events in runs] == [
        [(f"n{number}", "test_vmms_runs", "passed")] for number in range(4)
    ]


async def test_cancelling_ends_at_once_reports_nothing_more_and_leaves_no_thread(tmp_path: Path) -> None:
    after = "from pathlib import Path\n\ndef test_without_a_question():\n    Path(__file__).with_name('ran').touch()\n"
    checks = write_checks(tmp_path, RUNNING + after)
    node = TableNode("a", {SERVICES: services(vmms="Running")}, delay_s=3600)
    seen: list[object] = []

    task = asyncio.create_task(verify([node.target(r=checks)], seen.append))
    await asyncio.wait_for(node.was_asked.wait(), 30)
    second = asyncio.create_task(verify([node.target(r=checks)], seen.append))  # waits for its turn
    await asyncio.sleep(0.1)
    for running in (second, task):
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert seen == []
    assert not (tmp_path / "ran").exists()
    assert not node.is_busy
    assert not [thread for thread in threading.enumerate() if thread.name == "provisioner-verify"]


async def test_nothing_is_written_to_the_terminal_and_nothing_into_the_working_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = write_checks(
        tmp_path / "checks", RUNNING + "\ndef test_bad(host):\n    assert host.service('no').path\n"
    )
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    await verified([TableNode("a", {SERVICES: services(vmms="Stopped")}).target(r=checks)])
    assert capfd.readouterr() == ("", "")
    assert list(work.iterdir()) == []


async def test_the_event_loop_stays_free_while_a_check_is_busy(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, "import time\n\ndef test_slow(host):\n    time.sleep(0.3)\n")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    await verified([TableNode("a", {}).target(r=checks)])
    ticking.cancel()
    assert ticks > 5


async def test_an_error_of_the_node_is_told_by_its_own_sentence(tmp_path: Path) -> None:
    checks = write_checks(tmp_path, RUNNING)
    error = CommandError("a", "Get-CimInstance", "Access denied", "HRESULT 0x80041003", "PermissionDenied")
    (event,) = await verified([TableNode("a", {SERVICES: error}).target(r=checks)])
    assert event.outcome == "failed"
    assert event.message == "Get-CimInstance failed: Access denied [HRESULT 0x80041003, PermissionDenied]"


async def test_a_verification_of_no_checks_ends_without_a_report() -> None:
    started = time.monotonic()
    assert await verified([TableNode("a", {}).target()]) == []
    assert time.monotonic() >= started


async def test_two_calls_of_a_program_with_other_arguments_are_two_questions(tmp_path: Path) -> None:
    checks = write_checks(
        tmp_path,
        """
import pytest

@pytest.mark.parametrize("database", ["tcp:127.0.0.1:6640", "tcp:127.0.0.1:6641", "tcp:127.0.0.1:6640"])
def test_bridge(host, database):
    assert host.ovs_bridge("br-ex", database).exists
""",
    )
    node = TableNode("hv01", {"ovs-vsctl.exe": Result(("    Bridge br-ex", "        Port br-ex"))})
    events = await verified([node.target(openvswitch=checks)])
    assert [event.outcome for event in events] == ["passed"] * 3
    assert len(node.asked) == 2
