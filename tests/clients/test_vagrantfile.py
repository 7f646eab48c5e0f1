"""The Vagrantfile: Vagrant itself takes it, and its machines are those of the inventory beside it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner.cli.app import main
from provisioner.inventory.loader import load_inventory
from provisioner.project import Project

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = ROOT / "inventories/vagrant/inventory.yaml"
VAGRANTFILE = ROOT / "Vagrantfile"


def validate(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("vagrant") is None:
        pytest.skip("vagrant is not installed (Debian package vagrant)")
    environment = {
        **os.environ,
        "PROVISIONER_VALIDATE_ONLY": "1",
        "VAGRANT_HOME": str(home / "home"),
        "VAGRANT_DOTFILE_PATH": str(home / "dotfiles"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
    }
    command = ["vagrant", "validate", "--ignore-provider"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_vagrant_takes_the_file(tmp_path: Path) -> None:
    done = validate(ROOT, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "validated successfully" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("boot_timeout = 1800", "boot_timeout_s = 1800", "boot_timeout_s"),
        ('node.vm.network "private_network"', 'node.vm.network "privat_network"', "privat_network"),
        ("node.vm.hostname = name", 'node.vm.hostname = "a b"', "hostname"),
    ],
)
def test_vagrant_refuses_a_file_with_a_mistake(tmp_path: Path, old: str, new: str, said: str) -> None:
    source = VAGRANTFILE.read_text("utf-8")
    assert old in source
    (tmp_path / "Vagrantfile").write_text(source.replace(old, new))
    done = validate(tmp_path, tmp_path)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_the_inventory_has_the_machines_of_the_file_and_nothing_is_wrong_with_it() -> None:
    machines = dict(re.findall(r'"(\w+)" => \{ address: "([\d.]+)"', VAGRANTFILE.read_text("utf-8")))
    inventory, _ = load_inventory(INVENTORY)
    assert inventory is not None
    assert {str(name): node.connection.endpoint.host for name, node in inventory.nodes.items()} == machines
    Project.of(INVENTORY).validate(INVENTORY)
    done = CliRunner().invoke(main, ["validate", str(INVENTORY)])
    assert done.exit_code == 0, done.output


def test_a_first_contact_can_be_written_for_every_machine() -> None:
    for name in re.findall(r'"(\w+)" => \{ address', VAGRANTFILE.read_text("utf-8")):
        done = CliRunner().invoke(main, ["bootstrap", str(INVENTORY), name])
        assert done.exit_code == 0, done.output
        assert "$userName = 'vagrant'" in done.stdout


def test_the_file_reads_one_variable_of_the_environment() -> None:
    assert set(re.findall(r'ENV\["(\w+)"\]|ENV\.fetch\("(\w+)"', VAGRANTFILE.read_text("utf-8"))) == {
        ("PROVISIONER_VALIDATE_ONLY", "")
    }
