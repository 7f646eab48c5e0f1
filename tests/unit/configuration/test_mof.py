"""What we emit is what Windows PowerShell wrote for the same resources, and an independent reader reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import pywbem
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.catalogue.schema import CimType, Property, Qualifier, ResourceType
from provisioner.configuration.emit import layout
from provisioner.configuration.emit.mof import LARGEST_DOCUMENT_BYTES, emit_mof, size_problems
from provisioner.configuration.emit.resource_text import source_info
from provisioner.configuration.model import Artifact
from provisioner.inventory.model import MofEncoding
from tests.shared_data import shared
from tests.unit.configuration.builders import REGISTRY, at, configuration, resource

#: Documents written by 5.x: 003 is a 2015 preview, 015 has been edited by hand (no CR CR LF anywhere).
GOLDENS = [
    "008",
    "011",
    "012",
    "013",
    "014",
    "016",
    "018",
    "019",
    "020",
    "021",
    "022",
    "026",
    "027",
    "031",
    "037",
    "051",
    "055",
    "063",
    "071",
]

_STRING = r'"(?:[^"\\]|\\.)*+"'
_SPELLED = rf"(?:{_STRING}|\{{(?:[^{{}}\"]|{_STRING})*+\}}|[\w.$-]+)"
_PROPERTY = re.compile(rf"(\w+) = ({_SPELLED});", re.DOTALL)
_INSTANCE = re.compile(
    rf"instance of (\w+) as \$\w+?(\d+)ref\r\n\{{\r\n((?:\s*+\w+ = {_SPELLED};)*+\s*+)\}};\r\n", re.DOTALL
)
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\$\w+)|([^\s,{}"]+)')


def plain(spelled: str) -> Any:
    items = [_token(*found) for found in _TOKEN.findall(spelled)]
    return tuple(items) if spelled.startswith("{") else items[0]


def _token(text: str, alias: str, word: str) -> Any:
    if alias:
        return Ellipsis
    if word:
        return {"True": True, "False": False}.get(word) if word in {"True", "False"} else int(word)
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


def synthetic_type(class_name: str, values: dict[str, Any]) -> ResourceType:
    common = {"ResourceID", "SourceInfo", "ModuleName", "ModuleVersion", "DependsOn", "ConfigurationName"}
    keyword = values["ResourceID"].partition("]")[0].removeprefix("[")
    properties = tuple(Property(name, CimType.STRING) for name in values if name not in common)
    return ResourceType(keyword, class_name, values["ModuleName"], values["ModuleVersion"], properties)


@pytest.mark.parametrize("golden", GOLDENS)
def test_an_instance_is_byte_equal_to_the_one_windows_wrote(golden: str) -> None:
    text = shared("mof-goldens", f"{golden}.mof").read_bytes().decode("utf-16")
    compared = 0
    for class_name, number, body in _INSTANCE.findall(text):
        values = {name: plain(spelled) for name, spelled in _PROPERTY.findall(body)}
        if "ResourceID" not in values or any(
            item is Ellipsis or (isinstance(item, tuple) and Ellipsis in item) for item in values.values()
        ):
            continue  # Embedded instances cannot be written yet.
        kind = synthetic_type(class_name, values)
        mine = {prop.name: values[prop.name] for prop in kind.properties}
        place = at(3, 7, "folder/file.yaml")
        document = configuration(
            resource(kind, values["ResourceID"].partition("]")[2], mine, values.get("DependsOn", ()), place),
            name=values["ConfigurationName"],
        )
        [written] = _INSTANCE.findall(
            emit_mof(document, MofEncoding.UTF16, REGISTRY).content.decode("utf-16")
        )
        expected = re.sub(
            r'SourceInfo = "(?:[^"\\]|\\.)*"',
            f'SourceInfo = "folder/file.yaml::3::7::{kind.name}"',
            body,
        )
        assert (class_name, written[2]) == (class_name, expected), f"{golden}: {class_name} {number}"
        compared += 1
    assert compared > 0


@pytest.mark.parametrize("golden", ["013", "016", "063", "071"])
def test_the_document_block_is_that_of_windows_without_the_date(golden: str) -> None:
    text = shared("mof-goldens", f"{golden}.mof").read_bytes().decode("utf-16")
    block = text[text.index("instance of OMI_ConfigurationDocument") :]
    name = re.search(r'Name="(\w+)";\r\n\r\r\n', block)
    assert name is not None
    expected = re.sub(r' \r\r\n +GenerationDate="[^"]*";\r\n', "", block)
    expected = re.sub(r'(Author|GenerationHost)="[^"]*"', r'\1="provisioner"', expected)
    written = emit_mof(configuration(name=name[1]), MofEncoding.UTF16, REGISTRY).content.decode("utf-16")
    assert written[written.index("instance of OMI_ConfigurationDocument") :] == expected


def test_the_header_is_that_of_windows_without_the_date() -> None:
    text = shared("mof-goldens", "016.mof").read_bytes().decode("utf-16")
    expected = re.sub(r"@GenerationDate=[^\r]*\r\n", "", text[: text.index("instance of")])
    expected = re.sub(r"(GeneratedBy|GenerationHost)=[^\r]*", r"\1=provisioner", expected)
    written = emit_mof(configuration(node="localhost"), MofEncoding.UTF16, REGISTRY).content.decode("utf-16")
    assert written[: written.index("instance of")] == expected


def test_the_default_bytes_are_utf_16_with_a_byte_order_mark_and_crlf() -> None:
    content = emit_mof(configuration(), MofEncoding.UTF16, REGISTRY).content
    assert content.startswith(b"\xff\xfe")
    assert content.endswith("};\r\n".encode("utf-16-le"))
    assert not re.search("(?<!\r)\n", content.decode("utf-16"))


def test_utf_8_has_no_byte_order_mark() -> None:
    content = emit_mof(configuration(), MofEncoding.UTF8, REGISTRY).content
    assert content.startswith(b"/*\r\n@TargetNode='hv01'")


def test_a_property_set_nobody_saw_is_written_in_schema_order() -> None:
    switch = resource(
        "xHyper-V/xVMSwitch",
        "external",
        {"AllowManagementOS": True, "Type": "External", "Name": "external", "NetAdapterName": ("Ethernet",)},
    )
    text = emit_mof(configuration(switch), MofEncoding.UTF8, REGISTRY).content.decode()
    names = re.findall(r"^ ?(\w+) = ", text, re.MULTILINE)
    assert names[:9] == [
        "ResourceID",
        "Name",
        "Type",
        "NetAdapterName",
        "AllowManagementOS",
        "SourceInfo",
        "ModuleName",
        "ModuleVersion",
        "ConfigurationName",
    ]


def test_aliases_are_counted_per_class() -> None:
    feature = "PSDscResources/WindowsFeature"
    power = {"IsSingleInstance": "Yes", "Name": "x"}
    text = emit_mof(
        configuration(
            resource(feature, "a", {"Name": "a"}),
            resource("ComputerManagementDsc/PowerPlan", "p", power),
            resource(feature, "b", {"Name": "b"}),
        ),
        MofEncoding.UTF8,
        REGISTRY,
    ).content.decode()
    assert re.findall(r"as (\$\w+)", text) == [
        "$MSFT_WindowsFeature1ref",
        "$DSC_PowerPlan1ref",
        "$MSFT_WindowsFeature2ref",
    ]


@pytest.mark.parametrize(
    ("given_path", "written"),
    [
        ("/home/somebody/project/dsc_configs/web.dsc.yaml", "dsc_configs/web.dsc.yaml::4::5::Service"),
        ("../other/dsc_configs/web.dsc.yaml", "dsc_configs/web.dsc.yaml::4::5::Service"),
        ("web.dsc.yaml", "web.dsc.yaml::4::5::Service"),
    ],
)
def test_source_info_never_tells_where_the_project_lies(given_path: str, written: str) -> None:
    assert source_info(at(4, 5, given_path), "Service") == written


@pytest.mark.parametrize(
    ("item", "spelled"),
    [
        (True, "True"),
        (False, "False"),
        (0, "0"),
        (-5, "-5"),
        (2**64 - 1, "18446744073709551615"),
        (1.0, "1.0"),
        (1.5, "1.5"),
        (1e-07, "0.0000001"),
        (1e21, "1000000000000000000000.0"),
        ("", '""'),
        ("C:\\a", '"C:\\\\a"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\r\nb\nc", '"a\\nb\\nc"'),
        ("a\rb", '"a\rb"'),
        ("it's $x /* // \t", '"it\'s $x /* // \t"'),
        ("größe 漢", '"größe 漢"'),
        ((), "{\n}"),
        (("a",), '{\n    "a"\n}'),
        (("a", "b"), '{\n    "a",\n    "b"\n}'),
    ],
)
def test_a_value_is_spelled_as_windows_does(item: Any, spelled: str) -> None:
    assert layout.value(item) == spelled


def test_a_value_without_a_mof_form_is_a_bug_and_said_so() -> None:
    with pytest.raises(TypeError, match="dict"):
        layout.value({})


def test_a_node_name_cannot_end_the_header_comment() -> None:
    assert "*/'" not in layout.header("a*/'b")


def test_a_document_beyond_the_limit_of_the_lcm_is_refused() -> None:
    fits = Artifact("n.mof", b"x" * LARGEST_DOCUMENT_BYTES, "")
    assert len(size_problems(fits, at())) == 0
    [problem] = size_problems(Artifact("n.mof", fits.content + b"x", ""), at())
    assert problem.summary == "Document too large"
    assert "10,485,761 bytes" in problem.detail


# -- an independent reader -------------------------------------------------------------------------------


_BASE = """
class OMI_BaseResource { string ResourceId; string SourceInfo; string DependsOn[]; string ModuleName;
  string ModuleVersion; string ConfigurationName; };
class OMI_ConfigurationDocument { string Version; string MinimumCompatibleVersion;
  string CompatibleVersionAdditionalProperties[]; string Author; string GenerationHost; string Name; };
"""


def schema_text(kind: ResourceType) -> str:
    lines = []
    for prop in kind.properties:
        key = "[Key] " if prop.qualifier is Qualifier.KEY else ""
        lines.append(f"  {key}{prop.type.value} {prop.name}{'[]' if prop.is_array else ''};")
    return f"class {kind.class_name} : OMI_BaseResource {{\n" + "\n".join(lines) + "\n};\n"


def read_with_pywbem(text: str, kinds: set[ResourceType]) -> list[Any]:
    library: Any = pywbem  # its functions carry no types
    handle = library.MOFWBEMConnection()
    compiler = library.MOFCompiler(handle, log_func=None)
    qualifiers = "Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride);\n"
    source = qualifiers + _BASE + "".join(schema_text(kind) for kind in kinds) + text
    compiler.compile_string(source, "root/test")
    return list(handle.instances["root/test"])


safe_text = st.text(st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"]), max_size=30)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(safe_text, st.lists(safe_text, min_size=1, max_size=3), st.booleans()),
        min_size=1,
        max_size=4,
    )
)
def test_an_independent_reader_gets_back_what_was_written(rows: list[tuple[str, list[str], bool]]) -> None:
    switches = [
        resource(
            "xHyper-V/xVMSwitch",
            f"s{index}",
            {
                "Name": f"{index}{name}",
                "Type": "External",
                "NetAdapterName": tuple(adapters),
                "AllowManagementOS": allowed,
            },
            ("[xVMSwitch]s0",) if index else (),
        )
        for index, (name, adapters, allowed) in enumerate(rows)
    ]
    text = emit_mof(configuration(*switches), MofEncoding.UTF8, REGISTRY).content.decode()
    read = read_with_pywbem(text, {switches[0].type})
    found = [each for each in read if each.classname == "MSFT_xVMSwitch"]
    assert len(found) == len(rows)
    for index, (instance, (name, adapters, allowed)) in enumerate(zip(found, rows, strict=True)):
        assert instance["Name"] == f"{index}{name}"
        assert instance["NetAdapterName"] == adapters
        assert instance["AllowManagementOS"] is allowed
        assert instance["ResourceId"] == f"[xVMSwitch]s{index}"
        assert instance.get("DependsOn") == (["[xVMSwitch]s0"] if index else None)
    documents = [each for each in read if each.classname == "OMI_ConfigurationDocument"]
    assert [each["Name"] for each in documents] == ["C0"]
