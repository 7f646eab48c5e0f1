"""MsiPackage of PSDscResources 2.12 (class MSFT_MsiPackage)."""

from __future__ import annotations

import hashlib
import ntpath
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote, urlsplit

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.packages import ERROR_ALREADY_RUNNING, REBOOT_INITIATED, REBOOT_REQUIRED
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_argument,
    invalid_operation,
    is_same,
)
from provisioner.lab.spec import PackageSpec

_HASHES = ("SHA1", "SHA256", "SHA384", "SHA512", "MD5", "RIPEMD160")
_RULES = (
    Rule("ProductId", may_be_empty=False),
    Rule("Path", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Arguments"),
    Rule("Credential", "credential"),
    Rule("LogPath"),
    Rule("FileHash"),
    Rule("HashAlgorithm", allowed=_HASHES),
    Rule("SignerSubject"),
    Rule("SignerThumbprint"),
    Rule("ServerCertificateValidationCallback"),
    Rule("RunAsCredential", "credential"),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"ProductId", "Path"})
_DATE = re.compile(r"\d{8}")
_DIGITS = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
#: The forms of a GUID that .NET parses, but for the one of hexadecimal structures.
_GUID = re.compile(rf"[0-9A-Fa-f]{{32}}|{_DIGITS}|\{{{_DIGITS}\}}|\({_DIGITS}\)")
_ROOTED = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}")
_CMDLETS = "Microsoft.PowerShell.Commands."
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
        key = _key_of(product_id, context)
        if key is None:
            return {"ProductId": product_id, "Ensure": "Absent"}
        values = context.machine.registry
        size = values.get(key, "EstimatedSize")
        if size is None:
            # The module fills this variable only when the value is there, and reads it under strict mode.
            raise ResourceError(
                "The variable '$estimatedSize' cannot be retrieved because it has not been set.",
                "VariableIsUndefined,Get-ProductEntryInfo",
                "InvalidOperation",
                "System.Management.Automation.RuntimeException",
            )
        date = str(values.get(key, "InstallDate") or "")
        return {
            "ProductId": product_id,
            "Ensure": "Present",
            "Name": values.get(key, "DisplayName"),
            "InstallSource": values.get(key, "InstallSource"),
            "InstalledOn": _shown_date(date),
            "Size": float(size) / 1024,
            "Version": values.get(key, "DisplayVersion"),
            "PackageDescription": values.get(key, "Comments"),
            "Publisher": values.get(key, "Publisher"),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        return (_key_of(_product_id(bound["ProductId"]), context) is not None) == is_present

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: exit codes other than 3010 and 1641 are not looked at."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path = bound["Path"]
        _check_scheme(path)
        product_id = _product_id(bound["ProductId"])
        _check_extension(path)
        if "LogPath" in bound:
            _make_log(bound["LogPath"] or "", context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        machine = context.machine
        if is_present:
            bound["Path"] = _local(path, context)
            _check_file(bound["Path"], product_id, bound, context)
        code = await _run_msiexec(bound, context, is_present=is_present)
        if is_present and _is_on_share(bound["Path"]):
            _attempt("Remove-PSDrive", "RemovePSDriveCommand", context)
        if _is_download(path) and is_present:
            _attempt("Remove-Item", "RemoveItemCommand", context)
            machine.files.remove(bound["Path"])
        if code in {REBOOT_REQUIRED, REBOOT_INITIATED} or _waits_for_boot(context):
            context.verbose("The Machine requires a reboot.")
            context.reboot_requested = True
        elif is_present and _key_of(product_id, context) is None:
            raise invalid_operation(
                f"Package from {path} was installed, but the specified ProductId does not match package details"
            )


def _attempt(cmdlet: str, command: str, context: ResourceContext) -> None:
    """Let a scripted error of a cmdlet out: the module stops at every error."""
    with calling(_CMDLETS + command):
        context.machine.ledger.attempt(cmdlet)


def _key_of(product_id: str, context: ResourceContext) -> str | None:
    """Find the key of a product with a cmdlet whose errors are silenced."""
    is_readable = "Get-Item" not in context.machine.ledger.failing
    return context.machine.packages.key_of(product_id) if is_readable else None


def _waits_for_boot(context: ResourceContext) -> bool:
    """Whether renames or features wait; who cannot be asked waits for nothing."""
    machine, failing = context.machine, context.machine.ledger.failing
    has_renames = machine.registry.has_pending_renames and "Get-ItemProperty" not in failing
    return has_renames or (machine.features.needs_restart and "Invoke-CimMethod" not in failing)


def _product_id(text: str) -> str:
    if not _GUID.fullmatch(text.strip()):
        raise invalid_argument(f"The specified IdentifyingNumber ({text}) is not a valid GUID", "ProductId")
    return f"{{{str(uuid.UUID(text.strip().strip('{}()'))).upper()}}}"


def _shown_date(text: str) -> str | None:
    """Give a date as it is written in English; None for what is none."""
    try:
        date = datetime.strptime(text, "%Y%m%d") if _DATE.fullmatch(text) else None  # noqa: DTZ007 - a day
    except ValueError:
        return None
    return f"{date.month}/{date.day}/{date.year:04}" if date else None


def _is_download(path: str) -> bool:
    return urlsplit(path).scheme in {"http", "https"}


def _is_on_share(path: str) -> bool:
    return path.startswith(("\\\\", "//"))


def _check_scheme(path: str) -> None:
    if not _ROOTED.match(path) and urlsplit(path).scheme not in {"file", "http", "https"}:
        raise invalid_argument(
            f"The specified Path ({path}) is not in a valid format. Valid formats are local paths, UNC, HTTP, and "
            "HTTPS",
            "Path",
        )


def _check_extension(path: str) -> None:
    """Look at the name alone: what an address asks its server for is no part of it."""
    local = path if _ROOTED.match(path) else unquote(urlsplit(path).path)
    name = ntpath.basename(local.replace("/", "\\"))
    if not name.casefold().endswith(".msi"):
        raise invalid_argument(
            f"The specified Path ({name}) does not appear to specify an MSI file and as such is not supported",
            "Path",
        )


def _local(path: str, context: ResourceContext) -> str:
    """Give the path of the file: on a share, or that of a download in the cache of the provider."""
    address = urlsplit(path)
    if address.scheme == "file" and address.netloc:
        path = f"\\\\{address.netloc}{unquote(address.path)}".replace("/", "\\")
    if _is_on_share(path):
        _attempt("New-PSDrive", "NewPSDriveCommand", context)
    if not _is_download(path):
        return path
    _attempt("Test-Path", "TestPathCommand", context)
    if not context.machine.files.is_folder(_CACHE):
        _attempt("New-Item", "NewItemCommand", context)
        context.machine.files.make_folder(_CACHE)
    downloads = context.machine.downloads
    try:
        content = downloads[path]
    except KeyError:
        content = None
    if content is None:
        raise invalid_operation(
            f"The server of the given Path ({path}) could not be reached or has no such file."
        )
    target = ntpath.join(_CACHE, ntpath.basename(address.path))
    context.machine.files.write(target, content.encode())
    return target


def _make_log(log_path: str, context: ResourceContext) -> None:
    if not log_path:
        raise ResourceError(
            "Cannot bind argument to parameter 'LogPath' because it is an empty string.",
            "ParameterArgumentValidationErrorEmptyStringNotAllowed,Set-TargetResource",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    machine = context.machine
    try:
        machine.ledger.attempt("Test-Path")
        if machine.files.find(log_path):
            machine.ledger.attempt("Remove-Item")
            machine.files.remove(log_path)
        machine.ledger.attempt("New-Item")
        machine.files.write(log_path, b"")
    except MachineError as error:
        raise invalid_operation(f"The log file {log_path} could not be opened. {error.message}") from None


def _check_file(path: str, product_id: str, bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Refuse a file that is missing, has another hash or no signature, or is another product."""
    files = context.machine.files
    _attempt("Test-Path", "TestPathCommand", context)
    if not files.is_file(path):
        raise invalid_operation(f"The given Path ({path}) could not be found")
    wanted = bound.get("FileHash")
    if wanted:
        _attempt("Get-FileHash", "GetFileHash", context)
        algorithm = bound.get("HashAlgorithm", "SHA256")
        if not is_same(
            wanted, hashlib.new(algorithm.lower(), files.read(path), usedforsecurity=False).hexdigest()
        ):
            raise invalid_argument(
                f"File '{path}' does not match expected hash value '{wanted}' for hash algorithm {algorithm}.",
                "FileHash",
            )
    package = context.machine.packages.describe(path)
    if bound.get("SignerSubject") or bound.get("SignerThumbprint"):
        _attempt("Get-AuthenticodeSignature", "GetAuthenticodeSignatureCommand", context)
        _check_signature(path, package, bound)
    # A file that is no package has no code, which is another one.
    code = package.product_id if package else ""
    if not is_same(code, product_id):
        raise invalid_argument(
            f"The specified IdentifyingNumber ({product_id}) does not match the IdentifyingNumber "
            f"({code}) in the MSI file",
            "ProductId",
        )


def _check_signature(path: str, package: PackageSpec | None, bound: Mapping[str, Any]) -> None:
    subject, thumbprint = bound.get("SignerSubject"), bound.get("SignerThumbprint")
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
    if not is_present and _key_of(product_id, context) is None:
        raise ResourceError(
            "The property 'Name' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict,Start-MsiProcess",
            "NotSpecified",
            _STRICT,
        )
    try:
        context.machine.ledger.attempt("msiexec.exe")
    except MachineError as error:
        raise invalid_operation(f"Could not start the process for {path}. {error.message}") from None
    package = packages.describe(path)
    duration = package.duration_s if package and package.duration_s is not None else None
    with packages.execute() as is_free:
        if not is_free:
            return ERROR_ALREADY_RUNNING
        await context.sleep(context.machine.durations.msi_s if duration is None else duration)
        if is_present:
            return packages.install(path, bound.get("Arguments") or "")
        return packages.uninstall(product_id)
