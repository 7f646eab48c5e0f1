"""Compare a document of ours with one of Windows PowerShell, instance by instance.

Left out of every comparison, because it says who compiled, when and from which file: the comment at the top,
SourceInfo, ConfigurationName, and Author, GenerationDate, GenerationHost and Name of the closing block. The
order of properties and of instances carries no meaning and is not compared.
Passwords and registration keys count as equal: ours are references.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.registry import PROJECT_FOLDER, Registry
from provisioner.configuration.emit.meta_mof import compile_lcm_profile
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.instances import Alias, MofDocument, MofInstance
from provisioner.configuration.model import Configuration, Credential
from provisioner.configuration.reading.parser import read_mof
from provisioner.inventory.model import MofEncoding
from tests.compiling import compile_project
from tests.shared_data import shared

#: Documents that Windows PowerShell wrote, by number.
GOLDENS = [
    "003",
    "004",
    "005",
    "008",
    "011",
    "012",
    "013",
    "014",
    "015",
    "016",
    "017",
    "018",
    "019",
    "020",
    "021",
    "022",
    "024",
    "026",
    "027",
    "031",
    "036",
    "037",
    "050",
    "051",
    "055",
    "063",
    "071",
]
#: Those of them that set up the LCM.
META = frozenset({"004", "017", "024", "036"})

BLOCK = "OMI_ConfigurationDocument"
_WHO_AND_WHEN = frozenset({"Author", "GenerationDate", "GenerationHost", "Name"})
_NOT_COMPARED = frozenset({"SourceInfo", "ConfigurationName"})


class Sealed:
    """Stands for the certificate of a node."""

    is_encrypted = True

    def seal(self, credential: Credential) -> str:
        return f"sealed: {credential.password or credential.secrets}"


def golden_bytes(number: str) -> bytes:
    """Return a document as Windows PowerShell wrote it, or skip the test."""
    return shared("mof-goldens", f"{number}.mof").read_bytes()


def read(data: bytes, name: str = "golden.mof") -> MofDocument:
    reading, problems = read_mof(data, name)
    assert reading is not None, [each.render() for each in problems]
    return reading.document


def block_of(document: MofDocument) -> dict[str, Any]:
    """Return the closing block without who compiled and when."""
    [block] = [each for each in document.instances if each.class_name == BLOCK]
    return {each.name: each.value for each in block.properties if each.name not in _WHO_AND_WHEN}


def resources_of(document: MofDocument) -> dict[str, Any]:
    """Return every resource by its ResourceID, with the instances embedded in it in place of their aliases."""
    by_alias = {each.alias.casefold(): each for each in document.instances if each.alias}
    found: dict[str, Any] = {}
    for instance in document.instances:
        name = instance.get("ResourceID")
        if name is not None:
            assert name not in found
            found[name] = _tree(instance, by_alias)
    return found


def settings_of(document: MofDocument) -> dict[str, Any]:
    """Return the settings of a metaconfiguration, with the instances they hold."""
    by_alias = {each.alias.casefold(): each for each in document.instances if each.alias}
    [settings] = [each for each in document.instances if each.class_name == "MSFT_DSCMetaConfiguration"]
    return {"settings": _tree(settings, by_alias)}


def _tree(instance: MofInstance, by_alias: Mapping[str, MofInstance]) -> dict[str, Any]:
    def plain(name: str, value: Any) -> Any:
        match value:
            case tuple():
                return [plain(name, item) for item in value]
            case Alias():
                return _tree(by_alias[value.name.casefold()], by_alias)
            case bool() | float():
                return f"{type(value).__name__} {value}"  # True equals 1 in Python, not in a document
            case _:
                return value

    properties = {
        each.name: plain(each.name, each.value)
        for each in instance.properties
        if each.name not in _NOT_COMPARED
    }
    for name in ("Password", "RegistrationKey"):
        if name in properties:
            properties[name] = "..."
    return {"instance of": instance.class_name, **properties}


def compiled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """Compile the one node of a project; the working directory becomes its folder."""
    monkeypatch.chdir(folder)
    configurations, problems = compile_project(folder, registry=Registry.of(folder / PROJECT_FOLDER))
    assert not problems.has_errors, "\n".join(each.render() for each in problems)
    [configuration] = configurations.values()
    return configuration


def settings_compiled(path: Path) -> MofDocument:
    """Return the metaconfiguration of an LCM profile."""
    artifact, problems = compile_lcm_profile(
        path, "n1", Registry.builtin(), seal=Sealed(), reveal=lambda reference: f"revealed {reference}"
    )
    assert artifact is not None, "\n".join(each.render() for each in problems)
    return read(artifact.content, "ours.meta.mof")


def emitted(configuration: Configuration) -> MofDocument:
    """Return the document of a configuration, as its readers see it."""
    return read(emit_mof(configuration, MofEncoding.UTF16, seal=Sealed()).content, "ours.mof")
