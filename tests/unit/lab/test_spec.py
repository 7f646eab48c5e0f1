"""What a simulated node is made of is read from the inventory, with positions and one message for each problem."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.documents import Tree, parse
from provisioner.lab.machine.machine import Machine
from provisioner.lab.spec import NodeSpec, read_node_spec
from tests.unit.lab.machines import BOOTED


def read(*texts: str) -> tuple[NodeSpec, Diagnostics]:
    found: list[Tree] = []
    for text in texts:
        tree, problems = parse(text, SourceFile("lab.yaml", text))
        assert tree is not None
        assert not problems.has_errors
        found.append(tree)
    known: dict[str, Any] = {"name": "hv01.site", "address": "127.0.0.2", "port": 5985, "user": "u"}
    return read_node_spec(**known, nt_hash=b"secret-hash-bytes", lab_trees=found)


def problems_of(text: str) -> list[str]:
    return [f"{item.where}: {item.detail} {item.help}".removeprefix("lab.yaml:") for item in read(text)[1]]


def test_without_settings_a_node_is_a_plain_windows_2022_with_our_modules() -> None:
    spec, problems = read()
    assert not len(problems)
    assert (spec.windows, spec.build, spec.netbios_name) == ("2022", 20348, "HV01")
    assert [item.name for item in spec.adapters] == ["Ethernet", "Ethernet 2"]
    assert set(spec.volumes) == {"C", "D"}
    assert spec.modules == {
        "PSDesiredStateConfiguration": ("1.1",),
        "PSDscResources": ("2.12.0.0",),
        "xHyper-V": ("3.18.0",),
        "iSCSIDsc": ("1.5.0.41",),
        "FailoverClusterDsc": ("2.2.0",),
        "NetworkingDsc": ("9.1.0",),
        "ComputerManagementDsc": ("10.0.0",),
        "ProvisionerDsc": ("0.3.0",),
        "ActiveDirectoryDsc": ("6.7.0",),
        "CertificateDsc": ("6.0.0",),
        "SecurityPolicyDsc": ("2.10.0.0",),
        "WSManDsc": ("3.2.0",),
    }


def test_the_nearest_section_wins_key_by_key() -> None:
    spec, problems = read(
        "{windows: 2019, modules: {A: 1.0, B: [1.0, 2.0]}, durations: {boot_s: 9, msi_s: 8}}",
        "{windows: 2025, modules: {B: []}, durations: {boot_s: 1.5}}",
        "{computer_name: OTHER}",
    )
    assert not len(problems)
    assert (spec.windows, spec.netbios_name) == ("2025", "OTHER")
    assert (spec.modules["A"], spec.modules["B"]) == (("1.0",), ())
    assert (spec.durations.boot_s, spec.durations.msi_s) == (1.5, 8)


def test_a_whole_machine_can_be_described() -> None:
    spec, problems = read(
        """
adapters:
  - {name: LAN, description: Broadcom NetXtreme, status: Disconnected}
volumes:
  - {letter: c, size_gb: 60}
files:
  - path: C:\\src\\a.msi
    msi:
      product_id: '{0B7F6C5E-6E0C-4C39-9C3B-5C1B6F1D2A10}'
      name: App
      version: 27.10
      exit_code: [1603, 0]
      pending_rename: true
      duration_s: 30
      services: [{name: app, display_name: The app, dependencies: Winmgmt}]
      files: [{path: etc\\app.conf, content: x}]
  - {path: C:\\a.txt, content: hello}
services:
  - {name: s, start_mode: manual, status: running, start_behaviour: slow}
virtual_machines:
  - {name: vm1, state: running, switch: external}
configuration_data: {accept: raw}
failing_commands: {New-VMSwitch: No.}
removed_features: [NET-Framework-Core]
initiator_ids: full
serves_output_while_busy: false
"""
    )
    assert [str(item) for item in problems] == []
    package = spec.files[0].package
    assert package
    assert (package.version, package.exit_codes, package.duration_s) == ("27.10", (1603, 0), 30)
    assert package.services[0].dependencies == ("Winmgmt",)
    assert spec.volumes == {"C": 60}
    assert spec.accept == ("raw",)
    assert not spec.serves_output_while_busy
    made = Machine.create(spec, BOOTED)
    assert made.files.read(r"C:\a.txt") == b"hello"
    assert made.packages.describe(r"C:\src\a.msi") == package
    running = made.services.find("s")
    assert running
    assert (running.status, running.start_mode) == ("Running", "Manual")
    assert "New-VMSwitch" in made.ledger.failing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("windos: 2022", "1:1: 'windos' is not a setting here. Did you mean 'windows'?"),
        ("windows: 2012", "1:10: '2012' is none of 2016, 2019, 2022, 2025. Did you mean '2025'?"),
        ("volumes: {c: 5}", "1:10: This has to be a list; a mapping stands here. "),
        (
            "volumes: [{letter: C, size_gb: 1.5}]",
            "1:32: This has to be a whole number, 0 or more; the number 1.5 stands here. ",
        ),
        (
            r"files: [{path: '\\files\msi\a.msi'}]",
            r"1:16: This has to be a path that begins with a drive of the node; the text '\\files\msi\a.msi' stands here. ",
        ),
        ("volumes: [{letter: C}]", "1:11: The key 'size_gb' is missing here. Add 'size_gb: ...'."),
        (
            "durations: {boot_s: fast}",
            "1:21: This has to be a number, 0 or more; the text 'fast' stands here. ",
        ),
        ("durations: {boot_s: -1}", "1:21: This has to be a number, 0 or more; the number -1 stands here. "),
        (
            "serves_output_while_busy: 'yes'",
            "1:27: This has to be true or false; the text 'yes' stands here. ",
        ),
        ("computer_name:", "1:15: This has to be a text; nothing stands here. "),
        ("modules: {A: [true]}", "1:15: This has to be a text; the boolean true stands here. "),
        (
            "files: [{path: C:/a, msi: {name: x}}]",
            "1:27: The key 'product_id' is missing here. Add 'product_id: ...'.",
        ),
        (
            "configuration_data: {accept: [raw, big_endian]}",
            "1:36: 'big_endian' is none of big-endian, raw, little-endian. Did you mean 'big-endian'?",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_position(text: str, expected: str) -> None:
    assert [line.strip() for line in problems_of(text)] == [expected.strip()]


def test_all_problems_are_reported_at_once_and_the_rest_is_read() -> None:
    spec, problems = read(
        "{windows: 2019, volumes: 5, adapters: [{nam: x}], durations: {boot_s: a, msi_s: 7}}"
    )
    assert len(problems) == 5
    assert spec.windows == "2019"


def test_a_section_that_is_no_mapping_is_a_problem() -> None:
    assert problems_of("[a]") == ["1:1: The section 'lab' has to be a mapping. "]


def test_the_password_hash_is_in_no_representation() -> None:
    assert "secret-hash" not in repr(read()[0])


def test_an_endpoint_shows_its_commands_and_those_of_every_narrow_one() -> None:
    spec, problems = read("{endpoints: {Narrow: {commands: [Get-Service]}, Bare: {language: no_language}}}")
    assert not len(problems)
    assert {endpoint.name for endpoint in spec.endpoints.values()} == {"Narrow", "Bare"}
    assert spec.endpoints["narrow"].visible - spec.endpoints["bare"].visible == {"get-service"}
    assert {"get-command", "select-object", "measure-object"} <= spec.endpoints["bare"].visible
    assert problems_of("{endpoints: {A: {language: full_language}}}") != []


def test_a_domain_is_read_with_references_to_passwords_and_a_clock_may_be_behind() -> None:
    spec, problems = read(
        "{clock_skew_s: -400, domains: [{name: contoso.com, controllers: dc01,"
        " users: [{name: join, password: 'env:JOIN', groups: Domain Admins}]}]}"
    )
    assert not len(problems)
    (domain,) = spec.domains
    assert (domain.short_name, domain.controllers, spec.clock_skew_s) == ("CONTOSO", ("dc01",), -400)
    (user,) = domain.resolved(lambda reference: reference.encode()).users
    assert (user.nt_hash, user.groups) == (b"env:JOIN", ("Domain Admins",))


def test_a_password_has_no_place_among_the_accounts_of_a_domain() -> None:
    (problem,) = problems_of("{domains: [{name: a.b, users: [{name: join, password: secret}]}]}")
    assert "A password stands here" in problem
