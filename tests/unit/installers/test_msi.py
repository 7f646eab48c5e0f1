"""What is read of an .msi file is what msitools, which others wrote, reads of it."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioner.installers.msi import NoInstaller, read_installer
from tests.packages import FAMILY, PRODUCT, build_msi


def exported(path: Path) -> dict[str, str]:
    """The Property table as msiinfo shows it."""
    if shutil.which("msiinfo") is None:
        pytest.skip("msiinfo is not installed")
    done = subprocess.run(["msiinfo", "export", str(path), "Property"], capture_output=True, check=True)
    rows = done.stdout.decode("utf-8").splitlines()[3:]
    return dict(row.split("\t", 1) for row in rows if "\t" in row)


@pytest.mark.parametrize(
    ("name", "version", "properties"),
    [
        ("App", "1.0.0", {}),
        ("Träger & Söhne", "27.0.1.4", {"EXTRA": "one two"}),
        ("Long", "1.2", {"LONG": "x" * 70_000, "AFTER": "still right"}),
        ("Many", "255.255.65535", {f"P{number:05}": f"value {number}" for number in range(3000)}),
    ],
)
def test_it_is_what_others_read(tmp_path: Path, name: str, version: str, properties: dict[str, str]) -> None:
    path = build_msi(tmp_path / "a.msi", name=name, version=version, properties=properties)
    seen = exported(path)
    found = read_installer(path)
    assert found.product_code == seen["ProductCode"] == f"{{{PRODUCT}}}"
    assert found.upgrade_code == seen["UpgradeCode"] == f"{{{FAMILY}}}"
    assert (found.version, found.name, found.manufacturer) == (
        seen["ProductVersion"],
        seen["ProductName"],
        seen["Manufacturer"],
    )
    assert found.name == name
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.size == path.stat().st_size


def test_what_is_no_installer_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "a.msi"
    text.write_text("no installer", encoding="utf-8")
    with pytest.raises(NoInstaller, match=r"it is no \.msi file"):
        read_installer(text)
    with pytest.raises(FileNotFoundError):
        read_installer(tmp_path / "missing.msi")


@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    whole = build_msi(tmp_path / "whole.msi").read_bytes()
    chance = random.Random(7)
    path = tmp_path / "damaged.msi"
    refused = 0
    for number in range(300):
        data = bytearray(whole)
        if number % 3 == 0:
            data = data[: chance.randrange(len(data))]
        else:
            for _ in range(chance.choice([1, 5, 50])):
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            read_installer(path)
        except NoInstaller:
            refused += 1
    assert refused > 100
