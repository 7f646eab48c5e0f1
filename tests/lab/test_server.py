"""An unmodified third-party client works against a simulated node as it does against Windows."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pypsrp.client import Client
from pypsrp.complex_objects import GenericComplexObject, PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.shell import WinRS
from pypsrp.wsman import WSMan

from provisioner.lab.server.fleet import Fleet, NotLoopbackError
from provisioner.lab.server.http import Timeouts
from provisioner.lab.values import Int64, PsObject, UInt8, UInt32
from provisioner.wire.settings import ServiceSettings
from tests.lab.fake_node import (
    PASSWORD,
    USER,
    FakeNode,
    RunningFleet,
    list_commands,
    run_pipeline,
    running_fleet,
)

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet() as running:
        yield running


def wsman(fleet: RunningFleet, **options: Any) -> WSMan:
    given = {"auth": "ntlm", "username": USER, "password": PASSWORD, "encryption": "always", "ssl": False}
    return WSMan(fleet.node.address, port=fleet.node.port, **{**given, **options})


@pytest.fixture
def pool(fleet: RunningFleet) -> Iterator[RunspacePool]:
    with wsman(fleet) as connection, RunspacePool(connection, max_runspaces=2) as opened:
        yield opened


def shell_of(pool: RunspacePool) -> Any:
    return PowerShell(pool)


def invoke(pool: RunspacePool, name: str, **parameters: Any) -> list[Any]:
    found: list[Any] = shell_of(pool).add_cmdlet(name).add_parameters(parameters).invoke()
    return found


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize("user", [USER, USER.upper(), f"NODE0\\{USER}", f".\\{USER}"])
def test_a_session_opens_and_runs_a_command(fleet: RunningFleet, auth: str, user: str) -> None:
    with wsman(fleet, auth=auth, username=user) as connection, RunspacePool(connection) as pool:
        assert invoke(pool, "Get-Echo", Value="hello") == ["hello"]
    assert fleet.node.seen[-1][1] == f"NODE0\\{USER}"


def test_closing_leaves_no_shell_behind(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection, RunspacePool(connection):
        assert fleet.counters()["shells_open"] == 1
    assert fleet.counters()["shells_open"] == 0


def test_a_session_takes_the_round_trips_of_a_real_one(fleet: RunningFleet) -> None:
    before = fleet.counters()
    with wsman(fleet) as connection, RunspacePool(connection) as pool:
        invoke(pool, "Get-Echo", Value=1)
    after = fleet.counters()
    # Two for NTLM, one probe, Create, two Receives, winrm/config is not asked, Command, Receive, Delete.
    assert after["requests"] - before["requests"] <= 11
    assert after["connections"] - before["connections"] == 1


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.lower()])
def test_a_wrong_password_is_refused(fleet: RunningFleet, password: str) -> None:
    with pytest.raises(AuthenticationError), wsman(fleet, password=password) as connection:
        RunspacePool(connection).open()


def test_an_unknown_user_is_refused(fleet: RunningFleet) -> None:
    with pytest.raises(AuthenticationError), wsman(fleet, username="stranger") as connection:
        RunspacePool(connection).open()


def test_values_arrive_as_the_right_types(pool: RunspacePool) -> None:
    found = invoke(pool, "Get-Everything")
    assert found[1:10] == [True, found[2], "", 42, -7, 2**40, 3.25, 1e22, b"\x00\x01\xff"]
    assert found[2] == "text <&> \u00e4\u4e2d _x000A_ \t\r\n \U0001f600"
    assert found[10] == "2026-03-04T05:06:07.089Z"
    assert found[12][:3] == [1, "two", None]
    assert found[13] == {"Name": "x", "Nested": {"a": [1, 2]}}
    assert found[14:19] == [200, 65535, 4294967295, 2**64 - 1, -(2**63)]
    status, service = found[19:]
    assert (str(status), status.types[0]) == ("Running", "System.ServiceProcess.ServiceControllerStatus")
    assert isinstance(service, GenericComplexObject)
    assert service.types == ["System.ServiceProcess.ServiceController", "System.Object"]
    assert service.adapted_properties["Name"] == "W32Time"
    assert service.adapted_properties["Depends"] == ["a", "b"]
    assert service.extended_properties == {"PSComputerName": "localhost"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("text \u00e4 _x0041_ \U0001f600", "text \u00e4 _x0041_ \U0001f600"),
        (5, 5),
        (TaggedValue("I64", 2**40), Int64(2**40)),
        (TaggedValue("U32", 7), UInt32(7)),
        (TaggedValue("By", 7), UInt8(7)),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (b"\x00\xff", b"\x00\xff"),
        ([1, "a", [b"x"]], [1, "a", [b"x"]]),
        ({"Force": True, "Data": b"abc", "N": {"x": [1]}}, {"Force": True, "Data": b"abc", "N": {"x": [1]}}),
        (uuid.UUID(int=5), uuid.UUID(int=5)),
    ],
)
def test_parameters_arrive_as_the_right_types(
    fleet: RunningFleet, pool: RunspacePool, given: Any, expected: Any
) -> None:
    invoke(pool, "Get-Echo", Value=given)
    (call,), _ = fleet.node.seen[-1]
    ((name, value),) = call.parameters
    assert name == "Value"
    assert value == expected
    assert type(value) is type(expected)


def test_positional_arguments_switches_and_statements_are_told_apart(
    fleet: RunningFleet, pool: RunspacePool
) -> None:
    shell = shell_of(pool)
    shell.add_cmdlet("Get-Echo").add_argument("first").add_parameter("Force")
    shell.add_statement().add_cmdlet("Get-Echo").add_cmdlet("Out-Null")
    shell.invoke()
    calls, _ = fleet.node.seen[-1]
    assert calls[0].parameters == ((None, "first"), ("Force", None))
    assert [(call.name, call.ends_statement) for call in calls] == [
        ("Get-Echo", True),
        ("Get-Echo", False),
        ("Out-Null", True),
    ]


def test_two_megabytes_go_both_ways(pool: RunspacePool) -> None:
    assert invoke(pool, "Get-Length", Data=bytes(2_000_000)) == [2_000_000]
    assert len(invoke(pool, "Get-Big", Size=2_000_000)[0]) == 2_000_000


def test_pipeline_input_arrives_in_order(fleet: RunningFleet, pool: RunspacePool) -> None:
    shell = shell_of(pool).add_cmdlet("Measure-Input")
    # This client sends null as an element, which a real server does not understand and drops.
    assert shell.invoke(["a", 2, b"c", None, "x" * 700_000]) == [4]
    assert fleet.node.inputs[-1][:3] == ["a", 2, b"c"]


def test_streams_arrive_apart(pool: RunspacePool) -> None:
    shell = shell_of(pool).add_cmdlet("Write-Streams")
    assert shell.invoke() == ["after the error"]
    assert [str(item) for item in shell.streams.verbose] == ["a verbose text"]
    assert [str(item) for item in shell.streams.warning] == ["a warning"]
    assert [str(item) for item in shell.streams.debug] == ["a detail"]
    (note,) = shell.streams.information
    assert (note.message_data, note.source, note.tags) == ("a note", "Teller", ["one"])
    assert (note.user, note.computer, note.pid > 0) == ("HOST\\me", "HOST", True)
    assert [item.activity for item in shell.streams.progress] == [
        "Preparing modules for first use.",
        "Working",
    ]
    (error,) = shell.streams.error
    assert error.fq_error == "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"
    assert error.message == "ObjectNotFound: (nosuch:String) [Get-Service], ServiceCommandException"
    assert error.category == 13
    assert error.target_object == "nosuch"
    assert (
        error.exception.adapted_properties["Message"] == "Cannot find any service with service name 'nosuch'."
    )
    assert shell.had_errors is False
    assert shell.state == PSInvocationState.COMPLETED


def test_a_terminating_error_fails_the_pipeline_after_its_output(pool: RunspacePool) -> None:
    shell = shell_of(pool).add_cmdlet("Stop-Everything")
    assert shell.invoke() == ["before the end"]
    assert shell.had_errors
    assert shell.state == PSInvocationState.FAILED
    assert shell.streams.error[-1].fq_error.startswith("NoServiceFoundForGivenName")


def test_a_script_is_handed_on_as_a_script(fleet: RunningFleet, pool: RunspacePool) -> None:
    shell = shell_of(pool).add_script("Get-Service | Stop-Service")
    shell.invoke()
    (call,), _ = fleet.node.seen[-1]
    assert call.is_script
    assert shell.streams.error[-1].fq_error == "ScriptsNotAllowed"


@pytest.mark.parametrize("command", ["Get-Bug", "Get-Odd"])
def test_a_bug_in_a_command_fails_that_pipeline_only(
    pool: RunspacePool, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    shell = shell_of(pool).add_cmdlet(command)
    shell.invoke()
    assert shell.streams.error[-1].fq_error == "SimulatedNodeFailure"
    assert "this is a bug in the lab" in caplog.text
    assert invoke(pool, "Get-Echo", Value=1) == [1]


def test_two_pipelines_run_side_by_side_in_one_pool(pool: RunspacePool) -> None:
    slow = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 0.5)
    slow.begin_invoke()
    assert invoke(pool, "Get-Echo", Value="quick") == ["quick"]
    assert slow.state == PSInvocationState.RUNNING
    slow.end_invoke()
    assert slow.output == ["slept"]


def test_a_pool_of_one_runs_pipelines_one_after_the_other(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection, RunspacePool(connection) as pool:
        first = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 0.3)
        second = shell_of(pool).add_cmdlet("Get-Echo").add_parameter("Value", "late")
        first.begin_invoke()
        second.begin_invoke()
        assert fleet.node.seen[-1][0][0].name == "Start-Sleep"
        first.end_invoke()
        second.end_invoke()
        assert second.output == ["late"]


def test_free_runspaces_are_counted(pool: RunspacePool) -> None:
    assert pool.get_available_runspaces() == 2
    slow = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 0.3)
    slow.begin_invoke()
    assert pool.get_available_runspaces() == 1
    slow.end_invoke()
    pool.max_runspaces = 4
    assert pool.get_available_runspaces() == 4


def test_a_long_pipeline_is_stopped(fleet: RunningFleet, pool: RunspacePool) -> None:
    stopped = len(fleet.node.stopped)
    shell = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 60)
    shell.begin_invoke()
    shell.stop()
    assert shell.state == PSInvocationState.STOPPED
    # The client knows before the node has noticed.
    deadline = time.monotonic() + 10
    while len(fleet.node.stopped) == stopped and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(fleet.node.stopped) == stopped + 1
    assert invoke(pool, "Get-Echo", Value="still there") == ["still there"]


def test_a_long_poll_outlives_the_operation_timeout(fleet: RunningFleet) -> None:
    with wsman(fleet, operation_timeout=1, read_timeout=5) as connection, RunspacePool(connection) as pool:
        before = fleet.counters()["requests"]
        assert invoke(pool, "Start-Sleep", Seconds=2.5) == ["slept"]
        assert fleet.counters()["requests"] - before >= 4


def test_output_that_trickles_arrives_whole(pool: RunspacePool) -> None:
    assert invoke(pool, "Get-Trickle", Count=50, Pause=0.002) == list(range(50))


def test_a_deleted_shell_is_unknown(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection:
        pool = RunspacePool(connection)
        pool.open()
        pool.shell.close()
        with pytest.raises(WSManFaultError) as caught:
            invoke(pool, "Get-Echo", Value=1)
        assert caught.value.code == 2150858843


def test_a_pending_receive_ends_when_its_shell_is_deleted(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection, wsman(fleet) as other:
        pool = RunspacePool(connection)
        pool.open()
        shell = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 60)
        shell.begin_invoke()
        killer = WinRS(other, resource_uri=pool.shell.resource_uri, id=pool.shell.id)
        killer.opened, killer._selector_set = True, pool.shell._selector_set
        timer = threading.Timer(0.2, killer.close)
        timer.start()
        with pytest.raises(WSManFaultError) as caught:
            shell.end_invoke()
        timer.join()
        assert caught.value.code == 995


def test_a_shell_is_disconnected_and_connected_again(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection:
        pool = RunspacePool(connection)
        pool.open()
        pool.disconnect()
        pool.connect()
        assert invoke(pool, "Get-Echo", Value=1) == [1]
        pool.disconnect()
        with wsman(fleet) as other:
            (found,) = RunspacePool.get_runspace_pools(other)
            found.connect()
            assert invoke(found, "Get-Echo", Value=2) == [2]
            found.close()
    assert fleet.counters()["shells_open"] == 0


def test_command_metadata_is_told(pool: RunspacePool) -> None:
    service: Any
    (service,) = pool.get_command_metadata(["Get-Service"])
    assert service.name == "Get-Service"
    assert service.namespace == "Microsoft.PowerShell.Management"
    assert {"Name", "Required", "Verbose", "ErrorAction"} <= set(service.parameters)
    assert pool.get_command_metadata(["Get-Nothing"]) == []


def test_the_high_level_client_connects(fleet: RunningFleet) -> None:
    with Client(
        fleet.node.address, port=fleet.node.port, ssl=False, auth="ntlm", username=USER, password=PASSWORD
    ) as client:
        _, streams, had_errors = client.execute_ps("1+1")
    assert had_errors
    assert (
        streams.error[-1].fq_error == "CommandNotFoundException"
    )  # it wraps its script in Invoke-Expression


def test_the_node_tells_its_envelope_size(fleet: RunningFleet) -> None:
    with wsman(fleet) as connection:
        connection.update_max_payload_size()
        assert connection.max_envelope_size == 512000


def test_identify_needs_no_logon(fleet: RunningFleet) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/>'
        "<s:Body><wsmid:Identify/></s:Body></s:Envelope>"
    )
    url = f"http://{fleet.node.address}:{fleet.node.port}"
    for path, headers in [("/wsman", {"WSMANIDENTIFY": "unauthenticated"}), ("/wsman-anon/identify", {})]:
        answer = requests.post(
            url + path,
            data=body,
            headers={"Content-Type": "application/soap+xml;charset=UTF-8", **headers},
            timeout=5,
        )
        assert answer.status_code == 200
        assert "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>" in answer.text
        assert "20348" not in answer.text  # strangers are not told the version


def test_without_a_logon_there_is_only_a_challenge(fleet: RunningFleet) -> None:
    answer = requests.post(f"http://{fleet.node.address}:{fleet.node.port}/wsman", data="<x/>", timeout=5)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Negotiate"
    assert answer.text == ""


def test_unencrypted_messages_are_refused(fleet: RunningFleet) -> None:
    from pypsrp.exceptions import WinRMTransportError  # noqa: PLC0415 - only needed here

    with wsman(fleet, encryption="never") as connection, pytest.raises(WinRMTransportError) as caught:
        RunspacePool(connection).open()
    assert caught.value.code == 500


def test_nothing_is_bound_outside_loopback() -> None:
    for address in ["0.0.0.0", "10.0.0.1", "::1", "192.168.1.1"]:
        node = FakeNode("n", address, 5985, "N")
        with pytest.raises(NotLoopbackError):
            Fleet([node], run_pipeline, list_commands)


def test_a_taken_port_is_told_and_nothing_stays_open() -> None:
    with running_fleet() as first:
        second = RunningFleet(2)
        second.nodes[1].address, second.nodes[1].port = first.node.address, first.node.port
        with pytest.raises(OSError, match="in use"), second:
            pass
        with socket.socket() as probe:
            assert probe.connect_ex((second.nodes[0].address, second.nodes[0].port)) != 0


def test_each_node_has_its_own_account() -> None:
    from spnego._ntlm_raw.crypto import ntowfv1  # noqa: PLC0415 - only needed here

    with running_fleet(2) as fleet:
        fleet.nodes[1].nt_hash = ntowfv1("another")
        with wsman(fleet) as connection, RunspacePool(connection) as pool:
            invoke(pool, "Get-Echo", Value=1)
        fleet.nodes.reverse()
        with pytest.raises(AuthenticationError), wsman(fleet) as connection:
            RunspacePool(connection).open()


def test_a_reboot_drops_connections_and_forgets_shells() -> None:
    with running_fleet() as fleet, wsman(fleet, reconnection_retries=0) as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 60)
        shell.begin_invoke()
        fleet.call(fleet.node.power, is_up=False)
        with pytest.raises(requests.exceptions.ConnectionError):
            shell.end_invoke()
        assert fleet.counters()["shells_open"] == 0
        assert fleet.node.stopped == ["Start-Sleep"]
        with socket.socket() as probe:
            assert probe.connect_ex((fleet.node.address, fleet.node.port)) != 0
        fleet.call(fleet.node.power, is_up=True)
        with wsman(fleet) as again:
            stale = RunspacePool(again)
            stale.open()
            assert invoke(stale, "Get-Echo", Value=1) == [1]
            stale.close()


def test_a_cut_network_resets_connections_and_leaves_shells_alone() -> None:
    with running_fleet() as fleet, wsman(fleet) as connection:
        pool = RunspacePool(connection)
        pool.open()
        shell = shell_of(pool).add_cmdlet("Start-Sleep").add_parameter("Seconds", 0.6)
        shell.begin_invoke()
        fleet.call(fleet.fleet.cut, "node0", 0.3)
        with pytest.raises(requests.exceptions.ConnectionError):
            shell.end_invoke()
        assert fleet.counters()["shells_open"] == 1
        assert fleet.counters()["cut"] is True
        while fleet.counters()["cut"]:
            time.sleep(0.02)
        with wsman(fleet) as again:  # another connection fetches what the shell has kept
            pool.connection = shell.runspace_pool.connection = pool.shell.wsman = again
            shell.end_invoke()
            assert shell.output == ["slept"]
            pool.close()


def test_a_cut_lasts_until_it_is_mended() -> None:
    with running_fleet() as fleet:
        fleet.call(fleet.fleet.cut, "node0")
        fleet.call(fleet.node.power, is_up=False)
        fleet.call(fleet.node.power, is_up=True)
        with socket.socket() as probe:
            assert probe.connect_ex((fleet.node.address, fleet.node.port)) != 0
        fleet.call(fleet.fleet.restore, "node0")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((fleet.node.address, fleet.node.port)) == 0:
                    break
        with wsman(fleet) as connection, RunspacePool(connection) as pool:
            assert invoke(pool, "Get-Echo", Value=1) == [1]


def test_a_request_over_the_limit_is_refused_by_http_as_windows_does() -> None:
    with running_fleet(settings=ServiceSettings(max_envelope_kb=100)) as fleet, wsman(fleet) as connection:
        connection.max_envelope_size = 512000
        connection.max_payload_size = 380000
        pool = RunspacePool(connection)
        pool.open()
        with pytest.raises(WinRMTransportError) as caught:
            invoke(pool, "Get-Length", Data=bytes(200_000))
        assert caught.value.code == 413


def test_an_idle_connection_is_closed_and_the_shell_stays() -> None:
    with running_fleet(timeouts=Timeouts(request_s=1.0, idle_s=0.2)) as fleet, wsman(fleet) as connection:
        pool = RunspacePool(connection)
        pool.open()
        while fleet.counters()["connections_open"]:
            time.sleep(0.02)
        assert fleet.counters()["shells_open"] == 1


def test_objects_as_input_keep_their_members(fleet: RunningFleet, pool: RunspacePool) -> None:
    shell = shell_of(pool).add_cmdlet("Measure-Input")
    thing = GenericComplexObject()
    thing._types = ["Some.Type", "System.Object"]
    thing.extended_properties = {"A": 1}
    shell.invoke([thing])
    (found,) = fleet.node.inputs[-1]
    assert isinstance(found, PsObject)
    assert found.extended == {"A": 1}
