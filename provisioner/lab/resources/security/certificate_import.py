"""CertificateImport and PfxImport of CertificateDsc 6.0: the thumbprint of what a file holds is not verified."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.security.certificate_store import CertificateStore, StoredCertificate
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_argument, is_same

#: As long as SHA-1, SHA-256, SHA-384 or SHA-512 are, in hexadecimal digits.
_MARK: Final = r"([0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})"
_RULES = (
    Rule("Thumbprint", is_mandatory=True, pattern=_MARK, refusal="The thumbprint is not valid."),
    Rule("Location", is_mandatory=True, allowed=("LocalMachine", "CurrentUser")),
    Rule("Store", is_mandatory=True, may_be_empty=False),
    Rule("Path"),
    Rule("Content", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("FriendlyName", may_be_empty=False),
    Rule("Exportable", "boolean"),
    Rule("Credential", "any"),
)


class CertificateImport:
    """Stateless."""

    class_name = "DSC_CertificateImport"
    module = "CertificateDsc"
    needs_key = False

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        found = self._find(bound, context)
        is_there = found is not None and (found.has_private_key or not self.needs_key)
        return {
            "Thumbprint": bound["Thumbprint"],
            "Location": bound["Location"],
            "Store": bound["Store"],
            "Path": bound.get("Path"),
            "Ensure": "Present" if is_there else "Absent",
            "FriendlyName": found.friendly_name if found else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: what is not a parameter of the store is never compared."""
        bound = bind("Test-TargetResource", _RULES, properties)
        now = await self.get(properties, context)
        if not is_same(bound.get("Ensure", "Present"), now["Ensure"]):
            return False
        return (
            "FriendlyName" not in bound
            or now["Ensure"] == "Absent"
            or is_same(now["FriendlyName"] or "", bound["FriendlyName"])
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        store = context.machine.area(CertificateStore)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            store.remove(bound["Thumbprint"], _store(bound))
            return
        if not (bound.get("Path") or "").strip() and not (bound.get("Content") or "").strip():
            raise invalid_argument("Content and Path are both empty; one of them is needed.", "Path|Content")
        now = await self.get(properties, context)
        if now["Ensure"] == "Absent":
            self._import(bound, _content(bound, context), context)
        if "FriendlyName" in bound and not is_same(now["FriendlyName"] or "", bound["FriendlyName"]):
            store.describe(bound["Thumbprint"], _store(bound), bound["FriendlyName"])

    @staticmethod
    def _find(bound: Mapping[str, Any], context: ResourceContext) -> StoredCertificate | None:
        return context.machine.area(CertificateStore).find(bound["Thumbprint"], _store(bound))

    def _import(self, bound: Mapping[str, Any], content: bytes, context: ResourceContext) -> None:
        with calling("Microsoft.CertificateServices.Commands.ImportCertificateCommand"):
            context.machine.area(CertificateStore).import_file(content, _store(bound))


class PfxImport(CertificateImport):
    """Stateless. A certificate without its key counts as absent."""

    class_name = "DSC_PfxImport"
    needs_key = True

    def _import(self, bound: Mapping[str, Any], content: bytes, context: ResourceContext) -> None:
        credential = bound.get("Credential") or {}
        with calling("Microsoft.CertificateServices.Commands.ImportPfxCertificateCommand"):
            context.machine.area(CertificateStore).import_pfx(
                content,
                credential.get("Password"),
                _store(bound),
                is_exportable=bound.get("Exportable", False),
            )


def _store(bound: Mapping[str, Any]) -> str:
    return f"{bound['Location']}\\{bound['Store']}"


def _content(bound: Mapping[str, Any], context: ResourceContext) -> bytes:
    """Read what is to be imported.

    Raises:
        ResourceError: the file is missing.
    """
    if "Content" in bound:
        try:
            return base64.b64decode("".join(bound["Content"].split()), validate=True)
        except binascii.Error:
            return b""
    files, path = context.machine.files, bound["Path"]
    if not files.is_file(path):
        raise invalid_argument(f"Certificate file '{path}' could not be found.", "Path")
    return files.read(path)
