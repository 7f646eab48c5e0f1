"""Every document Windows PowerShell wrote is read, and printed and read again it says the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from provisioner.configuration.emit.document import write_document
from provisioner.configuration.instances import MofDocument
from tests.goldens.comparing import GOLDENS, META, golden_bytes, read
from tests.shared_data import shared


def said(document: MofDocument) -> list[Any]:
    """Return everything but the positions; the type goes with each value, since True equals 1."""
    return [
        (each.class_name, each.alias, [(prop.name, repr(prop.value)) for prop in each.properties])
        for each in document.instances
    ]


def test_these_are_all_there_are() -> None:
    assert sorted(path.stem for path in shared("mof-goldens").glob("*.mof")) == GOLDENS


@pytest.mark.parametrize("number", GOLDENS)
def test_every_instance_of_a_real_document_is_read(number: str) -> None:
    data = golden_bytes(number)
    index = json.loads(shared("mof-goldens", "index.json").read_text(encoding="utf-8"))
    [facts] = [each for each in index["items"] if each["file"] == f"{number}.mof"]
    text = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8-sig")

    document = read(data)

    counts: dict[str, int] = {}
    for each in document.instances:
        counts[each.class_name] = counts.get(each.class_name, 0) + 1
    assert counts == facts["classes"]
    for each in document.instances:
        assert each.where is not None
        line = text.split("\n")[each.where.line - 1]
        assert line[each.where.column - 1 :].startswith(f"instance of {each.class_name}")


@pytest.mark.parametrize("number", GOLDENS)
def test_every_property_of_a_real_document_is_where_it_says(number: str) -> None:
    data = golden_bytes(number)
    lines = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8-sig").split("\n")

    for instance in read(data).instances:
        for prop in instance.properties:
            assert prop.where is not None
            before = lines[prop.where.line - 1][: prop.where.column - 1]
            assert re.search(rf"\b{prop.name} ?= ?$", before), (prop.name, before)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
@pytest.mark.parametrize("number", GOLDENS)
def test_a_real_document_printed_and_read_again_says_the_same(number: str, encoding: str) -> None:
    document = read(golden_bytes(number))

    text = write_document(document, "n1", is_meta=number in META)

    assert said(read(text.encode(encoding))) == said(document)
