"""``provision bootstrap``: options and inventories become one script, bad ones are refused before a file is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.unit.modules.resource_rules import documented
from upkeep.calls import calls_of
from upkeep.powershell import faults, parse_text

INVENTORY = """\
site: s
connection: {user: deploy, password: env:P}
nodes:
  hv01: {address: 192.0.2.11, connection: {tls: true, port: 5986}}
  hv02: {address: hv02.example.com, connection: {user: deploy@example.com}}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["bootstrap", *arguments])


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    return str(path)


def test_a_node_with_tls_gets_a_certificate_for_its_name_and_address(inventory: str) -> None:
    done = run(inventory, "hv01")
    assert done.exit_code == 0, done.output
    assert "$userName = 'deploy'" in done.stdout
    assert "$names = @('hv01')" in done.stdout
    assert "$ipAddresses = @('192.0.2.11')" in done.stdout
    assert "$port = 5986" in done.stdout
    assert faults(parse_text(done.stdout)) == []


def test_a_node_without_tls_gets_no_listener_of_its_own_and_no_account_of_the_domain(inventory: str) -> None:
    done = run(inventory, "hv02", "--module", "none")
    assert done.exit_code == 0, done.output
    root = parse_text(done.stdout)
    called = calls_of(root, root, frozenset())
    assert documented().missing(called) == []
    assert not {"New-WSManInstance", "New-LocalUser", "New-NetFirewallRule"} & set(called.cmdlets)


def test_options_count_more_than_the_inventory(inventory: str) -> None:
    done = run(inventory, "hv01", "--user", "other", "--port", "443", "--name", "web", "--from", "10.0.0.0/8")
    assert re.findall(r"(?m)^\$(?:userName|port|names|from) = .*", done.stdout) == [
        "$userName = 'other'",
        "$port = 443",
        "$from = @('10.0.0.0/8')",
        "$names = @('web')",
    ]


def test_the_file_has_line_ends_of_windows_and_the_package_its_hash_in_the_script(tmp_path: Path) -> None:
    script, package = tmp_path / "first.ps1", tmp_path / "module.nupkg"
    done = run(
        "--name", "hv01", "-o", str(script), "--package", str(package), "--module", "\\\\files\\module.nupkg"
    )
    assert done.exit_code == 0, done.output
    assert script.read_bytes().count(b"\r\n") == script.read_bytes().count(b"\n")
    [told] = re.findall(rf"{re.escape(str(package))} \(SHA-256 (\w+)\)", done.output)
    assert f"$moduleHash = '{told}'" in script.read_text("ascii")


def test_what_is_wrong_is_told_and_nothing_is_written(inventory: str, tmp_path: Path) -> None:
    target = tmp_path / "first.ps1"
    for arguments, message in [
        ([inventory], "which node"),
        ([inventory, "hv1"], "Did you mean"),
        ([inventory, "hv01", "--user", "it's"], "cannot be used"),
        ([], "needs the machine's name"),
        (["--name", "hv01", "--thumbprint", "12"], "40 hexadecimal"),
        (["--name", "hv01", "--module", "somewhere"], "C:\\..."),
        (["--name", "hv01", "--unattend", "--user", "EXAMPLE\\deploy"], "joined none"),
        ([str(tmp_path / "missing.yaml"), "hv01"], "missing.yaml"),
    ]:
        done = run(*arguments, "-o", str(target))
        assert done.exit_code == 2, arguments
        assert message in done.output, done.output
    assert not target.exists()
