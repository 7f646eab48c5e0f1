"""pywinrm and testinfra's backend over it, unmodified: programs, PowerShell, exit codes, errors."""

from __future__ import annotations

import base64
import random
import string
from typing import Any

import pytest
import testinfra
import winrm
from pypsrp.client import Client

from tests import kerberos
from tests.clients.site import HOST, PASSWORD, USER, Site
from tests.clients.ways import WAYS, Way

_parse_clixml = pytest.importorskip("ansible.plugins.shell.powershell")._parse_clixml

pytestmark = pytest.mark.filterwarnings("default")


def session(site: Site, way: Way) -> winrm.Session:
    """What a user of pywinrm makes to come this way."""
    if way.auth == "kerberos" and site.realm is None:
        pytest.skip(f"Kerberos: not here: {kerberos.missing()}")
    more: dict[str, Any] = {"transport": way.auth}
    account = (USER, PASSWORD)
    if way.is_https:
        more["ca_trust_path"] = site.ca
    if way.auth == "kerberos":
        account = (None, None)  # type: ignore[assignment]  # the ticket says who
        more["kerberos_hostname_override"] = HOST
    if way.auth == "certificate":
        account = (None, None)  # type: ignore[assignment]  # the certificate says who
        more["cert_pem"], more["cert_key_pem"] = site.certificate
    return winrm.Session(site.url(ssl=way.is_https), account, **more)


@pytest.fixture
def ntlm(site: Site) -> winrm.Session:
    return session(site, Way("pywinrm", "ntlm", "http"))


@pytest.mark.parametrize("way", WAYS["pywinrm"], ids=str)
def test_programs_and_powershell_run(site: Site, way: Way) -> None:
    client = session(site, way)
    before = len(site.names())

    who = client.run_cmd("whoami")
    service = client.run_ps("Get-Service -Name WinRM | Select-Object -ExpandProperty Name")

    assert (who.status_code, who.std_err) == (0, b"")
    assert who.std_out.decode().strip().casefold() == site.account(way.auth).casefold()
    assert (service.status_code, service.std_out, service.std_err) == (0, b"WinRM\r\n", b"")
    assert {"Get-Service", "Select-Object"} <= set(site.names()[before:])


def test_run_cmd_gives_arguments_streams_and_the_exit_code(site: Site, ntlm: winrm.Session) -> None:
    echoed = ntlm.run_cmd("echo", ["one", "two"])
    assert (echoed.status_code, echoed.std_out) == (0, b"one two\r\n")
    missing = ntlm.run_cmd("nosuchprogram")
    assert missing.status_code == 1
    assert b"is not recognized as an internal or external command" in missing.std_err
    assert ntlm.run_cmd("hostname").std_out.decode().strip() == site.node.computer_name


def test_run_ps_stops_a_service_of_the_node(site: Site, ntlm: winrm.Session) -> None:
    services = site.node.machine.services
    assert services.find("Spooler").status == "Running"  # type: ignore[union-attr]
    done = ntlm.run_ps("Stop-Service -Name Spooler\nGet-Service Spooler | Select -ExpandProperty Status")
    assert (done.status_code, done.std_out) == (0, b"Stopped\r\n")
    assert services.find("Spooler").status == "Stopped"  # type: ignore[union-attr]


def test_run_ps_cleans_the_error_of_a_command(ntlm: winrm.Session) -> None:
    done = ntlm.run_ps("Get-Service -Name nope")
    assert done.status_code == 1
    text = done.std_err.decode()
    assert text.startswith("Get-Service : Cannot find any service with service name 'nope'.")
    assert "FullyQualifiedErrorId : NoServiceFoundForGivenName" in text
    assert "CLIXML" not in text


def test_the_text_of_an_error_survives_clixml(ntlm: winrm.Session) -> None:
    text = "<&> a_x0041_b _X0042_ \u00e9\u00fc \t end"
    script = f"Write-Error -Message '{text}'"
    raw = ntlm.protocol
    shell = raw.open_shell(codepage=65001)
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    command = raw.run_command(shell, f"powershell -encodedcommand {encoded}")
    out, err, code = raw.get_command_output(shell, command)
    raw.cleanup_command(shell, command)
    raw.close_shell(shell)
    assert (out, code) == (b"", 1)
    # Two clients that decode it each in their own way.
    assert text in Client.sanitise_clixml(err.decode())
    assert text in _parse_clixml(err).decode()


def test_run_ps_gives_the_exit_code_of_the_script(ntlm: winrm.Session) -> None:
    done = ntlm.run_ps("Write-Output 'about to end'; exit 7")
    assert (done.status_code, done.std_out) == (7, b"about to end\r\n")
    # An error that is not the last word does not count, as in powershell.exe.
    assert ntlm.run_ps("Get-Service nope; hostname").status_code == 0
    assert ntlm.run_ps("hostname; Get-Service nope").status_code == 1
    unknown = ntlm.run_ps("nosuchcommand; hostname")
    assert (unknown.status_code, unknown.std_out) == (0, b"HV01\r\n")
    assert "The term 'nosuchcommand' is not recognized" in unknown.std_err.decode()


@pytest.mark.parametrize(
    ("script", "met"),
    [
        ("$x = 1; hostname", "the variable $x"),
        ("if (Test-Path C:\\Windows) { Remove-Item C:\\Windows }", "the keyword if"),
        ("Get-Service | Where-Object { $_.Status -eq 'Running' }", "'{"),
        ("hostname > C:\\out.txt", "'>"),
        ("[System.IO.File]::WriteAllText('C:\\x', 'y')", "'[System"),
    ],
)
def test_run_ps_refuses_what_the_node_does_not_run(
    site: Site, ntlm: winrm.Session, script: str, met: str
) -> None:
    paths = site.paths()
    done = ntlm.run_ps(script)
    assert done.status_code == 1
    assert done.std_out == b""
    text = done.std_err.decode()
    assert f"it does not run {met}" in " ".join(text.split())
    assert "FullyQualifiedErrorId : ScriptsNotAllowed" in text
    assert site.paths() == paths


def test_powershell_may_be_called_with_its_options(ntlm: winrm.Session) -> None:
    def out(line: str) -> tuple[int, bytes]:
        done = ntlm.run_cmd(line)
        return done.status_code, done.std_out

    assert (
        out("powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command hostname")[1]
        == b"HV01\r\n"
    )
    assert out("powershell.exe -nop -c \"Write-Output 'a b'; exit 4\"") == (4, b"a b\r\n")
    assert out("powershell hostname") == (0, b"HV01\r\n")
    assert out("powershell -File C:\\missing.ps1") == (0xFFFD0000, b"")
    assert out("powershell -EncodedCommand no!base64") == (0xFFFD0000, b"")


def test_a_script_file_of_the_node_runs(site: Site, ntlm: winrm.Session) -> None:
    name = "".join(random.Random(1).choices(string.ascii_lowercase, k=8))
    site.node.machine.files.write(
        f"C:\\Windows\\Temp\\{name}.ps1", b"\xef\xbb\xbfWrite-Output 'from a file'\r\nexit 5\r\n"
    )
    done = ntlm.run_cmd(
        "powershell", ["-ExecutionPolicy", "Bypass", "-File", f"C:\\Windows\\Temp\\{name}.ps1"]
    )
    assert (done.status_code, done.std_out) == (5, b"from a file\r\n")


# -- testinfra -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS["pytest-testinfra"], ids=str)
def test_testinfra_runs_commands(site: Site, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    monkeypatch.setenv("SSL_CERT_FILE", site.ca)
    query = "" if way.is_https else "?no_ssl=true"
    host = testinfra.get_host(
        f"winrm://{USER}:{PASSWORD}@{site.address}:{site.port(ssl=way.is_https)}{query}"
    )
    before = len(site.names())
    done = host.run("hostname")
    assert (done.rc, done.stdout.strip(), done.stderr) == (0, site.node.computer_name, "")
    assert host.run("echo %s", "a word").stdout.strip() == '"a word"'
    assert host.run("nosuchprogram").rc == 1
    assert "WinRM" in host.check_output("powershell -Command Get-Service WinRM | findstr WinRM")
    assert site.names()[before:].count("cmd.exe") == 4


def test_testinfra_knows_the_system(site: Site) -> None:
    host = testinfra.get_host(f"winrm://{USER}:{PASSWORD}@{site.address}:{site.port(ssl=False)}?no_ssl=true")
    info: Any = host.system_info
    assert (info.type, info.distribution) == ("windows", "Microsoft Windows Server 2022 Standard")
    assert info.release.startswith(f"10.0.{site.node.machine.build}")
    assert info.arch == "AMD64"


def test_what_testinfra_asks_of_files_and_services_is_what_windows_would_be_asked(site: Site) -> None:
    """Its quotes make the command of a file a string for PowerShell; cmdlets for services go to cmd.exe."""
    host = testinfra.get_host(f"winrm://{USER}:{PASSWORD}@{site.address}:{site.port(ssl=False)}?no_ssl=true")
    assert site.file("C:\\Windows\\Temp\\there.txt") is None
    site.node.machine.files.write("C:\\Windows\\Temp\\there.txt", b"x")
    asked = host.run(r"powershell -command \"Test-Path '%s'\"", "C:/Windows/Temp/there.txt")
    assert (asked.rc, asked.stdout) == (0, "Test-Path 'C:/Windows/Temp/there.txt'\r\n")
    assert host.run("powershell -command Test-Path C:/Windows/Temp/there.txt").stdout == "True\r\n"
    assert host.run("Get-Service -Name WinRM").rc == 1
