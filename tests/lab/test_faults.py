"""Each fault of the network, of HTTP and of WinRM: what an unmodified client sees, and that it sees none without."""

from __future__ import annotations

import socket
import ssl
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pypsrp.powershell import RunspacePool
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import SelectorSet

from provisioner.lab.hosting.running import RunningLab, RunningNode
from provisioner.lab.logon import HttpsSpec, LogonSpec
from tests.lab.clients import Seen, ask, fault, invoke, opened, seen, wsman

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know

#: A whole session without a fault; generous, because other tests may use the machine.
_SOON_S = 1.5
_RESET = "requests.ConnectionError"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    logon = LogonSpec(https=HttpsSpec(5986))
    running = RunningLab(tmp_path_factory.mktemp("faulty") / "lab", 1, {"logon": logon})
    yield running
    running.stop()


@pytest.fixture
def node(lab: RunningLab) -> RunningNode:
    return lab["node01"]


@dataclass(frozen=True)
class Case:
    """A fault, and what a whole session sees of it."""

    kind: str
    error: str
    code: object = None
    text: str = ""
    least_s: float = 0.0
    most_s: float = _SOON_S
    parameters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.kind, *(str(value) for value in self.parameters.values())])


def case(kind: str, error: str, *rest: Any, **parameters: Any) -> Case:
    return replace(Case(kind, error, *rest), parameters=parameters)


CASES = [
    case("latency", "", None, "", 0.8, 3.0, seconds=0.1),
    case("latency", "requests.ReadTimeout", None, "read timeout=1", 1.0, 2.0, seconds=2),
    case("bandwidth", "", None, "", 0.8, 4.0, bytes_per_s=20000),
    case("drop", _RESET, None, "ConnectionResetError", message=4),
    case("drop", _RESET, None, "ConnectionResetError", message=4, direction="answer"),
    case("drop", _RESET, None, "RemoteDisconnected", message=4, how="close"),
    case("drop", _RESET, None, "RemoteDisconnected", message=4, how="close", direction="answer"),
    case("drop", _RESET, None, "ConnectionResetError", byte=3000),
    case(
        "drop", "requests.ChunkedEncodingError", None, "ConnectionResetError", byte=3000, direction="answer"
    ),
    case("half-open", "requests.ReadTimeout", None, "read timeout=1", 1.0, 2.0),
    case("half-open", "requests.ConnectTimeout", None, "timed out", 1.0, 2.0, connections="ignored"),
    # A Receive is repeated five times by pypsrp, each time for as long as it waits at most.
    case("half-open", "requests.ReadTimeout", None, "read timeout=1", 6.0, 9.0, after={"messages": 5}),
    case("cut", _RESET, None, "Connection refused"),
    case("http-error", "pypsrp.AuthenticationError", None, "Failed to authenticate", status=401),
    case("http-error", "pypsrp.WinRMTransportError", 500, "Code: 500, Content: ''", status=500),
    case("http-error", "pypsrp.WinRMTransportError", 503, "Code: 503", status=503),
    case("http-error", "pypsrp.AuthenticationError", None, "", status=401, after={"messages": 4}),
    case("http-error", "pypsrp.WinRMTransportError", 500, "Code: 500", status=500, after={"messages": 4}),
    case("http-error", "pypsrp.WinRMTransportError", 503, "Code: 503", status=503, after={"messages": 4}),
    case("quota", "pypsrp.WSManFaultError", "w:QuotaLimit", "concurrent shells for this user", of="shells"),
    case("quota", "pypsrp.WSManFaultError", "w:QuotaLimit", "users executing shell", of="users"),
    case("quota", "pypsrp.WSManFaultError", "w:QuotaLimit", "concurrent operations", of="operations"),
    case("shell-killed", "pypsrp.WSManFaultError", 2150858843, "invalid selectors", after={"messages": 6}),
    case("winrm-restart", _RESET, None, "", away_s=0.2, after={"messages": 6}),
]


def _check(case: Case, found: Seen, *, is_on: bool) -> None:
    if not is_on:
        assert found.error == ""
        assert len(found.value) == 1
        assert found.seconds < _SOON_S
        return
    assert (found.error, found.code) == (case.error, case.code), found.text
    assert case.text in found.text
    assert case.least_s <= found.seconds < case.most_s


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_client_sees_exactly_this_of_a_fault(node: RunningNode, case: Case, *, is_on: bool) -> None:
    with fault(node, case.kind, is_on=is_on, **case.parameters):
        found = seen(lambda: ask(node))
        began = [entry for entry in node.journal("fault") if entry["state"] == "began"]
    _settle(node)
    _check(case, found, is_on=is_on)
    if is_on:
        assert began[-1]["fault"].startswith(case.kind)
    # What was wrong is over: the very same session works.
    assert seen(lambda: ask(node)).error == ""


def _settle(node: RunningNode) -> None:
    """Wait until the node answers again; a listener that was closed needs a moment."""
    deadline = time.monotonic() + 5
    while seen(lambda: ask(node)).error and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_processes_over_their_quota_are_refused(node: RunningNode, *, is_on: bool) -> None:
    with (
        wsman(node) as connection,
        WinRS(connection) as shell,
        fault(node, "quota", is_on=is_on, of="processes"),
    ):
        process = Process(shell, "hostname")
        found = seen(process.invoke)
    assert found.error == ("pypsrp.WSManFaultError" if is_on else "")
    if is_on:
        assert found.code == "w:QuotaLimit"
        assert "concurrent commands per shell" in found.text


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_a_receive_that_waits_in_a_killed_shell_is_aborted(node: RunningNode, *, is_on: bool) -> None:
    with opened(node, read_timeout=5, operation_timeout=1) as pool:
        with fault(node, "shell-killed", is_on=is_on, after={"seconds": 0.3}):
            found = seen(lambda: pool.shell.receive("stdout"))
        # A Receive for which nothing comes ends after OperationTimeout; who asks repeats it.
        assert (found.error, found.code) == ("pypsrp.WSManFaultError", 995 if is_on else 2150858793)
        assert 0.2 < found.seconds < (0.9 if is_on else 2.0)


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_a_shell_of_before_a_restart_of_winrm_is_unusable(node: RunningNode, *, is_on: bool) -> None:
    with opened(node) as pool:
        before = time.monotonic()
        with fault(node, "winrm-restart", is_on=is_on, away_s=0.5):
            if is_on:
                assert "Connection refused" in seen(lambda: ask(node)).text
            _settle(node)
            away_s = time.monotonic() - before
            selectors = SelectorSet()
            selectors.add_option("ShellId", str(pool.shell.id).upper())
            with wsman(node) as other:
                found = seen(lambda: other.delete(pool.shell.resource_uri, selector_set=selectors))
        if is_on:
            assert (found.error, found.code) == ("pypsrp.WSManFaultError", 2150859206)
            assert "may be related to a recent restart of the WS-Management service" in found.text
            assert 0.5 <= away_s < 3.0
        else:
            assert found.error == ""


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_an_id_that_never_was_is_not_called_unusable(node: RunningNode, *, is_on: bool) -> None:
    with fault(node, "winrm-restart", is_on=is_on, away_s=0.0):
        _settle(node)
        selectors = SelectorSet()
        selectors.add_option("ShellId", str(uuid.uuid4()).upper())
        with wsman(node) as other:
            uri = "http://schemas.microsoft.com/powershell/Microsoft.PowerShell"
            found = seen(lambda: other.delete(uri, selector_set=selectors))
    assert found.code == 2150858843


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
def test_a_connection_that_fell_silent_is_reset_when_the_fault_ends(
    node: RunningNode, *, is_on: bool
) -> None:
    # `for` is in the node's seconds, which are ours in a lab without a time scale.
    with (
        opened(node, read_timeout=20) as pool,
        fault(node, "half-open", is_on=is_on, **{"for": 0.5}),
    ):
        found = seen(lambda: invoke(pool, "Get-Service", Name="W32Time").output)
    if is_on:
        assert found.error == _RESET
        assert "ConnectionResetError" in found.text
        assert 0.4 < found.seconds < 1.5
    else:
        assert found.error == ""


CERTIFICATES = {
    "expired": "certificate has expired",
    "wrong-name": "certificate is not valid for",
    "self-signed": "self-signed certificate",
}


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("state", CERTIFICATES)
def test_a_client_that_verifies_refuses_a_certificate(
    lab: RunningLab, node: RunningNode, state: str, *, is_on: bool
) -> None:
    trusted = str(lab.folder / "certificates" / "ca.pem")
    https = {"port": 5986, "ssl": True, "cert_validation": trusted}

    def session() -> list[Any]:
        with wsman(node, **https) as connection, RunspacePool(connection) as pool:
            return list(invoke(pool, "Get-Service", Name="W32Time").output)

    with fault(node, "certificate", is_on=is_on, state=state):
        found = seen(session)
    assert seen(session).error == ""
    if is_on:
        assert found.error == "requests.SSLError"
        assert CERTIFICATES[state] in found.text or "doesn't match" in found.text
        assert found.seconds < _SOON_S
    else:
        assert found.error == ""


def test_a_silent_https_node_does_not_even_shake_hands(node: RunningNode) -> None:
    with (
        fault(node, "half-open", is_on=True),
        socket.create_connection((node.address, 5986), timeout=0.5) as raw,
        pytest.raises(TimeoutError),
    ):
        ssl.create_default_context().wrap_socket(raw, server_hostname=node.address)


def test_a_fault_takes_hold_as_often_as_it_says(node: RunningNode) -> None:
    node.fault("drop", message=2, times=2)
    assert [seen(lambda: ask(node)).error for _ in range(3)] == [_RESET, _RESET, ""]
    assert node.show()["faults"] == []
    states = [entry["state"] for entry in node.journal("fault")][-4:]
    assert states == ["began", "took hold", "took hold", "ended"]


def test_a_fault_waits_for_messages_and_seconds(node: RunningNode) -> None:
    node.fault("http-error", status=503, after={"messages": 1, "seconds": 0.3}, **{"for": 0.3})
    assert node.show()["faults"] == [
        "http-error status=503 after.messages=1 after.seconds=0.3 for=0.3 (waiting)"
    ]
    assert seen(lambda: ask(node)).error == ""
    time.sleep(0.35)
    assert seen(lambda: ask(node)).code == 503
    time.sleep(0.35)
    assert seen(lambda: ask(node)).error == ""


@pytest.mark.parametrize(("direction", "served"), [("request", 3), ("answer", 4)])
def test_the_node_saw_the_request_whose_answer_is_lost(
    lab: RunningLab, node: RunningNode, direction: str, served: int
) -> None:
    def requests() -> int:
        return int(lab.ask({"op": "status"})["nodes"][0]["requests"])

    before = requests()
    with fault(node, "drop", is_on=True, message=4, direction=direction):
        assert seen(lambda: ask(node)).error == _RESET
    assert requests() - before == served
