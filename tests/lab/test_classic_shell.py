"""The classic shell of a node, as unmodified clients use it: pypsrp's WinRS and pywinrm's session."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
import winrm
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.shell import CommandState, Process, SignalCode, WinRS
from spnego._ntlm_raw.crypto import ntowfv1
from winrm.exceptions import WSManFaultError as PywinrmFault
from winrm.protocol import Protocol

from provisioner.lab.logon import LogonSpec, UserSpec
from provisioner.wire.settings import Quotas
from tests.lab.real_node import PASSWORD, USER, RealNode, running_node


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    with running_node(tmp_path_factory.mktemp("node"), windows="2019") as node:
        yield node


def _run(real: RealNode, line: str, **options: Any) -> tuple[str, str, int]:
    """Run a line through pypsrp, as its own ``execute_cmd`` does."""
    with real.wsman() as wsman, WinRS(wsman, **options) as shell:
        process = Process(shell, line)
        process.invoke()
        process.signal(SignalCode.CTRL_C)
        assert process.rc is not None
        return process.stdout.decode(), process.stderr.decode(), process.rc


@pytest.mark.parametrize(
    ("line", "stdout", "stderr", "code"),
    [
        ("hostname", "HV01\r\n", "", 0),
        (r"C:\Windows\System32\HOSTNAME.EXE", "HV01\r\n", "", 0),
        ("whoami", "hv01\\provisioner\r\n", "", 0),
        ("ver", "\r\nMicrosoft Windows [Version 10.0.17763.2227]\r\n", "", 0),
        ("echo hi", "hi\r\n", "", 0),
        ("echo.", "\r\n", "", 0),
        ("cmd.exe /c echo out && echo err>&2 && exit 1", "out \r\n", "err \r\n", 1),
        ('echo "a & b" ^& c', '"a & b" & c\r\n', "", 0),
        ("echo %COMPUTERNAME% %NOSUCH%", "HV01 %NOSUCH%\r\n", "", 0),
        ("set X=1&& echo %X%", "%X%\r\n", "", 0),
        ('set "X=1" && cmd /c "echo %COMPUTERNAME%"', "HV01\r\n", "", 0),
        ("nosuch || echo saved", "saved\r\n", "'nosuch' is not recognized", 0),
        ("echo a&& nosuch && echo b", "a\r\n", "'nosuch' is not recognized", 1),
        ("(echo a& echo b) > C:\\x.txt & type C:\\x.txt & del C:\\x.txt", "a\r\nb\r\n", "", 0),
        ("echo a>C:\\y.txt& echo b>>C:\\y.txt & type C:\\y.txt", "a\r\nb \r\n", "", 0),
        ("type C:\\nosuch.txt", "", "The system cannot find the file specified.\r\n", 1),
        ("echo x > C:\\nosuch\\y.txt", "", "The system cannot find the path specified.\r\n", 1),
        ("nosuch 2>nul", "", "", 1),
        ("cd /d C:\\Windows & cd", "C:\\Windows\r\n", "", 0),
        ("exit 3", "", "", 3),
        ("exit -1", "", "", 4294967295),
        ("if 1==1 echo x", "", "The lab does not simulate the command 'if'", 1),
        ("echo a &", "a \r\n", "", 0),
        ("& echo a", "", "& was unexpected at this time.\r\n", 1),
        ("ping -n 1 hv01", "Received = 1", "", 0),
        ("ping nosuch", "could not find host nosuch", "", 1),
        ("sc query nosuch", "FAILED 1060", "", 1060),
        ("sc query WinRM", "STATE              : 4  RUNNING", "", 0),
        ("sc query state= all", "SERVICE_NAME: BITS", "", 0),
        ("chcp 65001", "Active code page: 65001\r\n", "", 0),
        ("nosuch.exe", "", "operable program or batch file.\r\n", 1),
    ],
)
def test_a_line_does_what_cmd_does(real: RealNode, line: str, stdout: str, stderr: str, code: int) -> None:
    out, err, rc = _run(real, line)
    assert rc == code
    if stdout.endswith("\r\n"):
        assert out == stdout
    else:
        assert stdout in out
    assert stderr in err
    assert bool(stderr) == bool(err)


def test_a_batch_file_runs_line_by_line(real: RealNode) -> None:
    content = "@echo off\r\nrem nothing\r\necho %1 %%x%% [%NOSUCH%]\r\nnosuch\r\nexit /b 7\r\necho never\r\n"
    real.call(lambda: real.node.machine.files.seed(r"C:\Windows\Temp\script.bat", content.encode()))
    out, err, rc = _run(real, 'set "A=1" && "c:/Windows/Temp/script.bat" one')
    assert (out, rc) == ("one %x% []\r\n", 7)
    assert "'nosuch' is not recognized" in err


def test_environment_folder_and_code_page_are_those_the_client_asked_for(real: RealNode) -> None:
    assert _run(real, "echo %Colour%", environment={"Colour": "blue"})[0] == "blue\r\n"
    assert _run(real, "cd", working_directory="C:\\Windows\\Temp")[0] == "C:\\Windows\\Temp\r\n"
    assert _run(real, "echo ä", codepage=65001)[0] == "ä\r\n"
    with real.wsman() as wsman, WinRS(wsman, codepage=437) as shell:
        process = Process(shell, "echo ä")
        process.invoke()
    assert process.stdout == "ä\r\n".encode("cp437")
    with pytest.raises(WSManFaultError) as refused:
        _run(real, "cd", working_directory="C:\\nosuch")
    assert refused.value.code == 2147942667


def test_what_needs_no_cmd_is_started_by_its_full_path(real: RealNode) -> None:
    with real.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, r"C:\Windows\System32\hostname.exe", no_shell=True)
        process.invoke()
        assert (process.stdout, process.rc) == (b"HV01\r\n", 0)
        with pytest.raises(WSManFaultError) as refused:
            Process(shell, "hostname.exe", no_shell=True).invoke()
    assert refused.value.code == 2147942402
    assert refused.value.provider == "Shell cmd plugin"


def test_pywinrm_opens_runs_and_cleans_up(real: RealNode) -> None:
    session = winrm.Session(
        f"http://{real.node.address}:{real.node.port}/wsman",
        auth=(USER, PASSWORD),
        transport="ntlm",
        message_encryption="always",
        ca_trust_path="",
    )
    answer = session.run_cmd("echo", ["a  b", ">&2", "&", "exit", "5"])
    assert (answer.std_out, answer.std_err, answer.status_code) == (b"", b"a  b  \r\n", 5)
    assert real.call(lambda: real.fleet.counters(real.node.name))["shells_open"] == 0


def test_a_long_command_is_polled_and_can_be_interrupted(real: RealNode) -> None:
    real.call(lambda: setattr(real.node.clock, "_scale", 1.0))
    with real.wsman(operation_timeout=1) as wsman, WinRS(wsman) as shell:
        process = Process(shell, "ping -n 60 localhost")
        process.begin_invoke()
        process.poll_invoke()
        assert process.state == CommandState.RUNNING
        began = time.monotonic()
        process.signal(SignalCode.CTRL_C)
        process.end_invoke()
        assert process.rc == 0xC000013A
        assert time.monotonic() - began < 10
        other = Process(shell, "ping -n 60 localhost")
        other.begin_invoke()
        other.signal(SignalCode.TERMINATE)
        with pytest.raises(WSManFaultError) as gone:
            other.poll_invoke()
        assert gone.value.code == 2150858843


def test_a_shell_takes_input(real: RealNode) -> None:
    """PowerShell reads a known script from its input; here only that input of any kind is taken."""
    with real.wsman() as wsman, WinRS(wsman) as shell:
        process = Process(shell, "hostname")
        process.begin_invoke()
        process.send(b"ignored", end=True)
        process.end_invoke()
        assert process.rc == 0
        with pytest.raises(WSManFaultError) as gone:
            process.send(b"too late")
        assert gone.value.code == 2150858843


def test_another_user_has_no_access_to_a_shell(tmp_path: Any) -> None:
    other = UserSpec(name="second", nt_hash=ntowfv1(PASSWORD), groups=("Administrators",))
    with (
        running_node(tmp_path, logon=LogonSpec(users=(other,))) as real,
        real.wsman() as wsman,
        real.wsman(user="second") as theirs,
        WinRS(wsman) as shell,
    ):
        with WinRS(theirs) as own:
            Process(own, "hostname").invoke()
        stolen = WinRS(theirs)
        stolen._selector_set = shell._selector_set
        with pytest.raises(WSManFaultError) as refused:
            stolen.command("hostname", [])
        assert refused.value.code == 5
        process = Process(shell, "hostname")
        process.invoke()
        assert process.rc == 0


@pytest.mark.parametrize(
    ("quotas", "code", "subcode"),
    [
        (Quotas(max_shells_per_user=1), 2150859173, "w:QuotaLimit"),
        (Quotas(max_operations_per_user=1), 2150859174, "w:QuotaLimit"),
    ],
)
def test_a_quota_refuses_with_its_own_code(tmp_path: Any, quotas: Quotas, code: int, subcode: str) -> None:
    with running_node(tmp_path, quotas=quotas) as real:
        protocol = Protocol(
            f"http://{real.node.address}:{real.node.port}/wsman",
            transport="ntlm",
            username=USER,
            password=PASSWORD,
            message_encryption="always",
            ca_trust_path=None,  # type: ignore[arg-type]  # documented, and not in the annotation
        )
        first = protocol.open_shell()
        with pytest.raises(PywinrmFault) as refused:
            protocol.open_shell()
        assert refused.value.wmierror_code == code
        assert refused.value.fault_subcode == subcode
        protocol.close_shell(first, close_session=False)
        protocol.close_shell(protocol.open_shell())


def test_commands_that_nobody_signalled_count_as_operations(tmp_path: Any) -> None:
    with running_node(tmp_path, quotas=Quotas(max_operations_per_user=4)) as real, real.wsman() as wsman:
        with WinRS(wsman) as shell:
            for _ in range(3):
                Process(shell, "ver").invoke()
            with pytest.raises(WSManFaultError) as refused:
                Process(shell, "ver").invoke()
            assert refused.value.code == "w:QuotaLimit"
        assert real.call(lambda: real.fleet.counters(real.node.name))["shells_open"] == 0


@pytest.mark.parametrize(("idle", "code"), [(59, 2150859250), (2147484, 2150859250), (60, 0)])
def test_the_idle_timeout_has_bounds(real: RealNode, idle: int, code: int) -> None:
    with real.wsman() as wsman:
        shell = WinRS(wsman, idle_time_out=idle)
        if not code:
            with shell:
                assert str(shell.idle_time_out) == "PT60.000S"
            return
        with pytest.raises(WSManFaultError) as refused:
            shell.open()
        assert refused.value.code == code


def test_an_envelope_over_the_limit_is_refused_by_http(real: RealNode) -> None:
    with real.wsman() as wsman, WinRS(wsman) as shell, pytest.raises(WinRMTransportError) as refused:
        Process(shell, "echo " + "x" * 520_000).invoke()
    assert refused.value.code == 413


def test_output_larger_than_an_envelope_arrives_whole(real: RealNode) -> None:
    data = base64.b64encode(bytes(range(256)) * 2000)
    real.call(lambda: real.node.machine.files.seed(r"C:\big.txt", data))
    assert _run(real, r"type C:\big.txt")[0].encode() == data


def test_shutdown_restarts_the_node_for_real(tmp_path: Any) -> None:
    with running_node(tmp_path) as real:
        boot_id = real.node.machine.boot_id
        real.call(lambda: setattr(real.node.clock, "_scale", 1.0))
        assert _run(real, "shutdown /a") == (
            "",
            "Unable to abort the system shutdown because no shutdown was in progress.(1116)\r\n",
            1116,
        )
        assert _run(real, 'shutdown /r /t 600 /c "for updates"')[2] == 0
        assert _run(real, "shutdown /r /t 1")[1:] == (
            "A system shutdown has already been scheduled.(1190)\r\n",
            1190,
        )
        assert _run(real, "shutdown.exe /a")[2] == 0
        assert _run(real, "shutdown -r -t 0")[2] == 0
        _wait_for(lambda: real.node.machine.boot_id == boot_id + 1 and real.node.is_up)
        assert _run(real, "shutdown /s")[2] == 1


def _wait_for(condition: Any, timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
