"""``options:`` of a resource: what a role writes for a service is held against what the service reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.diagnostics import Diagnostic, Severity
from provisioner.inventory.loader import load_inventory
from provisioner.options.check import check_text
from provisioner.options.faults import Fault
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from tests.compiling import compile_project, write

ROLE = """\
description: x
requires: [node]
modules: {ProvisionerDsc: "0.3.0"}
configurations: [web]
variables:
  opts: {type: mapping, items: mapping, default: {}, merge: deep, description: x}
  kept:
    type: mapping
    items: mapping
    default:
      DEFAULT:
        debg: true
    description: x
"""
NODE = """\
description: x
variables:
  release: {type: string, default: "2023.1", description: x}
  service: {type: string, default: nova, description: x}
  secret: {type: secret, default: "env:QUEUE", description: x}
"""
CONFIGURATION = """\
resources:
  - name: nova.conf
    type: ProvisionerDsc/ConfigurationFile
    options: {service: "{{ service }}", release: "{{ release }}"}
    properties:
      Path: 'C:\\nova.conf'
      Contents: "{{ template('node/service.conf.j2') | overlaid(template('own.conf.j2')) | overlaid(opts) }}"
      Secrets: {queue: "{{ secret }}"}
"""
SHARED = """\
# What all have.
[DEFAULT]
transport_url = rabbit://u:@{secret:queue}@h:5672/
debug = false
"""
OWN = "[DEFAULT]\nhost = {{ node.name }}\n"
INVENTORY = """\
site: test
connection: {{user: admin, password: 'env:PASSWORD'}}
encryption: {{plain_text: true}}
variables:
  opts:
{opts}
nodes:
  n1: {{address: 192.0.2.1, roles: [web]}}
{more}"""


@pytest.fixture(autouse=True)
def _in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(folder: Path, opts: str = "", more: str = "", **files: str) -> list[Diagnostic]:
    """Return what is said of a role whose variable ``opts`` begins in line 6 of the inventory."""
    inventory = INVENTORY.format(opts=opts or "    {}", more=more)
    write(
        folder,
        {
            "roles/web/role.yaml": ROLE,
            "roles/node/role.yaml": NODE,
            "roles/node/templates/service.conf.j2": SHARED,
            "roles/web/templates/own.conf.j2": OWN,
            "dsc_configs/web.dsc.yaml": CONFIGURATION,
            "inventory.yaml": inventory,
            **files,
        },
    )
    configurations, problems = compile_project(folder)
    assert problems.has_errors or configurations
    return list(problems)


def test_what_the_service_reads_is_let_pass(tmp_path: Path) -> None:
    opts = "    DEFAULT: {my_ip: 192.0.2.1}\n    HyperV: {limit_cpu_features: true, wait_soft_reboot_seconds: 60}"
    assert told(tmp_path, opts) == []


@pytest.mark.parametrize(
    ("opts", "where", "message"),
    [
        ("    hyperv:\n      limit_cpu_feature: 1", "7:7", "Did you mean 'limit_cpu_features'?"),
        (
            "    hyperv:\n      wait_soft_reboot_seconds: soon",
            "7:7",
            "'soon' is not what it takes: a whole number",
        ),
        ("    HyperV: {a: 1}", "6:14", "[HyperV] a: nova 2023.1 has no such option"),
        ("    DEFAULT:\n      my_ip: 192.0.2.1\n      rabbit_password: 1", "8:7", "Write transport_url ="),
        ("    default: {debug: true}", "6:15", "written in capitals: [DEFAULT]"),
        ("    DEFAULT: {debug: true, debg: 1}", "6:28", "Did you mean 'debug'?"),
        ("    placement:\n      auth_type: passwrd", "7:7", "'passwrd' is no way to log on"),
        ("    DEFAULT: {host: $hst}", "6:15", "'$hst' stands for the value of an option"),
        ("    DEFAULT: {limit_cpu_features: true}", "6:15", "It belongs in [hyperv]"),
        ("    pci: {alias: [x, 'é']}", "6:22", "letters beyond ASCII"),
        ("    DEFAULT: {instances_path: ['C:\\\\a', 'C:\\\\b']}", "6:32", "set again in line"),
        (
            '    DEFAULT: {instances_path: "a\\ndebug = true"}',
            "6:15",
            "debug becomes a piece of the value of instances_path",
        ),
        ("    pci: {passthrough_whitelist: x}", "6:11", "the option is device_spec of [pci]"),
        ("    DEFAULT: {host: {a: {}}}", "6:15", "this is a mapping"),
        ('    DEFAULT: {"a]\\nb": 1}', "6:15", "no name of an option"),
        ('    "a]\\n[b": {x: 1}', "6:5", "no name of a section"),
        ('    DEFAULT:\n      host: "a\\n\\n"', "7:7", "has an empty line"),
        ("    DEFAULT: {host: a}\n    hyperv: {x: 1}\n    HYPERV:\n      x: 2", "9:7", "are one section"),
    ],
)
def test_an_option_of_the_inventory_is_told_at_its_entry(
    tmp_path: Path, opts: str, where: str, message: str
) -> None:
    [problem] = told(tmp_path, opts)
    text = problem.render()
    assert text.startswith(f"inventory.yaml:{where}: "), text
    assert message in text


def test_errors_stop_and_what_a_service_lives_with_does_not(tmp_path: Path) -> None:
    for opts, severity in (
        ("    DEFAULT: {debg: 1}", Severity.ERROR),
        ("    pci: {passthrough_whitelist: x}", Severity.WARNING),
    ):
        assert [each.severity for each in told(tmp_path, opts)] == [severity]


def test_an_entry_of_a_nearer_layer_is_the_one_that_is_told(tmp_path: Path) -> None:
    nearer = "  n2:\n    address: 192.0.2.2\n    roles: [web]\n    variables:\n      opts:\n        hyperv: {b: 1}\n"
    problems = told(tmp_path, "    DEFAULT: {a: 1}", nearer)
    assert [str(each.where) for each in problems] == [
        "inventory.yaml:6:15",
        "inventory.yaml:6:15",
        "inventory.yaml:14:18",
    ]
    assert "on node 'n2'" in problems[2].detail


def test_an_option_of_a_text_file_is_told_at_its_line(tmp_path: Path) -> None:
    own = "# x\n[DEFAULT]\n{% if true %}\ndebg = {{ node.name }}\n{% endif %}\nlog_dri = x\n"
    shared = f"{SHARED}[hyperv]\nx = hush\n"
    files = {"roles/web/templates/own.conf.j2": own, "roles/node/templates/service.conf.j2": shared}
    problems = told(tmp_path, **files)
    assert [str(each.where) for each in problems] == [
        "roles/node/templates/service.conf.j2:6:1",
        "roles/web/templates/own.conf.j2:4:1",
        "roles/web/templates/own.conf.j2:6:1",
    ]
    assert "debg = {{ node.name }}" in problems[1].render()
    assert "hush" not in problems[0].render()


def test_an_option_that_the_role_sets_by_default_is_told_in_the_role(tmp_path: Path) -> None:
    configuration = CONFIGURATION.replace("overlaid(opts)", "overlaid(kept)")
    [problem] = told(tmp_path, **{"dsc_configs/web.dsc.yaml": configuration})
    assert str(problem.where) == "roles/web/role.yaml:12:9"


def test_an_option_of_a_text_in_the_configuration_is_told_at_its_line(tmp_path: Path) -> None:
    configuration = """\
resources:
  - name: nova.conf
    type: ProvisionerDsc/ConfigurationFile
    options: {service: nova, release: "2023.1"}
    properties:
      Path: 'C:\\nova.conf'
      Contents: |
        [DEFAULT]
        debug = true

        [hyperv]
        debg = hush
"""
    [problem] = told(tmp_path, **{"dsc_configs/web.dsc.yaml": configuration})
    assert str(problem.where) == "dsc_configs/web.dsc.yaml:12:9"
    assert "hush" not in problem.render()


def test_a_line_that_cannot_be_read_is_told_with_its_number(tmp_path: Path) -> None:
    own = "[DEFAULT]\nhush hush\n"
    problems = told(
        tmp_path, **{"roles/web/templates/own.conf.j2": own, "roles/node/templates/service.conf.j2": own}
    )
    assert {each.where and each.where.line for each in problems} == {7}
    assert "line 2 of its text" in problems[0].detail
    assert "hush" not in "".join(each.render() for each in problems)


@pytest.mark.parametrize(
    "opts",
    [
        "    DEFAULT: {transport_ur: 'rabbit://u:hush@h'}",
        "    placement: {auth_type: password, pasword: hush}",
        "    DEFAULT: {debg: 1, host: hush}",
        "    api_database:\n      connection: [hush, hush2]",
        "    mks: {mksproxy_base_url: 'u:hush/hush@hush@h'}\n    neutron: {auth_type: password, password: $hush}",
        '    DEFAULT: {debg: "hush\\nhush"}',
    ],
)
def test_a_secret_that_stands_there_by_mistake_is_never_shown(tmp_path: Path, opts: str) -> None:
    problems = told(tmp_path, opts)
    assert problems
    assert "hush" not in "".join(each.render() for each in problems)


def test_what_stands_for_a_secret_has_any_value(tmp_path: Path) -> None:
    opts = "    hyperv: {wait_soft_reboot_seconds: '@{secret:queue}'}\n    placement: {auth_url: '@{secret:queue}$x'}"
    assert told(tmp_path, opts) == []


def test_a_secret_whose_option_was_laid_over_or_taken_away_stays_at_home(tmp_path: Path) -> None:
    assert told(tmp_path, "    DEFAULT: {transport_url: 'rabbit://h:5672/'}") == []
    assert told(tmp_path, "    DEFAULT: {transport_url: null}") == []
    configurations, _ = compile_project(tmp_path)
    (file,) = configurations["n1"].resources
    assert "queue" not in str(file.properties["Contents"])
    assert not file.properties.get("Secrets")


def test_a_release_nobody_listed_is_told_once(tmp_path: Path) -> None:
    more = "  n2: {address: 192.0.2.2, roles: [web]}\n"
    role = NODE.replace("2023.1", "2019.2")
    [problem] = told(tmp_path, "    DEFAULT: {nonsense: 1}", more, **{"roles/node/role.yaml": role})
    assert (problem.severity, problem.summary) == (Severity.WARNING, "Options are not checked")
    assert "nova 2019.2" in problem.detail
    assert "2023.1, 2023.2" in problem.help


@pytest.mark.parametrize(
    ("options", "where", "message"),
    [
        ('{service: nva, release: "2023.1"}', "4:24", "Did you mean 'nova'?"),
        ('{service: "{{ \'nva\' }}", release: "2023.1"}', "4:24", "Did you mean 'nova'?"),
        ("{service: nova, release: 2023.1}", "4:39", "'release' is text"),
        ('{service: nova, release: "2023,1"}', "4:39", "Did you mean '2023.1'?"),
        ('{service: nova, release: "{{ 2023.1 }}"}', "4:39", "this is a decimal number on node 'n1'"),
        ("{service: nova}", "4:14", "needs the key 'release'"),
        ('{service: nova, relase: "2023.1"}', "4:30", "Did you mean 'release'?"),
        ("nova", "4:14", "is a mapping of keys"),
    ],
)
def test_what_the_key_says_has_to_be_known(tmp_path: Path, options: str, where: str, message: str) -> None:
    configuration = CONFIGURATION.replace('{service: "{{ service }}", release: "{{ release }}"}', options)
    texts = [each.render() for each in told(tmp_path, **{"dsc_configs/web.dsc.yaml": configuration})]
    [text] = [each for each in texts if each.startswith(f"dsc_configs/web.dsc.yaml:{where}: ")]
    assert message in text


def test_only_a_configuration_file_takes_the_key(tmp_path: Path) -> None:
    configuration = """\
resources:
  - {name: x, type: PSDscResources/Service, properties: {Name: x}, options: {service: nova, release: '2023.1'}}
"""
    [problem] = told(tmp_path, **{"dsc_configs/web.dsc.yaml": configuration})
    assert "'PSDscResources/Service' is none" in problem.detail


def test_a_text_that_many_nodes_have_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def check(text: str, *args: Any, **more: Any) -> list[Fault]:
        seen.append(text)
        return check_text(text, *args, **more)

    monkeypatch.setattr("provisioner.roles.statements.service_options.check_text", check)
    more = "".join(f"  m{number}: {{address: 192.0.2.{number}, roles: [web]}}\n" for number in range(10, 30))
    told(
        tmp_path,
        "    DEFAULT: {debg: 1}",
        more,
        **{"roles/web/templates/own.conf.j2": "[DEFAULT]\nhost = same\n"},
    )
    seen.clear()
    inventory, _ = load_inventory(Path("inventory.yaml"))
    assert inventory is not None
    memo, library, registry = Memo(), RoleLibrary([tmp_path]), Registry.builtin()
    for node in inventory.nodes.values():
        assert len(expand(node, library, registry, memo=memo)[1]) == 1
    assert len(seen) == 1


def test_of_two_variables_with_the_option_the_one_on_top_is_told(tmp_path: Path) -> None:
    for order, where in (
        ("kept) | overlaid(opts", "inventory.yaml:6:15"),
        ("opts) | overlaid(kept", "roles/web/"),
    ):
        configuration = CONFIGURATION.replace("overlaid(opts", f"overlaid({order}")
        [problem] = told(tmp_path, "    DEFAULT: {debg: 1}", **{"dsc_configs/web.dsc.yaml": configuration})
        assert str(problem.where).startswith(where)


def test_nodes_of_different_releases_are_held_against_their_own(tmp_path: Path) -> None:
    nodes = "  n2: {address: 192.0.2.2, roles: [web], variables: {release: '2019.1'}}\n"
    told(tmp_path, more=nodes, **{"roles/web/templates/own.conf.j2": "[DEFAULT]\nhost = same\n"})
    inventory, _ = load_inventory(Path("inventory.yaml"))
    assert inventory is not None
    memo, library, registry = Memo(), RoleLibrary([tmp_path]), Registry.builtin()
    said = [len(expand(node, library, registry, memo=memo)[1]) for node in inventory.nodes.values()]
    assert said == [0, 1]


@pytest.mark.parametrize(
    ("value", "is_told"),
    [
        ("hush", True),
        ("'@{secret:queue}'", False),
        ("$my_ip", False),
        ("''", False),
    ],
)
def test_a_secret_in_clear_is_a_warning(tmp_path: Path, value: str, is_told: bool) -> None:  # noqa: FBT001 - a case
    problems = told(tmp_path, f"    placement:\n      auth_type: password\n      password: {value}")
    assert [(str(each.where), each.severity) for each in problems] == (
        [("inventory.yaml:8:7", Severity.WARNING)] if is_told else []
    )
    assert "hush" not in "".join(each.render() for each in problems)


def test_an_address_without_a_password_is_no_secret(tmp_path: Path) -> None:
    assert told(tmp_path, "    api_database: {connection: 'sqlite:///x.db'}") == []
    [problem] = told(tmp_path, "    api_database: {connection: 'mysql://nova:hush@db/nova'}")
    assert "hush" not in problem.render()
