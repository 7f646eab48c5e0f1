"""MsiPackage of PSDscResources 2.12 (class MSFT_MsiPackage)."""

from __future__ import annotations

import hashlib
import ntpath
import re
import uuid
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote, urlsplit

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.software.packages import ERROR_ALREADY_RUNNING, REBOOT_INITIATED, REBOOT_REQUIRED
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same
from provisioner.lab.spec import PackageSpec

_HASHES = ("SHA1", "SHA256", "SHA384", "SHA512", "MD5", "RIPEMD160")
_RULES = (
    Rule("ProductId", may_be_empty=False),
    Rule("Path", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Arguments"),
    Rule("Credential", "any"),
    Rule("LogPath"),
    Rule("FileHash"),
    Rule("HashAlgorithm", allowed=_HASHES),
    Rule("SignerSubject"),
    Rule("SignerThumbprint"),
    Rule("ServerCertificateValidationCallback"),
    Rule("RunAsCredential", "any"),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"ProductId", "Path"})
_DATE = re.compile(r"\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_CACHE = r"C:\ProgramData\Microsoft\Windows\PowerShell\Configuration\BuiltinProvCache\MSFT_MsiPackage"
_STRICT = "System.Management.Automation.PropertyNotFoundException"


class MsiPackage:
    """Stateless. Only the product key counts: version and path of an installed product are never compared."""

    class_name = "MSFT_MsiPackage"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        product_id = _product_id(bound["ProductId"])
        key = context.machine.packages.key_of(product_id)
        if key is None:
            return {"ProductId": product_id, "Ensure": "Absent"}
        values = context.machine.registry
        size = values.get(key, "EstimatedSize")
        if size is None:
            # The module fills this variable only when the value is there, and reads it under strict mode.
            raise ResourceError(
                "The variable '$estimatedSize' cannot be retrieved because it has not been set.",
                "VariableIsUndefined,Get-MsiProductEntry",
                "InvalidOperation",
                "System.Management.Automation.RuntimeException",
            )
        date = str(values.get(key, "InstallDate") or "")
        return {
            "ProductId": product_id,
            "Ensure": "Present",
            "Name": values.get(key, "DisplayName"),
            "InstallSource": values.get(key, "InstallSource"),
            "InstalledOn": f"{int(date[4:6])}/{int(date[6:])}/{date[:4]}" if _DATE.fullmatch(date) else None,
            "Size": size / 1024,
            "Version": values.get(key, "DisplayVersion"),
            "PackageDescription": values.get(key, "Comments"),
            "Publisher": values.get(key, "Publisher"),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        return (context.machine.packages.key_of(_product_id(bound["ProductId"])) is not None) == is_present

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: exit codes other than 3010 and 1641 are not looked at."""
        bound = bind("Set-TargetResource", _RULES, properties)
        product_id = _product_id(bound["ProductId"])
        path = bound["Path"]
        _check_path(path)
        _make_log(bound.get("LogPath"), context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        machine = context.machine
        if is_present:
            bound["Path"] = _local(path, context)
            _check_file(bound["Path"], product_id, bound, context)
        code = await _run_msiexec(bound, context, is_present=is_present)
        if bound["Path"] != path:
            machine.files.remove(bound["Path"])
        if code in {REBOOT_REQUIRED, REBOOT_INITIATED} or machine.needs_reboot:
            context.verbose("The Machine requires a reboot.")
            context.reboot_requested = True
        elif is_present and machine.packages.key_of(product_id) is None:
            raise invalid_operation(
                f"Package from {path} was installed, but the specified ProductId does not match package details"
            )


def _product_id(text: str) -> str:
    try:
        return f"{{{str(uuid.UUID(text)).upper()}}}"
    except ValueError:
        raise invalid_argument(
            f"The specified IdentifyingNumber ({text}) is not a valid GUID", "ProductId"
        ) from None


def _check_path(path: str) -> None:
    scheme = urlsplit(path).scheme
    if len(scheme) > 1 and scheme not in {"file", "http", "https"}:
        raise invalid_argument(
            f"The specified Path ({path}) is not in a valid format. Valid formats are local paths, UNC, HTTP, and "
            "HTTPS",
            "Path",
        )
    name = ntpath.basename(unquote(path).replace("/", "\\"))
    if not name.casefold().endswith(".msi"):
        raise invalid_argument(
            f"The specified Path ({name}) does not appear to specify an MSI file and as such is not supported",
            "Path",
        )


def _local(path: str, context: ResourceContext) -> str:
    """Give the path of the file, for an address that of a download in the cache of the provider."""
    if urlsplit(path).scheme not in {"http", "https"}:
        return path
    content = context.machine.downloads.get(path)
    if content is None:
        raise invalid_operation(
            f"The server of the given Path ({path}) could not be reached or has no such file."
        )
    target = ntpath.join(_CACHE, ntpath.basename(urlsplit(path).path))
    context.machine.files.make_folder(_CACHE)
    context.machine.files.write(target, content.encode())
    return target


def _make_log(log_path: str | None, context: ResourceContext) -> None:
    if not log_path:
        return
    try:
        context.machine.files.remove(log_path)
        context.machine.files.write(log_path, b"")
    except MachineError as error:
        raise invalid_operation(f"The log file {log_path} could not be opened. {error.message}") from None


def _check_file(path: str, product_id: str, bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Refuse a file that is missing, has another hash or no signature, or is another product."""
    files = context.machine.files
    if not files.is_file(path):
        raise invalid_operation(f"The given Path ({path}) could not be found")
    wanted = bound.get("FileHash")
    if wanted:
        algorithm = bound.get("HashAlgorithm", "SHA256")
        if not is_same(
            wanted, hashlib.new(algorithm.lower(), files.read(path), usedforsecurity=False).hexdigest()
        ):
            raise invalid_argument(
                f"File '{path}' does not match expected hash value '{wanted}' for hash algorithm {algorithm}.",
                "FileHash",
            )
    package = context.machine.packages.describe(path)
    _check_signature(path, package, bound)
    if package is None:
        raise invalid_operation(
            f"The MSI file {path} could not be opened: it is not a Windows Installer package."
        )
    if package.product_id != product_id:
        raise invalid_argument(
            f"The specified IdentifyingNumber ({product_id}) does not match the IdentifyingNumber "
            f"({package.product_id}) in the MSI file",
            "ProductId",
        )


def _check_signature(path: str, package: PackageSpec | None, bound: Mapping[str, Any]) -> None:
    subject, thumbprint = bound.get("SignerSubject"), bound.get("SignerThumbprint")
    if not subject and not thumbprint:
        return
    if package is None or not package.signer_subject:
        raise invalid_argument(
            f"File '{path}' does not have a valid Authenticode signature.  Status: NotSigned", "Path"
        )
    if subject and not fnmatchcase(package.signer_subject.casefold(), subject.casefold()):
        raise invalid_argument(
            f"File '{path}' was not signed by expected signer subject '{subject}'", "SignerSubject"
        )
    if thumbprint and not is_same(thumbprint, package.signer_thumbprint):
        raise invalid_argument(
            f"File '{path}' was not signed by expected signer certificate thumbprint '{thumbprint}'",
            "SignerThumbprint",
        )


async def _run_msiexec(bound: Mapping[str, Any], context: ResourceContext, *, is_present: bool) -> int:
    packages = context.machine.packages
    path = bound["Path"]
    product_id = _product_id(bound["ProductId"])
    if not is_present and packages.key_of(product_id) is None:
        raise ResourceError(
            "The property 'Name' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict,Start-MsiProcess",
            "NotSpecified",
            _STRICT,
        )
    package = packages.describe(path)
    duration = package.duration_s if package and package.duration_s is not None else None
    with packages.execute() as is_free:
        if not is_free:
            return ERROR_ALREADY_RUNNING
        await context.sleep(context.machine.durations.msi_s if duration is None else duration)
        if is_present:
            return packages.install(path, bound.get("Arguments") or "")
        return packages.uninstall(product_id)
