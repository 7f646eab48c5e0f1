"""``provision roles``: what roles say of themselves, for people, machines and the page of all roles."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from provisioner.cli.commands.roles import described_roles
from provisioner.cli.role_listing import markdown_page

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parent.name for path in ROOT.glob("roles/*/role.yaml"))
ROLE = """\
description: A web server | with a pipe.
requires: [iscsi_target]
variables:
  web_sites:
    type: list
    items: mapping
    default: []
    description: Sites.
    fields:
      name: {type: string, required: true, pattern: '[a-z]+', form: small letters, description: Its name.}
      port: {type: integer, default: 80, minimum: 1, maximum: 65535, description: Its port.}
  web_mode: {type: string, required: true, choices: [fast, slow], description: How it runs.}
  web_first: {type: string, default: null, description: The node that comes first.}
refuse:
  - {when: "{{ web_mode == 'slow' }}", variable: web_mode, reason: "{{ node.name }} is too slow.", help: Write fast.}
unique:
  - {what: site, value: "{{ web_sites | map(attribute='name') | list }}", variable: web_sites}
after:
  - {nodes: "{{ web_first }}", reason: it hands out the keys}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["roles", *arguments])


@pytest.fixture
def project(tmp_path: Path) -> str:
    folder = tmp_path / "roles" / "web"
    folder.mkdir(parents=True)
    (folder / "role.yaml").write_text(ROLE)
    return str(tmp_path)


def test_the_page_of_all_roles_is_what_they_say() -> None:
    assert (ROOT / "docs/roles.md").read_text("utf-8") == markdown_page(described_roles([ROOT])), (
        "run make module"
    )


def test_every_shipped_role_is_listed_with_its_description() -> None:
    done = run("--project", str(ROOT))
    assert done.exit_code == 0, done.output
    listed = dict(re.findall(r"(?m)^(\w+) +(.*)$", done.stdout))
    assert listed == {
        name: yaml.safe_load((ROOT / "roles" / name / "role.yaml").read_text("utf-8"))["description"]
        for name in ROLES
    }


@pytest.mark.parametrize("name", ROLES)
def test_the_facts_of_a_role_are_those_of_its_file(name: str) -> None:
    done = run(name, "--json", "--project", str(ROOT))
    found = json.loads(done.stdout)
    written = yaml.safe_load((ROOT / "roles" / name / "role.yaml").read_text("utf-8"))
    assert [each["name"] for each in found["variables"]] == list(written.get("variables") or {})
    assert found["requires"] == written.get("requires", [])
    assert len(found["refuses"]) == len(written.get("refuse", []))
    assert len(found["after"]) == len(written.get("after", []))
    assert (found["decommission"] is None) == ("decommission" not in written)
    for each in found["variables"]:
        stated = written["variables"][each["name"]]
        assert each["required"] == stated.get("required", False)
        assert each.get("default") == stated.get("default")


def test_everything_a_role_says_is_shown(project: str) -> None:
    done = run("web", "--project", project)
    assert done.exit_code == 0, done.output
    for part in [
        "requires iscsi_target",
        "waits for web_first: it hands out the keys",
        "web_sites (list of mapping, default []): Sites.",
        "name (string, needed): Its name. [small letters]",
        "port (integer, default 80): Its port. [1..65535]",
        "web_mode (string, needed): How it runs. [one of fast, slow]",
        "... is too slow.",
        "nobody has said how this role is undone",
    ]:
        assert part in done.stdout, part


def test_a_pipe_stays_in_its_cell_and_each_form_has_the_same_facts(project: str) -> None:
    page = run("web", "--markdown", "--project", project).stdout
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [
        "web_sites",
        "web_sites.name",
        "web_sites.port",
        "web_mode",
        "web_first",
    ]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert [
        json.loads(line)["role"] for line in run("--json", "--project", project).stdout.splitlines()
    ] == sorted([*ROLES, "web"])


def test_a_role_that_is_not_there_and_one_that_cannot_be_read_are_told(project: str) -> None:
    done = run("iscsitarget", "--project", project)
    assert (done.exit_code, "Did you mean 'iscsi_target'?" in done.output) == (2, True)
    (Path(project) / "roles/web/role.yaml").write_text("description: x\nvariable: {}\n")
    done = run("web", "--project", project)
    assert done.exit_code == 2
    assert "role.yaml:2:1" in done.output
    assert run("web", "--json", "--markdown", "--project", project).exit_code == 2
