"""What becomes of an inventory of another tool: every node sees the values the other tool would give it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.inventory.foreign.model import ForeignInventory
from provisioner.inventory.foreign.names import site_name, why_refused
from provisioner.inventory.foreign.reading import Form, read_foreign, read_foreign_text
from provisioner.inventory.foreign.translate import Imported, translate
from provisioner.inventory.loader import read_inventory
from provisioner.inventory.model import Located
from tests.unit.inventory.foreign.test_ansible_agrees import CASES, source_of

WHERE = SourceRange(SourceFile("x", ""), 1, 1, 1, 1)
WINDOWS = "[win:vars]\nansible_connection=winrm\nansible_user=u\nansible_password=p\n"


def imported(text: str, form: Form = Form.INI) -> Imported:
    foreign, problems = read_foreign_text(text, SourceFile("hosts", text), form)
    assert foreign is not None, [problem.render() for problem in problems]
    found, problems = translate(foreign, "site")
    assert found is not None, [problem.render() for problem in problems]
    return found


def connection_of(text: str, form: Form = Form.INI, node: str = "a") -> Any:
    return imported(text, form).inventory.nodes[node].connection  # type: ignore[index]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_node_has_the_variables_ansible_shows(case: Any) -> None:
    foreign, _ = read_foreign(source_of(case))
    assert foreign is not None
    foreign.groups["all"].overrides["ansible_connection"] = Located("winrm", WHERE)
    found, problems = translate(foreign, "site")
    assert found is not None, [problem.render() for problem in problems]
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))["hosts"]
    by_address = {node.connection.endpoint.host: node for node in found.inventory.nodes.values()}
    assert len(by_address) == len(expected)
    for host, facts in expected.items():
        wanted = {
            name: value
            for name, value in facts["variables"].items()
            if not name.startswith("ansible_") and not why_refused(name, value)
        }
        have = {name: located.value for name, located in by_address[host].variables.items()}
        assert json.dumps(have, sort_keys=True) == json.dumps(wanted, sort_keys=True), host


@pytest.mark.parametrize(
    ("line", "port", "tls"),
    [
        ("a ansible_connection=winrm", 5986, True),
        ("a ansible_connection=psrp", 5986, True),
        ("a ansible_connection=winrm ansible_port=5985", 5985, False),
        ("a ansible_connection=winrm ansible_port='5985'", 5985, False),
        ("a:5985 ansible_connection=winrm", 5985, False),
        ("a ansible_connection=winrm ansible_port=15986", 15986, True),
        ("a ansible_connection=winrm ansible_port=5986 ansible_winrm_scheme=http", 5986, False),
        ("a ansible_connection=winrm ansible_winrm_scheme=http", 5986, False),
        ("a ansible_connection=psrp ansible_psrp_protocol=http", 5985, False),
        ("a ansible_connection=psrp ansible_psrp_protocol=https ansible_port=5985", 5985, True),
        # Variables of the other plugin count for nothing.
        ("a ansible_connection=psrp ansible_winrm_scheme=http", 5986, True),
        ("a ansible_connection=winrm ansible_port=1 ansible_winrm_port=2", 2, True),
    ],
)
def test_port_and_tls_are_those_the_plugin_would_use(line: str, port: int, *, tls: bool) -> None:
    endpoint = connection_of(line + "\n").endpoint
    assert (endpoint.port, endpoint.tls) == (port, tls)


def test_tls_that_most_nodes_want_is_said_once() -> None:
    found = imported("[win]\na[1:9]\nb ansible_port=5985\n" + WINDOWS)
    assert found.text.count("tls:") == 2
    assert {node.connection.endpoint.tls for name, node in found.inventory.nodes.items() if name != "b"} == {
        True
    }
    assert found.inventory.nodes["b"].connection.endpoint.tls is False  # type: ignore[index]


def test_connection_settings_keep_their_place() -> None:
    found = imported(
        "[win]\na\nb ansible_user=own ansible_password=q\n"
        + WINDOWS.replace("winrm", "psrp")
        + "ansible_psrp_configuration_name=JEA\nansible_psrp_connection_timeout=20\n"
    )
    assert found.text.splitlines()[4:] == [
        "groups:",
        "  win:",
        "    connection:",
        "      user: u",
        "      configuration_name: JEA",
        "      connect_timeout: 20",
        "      password: file:.secrets/win",
        "nodes:",
        "  a:",
        "    groups:",
        "      - win",
        "  b:",
        "    groups:",
        "      - win",
        "    connection:",
        "      user: own",
        "      password: file:.secrets/b",
    ]
    assert found.secrets == {".secrets/win": "p", ".secrets/b": "q"}


def test_a_password_from_the_environment_stays_there() -> None:
    text = "all:\n  vars: {ansible_connection: winrm, ansible_user: u, ansible_password: \"{{ lookup('env','P_W') }}\"}\n  hosts: {a: }\n"
    found = imported(text, Form.ANSIBLE)
    assert str(found.inventory.nodes["a"].connection.password) == "env:P_W"  # type: ignore[index]
    assert found.secrets == {}


def test_secrets_inside_lists_and_mappings_become_references() -> None:
    found = imported(
        "a ansible_connection=winrm ansible_user=u ansible_password=p "
        "user_passwords=\"{'x': 'canary', 'y': ['canary', 1]}\" password_file=C:/x\n"
    )
    assert "canary" not in found.text
    assert "password_file: C:/x" in found.text
    assert found.secrets == {
        ".secrets/a": "p",
        ".secrets/a.user_passwords.x": "canary",
        ".secrets/a.user_passwords.y.1": "canary",
    }


def test_every_host_of_a_range_has_a_password_of_its_own_file() -> None:
    found = imported("w[1:3] ansible_connection=winrm ansible_user=u ansible_password=p\n")
    assert found.secrets == {f".secrets/w{number}": "p" for number in (1, 2, 3)}


def test_nothing_about_connections_means_all_are_windows() -> None:
    foreign, _ = read_foreign_text("a\nb\n", SourceFile("hosts", ""))
    assert foreign is not None
    found, problems = translate(foreign, "site")
    assert found is not None
    assert [str(name) for name in found.inventory.nodes] == ["a", "b"]
    assert "Nothing says which hosts are Windows" in [problem.summary for problem in problems]


@pytest.mark.parametrize(("port", "tls"), [(5985, False), (5986, True), (55986, True), (5987, False)])
def test_a_port_for_https_alone_says_how_vagrant_reaches_a_machine(port: int, *, tls: bool) -> None:
    endpoint = connection_of(f"Host a\n  HostName 192.0.2.1\n  Port {port}\n", Form.VAGRANT).endpoint
    assert (endpoint.port, endpoint.tls) == (port, tls)


def test_vagrant_machines_are_reached_over_http() -> None:
    text = "Host default\n  HostName 127.0.0.1\n  User vagrant\n  Password va grant\n  Port 55985\n  RDPPort 53389\n"
    found = imported(text, Form.VAGRANT)
    connection = found.inventory.nodes["default"].connection  # type: ignore[index]
    assert (connection.endpoint.host, connection.endpoint.port, connection.endpoint.tls) == (
        "127.0.0.1",
        55985,
        False,
    )
    assert connection.user == "vagrant"
    assert found.secrets == {".secrets/default": "va grant"}
    assert "va grant" not in found.text


@pytest.mark.parametrize(
    ("file", "site"),
    [
        ("hosts.ini", "hosts"),
        ("prod-eu.yml", "prod-eu"),
        ("hosts", "hosts"),
        ("1st.yml", "group_1st"),
        ("", "imported"),
    ],
)
def test_a_site_is_named_after_its_file(file: str, site: str) -> None:
    assert site_name(file) == site


# --- whatever comes in ----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d", "web", "db", "w_1", "w-1", "ALL", "1x"])
VARIABLES = st.dictionaries(
    st.sampled_from(
        ["x", "y", "flag", "item", "db_password", "ansible_port", "ansible_user", "ansible_password"]
    ),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["yes", "1", "{{ x }}", "- a", "a: b", "#", "\n", "5985", " ", "null", "0x1"]),
        st.lists(st.integers() | st.text(max_size=3), max_size=2),
        st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.booleans(), max_size=2),
    ),
    max_size=4,
)


@st.composite
def inventories(draw: st.DrawFn) -> ForeignInventory:
    found = ForeignInventory("hosts")

    def variables() -> dict[str, Located]:
        return {name: Located(value, WHERE) for name, value in draw(VARIABLES).items()}

    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    for place, name in enumerate(["all", *names]):
        group = found.group(name, WHERE)
        group.variables, group.overrides = variables(), variables()
        if place:
            # Only later groups are children, so there is no cycle.
            for child in draw(st.lists(st.sampled_from(names), max_size=2)):
                if names.index(child) > place - 1:
                    group.children[child] = WHERE
    for name in draw(
        st.lists(st.sampled_from(["h1", "h2", "h_3", "H1", "web"]), min_size=1, max_size=4, unique=True)
    ):
        host = found.host(name, WHERE)
        host.variables, host.overrides = variables(), variables()
        for group_name in draw(st.lists(st.sampled_from(names), max_size=3)):
            found.group(group_name, WHERE).hosts[name] = WHERE
    return found


@given(inventories())
@settings(max_examples=150, deadline=None)
def test_our_loader_gives_every_node_what_ansible_would(foreign: ForeignInventory) -> None:
    found, problems = translate(foreign, "site")
    if found is None:
        assert {problem.summary for problem in problems if problem.severity.value == "error"} == {
            "No Windows machine found"
        }
        return
    again, wrong = read_inventory(found.text, SourceFile("x", found.text))
    assert not wrong.has_errors
    assert again is not None
    groups = foreign.groups_of()
    for host in foreign.hosts:
        node = next((each for each in again.nodes.values() if each.connection.endpoint.host == host), None)
        if node is None:  # two names that Windows does not tell apart
            continue
        for name, given_value in foreign.effective(host, groups[host]).items():
            value = given_value.located.value
            if name.startswith("ansible_") or name == "db_password" or why_refused(name, value):
                continue
            have = node.variables[name].value
            assert json.dumps(have, sort_keys=True) == json.dumps(value, sort_keys=True)


def test_a_secret_is_in_no_message_and_not_in_the_inventory() -> None:
    text = (
        "[win]\na ansible_password=cAnArY1 my_secret=cAnArY2 word\n[win:vars]\ntoken=cAnArY3\n"
        "ansible_become_pass=cAnArY4\nansible_connection=winrm\nansible_user=u\n"
    )
    for source in (text, text.replace(" word", "")):
        foreign, problems = read_foreign_text(source, SourceFile("hosts.ini", source))
        if foreign is not None:
            found, notes = translate(foreign, "site")
            assert found is not None
            assert "cAnArY" not in found.text + repr(found)
            problems = Diagnostics([*problems, *notes])
        assert len(problems) > 0
        assert "cAnArY" not in "".join(problem.render() for problem in problems)
