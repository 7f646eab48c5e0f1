"""Real .msi files, built with Debian's wixl; tests that need them skip where it is not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

_SOURCE = """\
<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="{code}" Name={name} Language="1033" Version="{version}" Manufacturer="Contoso" UpgradeCode="{family}">
    <Package InstallerVersion="200" Compressed="yes" InstallScope="perMachine"/>
    <Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
    {properties}
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="INSTALLDIR" Name="App">
      <Component Id="C1" Guid="11111111-2222-3333-4444-555555555555"><File Id="F1" Source="payload.txt"/></Component>
    </Directory></Directory>
    <Feature Id="Main" Level="1"><ComponentRef Id="C1"/></Feature>
  </Product>
</Wix>
"""
PRODUCT = "0B7F6C5E-6E0C-4C39-9C3B-5C1B6F1D2A10"
FAMILY = "3E1A8C8A-3B9B-4D21-9B39-7B5A7B8C9D10"


def build_msi(
    path: Path,
    *,
    code: str = PRODUCT,
    family: str = FAMILY,
    name: str = "App",
    version: str = "1.0.0",
    properties: dict[str, str] | None = None,
) -> Path:
    """Build a package of one small file; each call makes another file, since it has a package code of its own."""
    if shutil.which("wixl") is None:
        pytest.skip("wixl is not installed")
    folder = path.parent
    (folder / "payload.txt").write_text("payload\n", encoding="utf-8")
    source = folder / f"{path.stem}.wxs"
    written = "".join(
        f"<Property Id={quoteattr(key)} Value={quoteattr(value)}/>"
        for key, value in (properties or {}).items()
    )
    source.write_text(
        _SOURCE.format(code=code, family=family, name=quoteattr(name), version=version, properties=written),
        encoding="utf-8",
    )
    subprocess.run(["wixl", "-o", path.name, source.name], cwd=folder, check=True, capture_output=True)
    return path
