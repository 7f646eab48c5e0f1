"""Our DSC module as one file: a package as the PowerShell Gallery has them, or a bare archive of its files.

The same files give the same bytes, whoever packs them and when: names are sorted, times are fixed. Only another
version of zlib may make something else of a file.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from provisioner.errors import UsageError

#: The earliest time a zip archive can name.
_TIME = (1980, 1, 1, 0, 0, 0)
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_CONTENT_TYPES = {
    "rels": "application/vnd.openxmlformats-package.relationships+xml",
    "psmdcp": "application/vnd.openxmlformats-package.core-properties+xml",
}


@dataclass(frozen=True, slots=True)
class ModuleFolder:
    """A module's files: ``files`` maps a path below its folder, with slashes, to the content."""

    name: str
    version: str
    files: Mapping[str, bytes]

    @property
    def manifest(self) -> Mapping[str, str]:
        """The texts of the manifest, by key."""
        text = self.files[f"{self.name}.psd1"].decode("utf-8-sig")
        return dict(re.findall(r"(?m)^\s*(\w+)\s*=\s*'([^']*)'", text))


def read_module_folder(folder: Path) -> ModuleFolder:
    """Read a folder ``<Module>/<version>`` with its manifest.

    Raises:
        UsageError: There is no manifest named like the folder around it, or it has another version.
    """
    name, version = folder.resolve().parent.name, folder.resolve().name
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".psd1", ".psm1", ".mof"}
    }
    if f"{name}.psd1" not in files:
        raise UsageError(f"{folder} has no manifest {name}.psd1.", "Name the folder <Module>/<version>.")
    module = ModuleFolder(name, version, files)
    if module.manifest.get("ModuleVersion") != version:
        stated = module.manifest.get("ModuleVersion", "none")
        raise UsageError(f"{folder}/{name}.psd1 has ModuleVersion {stated}, the folder says {version}.")
    return module


def archive(module: ModuleFolder) -> bytes:
    """Return a zip archive of the module's files."""
    return _zip(module.files)


def package(module: ModuleFolder) -> bytes:
    """Return a NuGet package (.nupkg) of the module."""
    properties = _core_properties(module)
    name = hashlib.sha256(properties).hexdigest()[:32]
    core = f"package/services/metadata/core-properties/{name}.psmdcp"
    parts = {
        "_rels/.rels": _relationships(module, core),
        "[Content_Types].xml": _content_types(module),
        f"{module.name}.nuspec": _nuspec(module),
        core: properties,
    }
    return _zip({**parts, **module.files})


def sha256(content: bytes) -> str:
    """Return the hash as ``Get-FileHash`` writes it."""
    return hashlib.sha256(content).hexdigest().upper()


def _zip(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # else it tells on which kind of machine it was made
            packed.writestr(entry, files[name])
    return written.getvalue()


def _relationships(module: ModuleFolder, core: str) -> bytes:
    kinds = (
        ("http://schemas.microsoft.com/packaging/2010/07/manifest", f"/{module.name}.nuspec", "R1"),
        (
            "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
            f"/{core}",
            "R2",
        ),
    )
    rows = "".join(
        f'  <Relationship Type="{kind}" Target="{target}" Id="{key}" />\n' for kind, target, key in kinds
    )
    schema = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{_XML}<Relationships xmlns="{schema}">\n{rows}</Relationships>\n'.encode()


def _content_types(module: ModuleFolder) -> bytes:
    endings = sorted({path.rpartition(".")[2] for path in module.files} | {"nuspec"})
    types = {**_CONTENT_TYPES, **dict.fromkeys(endings, "application/octet")}
    rows = "".join(f'  <Default Extension="{end}" ContentType="{kind}" />\n' for end, kind in types.items())
    schema = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'{_XML}<Types xmlns="{schema}">\n{rows}</Types>\n'.encode()


def _nuspec(module: ModuleFolder) -> bytes:
    told = module.manifest
    fields = {
        "id": module.name,
        "version": module.version,
        "authors": told.get("Author", ""),
        "owners": told.get("CompanyName", ""),
        "requireLicenseAcceptance": "false",
        "description": told.get("Description", ""),
        "copyright": told.get("Copyright", ""),
        "tags": "PSModule PSIncludes_DscResource DSC",
    }
    rows = "".join(f"    <{name}>{escape(value)}</{name}>\n" for name, value in fields.items())
    schema = "http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd"
    return f'{_XML}<package xmlns="{schema}">\n  <metadata>\n{rows}  </metadata>\n</package>\n'.encode()


def _core_properties(module: ModuleFolder) -> bytes:
    told = module.manifest
    schema = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
    return (
        f'{_XML}<coreProperties xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="{schema}">\n'
        f"  <dc:creator>{escape(told.get('Author', ''))}</dc:creator>\n"
        f"  <dc:description>{escape(told.get('Description', ''))}</dc:description>\n"
        f"  <dc:identifier>{module.name}</dc:identifier>\n"
        f"  <version>{module.version}</version>\n"
        "</coreProperties>\n"
    ).encode()
