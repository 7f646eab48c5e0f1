"""The schemas of the repository, made afresh, and what they say of a file."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema

from provisioner import documents
from provisioner.catalogue.registry import Registry
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.editor.files import schema_texts
from tests.compiling import REPOSITORY


@functools.cache
def texts(*, with_all: bool = False) -> dict[str, str]:
    problems = Diagnostics()
    found = schema_texts([REPOSITORY], Registry.builtin(), problems, with_all=with_all)
    assert [problem.render() for problem in problems] == []
    return found


@functools.cache
def validator(kind: str, *, with_all: bool = False) -> Any:
    return jsonschema.Draft7Validator(json.loads(texts(with_all=with_all)[kind]))


def refusals(kind: str, text: str, folder: Path | None = None) -> list[str]:
    """What the schema has against a file, which our own reader takes; with ``folder`` the schema of that project."""
    tree, problems = documents.parse(text, SourceFile("x", text))
    assert tree is not None, [problem.render() for problem in problems]
    judge: Any = validator(kind)
    if folder is not None:
        made = schema_texts([folder], Registry.builtin(), Diagnostics())
        judge = jsonschema.Draft7Validator(json.loads(made[kind]))
    return [error.message[:300] for error in judge.iter_errors(documents.plain(tree))]
