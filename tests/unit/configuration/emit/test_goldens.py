"""Documents Windows PowerShell wrote are printed again: as instances all of them, byte by byte those of 5.x."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.configuration.emit.document import write_document
from provisioner.configuration.emit.dsc3 import emit_dsc3_json, emit_dsc3_yaml
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.emit.powershell import emit_powershell
from provisioner.configuration.instances import Alias, MofDocument, MofInstance
from provisioner.configuration.reading.parser import Reading, read_mof
from provisioner.inventory.model import MofEncoding
from tests.shared_data import shared
from tests.unit.configuration.builders import REGISTRY
from tests.unit.configuration.emit.from_document import KnownTexts, configuration_of
from tests.unit.configuration.emit.test_dsc3 import check
from tests.unit.configuration.emit.test_powershell import mistakes

ALL = [
    *("003", "004", "005", "008", "011", "012", "013", "014", "015", "016", "017", "018", "019", "020"),
    *("021", "022", "024", "026", "027", "031", "036", "037", "050", "051", "055", "063", "071"),
]
META = ["004", "017", "024", "036"]
#: 015 was edited by hand. 003 is of a 2015 preview, whose in-box modules write the version among the properties.
EDITED = ["015"]
PREVIEWS = ["003"]


def golden(number: str) -> tuple[str, Reading]:
    data = shared("mof-goldens", f"{number}.mof").read_bytes()
    reading, problems = read_mof(data, f"{number}.mof")
    assert [each.render() for each in problems if each.severity.value == "error"] == []
    assert reading is not None
    text = data.decode("utf-16" if data.startswith(b"\xff\xfe") else "utf-8-sig")
    return text, reading


def plain(document: MofDocument) -> list[Any]:
    """Instances without the places they were read from."""
    return [
        (each.class_name, each.alias, [(prop.name, prop.value) for prop in each.properties])
        for each in document.instances
    ]


def body(text: str) -> str:
    """A document without its header, and without the last instance."""
    return text[text.index("instance of ") : text.index("instance of OMI_ConfigurationDocument")]


@pytest.mark.parametrize("number", ALL)
def test_a_document_that_was_read_is_written_so_that_it_reads_the_same(number: str) -> None:
    _, reading = golden(number)
    text = write_document(reading.document, reading.target_node, is_meta=number in META)
    again, problems = read_mof(text.encode("utf-16"), "again.mof")
    assert len(problems) == 0
    assert again is not None
    assert plain(again.document) == plain(reading.document)
    assert again.target_node == reading.target_node


@pytest.mark.parametrize("number", [each for each in ALL if each not in {*META, *EDITED, *PREVIEWS}])
def test_it_has_the_very_bytes_of_windows(number: str) -> None:
    text, reading = golden(number)
    # 005 was compiled by Windows and kept with other line ends.
    expected = text[text.index("instance of") :]
    written = write_document(reading.document)
    if number == "005":
        written = re.sub("\r+\n", "\n", written)
        expected = re.sub("\r+\n", "\n", expected)
    assert written == expected


def without_source(document: MofDocument) -> list[Any]:
    found = []
    for each in document.instances:
        if each.class_name == "OMI_ConfigurationDocument":
            continue
        pairs = [(prop.name, prop.value) for prop in each.properties if prop.name != "SourceInfo"]
        found.append((each.class_name, each.alias, pairs))
    return found


@pytest.mark.parametrize("number", [each for each in ALL if each not in META])
def test_a_configuration_of_the_same_resources_gives_the_same_instances(number: str) -> None:
    _, reading = golden(number)
    sealer = KnownTexts(is_encrypted=number == "050")
    configuration = configuration_of(reading.document, sealer)
    content = emit_mof(configuration, MofEncoding.UTF16, REGISTRY, sealer).content
    again, problems = read_mof(content, "again.mof")
    assert len(problems) == 0
    assert again is not None
    mine, theirs = without_source(again.document), without_source(reading.document)
    if number in {*EDITED, *PREVIEWS}:
        mine, theirs = (
            [(name, alias, sorted(pairs)) for name, alias, pairs in each] for each in (mine, theirs)
        )
    assert mine == theirs


@pytest.mark.parametrize("number", ["013", "016", "022", "031", "050", "055", "063", "071"])
def test_its_text_is_that_of_windows_but_for_where_things_came_from(number: str) -> None:
    text, reading = golden(number)
    sealer = KnownTexts(is_encrypted=number == "050")
    configuration = configuration_of(reading.document, sealer)
    written = emit_mof(configuration, MofEncoding.UTF16, REGISTRY, sealer).content.decode("utf-16")
    source = re.compile(r'SourceInfo = "(?:[^"\\]|\\.)*"')
    assert source.sub("", body(written)) == source.sub("", body(text))


def test_an_encrypted_document_says_so_in_the_layout_of_windows() -> None:
    text, reading = golden("050")
    sealer = KnownTexts()
    configuration = configuration_of(reading.document, sealer)
    written = emit_mof(configuration, MofEncoding.UTF16, REGISTRY, sealer).content.decode("utf-16")
    expected = re.sub(r' \r\r\n +GenerationDate="[^"]*";\r\n', "", text)
    expected = re.sub(r'(Author|GenerationHost)="[^"]*"', r'\1="provisioner"', expected)
    start = "instance of OMI_ConfigurationDocument"
    assert written[written.index(start) :] == expected[expected.index(start) :]


def test_the_other_formats_of_the_goldens_are_taken_by_what_reads_them(tmp_path: Path) -> None:
    files = []
    for number in (each for each in ALL if each not in META):
        found = configuration_of(golden(number)[1].document, KnownTexts(), f"n{number}")
        script, _ = emit_powershell(found, REGISTRY)
        assert mistakes(script.content.decode("utf-8-sig")) == []
        for emit in (emit_dsc3_yaml, emit_dsc3_json):
            artifact, _ = emit(found, REGISTRY)
            files.append(tmp_path / artifact.file_name)
            files[-1].write_bytes(artifact.content)
    assert len(files) == 46
    check(tmp_path, files)


def test_an_alias_of_every_instance_points_backwards() -> None:
    _, reading = golden("031")
    sealer = KnownTexts()
    content = emit_mof(configuration_of(reading.document, sealer), MofEncoding.UTF8, REGISTRY, sealer).content
    again, _ = read_mof(content, "again.mof")
    assert again is not None
    seen: set[str] = set()
    for instance in again.document.instances:
        assert used(instance) <= seen
        seen.add(instance.alias)


def used(instance: MofInstance) -> set[str]:
    values = [
        item
        for each in instance.properties
        for item in (each.value if isinstance(each.value, tuple) else (each.value,))
    ]
    return {each.name for each in values if isinstance(each, Alias)}
