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


def build(site: Site, folder: Path, *provisioners: dict[str, Any], way: Way) -> subprocess.CompletedProcess[str]:
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
        "winrm_timeout": "20s",
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
