"""What docs/writing-roles.md shows compiles as it stands there, and shows every key there is."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compiling import REPOSITORY, compile_project, write

SHOWN = re.findall(
    r"```yaml\n(.*?)```", (REPOSITORY / "docs/writing-roles.md").read_text(encoding="utf-8"), re.DOTALL
)
BLOCKS = [block for block in SHOWN if block.startswith("- name:")]
[WHOLE] = [block for block in SHOWN if block.startswith("description:")]
#: Parts of a role; of two blocks with one key, the first is of a role and the second of an inventory.
PARTS = {
    key: next(block for block in SHOWN if block.startswith(f"{key}:"))
    for key in ("variables", "refuse", "unique", "after", "decommission")
}
SCHEMA = json.loads((REPOSITORY / "schemas/role.schema.json").read_text(encoding="utf-8"))
ROLE = """\
description: x
modules:
  PSDscResources: "2.12.0.0"
  ProvisionerDsc: "0.3.0"
  SecurityPolicyDsc: "2.10.0.0"
  xHyper-V: "3.18.0"
configurations: [web]
variables:
  installer: {type: credential, description: x, default: {user: 'EXAMPLE\\i', password: 'env:I'}}
  note: {type: string, description: x, default: text}
  agent: {type: mapping, description: x, default: {path: 'C:\\a.msi', sha256: S, product_code: P, upgrade_code: U, version: V}}
"""


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0])
def test_what_is_shown_compiles(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    resources = f"resources:\n{textwrap.indent(block, '  ')}"
    write(tmp_path, {"roles/web/role.yaml": ROLE, "dsc_configs/web.dsc.yaml": resources})
    configurations, problems = compile_project(tmp_path)
    assert [problem.render() for problem in problems] == []
    assert configurations["n1"].resources


def test_the_forms_are_shown() -> None:
    assert len(BLOCKS) >= 5


def role(folder: Path, text: str, variables: str) -> list[str]:
    """Give what is said of a node with the role, whose files are there and empty."""
    inventory = (
        "site: test\nconnection: {user: admin, password: 'env:PASSWORD'}\n"
        f"nodes: {{n1: {{address: 192.0.2.1, roles: [web], variables: {variables}}}}}\n"
    )
    files = {"inventory.yaml": inventory, "roles/web/role.yaml": text}
    read = yaml.safe_load(text)
    for path in (*read.get("checks", ()), *read.get("preflight", ())):
        files[f"roles/web/{path}"] = ""
    for name in (*read.get("configurations", ()), *read["decommission"]["configurations"]):
        files[f"dsc_configs/{name}.dsc.yaml"] = "resources: []\n"
    write(folder, files)
    return [problem.render() for problem in compile_project(folder, [folder, REPOSITORY])[1]]


def test_the_whole_role_has_every_key_there_is_and_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(yaml.safe_load(WHOLE)) == set(SCHEMA["properties"])
    assert role(tmp_path, WHOLE, "{web_sites: [a.example]}") == []
    for variables, said in (
        ("{web_sites: []}", "would answer to no name"),
        ("{web_sites: [A]}", "a host name: lower-case letters"),
        ("{web_sites: [a], web_mode: slow}", "plain"),
        ("{web_sites: [a], web_workers: 65}", "64"),
    ):
        [problem] = role(tmp_path, WHOLE, variables)
        assert said in problem


def test_the_parts_of_a_role_do_what_is_said_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts: dict[str, Any] = {"description": "x", "requires": ["windows_base"]}
    for block in PARTS.values():
        parts |= yaml.safe_load(block)
    plain = {"type": "string", "default": None, "description": "x"}
    parts["variables"] |= dict.fromkeys(("live_migration_authentication", "cluster_former"), plain)
    text = yaml.safe_dump(parts, sort_keys=False)
    assert role(tmp_path, text, "{disks: [{path: a, chap: 'env:CHAP'}]}") == []
    for variables, said in (
        ("{disks: [{path: a, size: 3}]}", "Disk a has an odd number of gibibytes."),
        ("{disks: [{path: a, size: 70000}]}", "65536"),
        ("{disks: [{size: 2}]}", "path"),
        ("{disks: [{path: a, target: A}]}", "lower-case letters, digits, .:-"),
        ("{live_migration_authentication: CredSSP}", "to n1 itself"),
    ):
        [problem] = role(tmp_path, text, variables)
        assert said in problem
