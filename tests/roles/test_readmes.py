"""The example in each role's README is brought up in a lab as it stands: applied, checked, and applied again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.lab.labs import ROOT, running_lab

pytestmark = pytest.mark.slow

READMES = sorted(ROOT.glob("roles/*/README.md"))
_LONG_S = 240
#: Networks of examples; each lab has one of its own instead.
_NETWORKS = ("127.0.0", "192.0.2", "127.20.1")


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_example_comes_up_as_it_stands(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    for network in _NETWORKS:
        example = example.replace(network, "127.20.0")
    for number, name in enumerate(sorted(set(re.findall(r"\benv:(\w+)", example)))):
        monkeypatch.setenv(name, f"Passw0rd-{number:04}")
    with running_lab(tmp_path, example) as run:
        done = run.apply("--json", timeout_s=_LONG_S)
        assert done.returncode == 0, done.stdout + done.stderr
        nodes = list(run.status())
        assert _verified(done.stdout, path.parent.name) == set(nodes)
        before = {node: (run.count(node, "resource-set"), run.count(node, "boot")) for node in nodes}
        generic = [
            entry
            for node in nodes
            for entry in run.journal(node, "resource-set")
            if entry["simulated"] != "specific"
        ]
        assert generic == []
        again = run.apply(timeout_s=_LONG_S)
        assert again.returncode == 0, again.stdout + again.stderr
        assert {node: (run.count(node, "resource-set"), run.count(node, "boot")) for node in nodes} == before


def _verified(lines: str, role: str) -> set[str]:
    """Give the nodes on which a check of the role held; one that skips all of its checks holds nothing."""
    events = [json.loads(line) for line in lines.splitlines()]
    return {
        event["node"]
        for event in events
        if event["type"] == "CheckFinished"
        and (event["role"], event["outcome"], event["stage"]) == (role, "passed", "verify")
    }
