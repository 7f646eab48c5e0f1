"""``provision certificate fetch`` as far as no node is needed; the rest runs in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main

HEAD = "site: s\nconnection: {user: u, password: 'env:NODE_PASSWORD'}\n"
NODES = "nodes: {n1: {address: 192.0.2.1}, n2: {address: 192.0.2.2}}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NODE_PASSWORD", "not used here")


def fetch(inventory: str, *more: str) -> Result:
    Path("inventory.yaml").write_text(inventory, encoding="utf-8")
    return CliRunner().invoke(main, ["certificate", "fetch", "inventory.yaml", *more])


def test_every_node_without_a_place_for_its_certificate_is_told_with_what_to_write() -> None:
    done = fetch(HEAD + "encryption: {plain_text: true}\n" + NODES)
    assert done.exit_code == 2
    assert done.output.count("No place for a certificate") == 2
    assert "encryption: {certificate: certificates/}" in done.output


def test_one_file_cannot_hold_the_certificates_of_two_nodes() -> None:
    done = fetch(HEAD + "encryption: {certificate: one.cer}\n" + NODES)
    assert done.exit_code == 2
    assert "in one file, one.cer" in done.output


def test_passwords_that_cannot_be_resolved_are_told_before_a_node_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NODE_PASSWORD")
    done = fetch(HEAD + "encryption: {certificate: certificates/}\n" + NODES)
    assert done.exit_code == 2
    assert done.output.count("the environment variable is not set") == 2
    assert not Path("certificates").exists()


def test_a_limit_that_names_nothing_is_an_error() -> None:
    assert (
        fetch(HEAD + "encryption: {certificate: certificates/}\n" + NODES, "--limit", "none").exit_code == 2
    )


def test_nodes_of_a_lab_cannot_share_one_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISIONER_LAB_HOME", str(tmp_path / "labs"))
    nodes = "nodes: {n1: {address: 127.20.0.1}, n2: {address: 127.20.0.2}}\n"
    Path("inventory.yaml").write_text(HEAD + "encryption: {certificate: one.cer}\n" + nodes, encoding="utf-8")
    done = CliRunner().invoke(main, ["lab", "up", "inventory.yaml"])
    assert done.exit_code == 2
    assert "in one file, one.cer" in done.output
    assert not Path("one.cer").exists()
