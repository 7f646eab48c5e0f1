"""Configurations that real PowerShell compiled, written as our YAML, become the same instances.

Its documents are those of the open source module: no header comment, no author, date or host, random order of
properties. A configuration that it refused is refused here, too, where it can be written in YAML at all.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.instances import Alias, MofDocument
from provisioner.configuration.model import Credential
from provisioner.configuration.reading.parser import read_mof
from provisioner.inventory.model import MofEncoding
from tests.compiling import compile_project, write
from tests.shared_data import shared
from tests.unit.configuration.emit.from_document import KnownTexts, configuration_of

#: The facts of DemoDsc.psm1 by the rules PowerShell has for classes.
FACTS = {
    "module": "DemoDsc",
    "version": "1.2.3",
    "source": "written for the goldens",
    "licence": "MIT",
    "resources": [
        {
            "name": "DemoFile",
            "class": "DemoFile",
            "kind": "class",
            "properties": [
                {"name": "Path", "qualifier": "Key"},
                {"name": "Ensure", "qualifier": "Required", "value_map": ["Absent", "Present"]},
                {"name": "Content"},
                {"name": "Number", "type": "sint32"},
                {"name": "Flag", "type": "boolean"},
                {"name": "Lines", "array": True},
                {"name": "When", "type": "datetime"},
                {"name": "Map", "array": True, "embedded_class": "MSFT_KeyValuePair"},
                {"name": "Cred", "embedded_class": "MSFT_Credential"},
                {"name": "Big", "type": "uint64"},
                {"name": "Ratio", "type": "real64"},
                {"name": "Status", "qualifier": "Read"},
            ],
        },
        {
            "name": "DemoKey2",
            "class": "DemoKey2",
            "kind": "class",
            "properties": [
                {"name": "A", "qualifier": "Key"},
                {"name": "B", "type": "sint32", "qualifier": "Key"},
                {"name": "Ints", "type": "sint32", "array": True},
                {"name": "Small", "type": "uint8"},
                {"name": "Chr", "type": "char16"},
            ],
        },
    ],
}
ONE = "{name: f1, type: DemoDsc/DemoFile, properties: {Path: /tmp/x, Ensure: Present}}"
SAME = {
    "Basic": """\
- name: f1
  type: DemoDsc/DemoFile
  properties: {Path: /tmp/x, Ensure: present, Content: hello, Number: 5, Flag: true, Lines: [a, b]}
""",
    "TwoNodesArray": f"- {ONE}\n",
    "DependsOn": """\
- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present}}
- {name: b, type: DemoDsc/DemoFile, properties: {Path: /b, Ensure: Present}, dependsOn: '[DemoFile]a'}
- name: k
  type: DemoDsc/DemoKey2
  properties: {A: x, B: 1}
  dependsOn: ['[DemoFile]a', '[DemoFile]b']
""",
    "Numbers": """\
- name: a
  type: DemoDsc/DemoFile
  properties:
    Path: /a
    Ensure: Present
    Number: -2147483648
    Big: 18446744073709551615
    Ratio: 1.5e-3
    Flag: false
    When: 2020-01-02T03:04:05.678+00:00
- name: k
  type: DemoDsc/DemoKey2
  properties: {A: x, B: 2147483647, Ints: [1, -2, 3], Small: 255, Chr: c}
""",
    "NullProps": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: /a, Ensure: Present, Content: null}
""",
    "Map": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: /a, Ensure: Present, Map: {k 2: 'v"2', k1: v1}}
""",
    "Params": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: /p q, Ensure: Present, Number: 7}
""",
    "ConfigData": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: "{{ '/own' if node.name == 'w2' else '/all' }}", Ensure: Present, Content: shared}
""",
    "Loop": """\
- {name: f1, type: DemoDsc/DemoFile, properties: {Path: /f1, Ensure: Present}}
- {name: f2, type: DemoDsc/DemoFile, properties: {Path: /f2, Ensure: Present}}
- {name: f3, type: DemoDsc/DemoFile, properties: {Path: /f3, Ensure: Present}}
- {name: k, type: DemoDsc/DemoKey2, properties: {A: 'y', B: 0}}
""",
    "Composite": """\
- {name: in, within: '[Inner]one', type: DemoDsc/DemoFile, properties: {Path: /i1, Ensure: Present}}
- name: in
  within: '[Inner]two'
  type: DemoDsc/DemoFile
  properties: {Path: /i2, Ensure: Present}
  dependsOn: '[Inner]one'
""",
    "CredPlain": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: /a, Ensure: Present, Cred: {user: 'CONTOSO\\alice', password: 'env:P'}}
""",
    "RunAs": """\
- name: a
  type: DemoDsc/DemoFile
  properties: {Path: /a, Ensure: Present, PsDscRunAsCredential: {user: 'CONTOSO\\alice', password: 'env:P'}}
""",
    # The name is refused by Windows and written all the same; ours is a digest and never of that form.
    "BadName": "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present}}\n",
}
#: What is refused there or, not being checked there, only by Windows or a node; and what is said here.
REFUSED = {
    "DependsLoop": (
        (
            "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present}, dependsOn: '[DemoFile]b'}\n"
            "- {name: b, type: DemoDsc/DemoFile, properties: {Path: /b, Ensure: Present}, dependsOn: '[DemoFile]a'}\n"
        ),
        {"Resources depend on each other in a circle"},
    ),
    "NumbersAsText": (
        (
            "- name: a\n  type: DemoDsc/DemoFile\n"
            "  properties: {Path: /a, Ensure: Present, Number: '42', Flag: 'true', Ratio: '2.5', When: '2020-01-02'}\n"
        ),
        {"Property has the wrong type"},
    ),
    "NumberBad": (
        "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present, Number: abc}}\n",
        {"Property has the wrong type"},
    ),
    "NumberOver": (
        "- {name: k, type: DemoDsc/DemoKey2, properties: {A: x, B: 1, Small: 256}}\n",
        {"Number is out of range"},
    ),
    "EnumBad": (
        "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Maybe}}\n",
        {"Value is not allowed"},
    ),
    "MissingMandatory": (
        "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a}}\n",
        {"Missing property"},
    ),
    "MissingKey": (
        "- {name: a, type: DemoDsc/DemoFile, properties: {Ensure: Present}}\n",
        {"Missing property"},
    ),
    "ReadOnlyProp": (
        "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present, Status: x}}\n",
        {"Property cannot be set"},
    ),
    "SameName": (
        (
            "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present}}\n"
            "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /b, Ensure: Present}}\n"
        ),
        {"Resource is declared twice"},
    ),
    "SameKey": (
        (
            "- {name: a, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Present}}\n"
            "- {name: b, type: DemoDsc/DemoFile, properties: {Path: /a, Ensure: Absent}}\n"
        ),
        {"Two resources manage the same thing"},
    ),
    # Control characters: PowerShell writes them into the file, and no node takes them over WS-Management.
    "Escapes": (
        (
            "- name: a\n  type: DemoDsc/DemoFile\n"
            '  properties: {Path: /a, Ensure: Present, Content: "nul\\0end"}\n'
        ),
        {"Character cannot be part of a document"},
    ),
    "NoImport": (f"- {ONE.replace('DemoDsc/', 'Other/')}\n", {"Module is not listed by the role"}),
}
#: What YAML has no way to write.
INAPPLICABLE = {
    "TwoNodes": "a syntax error of PowerShell",
    "CredRefused": "plain text passwords without leave: a matter of sealing",
    "NestedNode": "nodes are in the inventory and cannot be nested",
    "BadModule": "a module the machine does not have: a matter of the role, tested there",
    "BadVersion": "the same for a version",
}


@cache
def goldens() -> dict[str, dict[str, Any]]:
    lines = (
        shared("powershell-goldens", "dsc", "configurations.jsonl").read_text(encoding="utf-8").splitlines()
    )
    return {each["id"]: each for each in map(json.loads, lines)}


def demo_registry() -> Registry:
    return Registry({("DemoDsc", "1.2.3"): lambda: json.dumps(FACTS)}, lambda: "[]")


def project(resources: str, nodes: list[str]) -> dict[str, str]:
    listed = "".join(
        f"  {name}: {{address: 192.0.2.{1 + place}, roles: [web]}}\n" for place, name in enumerate(nodes)
    )
    return {
        "inventory.yaml": "site: test\nconnection: {transport: psrp, user: admin, password: 'env:PASSWORD'}\n"
        f"nodes:\n{listed}",
        "roles/web/role.yaml": 'description: x\nmodules: {DemoDsc: "1.2.3"}\nconfigurations: [web]\n',
        "dsc_configs/web.dsc.yaml": "resources:\n"
        + "".join(f"  {line}\n" for line in resources.splitlines()),
    }


class PlainText:
    is_encrypted = False

    def seal(self, _credential: Credential) -> str:
        return 'p@"ss'


def instances(document: MofDocument) -> list[Any]:
    """Everything but where things came from, what the configuration is called, and properties that are NULL."""
    left_out = {"SourceInfo", "ConfigurationName", "Name", "Author", "GenerationHost"}
    aliases = {each.alias: number for number, each in enumerate(document.instances)}
    return [
        (
            each.class_name,
            {
                prop.name: numbered(prop.value, aliases)
                for prop in each.properties
                if prop.name not in left_out and prop.value is not None
            },
        )
        for each in document.instances
    ]


def numbered(value: Any, aliases: dict[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(numbered(each, aliases) for each in value)
    return ("alias", aliases[value.name]) if isinstance(value, Alias) else value


def read(content: bytes) -> MofDocument:
    reading, problems = read_mof(content, "x.mof")
    assert [each.render() for each in problems] == []
    assert reading is not None
    return reading.document


@pytest.mark.parametrize("case", SAME)
def test_our_yaml_becomes_the_instances_real_powershell_wrote(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: dict[str, str] = goldens()[case]["files"]
    monkeypatch.chdir(tmp_path)
    registry = demo_registry()
    write(tmp_path, project(SAME[case], [name.removesuffix(".mof") for name in files]))
    configurations, problems = compile_project(tmp_path, registry=registry)
    assert [each.render() for each in problems if each.severity.value == "error"] == []
    for name, text in files.items():
        document = emit_mof(
            configurations[name.removesuffix(".mof")], MofEncoding.UTF8, registry, PlainText()
        )
        assert document.file_name == name
        assert instances(read(document.content)) == instances(read(text.encode()))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_applied_is_refused(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert case in goldens()
    resources, summaries = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    write(tmp_path, project(resources, ["n1"]))
    _, problems = compile_project(tmp_path, registry=demo_registry())
    assert {each.summary for each in problems if each.severity.value == "error"} == summaries


def test_every_case_is_accounted_for() -> None:
    assert {*SAME, *REFUSED, *INAPPLICABLE} == set(goldens())


def test_whatever_it_compiled_is_written_again_with_the_same_instances() -> None:
    compared = 0
    for case, golden in goldens().items():
        for text in (golden.get("files") or {}).values():
            # No reader takes a NUL character for text.
            theirs = read(text.replace("\0", "0").encode())
            sealer = KnownTexts(is_encrypted=False)
            mine = emit_mof(configuration_of(theirs, sealer), MofEncoding.UTF8, demo_registry(), sealer)
            assert instances(read(mine.content)) == instances(theirs), case
            compared += 1
    assert compared == 18
