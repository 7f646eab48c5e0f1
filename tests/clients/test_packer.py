"""packer, unmodified: the null builder over ``winrm``: connect, windows-shell, upload of files, restart."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.site import PASSWORD, USER, Site
from tests.clients.ways import WAYS, Way, version_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(not version_of("packer"), reason="packer is not installed"),
]


def build(
    site: Site, folder: Path, *provisioners: dict[str, Any], way: Way, timeout_s: int = 20
) -> subprocess.CompletedProcess[str]:
    """Run ``packer build`` on a template with these provisioners."""
    builder = {
        "type": "null",
        "communicator": "winrm",
        "winrm_host": site.address,
        "winrm_port": site.port(ssl=way.is_https),
        "winrm_username": USER,
        "winrm_password": PASSWORD,
        "winrm_use_ssl": way.is_https,
        "winrm_insecure": True,
        "winrm_use_ntlm": way.auth == "ntlm",
        "winrm_timeout": f"{timeout_s}s",
    }
    template = {"builders": [builder], "provisioners": provisioners}
    (folder / "template.json").write_text(json.dumps(template), encoding="utf-8")
    environment = os.environ | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PACKER_CACHE_DIR": str(folder / "cache"),
        "PACKER_CONFIG_DIR": str(folder),
        "PACKER_LOG": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    return subprocess.run(
        ["packer", "build", "-color=false", "template.json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=58,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def way() -> Way:
    return WAYS["packer"][0]


@pytest.mark.parametrize("way", WAYS["packer"], ids=str)
def test_packer_connects_and_runs_windows_shell(site: Site, tmp_path: Path, way: Way) -> None:
    before = len(site.names())
    marker = f"C:\\Windows\\Temp\\{way.auth}.txt"
    shell = {
        "type": "windows-shell",
        "inline": ["echo hello from %PACKER_BUILDER_TYPE%", "hostname", f"echo %COLOUR%>{marker}"],
        "environment_vars": ["COLOUR=green"],
    }
    done = build(site, tmp_path, shell, way=way)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "Connected to WinRM!" in done.stdout
    assert "hello from null" in done.stdout
    assert site.node.computer_name in done.stdout
    assert site.file(marker) == b"green\r\n"
    ran = site.names()[before:]
    assert [name for name in ran if name.startswith("packer/")] == [
        "packer/connected",
        "packer/restore",
        "packer/cleanup",
    ]
    assert not any("winrmcp-" in path for path in site.paths())


@pytest.mark.parametrize("size", [1, 5_999, 40_000])
def test_packer_uploads_a_file(site: Site, tmp_path: Path, way: Way, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (tmp_path / "given.bin").write_bytes(content)
    target = f"C:/Uploaded/by packer/{size}.bin"
    done = build(
        site,
        tmp_path,
        {"type": "file", "source": str(tmp_path / "given.bin"), "destination": target},
        way=way,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert site.file(target) == content
    assert not any("winrmcp-" in path for path in site.paths())


def test_packer_fails_as_the_script_does(site: Site, tmp_path: Path, way: Way) -> None:
    shell = {"type": "windows-shell", "inline": ["@echo off", "echo before", "nosuchprogram", "exit /b 7"]}
    done = build(site, tmp_path, shell, way=way)
    assert done.returncode == 1
    assert "before" in done.stdout
    assert "'nosuchprogram' is not recognized as an internal or external command" in done.stdout
    assert "exit status: 7" in done.stdout.replace("non-zero exit ", "exit ")


def test_packer_restarts_the_machine(site: Site, tmp_path: Path, way: Way) -> None:
    boots = len(site.journal("boot"))
    done = build(site, tmp_path, {"type": "windows-restart", "restart_timeout": "30s"}, way=way)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "Machine successfully restarted, moving on" in done.stdout
    assert len(site.journal("boot")) == boots + 1
    assert "packer/restarted" in site.names()


def test_packer_is_told_what_the_node_does_not_run(site: Site, tmp_path: Path, way: Way) -> None:
    """The provisioner ``powershell`` sends programs of its user inside one of its own."""
    before = len(site.names())
    powershell = {"type": "powershell", "inline": ["New-Item C:\\made"], "elevated_user": ""}
    done = build(site, tmp_path, powershell, way=way)
    assert done.returncode == 1
    assert "This node is simulated." in done.stdout + done.stderr
    assert site.file("C:\\made") is None
    assert not any("New-Item" in name for name in site.names()[before:])


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_packer_does_not_get_in_without_encryption(site: Site, tmp_path: Path, auth: str) -> None:
    """It seals no messages, and AllowUnencrypted is off, as on a Windows Server nobody has changed."""
    logons = len(site.names())
    done = build(site, tmp_path, way=Way("packer", auth, "http"), timeout_s=7)
    assert done.returncode == 1
    assert "Timeout waiting for WinRM" in done.stdout
    assert ("401" if auth == "basic" else "500") in done.stderr, done.stderr[-2500:]
    assert len(site.names()) == logons
