"""The connection is cut once at each message of an apply that copies a file: it arrives whole, and is installed once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.test_installers import CONFIGURATION, ROLE, Packages
from tests.roles.site import running_site

pytestmark = pytest.mark.slow

#: An apply with one small file has about this many messages.
_MESSAGES = 36


def test_a_file_survives_a_message_lost_anywhere(tmp_path: Path) -> None:
    for name, text in (("roles/app/role.yaml", ROLE), ("dsc_configs/app.dsc.yaml", CONFIGURATION)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    inventory: dict[str, Any] = Packages(tmp_path / "packages").inventory("old")
    inventory["connection"] |= {"reconnect_timeout": 60, "connect_timeout": 20}
    one = inventory["nodes"].pop("n1")
    cuts = {
        f"{direction[:3]}{number:02}": {"kind": "drop", "message": number, "direction": direction}
        for direction in ("request", "answer")
        for number in range(1, _MESSAGES, 2)
    }
    for index, name in enumerate(cuts):
        inventory["nodes"][name] = one | {"address": f"127.20.0.{index + 1}"}
    with running_site(tmp_path, inventory) as site:
        for name, fault in cuts.items():
            site.fault(name, fault)
        first = site.apply()
        assert first.failures == []
        assert first.sets == {name: ["[MsiProduct]App"] for name in cuts}
        cut = [name for name in cuts if any(e.get("state") == "took hold" for e in site.journal(name))]
        assert len(cut) > 0.8 * len(cuts), sorted(set(cuts) - set(cut))
        for name in cuts:
            folder = "Get-ChildItem -Path 'C:\\Program Files\\provisioner\\installers' -Recurse -File"
            files = site.console(name, f"{folder} | Select-Object -ExpandProperty Name").split()
            assert files == ["old.msi"], name
            assert sum(entry["kind"] == "job-started" for entry in site.journal(name)) == 1, name
        again = site.apply()
        assert again.failures == []
        assert not any(again.sets.values())
