"""The resources shown in docs/writing-roles.md compile as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.compiling import REPOSITORY, compile_project, write

BLOCKS = [
    block
    for block in re.findall(
        r"```yaml\n(.*?)```", (REPOSITORY / "docs/writing-roles.md").read_text(encoding="utf-8"), re.DOTALL
    )
    if block.startswith("- name:")
]
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
