"""``provision explain``: the final value, the layer it is from, and what it overrode."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner import documents
from provisioner.cli.app import main
from provisioner.inventory.loader import load_inventory
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.variables import bind, roles_of
from tests.compiling import REPOSITORY, write

INVENTORY = """\
site: lab
connection: {user: provisioner, password: env:PASSWORD}
merge: {features: unique}
variables:
  features: [SNMP, Telnet-Client]
  motd: welcome
  api: env:API
  db_password: canary-1
groups:
  windows: {children: [compute], roles: [base]}
  compute:
    variables: {features: [Hyper-V, --Telnet-Client], motd: to compute}
nodes:
  hv01:
    groups: [compute]
    connection: {user: hv01-admin}
    variables: {options: {log: {level: debug}}, own: 1}
"""

ROLE = """\
description: x
variables:
  features: {type: list, default: [Server-Core], description: x}
  motd: {type: string, default: hello, description: x}
  options: {type: mapping, merge: deep, default: {log: {level: info, file: a.log}}, description: x}
  api: {type: secret, description: x}
  quiet: {type: boolean, default: false, description: x}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {"inventory.yaml": INVENTORY, "roles/base/role.yaml": ROLE})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", "inventory.yaml", *arguments])


def objects(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("folder")
def test_a_replaced_value_names_its_layer_and_all_it_overrode() -> None:
    assert (
        run("hv01", "motd").stdout
        == """\
variables
  motd = to compute
      from group compute, inventory.yaml:12:61
      over site lab: welcome, inventory.yaml:6:9
      over role base: hello, roles/base/role.yaml:4:33
"""
    )


@pytest.mark.usefixtures("folder")
def test_a_merged_value_is_shown_part_by_part() -> None:
    assert (
        run("hv01", "features").stdout
        == """\
variables
  features = ["Server-Core", "SNMP", "Hyper-V"]
      merged (unique)
        [0] = Server-Core
            from role base, roles/base/role.yaml:3:36
        [1] = SNMP
            from site lab, inventory.yaml:5:14
        [2] = Hyper-V
            from group compute, inventory.yaml:12:28
        Telnet-Client
            from site lab, inventory.yaml:5:20
            taken away by group compute, inventory.yaml:12:37
"""
    )


@pytest.mark.usefixtures("folder")
def test_a_path_leads_into_a_value() -> None:
    expected = """\
variables
  options.log.level = debug
      from node hv01, inventory.yaml:17:40
      over role base: info, roles/base/role.yaml:5:64
"""
    assert run("hv01", "options.log.level").stdout == expected
    assert run("hv01", "variables.options.log.level").stdout == expected
    assert [each["path"] for each in objects("hv01", "features.1")] == ["features[1]"]
    assert objects("hv01", "features[1]")[0]["value"] == "SNMP"


@pytest.mark.usefixtures("folder")
def test_settings_are_explained_too() -> None:
    found = {(each["section"], each["path"]): each for each in objects("hv01")}
    user = found["connection", "user"]
    assert (user["value"], user["layer"]) == ("hv01-admin", "node hv01")
    assert user["where"] == {"file": "inventory.yaml", "line": 16, "column": 24}
    assert [(over["value"], over["layer"]) for over in user["over"]] == [("provisioner", "site lab")]
    assert found["connection", "port"]["layer"] == "built-in default"
    assert found["groups", "windows"]["layer"] == "group compute, a child of it"
    assert found["groups", "compute"]["layer"] == "node hv01"
    assert found["roles", "base"]["layer"] == "group windows"
    assert found["address", ""]["value"] == "hv01"


@pytest.mark.usefixtures("folder")
def test_secrets_are_shown_as_references_and_never_themselves() -> None:
    result = run("hv01")
    assert "api = env:API  (a reference to a secret)" in result.stdout
    assert "password = env:PASSWORD  (a reference to a secret)" in result.stdout
    assert "db_password = '********'" in result.stdout
    assert "canary" not in result.output
    assert "canary" not in run("hv01", "--json").output


@pytest.mark.usefixtures("folder")
def test_every_value_the_roles_see_is_explained_and_is_that_value(folder: Path) -> None:
    inventory, _ = load_inventory(Path("inventory.yaml"))
    assert inventory is not None
    [node] = inventory.nodes.values()
    roles, _ = roles_of(node, RoleLibrary([folder]))
    values, _ = bind(roles["base"], node, node.where)
    explained = {each["path"]: each["value"] for each in objects("hv01", "variables")}
    assert {name: explained[name] for name in values} == values


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hv02"], "no node of inventory.yaml is called 'hv02'.\nDid you mean 'hv01'?"),
        (["hv01", "feature"], "node 'hv01' has no value under 'feature'.\nDid you mean 'features'?"),
        (["hv01", "options.log.nothing"], "no value under 'options.log.nothing'.\nKnown here: "),
        (["hv01", "options.lgo.level"], "no value under 'options.lgo.level'.\nDid you mean 'log'?"),
        (["hv01", "features.9"], "no value under 'features.9'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_wrong_usage(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_role_that_cannot_be_read_is_an_error(folder: Path) -> None:
    (folder / "roles/base/role.yaml").write_text("description: [\n")
    result = run("hv01", "motd")
    assert result.exit_code == 2
    assert "YAML cannot be read" in result.stderr


def test_two_roles_with_other_defaults_are_told_apart(folder: Path) -> None:
    write(folder, {"roles/other/role.yaml": "description: x\nvariables:\n  quiet: {type: boolean, default: true, description: x}\n"})  # fmt: skip
    (folder / "inventory.yaml").write_text(INVENTORY.replace("[base]", "[base, other]"))
    assert [(each["role"], each["value"]) for each in objects("hv01", "quiet")] == [
        ("base", False),
        ("other", True),
    ]


def test_the_page_about_inventories_shows_what_is_really_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (REPOSITORY / "docs/inventory.md").read_text(encoding="utf-8")
    page = page[page.index("## Layers") : page.index("## Order")]
    inventory, role = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    write(tmp_path, {"inventory.yaml": inventory, "roles/features/role.yaml": role})
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"```text\n\$ provision (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(shown) == 4
    for command, printed in shown:
        assert CliRunner().invoke(main, command.split()).stdout == printed


LAYERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(
            st.sampled_from(["plain", "united", "joined"]),
            st.one_of(
                st.none(),
                st.lists(st.sampled_from(["a", "b", "--a", "--b"]), max_size=3),
                st.dictionaries(
                    st.sampled_from(["k", "l", "--k"]), st.sampled_from([1, "x", None]), max_size=3
                ),
            ),
            max_size=3,
        )
        for name in ("site", "parent", "group", "node")
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=LAYERS)
def test_the_explanation_of_any_layers_ends_in_the_value_that_counts(
    layers: dict[str, Any], folder: Path
) -> None:
    data: dict[str, Any] = {
        "site": "lab",
        "connection": {"user": "u", "password": "env:P"},
        "merge": {"united": "unique"},
        "variables": layers.get("site", {}),
        "groups": {
            "parent": {"children": ["group"], "variables": layers.get("parent", {})},
            "group": {"variables": layers.get("group", {}), "roles": ["base"]},
        },
        "nodes": {"hv01": {"groups": ["group"], "variables": layers.get("node", {})}},
    }
    (folder / "inventory.yaml").write_text(documents.dump(data))
    role = "description: x\nvariables:\n" + "".join(
        f"  {name}: {{type: mapping, default: {{k: 0}}, description: x{merge}}}\n"
        for name, merge in (("plain", ""), ("united", ""), ("joined", ", merge: deep"))
    )
    (folder / "roles/base/role.yaml").write_text(role)
    inventory, problems = load_inventory(Path("inventory.yaml"))
    if inventory is None:
        assert {problem.summary for problem in problems} == {"Merge rule is never used"}
        return
    [node] = inventory.nodes.values()
    roles, _ = roles_of(node, RoleLibrary([folder]))
    values, _ = bind(roles["base"], node, node.where)
    explained = {each["path"]: each for each in objects("hv01", "variables")}
    assert {name: each["value"] for name, each in explained.items()} == values
    for each in explained.values():
        for given_value in [each, *each["over"], *each.get("parts", [])]:
            where = given_value["where"]
            if (
                given_value["value"] is not None
                and where
                and not isinstance(given_value["value"], dict | list)
            ):
                line = (folder / where["file"]).read_text().splitlines()[where["line"] - 1]
                assert str(given_value["value"]) in line[where["column"] - 1 :]
