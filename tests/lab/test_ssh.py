"""Unmodified SSH clients run commands on a simulated node: paramiko, the ssh program, testinfra."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
import testinfra

from tests.lab.labs import LabRun, running_lab

_INVENTORY = """
site: test
connection: {transport: psrp, user: provisioner, password: "file:.secrets/hv01"}
lab:
  ssh_port: 40022
  authentication: {lockout: {threshold: 3}}
  users:
    - {name: operator, password: "file:.secrets/operator", ssh_key: operator.pub}
    - {name: clumsy, password: "file:.secrets/clumsy", ssh_key: operator.pub}
nodes:
  hv01: {address: 127.20.0.11}
"""
_PORT = 40022


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRun]:
    folder = tmp_path_factory.mktemp("ssh")
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(folder / "operator.key"))
    (folder / "operator.pub").write_text(f"{key.get_name()} {key.get_base64()} operator@here\n")
    with running_lab(folder, _INVENTORY) as found:
        yield found


def known_host(run: LabRun) -> Path:
    """Write the node's key as a client keeps it; it is there once somebody has connected."""
    path = run.folder / "labs" / "test" / "nodes" / "hv01" / "ssh_host_key.pub"
    if not path.exists():
        with socket.create_connection((f"{run.network}.11", _PORT), 5) as first:
            first.settimeout(5)
            assert first.recv(100).startswith(b"SSH-2.0-OpenSSH_for_Windows")
    kind, key, _ = path.read_text().split()
    known = run.folder / "known_hosts"
    known.write_text(f"[{run.network}.11]:{_PORT} {kind} {key}\n")
    return known


def client(run: LabRun, user: str = "provisioner", **how: object) -> paramiko.SSHClient:
    made = paramiko.SSHClient()
    made.load_host_keys(str(known_host(run)))
    given: dict[str, object] = {
        "password": run.password("hv01"),
        "look_for_keys": False,
        "allow_agent": False,
    }
    made.connect(f"{run.network}.11", _PORT, user, timeout=10, **{**given, **how})  # type: ignore[arg-type]
    return made


def said(connection: paramiko.SSHClient, line: str, given: bytes = b"") -> tuple[int, str, str]:
    stdin, stdout, stderr = connection.exec_command(line, timeout=20)
    if given:
        stdin.write(given)
    stdin.channel.shutdown_write()
    out, err = stdout.read().decode(), stderr.read().decode()
    return stdout.channel.recv_exit_status(), out, err


def test_commands_run_through_cmd(run: LabRun) -> None:
    with client(run) as connection:
        assert said(connection, "hostname") == (0, "HV01\r\n", "")
        assert said(connection, "echo one & whoami") == (0, "one \r\nhv01\\provisioner\r\n", "")
        code, out, err = said(connection, "nosuch")
        assert (code, out) == (1, "")
        assert "'nosuch' is not recognized as an internal or external command" in err
        assert said(connection, "exit 7")[0] == 7


def test_many_channels_share_a_connection(run: LabRun) -> None:
    with client(run) as connection:
        for number in range(20):
            assert said(connection, f"echo {number}") == (0, f"{number}\r\n", "")


def test_a_user_may_be_named_with_the_computer(run: LabRun) -> None:
    with client(run, "HV01\\provisioner") as connection:
        assert said(connection, "whoami")[1] == "hv01\\provisioner\r\n"


def test_a_key_logs_on_whose_it_is(run: LabRun, tmp_path: Path) -> None:
    key = paramiko.RSAKey.from_private_key_file(str(run.folder / "operator.key"))
    with client(run, "operator", password=None, pkey=key) as connection:
        assert said(connection, "whoami")[1] == "hv01\\operator\r\n"
    other = paramiko.RSAKey.generate(2048)
    for user, shown in (("provisioner", key), ("operator", other)):
        with pytest.raises(paramiko.AuthenticationException):
            client(run, user, password=None, pkey=shown)


def test_a_wrong_password_is_refused_and_locks_as_over_winrm(run: LabRun) -> None:
    right = (run.folder / ".secrets" / "clumsy").read_text().strip()
    client(run, "clumsy", password=right).close()
    for _ in range(3):
        with pytest.raises(paramiko.AuthenticationException):
            client(run, "clumsy", password="wrong")
    with pytest.raises(paramiko.AuthenticationException):
        client(run, "clumsy", password=right)
    key = paramiko.RSAKey.from_private_key_file(str(run.folder / "operator.key"))
    with pytest.raises(paramiko.AuthenticationException):
        client(run, "clumsy", password=None, pkey=key)
    with pytest.raises(paramiko.AuthenticationException):
        client(run, "stranger")


def test_there_is_no_shell_no_terminal_and_no_subsystem(run: LabRun) -> None:
    with client(run) as connection:
        for ask in ("invoke_shell", "get_pty", "invoke_subsystem"):
            transport = connection.get_transport()
            assert transport is not None
            channel = transport.open_session()
            with pytest.raises(paramiko.SSHException):
                getattr(channel, ask)(*(["sftp"] if ask == "invoke_subsystem" else []))


@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here")
def test_the_ssh_program_runs_a_command(run: LabRun) -> None:
    options = {
        "UserKnownHostsFile": str(known_host(run)),
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
    }
    given = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
    key = str(run.folder / "operator.key")
    command = [
        "ssh",
        "-F",
        "none",
        *given,
        "-i",
        key,
        "-p",
        str(_PORT),
        f"operator@{run.network}.11",
        "hostname",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "HV01"), done.stderr
    command[-1] = "exit 5"
    assert (
        subprocess.run(
            command, capture_output=True, timeout=30, stdin=subprocess.DEVNULL, check=False
        ).returncode
        == 5
    )


@pytest.mark.parametrize("backend", ["paramiko", "ssh"])
@pytest.mark.filterwarnings("default")  # testinfra leaves its sockets to the collector
def test_testinfra_runs_a_command(run: LabRun, backend: str) -> None:
    if backend == "ssh" and shutil.which("ssh") is None:
        pytest.skip("there is no ssh program here")
    config = run.folder / "ssh_config"
    config.write_text(
        f"Host hv01\n  HostName {run.network}.11\n  Port {_PORT}\n  User operator\n"
        f"  IdentityFile {run.folder / 'operator.key'}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {known_host(run)}\n"
    )
    host = testinfra.get_host(f"{backend}://hv01", ssh_config=str(config))
    done = host.run("whoami")
    assert (done.rc, done.stdout.strip()) == (0, "hv01\\operator")


def test_a_cut_network_resets_what_is_connected(run: LabRun) -> None:
    with client(run) as connection:
        assert run.provision("lab", "cut", "hv01", "--name", "test").returncode == 0
        with pytest.raises((paramiko.SSHException, OSError, EOFError)):
            said(connection, "hostname")
        with pytest.raises(OSError):
            socket.create_connection((f"{run.network}.11", _PORT), 2)
    assert run.provision("lab", "restore", "hv01", "--name", "test").returncode == 0
    with client(run) as connection:
        assert said(connection, "hostname")[0] == 0
