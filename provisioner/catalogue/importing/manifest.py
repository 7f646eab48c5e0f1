"""The manifest of a module: ``Module.psd1``, a hashtable that is written out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from provisioner.catalogue.importing.cursor import Cursor, Static
from provisioner.catalogue.importing.declarations import read_entries
from provisioner.catalogue.importing.tokens import Script, ScriptProblem
from provisioner.diagnostics import Diagnostics

_UNREADABLE = "Module manifest cannot be read"
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,3}")
_PRERELEASE = re.compile(r"-?([0-9A-Za-z]{1,64})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says. ``resources`` are the names, or patterns of names, that it exports; None for all."""

    version: str
    resources: tuple[str, ...] | None


def read_manifest(script: Script, problems: Diagnostics) -> Manifest | None:
    """Read a manifest; None when it does not say which version it is."""
    try:
        cursor = Cursor(script)
        cursor.skip_breaks()
        if not cursor.at_symbol("@{"):
            raise cursor.problem("A manifest is one hashtable, '@{ ... }'.")
        start, end = cursor.skip_group()
        entries = read_entries(cursor.inside(start, end))
    except ScriptProblem as problem:
        problems.error(_UNREADABLE, problem.message, script.where(problem.start, problem.end))
        return None
    version = entries.get("moduleversion")
    if not isinstance(version, str) or not _VERSION.fullmatch(version.strip()):
        problems.error(
            _UNREADABLE,
            "Its ModuleVersion is missing, or is no version that is written out.",
            script.where(0),
        )
        return None
    suffix = _prerelease(entries)
    return Manifest(f"{version.strip()}-{suffix}" if suffix else version.strip(), _resources(entries))


def _prerelease(entries: dict[str, Static]) -> str:
    private = entries.get("privatedata")
    published = private.get("psdata") if isinstance(private, dict) else None
    suffix = published.get("prerelease") if isinstance(published, dict) else None
    found = _PRERELEASE.fullmatch(suffix.strip()) if isinstance(suffix, str) else None
    return found[1] if found else ""


def _resources(entries: dict[str, Static]) -> tuple[str, ...] | None:
    exported = entries.get("dscresourcestoexport")
    names = exported if isinstance(exported, list) else [exported]
    texts = [name for name in names if isinstance(name, str)]
    return tuple(texts) or None
