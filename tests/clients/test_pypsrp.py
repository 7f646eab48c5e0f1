"""pypsrp, unmodified: every authentication, commands, the classic shell, its file transfer, narrow endpoints."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypsrp.client import Client
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

from provisioner.lab.spec import RESTRICTED_COMMANDS
from tests import kerberos
from tests.clients.site import ENDPOINT, HOST, PASSWORD, USER, Site
from tests.clients.ways import WAYS, Way

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know


def options(site: Site, way: Way) -> dict[str, Any]:
    """What pypsrp is told to come this way."""
    if way.auth == "kerberos" and site.realm is None:
        pytest.skip(f"Kerberos: not here: {kerberos.missing()}")
    given: dict[str, Any] = {"auth": way.auth, "ssl": way.is_https, "port": site.port(ssl=way.is_https)}
    if way.is_https:
        given["cert_validation"] = site.ca
    match way.auth:
        case "kerberos":
            return given | {"negotiate_hostname_override": HOST, "negotiate_service": "HTTP"}
        case "certificate":
            public, private = site.certificate
            return given | {"certificate_pem": public, "certificate_key_pem": private}
    return given | {"username": USER, "password": PASSWORD}


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with Client(site.address, **options(site, Way("pypsrp", "ntlm", "http"))) as opened:
        yield opened


@pytest.mark.parametrize("way", WAYS["pypsrp"], ids=str)
def test_a_session_runs_commands_and_programs(site: Site, way: Way) -> None:
    before = len(site.names())
    with WSMan(site.address, **options(site, way)) as wsman:
        with RunspacePool(wsman) as pool:
            shell = PowerShell(pool).add_cmdlet("Get-Service").add_parameter("Name", "WinRM")
            (service,) = shell.invoke()
        with WinRS(wsman) as classic:
            process = Process(classic, "whoami")
            process.invoke()
    assert service.adapted_properties["ServiceName"] == "WinRM"
    assert site.names()[before:] == ["Get-Service", "cmd.exe"]
    assert process.rc == 0
    assert process.stdout.decode().strip().casefold() == site.account(way.auth).casefold()


@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_copy_and_fetch_move_bytes(site: Site, client: Client, tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "there").write_bytes(content)
    given = f"C:\\Windows\\Temp\\copied{size}.bin"

    assert client.copy(str(tmp_path / "there"), given) == given
    assert site.file(given) == content
    if size:  # pypsrp cannot fetch an empty file: it takes the SHA-1 for the contents
        client.fetch(given, str(tmp_path / "back"))
        assert (tmp_path / "back").read_bytes() == content
        assert site.names()[-2:] == ["pypsrp/copy", "pypsrp/fetch"]


def test_copy_says_where_a_file_cannot_go(site: Site, client: Client, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"x")
    with pytest.raises(WinRMError, match="Could not find a part of the path"):
        client.copy(str(tmp_path / "there"), "C:\\nowhere\\at\\all.txt")
    assert site.file("C:\\nowhere\\at\\all.txt") is None


def test_fetch_of_a_missing_file_fails(client: Client, tmp_path: Path) -> None:
    with pytest.raises(WinRMError, match=r"The path at 'C:\\missing.txt' does not exist"):
        client.fetch("C:\\missing.txt", str(tmp_path / "back"))


def test_execute_ps_runs_constant_commands_and_gives_their_text(site: Site, client: Client) -> None:
    text, streams, had_errors = client.execute_ps(
        "Get-Service -Name WinRM | Select-Object -Property Name,Status"
    )
    assert not had_errors
    assert streams.error == []
    assert [line.split() for line in text.splitlines() if line] == [
        ["Name", "Status"],
        ["----", "------"],
        ["WinRM", site.node.machine.services.find("WinRM").status],  # type: ignore[union-attr]
    ]


def test_execute_ps_refuses_what_the_node_does_not_run(site: Site, client: Client) -> None:
    paths, names = site.paths(), site.names()
    script = "Set-Content C:\\x.txt 'one'; foreach ($i in 1..3) { Stop-Service Spooler }"
    _, streams, had_errors = client.execute_ps(script)
    assert had_errors
    (error,) = streams.error
    assert str(error.fq_error).startswith("ScriptsNotAllowed")
    assert "the keyword foreach" in str(error)
    assert site.paths() == paths
    assert site.names()[len(names) :] in (["Invoke-Expression"], ["Invoke-Expression", "Out-String"])


def test_a_script_tells_the_host_how_it_ended(site: Site) -> None:
    host: Any = PSHost(None, None, False, "tests", None, PSHostUserInterface(), "1.0")
    connection = WSMan(site.address, **options(site, Way("pypsrp", "ntlm", "http")))
    with connection as wsman, RunspacePool(wsman, host=host) as pool:
        shell = PowerShell(pool).add_script("hostname; exit 3")
        assert shell.invoke() == [site.node.computer_name]
        assert shell.state == PSInvocationState.COMPLETED
    assert host.rc == 3


def test_a_script_may_be_followed_by_commands(site: Site) -> None:
    with (
        WSMan(site.address, **options(site, Way("pypsrp", "ntlm", "http"))) as wsman,
        RunspacePool(wsman) as pool,
    ):
        shell = PowerShell(pool).add_script("Get-Service WinRM").add_cmdlet("Select-Object")
        shell.add_parameter("ExpandProperty", "Name")
        assert shell.invoke() == ["WinRM"]


# -- narrow endpoints (JEA) ----------------------------------------------------------------------------------


@pytest.fixture
def narrow(site: Site) -> Iterator[RunspacePool]:
    connection = WSMan(site.address, **options(site, Way("pypsrp", "ntlm", "http")))
    with connection as wsman, RunspacePool(wsman, configuration_name=ENDPOINT) as pool:
        yield pool


def test_an_endpoint_runs_the_commands_it_shows(narrow: RunspacePool) -> None:
    shell = PowerShell(narrow).add_cmdlet("Get-Service").add_parameter("Name", "WinRM")
    shell.add_cmdlet("Select-Object").add_parameter("ExpandProperty", "Name")
    assert shell.invoke() == ["WinRM"]


def test_an_endpoint_does_not_know_the_others(site: Site, narrow: RunspacePool) -> None:
    names = site.names()
    shell = PowerShell(narrow).add_cmdlet("Stop-Service").add_parameter("Name", "Spooler")
    shell.invoke()
    assert shell.state == PSInvocationState.FAILED
    assert shell.streams.error[-1].fq_error == "CommandNotFoundException"
    shown = PowerShell(narrow).add_cmdlet("Get-Command").invoke()
    found = {item.adapted_properties["Name"] for item in shown}
    assert {"Get-Service", "Get-Command", "Select-Object"} <= found <= {*RESTRICTED_COMMANDS, "Get-Service"}
    assert site.names() == [*names, "Get-Command"]


@pytest.mark.parametrize("script", ["Get-Service -Name WinRM", "Set-Item -Path WSMan:\\x -Value $false", "1"])
def test_an_endpoint_without_a_language_runs_no_script(site: Site, narrow: RunspacePool, script: str) -> None:
    names = site.names()
    shell = PowerShell(narrow).add_cmdlet("Get-Service").add_parameter("Name", "WinRM").add_statement()
    shell.add_script(script)
    shell.invoke()
    assert shell.state == PSInvocationState.FAILED
    assert shell.streams.error[-1].fq_error == "ScriptsNotAllowed"
    assert len(shell.output) == 1  # what stood before it has run, as recorded
    assert site.names() == [*names, "Get-Service"]


def test_an_unknown_endpoint_is_refused(site: Site) -> None:
    connection = WSMan(site.address, **options(site, Way("pypsrp", "ntlm", "http")))
    with connection as wsman, pytest.raises(WSManFaultError) as refused:
        RunspacePool(wsman, configuration_name="Nowhere").open()
    # Code and text as a real server gave them to this client.
    assert refused.value.code == 2150858811
