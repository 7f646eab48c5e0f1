"""Real .msi files come to simulated nodes, are installed, replaced and removed: whole applies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.machine.ground.registry import UNINSTALL
from tests.packages import FAMILY, build_msi
from tests.roles.site import Site, running_site

ROLE = """\
description: An application.
requires: []
variables:
  app: {type: installer, required: true, description: The .msi file.}
  app_ensure: {type: string, default: Present, choices: [Present, Absent], description: Whether it is there.}
modules: {ProvisionerDsc: "0.3.0"}
configurations: [app]
"""
CONFIGURATION = r"""
resources:
  - name: App
    type: ProvisionerDsc/MsiProduct
    properties:
      ProductCode: "{{ app.product_code }}"
      UpgradeCode: "{{ app.upgrade_code }}"
      Version: "{{ app.version }}"
      Path: "{{ app.path }}"
      Sha256: "{{ app.sha256 }}"
      Ensure: "{{ app_ensure }}"
      Properties: ['INSTALLDIR=C:\App', 'LICENSE=very private value']
"""
OLD, NEW = "AAAAAAAA-0000-4000-8000-000000000001", "AAAAAAAA-0000-4000-8000-000000000002"


class Packages:
    """Two releases of one application, and what the lab knows of their files.

    ``padding``: bytes at the end of each, which readers of .msi files pass over.
    """

    def __init__(self, folder: Path, padding: int = 0) -> None:
        folder.mkdir()
        self.digests: dict[str, str] = {}
        self.known: dict[str, dict[str, Any]] = {}
        for name, code, version in (("old", OLD, "1.0.0"), ("new", NEW, "2.0.0")):
            path = build_msi(folder / f"{name}.msi", code=code, version=version)
            with path.open("ab") as file:
                file.write(bytes(padding))
            self.digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            self.known[self.digests[name]] = {
                "product_id": f"{{{code}}}",
                "name": "App",
                "version": version,
                "upgrade_code": f"{{{FAMILY}}}",
            }

    def inventory(
        self, release: str, behaviour: Mapping[str, Any] | None = None, **variables: Any
    ) -> dict[str, Any]:
        """One node that is to have a release; ``behaviour`` is how its installer ends."""
        known = {digest: {**about, **(behaviour or {})} for digest, about in self.known.items()}
        app = {"file": f"packages/{release}.msi", "sha256": self.digests[release]}
        return {
            "site": "test",
            "connection": {"port": 15985, "user": "provisioner", "password": "file:.secrets/lab"},
            "nodes": {
                "n1": {
                    "address": "127.20.0.11",
                    "roles": ["app"],
                    "variables": {"app": app, **variables},
                    "lab": {"installers": known},
                }
            },
        }


@pytest.fixture
def packages(tmp_path: Path) -> Packages:
    for name, text in (("roles/app/role.yaml", ROLE), ("dsc_configs/app.dsc.yaml", CONFIGURATION)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Packages(tmp_path / "packages")


def versions(site: Site) -> dict[str, str]:
    """The products Windows lists on the node."""
    found = {}
    for code in (OLD, NEW):
        line = f"Get-ItemProperty -Path 'HKLM:\\{UNINSTALL}\\{{{code}}}' -ErrorAction SilentlyContinue"
        shown = site.console("n1", f"{line} | Select-Object -ExpandProperty DisplayVersion")
        if shown.strip():
            found[code] = shown.strip()
    return found


def test_a_release_comes_to_the_node_once_is_replaced_by_the_next_and_removed(
    tmp_path: Path, packages: Packages
) -> None:
    with running_site(tmp_path, packages.inventory("old")) as site:
        first = site.apply()
        assert not first.failures, first.text
        assert first.sets["n1"] == ["[MsiProduct]App"]
        assert versions(site) == {OLD: "1.0.0"}
        again = site.apply()
        assert not again.failures
        assert again.sets["n1"] == []

        site.write(packages.inventory("new"))
        upgraded = site.apply()
        assert not upgraded.failures, upgraded.text
        assert versions(site) == {NEW: "2.0.0"}

        site.write(packages.inventory("new", app_ensure="Absent"))
        removed = site.apply()
        assert not removed.failures, removed.text
        assert versions(site) == {}


@pytest.mark.parametrize(("code", "reboots"), [(3010, 1), (1641, 1), (0, 0)])
def test_an_installer_that_needs_a_restart_gets_one(
    tmp_path: Path, packages: Packages, code: int, reboots: int
) -> None:
    with running_site(tmp_path, packages.inventory("old", {"exit_code": [code]})) as site:
        applied = site.apply()
        assert not applied.failures, applied.text
        assert applied.boots == {"n1": reboots}
        assert site.apply().boots == {"n1": 0}


def test_another_installation_is_waited_for(tmp_path: Path, packages: Packages) -> None:
    with running_site(tmp_path, packages.inventory("old", {"exit_code": [1618, 1618, 0]})) as site:
        applied = site.apply()
        assert not applied.failures, applied.text
        assert versions(site) == {OLD: "1.0.0"}


def test_a_failed_installation_is_told_with_its_code_and_without_values(
    tmp_path: Path, packages: Packages
) -> None:
    with running_site(tmp_path, packages.inventory("old", {"exit_code": [1603]})) as site:
        applied = site.apply()
        assert "msiexec.exe ended with 1603" in applied.text
        assert "very private value" not in applied.text
        assert "[MsiProduct]App" in applied.text
        state = (tmp_path / ".provisioner" / "state.db").read_bytes()
        assert b"very private value" not in state


def test_a_file_that_changed_since_it_was_pinned_is_refused_before_anything_is_contacted(
    tmp_path: Path, packages: Packages
) -> None:
    with running_site(tmp_path, packages.inventory("old")) as site:
        (tmp_path / "packages" / "old.msi").write_bytes((tmp_path / "packages" / "new.msi").read_bytes())
        before = len(site.journal("n1"))
        applied = site.apply()
        assert "Installer is another one" in applied.text
        assert len(site.journal("n1")) == before
