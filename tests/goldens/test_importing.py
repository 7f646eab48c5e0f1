"""Every document Windows PowerShell wrote, imported and compiled again, against the table in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.importing.importer import import_documents
from provisioner.diagnostics import Severity
from tests.compiling import REPOSITORY
from tests.goldens.comparing import (
    GOLDENS,
    block_of,
    compiled,
    emitted,
    golden_bytes,
    read,
    resources_of,
    settings_compiled,
    settings_of,
)

EQUAL = "equal"
_ROW = re.compile(r"^\| (\d{3}) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)


def table() -> dict[str, str]:
    """Return what the documentation says of each document; those it does not name are equal."""
    text = (REPOSITORY / "docs" / "importing.md").read_text(encoding="utf-8")
    rows = {number: outcome for number, outcome, _ in _ROW.findall(text)}
    assert rows
    return {number: rows.get(number, EQUAL) for number in GOLDENS}


def outcome(number: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Import a document, compile what came of it, and say in what the result differs."""
    data = golden_bytes(number)
    found, problems = import_documents([(f"{number}.mof", data)], Registry.builtin())
    if found is None:
        summaries = dict.fromkeys(each.summary for each in problems if each.severity is Severity.ERROR)
        return f"refused: {', '.join(summaries)}"
    for password in (each.get("Password") for each in read(data).instances):
        assert password is None or password not in "".join(found.files.values())
    for path, text in found.files.items():
        target = folder / (path.name if path.name == "inventory.yaml" else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    theirs = read(data)
    if found.profiles:
        ours = settings_compiled(folder / found.profiles[0])
        mine, real = settings_of(ours), settings_of(theirs)
    else:
        ours = emitted(compiled(folder, monkeypatch))
        mine, real = resources_of(ours), resources_of(theirs)
    assert list(mine.keys() ^ real.keys()) == []
    differences = [
        f"{name} {real[key].get(name)!r} becomes {mine[key].get(name)!r}"
        for key in real
        for name in {**real[key], **mine[key]}
        if real[key].get(name) != mine[key].get(name)
    ]
    differences += [
        f"{name} {block_of(theirs).get(name)!r} becomes {block_of(ours).get(name)!r}"
        for name in {**block_of(theirs), **block_of(ours)}
        if block_of(theirs).get(name) != block_of(ours).get(name)
    ]
    return "; ".join(differences) or EQUAL


@pytest.mark.parametrize("number", GOLDENS)
def test_a_document_imported_and_compiled_is_what_the_documentation_says(
    number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcome(number, tmp_path, monkeypatch) == table()[number].replace("`", "")
