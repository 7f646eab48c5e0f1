"""Controllers that do not answer, answer with nonsense, are not trusted, or do not trust us; and no secret anywhere."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cloud.controller import PASSWORD, Refusal, World, serving
from tests.cloud.inventories import run, written
from tests.networks import own_network

pytest.importorskip("openstack", reason="openstacksdk, the extra 'openstack', is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


@pytest.fixture
def world() -> World:
    world = World()
    world.add_compute("HV01")
    world.add_compute("HV02")
    return world


def is_kept(result: Result) -> bool:
    return PASSWORD not in result.output and "a-token" not in result.output


def test_a_wrong_password_is_said_and_not_shown(url: str, tmp_path: Path) -> None:
    result = run("status", written(tmp_path, url, password="canary-another"))
    assert result.exit_code == 1
    assert "was refused (401)" in result.stderr
    assert "Check the user, the password" in result.stderr
    assert "canary" not in result.output
    debug = run("status", written(tmp_path, url, password="canary-another"), "--debug")
    assert debug.exception is not None
    assert "canary" not in str(debug.exception)
    assert debug.exception.__cause__ is None


def test_a_password_that_cannot_be_read_ends_before_anything_is_asked(
    world: World, url: str, tmp_path: Path
) -> None:
    inventory = written(tmp_path, url)
    (tmp_path / ".secrets" / "keystone").unlink()
    result = run("zones", inventory)
    assert result.exit_code == 2
    assert "there is no file" in result.stderr
    assert world.calls == []


def test_nobody_at_the_address(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind((f"{own_network()}.1", 0))
        host, port = closed.getsockname()
    result = run("status", written(tmp_path, f"http://{host}:{port}/v3"))
    assert result.exit_code == 1
    assert "no answer" in result.stderr
    assert "Check the address" in result.stderr


def test_libraries_write_nothing_beside_the_error(tmp_path: Path) -> None:
    # In a process of its own: pytest listens to all loggers, so here they would be silent anyway.
    inventory = written(tmp_path, "http://127.0.0.1:1/v3")
    command = [sys.executable, "-m", "provisioner.cli", "openstack", "status", str(inventory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("error: ")
    assert "discover" not in done.stderr


def test_a_user_without_the_role_admin_is_told_which(world: World, url: str, tmp_path: Path) -> None:
    def forbid(_: str, path: str) -> None:
        if "os-services" in path:
            raise Refusal(403, "Policy doesn't allow os_compute_api:os-services:list to be performed.")

    world.before = forbid
    result = run("zones", written(tmp_path, url))
    assert result.exit_code == 1
    assert "was refused (403): Policy doesn't allow" in result.stderr
    assert "role admin" in result.stderr


GARBAGE = [
    b"<html><body>Proxy error</body></html>",
    b"{}",
    b"[]",
    b"null",
    b'{"services": 7, "aggregates": 7, "agents": 7, "hypervisors": 7}',
    b'{"services": [{"host": 5}], "aggregates": [{"name": {}}], "agents": [7], "hypervisors": ["x"]}',
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize(
    "where", ["auth/tokens$", "os-services$", "os-aggregates$", "os-hypervisors", "agents$"]
)
@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
def test_an_answer_that_is_none_ends_with_a_sentence_and_no_traceback(
    world: World, url: str, tmp_path: Path, where: str, answer: bytes
) -> None:
    world.garbage[where] = answer
    result = run("status", written(tmp_path, url))
    # An empty object is an empty list to the SDK where a list is asked for: then nodes are missing.
    assert result.exit_code == 1 or (answer in {b"{}", b"[]"} and result.exit_code == 0)
    assert "This is a bug" not in result.output
    assert is_kept(result)


def test_a_keystone_that_is_none(world: World, url: str, tmp_path: Path) -> None:
    world.garbage["^/identity/v3$"] = b"<html>hello</html>"
    world.garbage["auth/tokens"] = b"<html>hello</html>"
    result = run("status", written(tmp_path, url))
    assert result.exit_code == 1
    assert "This is a bug" not in result.output


def test_a_keystone_that_wants_a_token_before_it_gives_one_is_not_asked_for_ever(
    world: World, url: str, tmp_path: Path
) -> None:
    def first_a_token(_: str, path: str) -> None:
        if path.rstrip("/") == "/identity/v3":
            raise Refusal(401, "The request you have made requires authentication.")

    world.before = first_a_token
    result = run("status", written(tmp_path, url))
    assert result.exit_code == 1
    assert "It wants a token before it gives one (401)." in result.stderr


def test_a_region_that_the_cloud_does_not_have(url: str, tmp_path: Path) -> None:
    inventory = written(tmp_path, url)
    inventory.write_text(
        inventory.read_text().replace("  user: admin\n", "  user: admin\n  region: Nowhere\n")
    )
    result = run("status", inventory)
    assert result.exit_code == 1
    assert "The list of compute services: the cloud does not offer it" in result.stderr
    assert "Check 'region:' and 'interface:'." in result.stderr


def _certificate(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "controller of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    certificate, private = folder / "ca.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return certificate, context


def test_a_certificate_nobody_vouches_for_is_refused_before_the_password_is_sent(
    world: World, tmp_path: Path
) -> None:
    host = f"{own_network()}.1"
    _, context = _certificate(tmp_path / "pki", host)
    with serving(world, context, host) as url:
        result = run("status", written(tmp_path, url))
    assert result.exit_code == 1
    assert "the certificate is not trusted" in result.stderr
    assert "ca_certificates" in result.stderr
    assert world.calls == []


def test_an_authority_of_one_s_own_is_trusted_when_it_is_named(world: World, tmp_path: Path) -> None:
    host = f"{own_network()}.1"
    _certificate(tmp_path / "pki", host)
    _, context = _certificate(tmp_path / "pki", host)
    with serving(world, context, host) as url:
        inventory = written(tmp_path, url)
        inventory.write_text(
            inventory.read_text().replace("  user: admin\n", "  user: admin\n  ca_certificates: pki/ca.pem\n")
        )
        result = run("zones", inventory)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_cloud_of_clouds_yaml_beside_the_inventory_is_used(world: World, url: str, tmp_path: Path) -> None:
    inventory = written(tmp_path, url)
    clouds = f"""\
clouds:
  production:
    auth: {{auth_url: "{url}", username: admin, password: "{PASSWORD}", project_name: admin, user_domain_name: Default, project_domain_name: Default}}
    region_name: RegionOne
"""
    (tmp_path / "clouds.yaml").write_text(clouds)
    text = inventory.read_text()
    start, end = text.index("  auth_url"), text.index("  aggregates")
    inventory.write_text(text[:start] + "  cloud: production\n" + text[end:])
    result = run("zones", inventory)
    assert (result.exit_code, result.stderr) == (0, "")
    inventory.write_text(inventory.read_text().replace("production", "productoin"))
    unknown = run("zones", inventory)
    assert unknown.exit_code == 2
    assert "inventory.yaml:3:" in unknown.stderr or "inventory.yaml:4:" in unknown.stderr
    assert "Did you mean 'production'?" in unknown.stderr


def test_a_clouds_yaml_that_is_none_is_not_quoted(url: str, tmp_path: Path) -> None:
    inventory = written(tmp_path, url)
    (tmp_path / "clouds.yaml").write_text(f"clouds: [production: {{password: {PASSWORD}\n")
    text = inventory.read_text()
    start, end = text.index("  auth_url"), text.index("  aggregates")
    inventory.write_text(text[:start] + "  cloud: production\n" + text[end:])
    result = run("status", inventory)
    assert result.exit_code == 2
    assert "This is a bug" not in result.output
    assert is_kept(result)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "Write it into"),
        ("", "Write it into"),
        ("clouds:\n\tproduction: {PASSWORD}\n", "clouds.yaml cannot be read, or is no YAML."),
        ("clouds: {production: {auth: {password: P, username: u}}}", "not given: auth_url"),
        ("clouds: {production: {auth: {auth_url: 'http://127.0.0.1', username: u}}}", "has no password"),
        ("clouds: {production: {auth_type: nosuch, auth: {password: P}}}", "nosuch could not be found"),
        (
            "clouds: {production: {api_timeout: soon, auth: {auth_url: 'http://h', password: P}}}",
            "ValueError",
        ),
    ],
)
def test_a_clouds_yaml_that_does_not_say_enough_is_wrong_input(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    monkeypatch.setattr("provisioner.cloud.sdk.CONFIG_FILES", [])
    inventory = written(tmp_path, url)
    if text is not None:
        (tmp_path / "clouds.yaml").write_text(text.replace("PASSWORD", PASSWORD))
    there = inventory.read_text()
    start, end = there.index("  auth_url"), there.index("  aggregates")
    inventory.write_text(there[:start] + "  cloud: production\n" + there[end:])
    result = run("status", inventory)
    assert result.exit_code == 2
    assert said in result.stderr
    assert is_kept(result)


@pytest.mark.parametrize(
    ("name", "why"), [("none.pem", "No such file"), ("inventory.yaml", "no certificate")]
)
def test_certificates_that_are_none_are_wrong_input(url: str, tmp_path: Path, name: str, why: str) -> None:
    inventory = written(tmp_path, url)
    said = f"  user: admin\n  ca_certificates: {name}\n"
    inventory.write_text(inventory.read_text().replace("  user: admin\n", said))
    result = run("status", inventory)
    assert result.exit_code == 2
    assert why in result.stderr


def test_a_file_of_certificates_that_clouds_yaml_names_and_nobody_has(url: str, tmp_path: Path) -> None:
    inventory = written(tmp_path, url)
    auth = "{auth_url: 'https://127.0.0.1:1/v3', username: u, password: P, project_name: p}"
    (tmp_path / "clouds.yaml").write_text(f"clouds: {{production: {{cacert: /none/ca.pem, auth: {auth}}}}}")
    there = inventory.read_text()
    start, end = there.index("  auth_url"), there.index("  aggregates")
    inventory.write_text(there[:start] + "  cloud: production\n" + there[end:])
    result = run("status", inventory)
    assert result.exit_code == 1
    assert "invalid path: /none/ca.pem" in result.stderr
    assert "This is a bug" not in result.output


def test_an_inventory_without_a_cloud_says_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(
        "site: x\nconnection: {user: u, password: env:X}\nnodes: {hv01: {roles: [hyperv_host]}}\n"
    )
    result = run("status", path)
    assert result.exit_code == 2
    assert "does not say which cloud" in result.stderr


def test_without_the_sdk_it_is_said_what_to_install(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        name for name in sys.modules if name == "openstack" or name.startswith("provisioner.cloud.sdk")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openstack", None)
    monkeypatch.setitem(sys.modules, "keystoneauth1", None)
    result = run("status", written(tmp_path, url))
    assert result.exit_code == 2
    assert "pip install 'provisioner[openstack]'" in result.stderr


def test_names_the_cloud_gives_cannot_steer_a_terminal(world: World, url: str, tmp_path: Path) -> None:
    world.add_server("HV01", "evil\x1b[2Jname")
    result = run("retire", written(tmp_path, url), "hv01")
    assert result.exit_code == 1
    assert "evil[2Jname" in result.stderr
    assert "\x1b" not in result.output


@pytest.mark.slow
def test_a_run_that_is_killed_is_taken_up_by_the_next_and_its_command_line_has_no_secret(
    world: World, url: str, tmp_path: Path
) -> None:
    late = world.services.pop(1)
    inventory = written(tmp_path, url)
    command = [sys.executable, "-m", "provisioner.cli", "openstack", "zones", str(inventory), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == "Waits":
            break
    seen = (
        Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
    )
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert PASSWORD.encode() not in seen
    assert world.aggregate("windows-berlin")["hosts"] == ["HV01"]
    world.services.append(late)
    result = run("zones", inventory)
    assert (result.exit_code, result.stdout) == (
        0,
        "add HV02 to the aggregate 'windows-berlin': done\n1 change made\n",
    )


@pytest.mark.slow
def test_an_interruption_ends_at_once_with_130(world: World, url: str, tmp_path: Path) -> None:
    world.services.clear()
    inventory = written(tmp_path, url)
    command = [sys.executable, "-m", "provisioner.cli", "openstack", "zones", str(inventory), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["type"] == "Waits":
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.endswith("interrupted\n")
