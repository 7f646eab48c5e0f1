"""The import against damaged real documents: files or diagnostics, never an exception, never a password."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from provisioner import documents
from provisioner.catalogue.registry import Registry
from provisioner.configuration.importing.importer import import_documents
from provisioner.diagnostics import SourceFile

REGISTRY = Registry.builtin()
MUTATIONS_PER_DOCUMENT = 150
#: What stands in a document and what could stand there instead.
PIECES = [
    '"', "{", "}", ";", ",", "=", "\\\\", "{{", "{%", "$MSFT_Credential1ref", "NULL", "True", "0", "1.5", '"x"', "{ }",
    "instance of", "ResourceID", "ModuleName", "ModuleVersion", "DependsOn", '"[A]b::[C]d"', '"9.9.9"', "ü", "\r", "\u2028",
]  # fmt: skip


def small_goldens() -> list[Path]:
    folder = Path(__file__).resolve().parents[4].parent / "shared" / "mof-goldens"
    return [path for path in sorted(folder.glob("*.mof")) if path.stat().st_size < 16_000]


def damaged(text: str, dice: random.Random) -> str:
    values = [each for each in text.split('"')[1::2] if each]
    at = dice.randrange(len(text))
    match dice.randrange(4):
        case 0:
            old, new = (
                dice.choice(values),
                dice.choice([*values, "", "{{ x }}", "\\xD800", "\\x0001", "x" * 300]),
            )
            return text.replace(f'"{old}"', f'"{new}"', 1)
        case 1:
            lines = text.split("\n")
            del lines[dice.randrange(len(lines))]
            return "\n".join(lines)
        case 2:
            return text[:at] + dice.choice(PIECES) + text[at:]
        case _:
            lines = text.split("\n")
            lines.insert(dice.randrange(len(lines)), dice.choice(lines))
            return "\n".join(lines)


@pytest.mark.parametrize("path", small_goldens(), ids=lambda path: path.name)
def test_real_documents_that_were_damaged_are_answered(path: Path) -> None:
    data = path.read_bytes()
    original = data.decode("utf-16" if data[:2] == b"\xff\xfe" else "utf-8-sig")
    dice = random.Random(path.name)
    imported = 0
    for _ in range(MUTATIONS_PER_DOCUMENT):
        text = original
        for _ in range(dice.randint(1, 3)):
            text = damaged(text, dice)
        found, problems = import_documents([("x.mof", text.encode("utf-8", "surrogatepass"))], REGISTRY)
        assert (found is None) == problems.has_errors
        for problem in problems:
            assert problem.render()
        if found is None:
            continue
        imported += 1
        for name, written in found.files.items():
            tree, unreadable = documents.parse(written, SourceFile(str(name), written))
            assert tree is not None, list(unreadable)
    is_good = import_documents([("x.mof", data)], REGISTRY)[0] is not None
    assert (imported > 0) == is_good
