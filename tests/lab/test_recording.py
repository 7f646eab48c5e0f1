"""What was said to a node is written down, and can be said again."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provisioner.lab.control import LabError
from provisioner.lab.hosting.running import RunningLab, RunningNode
from tests.shared_data import shared

StartFleet = Callable[..., RunningLab]


def converse(node: RunningNode) -> None:
    wsman = WSMan(
        node.address,
        port=node.port,
        ssl=False,
        auth="ntlm",
        encryption="always",
        username=node.user,
        password=node.password,
    )
    with wsman, RunspacePool(wsman) as pool:
        shell = PowerShell(pool)
        shell.add_cmdlet("Get-Service").add_parameter("Name", "WinRM")
        assert len(shell.invoke()) == 1
        failing = PowerShell(pool)
        failing.add_cmdlet("Get-Service").add_parameter("Name", "nobody")
        failing.invoke()
        assert failing.had_errors or failing.streams.error


def record(lab: RunningLab, node: RunningNode, path: Path | None) -> None:
    lab.ask({"op": "record", "node": node.name, "path": None if path is None else str(path)})


def replayed(lab: RunningLab, node: RunningNode, path: Path) -> dict[str, Any]:
    return lab.ask({"op": "replay", "node": node.name, "path": str(path)})


def test_a_conversation_is_kept_without_its_encryption_for_its_owner_alone(
    lab_fleet: StartFleet, tmp_path: Path
) -> None:
    lab = lab_fleet()
    node = lab["node01"]
    path = tmp_path / "talk.jsonl"
    path.write_text("what was there before", encoding="utf-8")
    path.chmod(0o644)
    record(lab, node, path)
    converse(node)
    record(lab, node, None)
    kept = path.read_text(encoding="utf-8")
    converse(node)

    assert path.read_text(encoding="utf-8") == kept, "nothing is written after the end"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    exchanges = [json.loads(line) for line in kept.splitlines()]
    assert any("Get-Service" in _decoded(item["request"]) for item in exchanges)
    assert node.password not in kept
    assert {item["status"] for item in exchanges} == {200}


def _decoded(request: str) -> str:
    found = re.search(r"<rsp:Arguments>([^<]+)<", request)
    return base64.b64decode(found[1]).decode("utf-8", "replace") if found else ""


def test_said_again_to_an_equal_node_everything_is_answered_alike(
    lab_fleet: StartFleet, tmp_path: Path
) -> None:
    lab = lab_fleet(2)
    path = tmp_path / "talk.jsonl"
    record(lab, lab["node01"], path)
    converse(lab["node01"])
    record(lab, lab["node01"], None)

    answer = replayed(lab, lab["node02"], path)
    assert answer["exchanges"] > 6
    assert answer["differences"] == []


def test_a_node_that_answers_otherwise_is_told_apart(lab_fleet: StartFleet, tmp_path: Path) -> None:
    lab = lab_fleet(1)
    path = tmp_path / "talk.jsonl"
    record(lab, lab["node01"], path)
    converse(lab["node01"])
    record(lab, lab["node01"], None)
    other = lab_fleet(1, failing_commands={"Get-Service": "broken"})

    lines = path.read_text(encoding="utf-8").splitlines()
    unknown = json.loads(lines[-1])
    path.write_text("\n".join([*lines, json.dumps(unknown | {"began": 99, "ended": 100})]), encoding="utf-8")
    differences = replayed(other, other["node01"], path)["differences"]
    assert differences[0]["exchange"] == len(lines) + 1
    assert "2150858843" in differences[0]["now"], "the shell is gone the second time"


def test_requests_of_a_real_server_s_clients_can_be_replayed(lab_fleet: StartFleet, tmp_path: Path) -> None:
    recorded = yaml.safe_load(shared("wire-traces", "psrp_open_runspace.yml").read_text(encoding="utf-8"))
    path = tmp_path / "trace.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, item in enumerate(recorded["messages"]):
            line = {
                "user": "HOST\\vagrant",
                "began": 2 * number,
                "ended": 2 * number + 1,
                "status": item.get("status_code", 200),
                "request": item["request"],
                "response": item.get("response") or "",
            }
            file.write(json.dumps(line) + "\n")
    lab = lab_fleet()
    assert [item["exchange"] for item in replayed(lab, lab["node01"], path)["differences"]] == []


@pytest.mark.parametrize("text", ["nonsense", "{}", '{"user": "x"}', "[1]"])
def test_a_file_that_is_no_recording_is_refused_with_its_line(
    lab_fleet: StartFleet, tmp_path: Path, text: str
) -> None:
    lab = lab_fleet()
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"bad\.jsonl, line 1"):
        replayed(lab, lab["node01"], path)
