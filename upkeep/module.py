"""The files that follow from the folder of our DSC module: list of resources, facts of the catalogue, hashes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from provisioner.catalogue.importing.modules import read_modules
from provisioner.catalogue.module_file import read_module
from provisioner.catalogue.module_text import write_module
from provisioner.catalogue.schema import Module, ResourceType
from provisioner.diagnostics import Diagnostics

ROOT = Path(__file__).resolve().parents[1]
NAME = "ProvisionerDsc"
PREFIX = "PROV_"


def module_folder() -> Path:
    """Return the folder of the newest version of the module."""
    versions = [path for path in (ROOT / "dsc_configs/modules" / NAME).iterdir() if path.is_dir()]
    return max(versions, key=lambda path: [int(part) for part in path.name.split(".")])


MODULE = module_folder()
MANIFEST = MODULE / f"{NAME}.psd1"
LOCK = ROOT / "dsc_configs/modules.lock.yaml"
CATALOGUE = ROOT / "provisioner/catalogue/data" / f"{NAME}@{MODULE.name}.json"


def resource_names() -> list[str]:
    """Return the names of the resources whose folders have a script and a schema, sorted."""
    found = []
    for folder in (MODULE / "DSCResources").glob(f"{PREFIX}*"):
        if all((folder / f"{folder.name}{suffix}").is_file() for suffix in (".psm1", ".schema.mof")):
            found.append(folder.name.removeprefix(PREFIX))
    return sorted(found)


def script_of(resource: str) -> Path:
    """Return the script of a resource."""
    return MODULE / "DSCResources" / f"{PREFIX}{resource}" / f"{PREFIX}{resource}.psm1"


def schema_of(resource: str) -> Path:
    """Return the schema of a resource."""
    return script_of(resource).with_suffix(".schema.mof")


def manifest_text() -> str:
    """Return the manifest with the resources that are there."""
    lines = "\n".join(f"        '{name}'" for name in resource_names())
    return re.sub(
        r"(?m)^    DscResourcesToExport = @\([^)]*\)$",
        lambda _: f"    DscResourcesToExport = @(\n{lines}\n    )",
        MANIFEST.read_text(encoding="ascii"),
    )


def read_own_module(problems: Diagnostics) -> Module | None:
    """Read the module as ``provision catalog import`` would, and keep what was set by hand in the catalogue.

    By hand are: channel, source, licence and notes of the module, summaries of resources, and which credential
    carries named secrets.
    """
    modules = read_modules(MODULE, problems)
    if not modules:
        return None
    found = modules[0]
    known = read_module(CATALOGUE.read_text(encoding="utf-8"), str(CATALOGUE)) if CATALOGUE.exists() else None
    resources = tuple(_with_set_facts(each, known) for each in found.resources)
    if known is None:
        return replace(found, resources=resources, channel="stable", source=_shown(MODULE))
    return replace(
        found,
        resources=resources,
        channel=known.channel,
        source=_shown(MODULE),
        licence=known.licence,
        notes=known.notes,
    )


def _with_set_facts(resource: ResourceType, known: Module | None) -> ResourceType:
    before = known.resource(resource.name) if known else None
    if before is None:
        return resource
    secret = {each.name for each in before.properties if each.is_secret_lines}
    properties = tuple(
        replace(each, is_secret_lines=each.name in secret and bool(each.embedded_class))
        for each in resource.properties
    )
    return replace(resource, properties=properties, summary=before.summary)


def catalogue_text(module: Module) -> str:
    """Return the file of the catalogue."""
    return write_module(module)


def file_hashes() -> dict[str, str]:
    """Return the SHA-256 of every file of the module, by path below its folder, sorted."""
    return {
        path.relative_to(MODULE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(MODULE.rglob("*"))
        if path.is_file()
    }


def lock_text() -> str:
    """Return the list of modules with the version, the folder and the hashes of our own."""
    lines = [
        f"  {NAME}:",
        f'    version: "{MODULE.name}"',
        f"    source: {_shown(MODULE)}",
        "    sha256:",
        *(f"      {path}: {digest}" for path, digest in file_hashes().items()),
    ]
    return re.sub(
        rf"(?m)^  {NAME}:\n(?:    .*\n)+", lambda _: "\n".join(lines) + "\n", LOCK.read_text(encoding="utf-8")
    )


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
