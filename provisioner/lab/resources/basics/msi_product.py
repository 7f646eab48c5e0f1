"""MsiProduct of ProvisionerDsc (class PROV_MsiProduct): one product of an .msi file that is known to the byte."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.packages import (
    ERROR_ALREADY_RUNNING,
    ERROR_UNKNOWN_PRODUCT,
    REBOOT_INITIATED,
    REBOOT_REQUIRED,
    SUCCESS,
)
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, resource_error
from provisioner.lab.resources.files.pinned import demand_hash, fetch

_RULES: Final = (
    Rule("ProductCode", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Path"),
    Rule("Sha256"),
    Rule("Version"),
    Rule("UpgradeCode"),
    Rule("Properties", "strings"),
    Rule("LogFolder"),
)
_GUID: Final = re.compile(r"\{[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}")
_PATH: Final = re.compile(
    r'(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)[^?"]*\.msi(?:\?[^"]*)?', re.IGNORECASE
)
_PROPERTY: Final = re.compile(r'[A-Z_][A-Z0-9_.]*=[^"\r\n]*')
_DATA: Final = r"C:\Program Files\provisioner"
_ATTEMPTS: Final = 40
_BETWEEN_S: Final = 15.0
_RESTART: Final = (REBOOT_INITIATED, REBOOT_REQUIRED)


class MsiProduct:
    """Stateless. What an .msi file is, the machine's installer knows by its content."""

    class_name = "PROV_MsiProduct"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: whether the product is listed, and in which version."""
        code = bind("Get-TargetResource", _RULES[:1], properties)["ProductCode"]
        _demand_guid("ProductCode", code)
        version = _version(code, context)
        unknown = dict.fromkeys(("Path", "Sha256", "UpgradeCode", "Properties", "LogFolder"))
        is_there = version is not None
        return {
            "ProductCode": code,
            "Ensure": "Present" if is_there else "Absent",
            "Version": version,
            **unknown,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: listed, of this version, alone of its family."""
        bound = bind("Test-TargetResource", _RULES, properties)
        others = _others(bound, context)
        version = _version(bound["ProductCode"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return version is None and not others
        if version is None:
            return False
        if "Version" in bound and _plain(version) != _plain(bound["Version"] or ""):
            return False
        return not others

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: others of the family go, then the product comes, or goes too."""
        bound = bind("Set-TargetResource", _RULES, properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        code = bound["ProductCode"]
        _demand_guid("ProductCode", code)
        if "UpgradeCode" in bound:
            _demand_guid("UpgradeCode", bound["UpgradeCode"] or "")
        if is_present:
            _demand_package(bound.get("Path") or "", bound.get("Sha256") or "")
            _demand_properties(bound.get("Properties") or ())
        folder = bound.get("LogFolder") or ntpath.join(_DATA, "logs")
        context.machine.files.make_folder(folder)
        others = _others(bound, context)
        if is_present:
            codes = await _install(bound, others, context)
        else:
            codes = [await _remove(each, context) for each in [*others, code]]
        needs_restart = any(each in _RESTART for each in codes)
        if is_present and not needs_restart and _version(code, context) is None:
            raise _failed(
                f"{bound['Path']} was installed, and Windows does not list {code}: the file holds another "
                "product.",
                "ProductNotListed",
            )
        if needs_restart:
            context.verbose("The node has to be restarted.")
            context.reboot_requested = True


async def _install(bound: Mapping[str, Any], others: Sequence[str], context: ResourceContext) -> list[int]:
    path, code = bound["Path"], bound["ProductCode"]
    files = context.machine.files
    is_copy = not re.match(r"[A-Za-z]:\\", path)
    file = ntpath.join(_DATA, "installers", f"{code}.msi") if is_copy else path
    if is_copy:
        fetch(path, file, context)
    try:
        demand_hash(file, bound["Sha256"], context)
        codes = [await _remove(each, context) for each in others]
        arguments = " ".join(_quoted(entry) for entry in bound.get("Properties") or ())
        if _version(code, context) is not None:
            arguments = f"REINSTALL=ALL REINSTALLMODE=vomus {arguments}"
        names = ", ".join(entry.partition("=")[0] for entry in bound.get("Properties") or ())
        context.verbose(f"Installing {file} with the properties {names}.")

        def install() -> int:
            return context.machine.packages.install(file, arguments)

        return [*codes, await _run(code, install, context)]
    finally:
        if is_copy:
            files.remove(file)


async def _remove(code: str, context: ResourceContext) -> int:
    packages = context.machine.packages
    if packages.key_of(code) is None:
        return SUCCESS
    context.verbose(f"Removing {code}.")
    return await _run(code, lambda: packages.uninstall(code), context, accepted=(ERROR_UNKNOWN_PRODUCT,))


async def _run(
    code: str, act: Callable[[], int], context: ResourceContext, accepted: tuple[int, ...] = ()
) -> int:
    """Run msiexec.exe until no other installation is in its way."""
    packages = context.machine.packages
    ended = ERROR_ALREADY_RUNNING
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            context.machine.ledger.attempt("msiexec.exe")
        except MachineError as error:
            raise _failed(error.message, "InvalidOperation") from None
        with packages.execute() as is_free:
            if is_free:
                await context.sleep(context.machine.durations.msi_s)
                ended = act()
        if ended != ERROR_ALREADY_RUNNING:
            break
        context.verbose(f"Another installation is running. Attempt {attempt} of {_ATTEMPTS}.")
        if attempt < _ATTEMPTS:
            await context.sleep(_BETWEEN_S)
            ended = ERROR_ALREADY_RUNNING
    if ended == ERROR_ALREADY_RUNNING:
        raise resource_error(
            f"Another installation was still running after {_ATTEMPTS} attempts, {_BETWEEN_S:g} seconds apart "
            f"(exit code {ended}).",
            "InstallerBusy",
            "ResourceBusy",
        )
    if ended not in {SUCCESS, *_RESTART, *accepted}:
        raise _failed(f"msiexec.exe ended with {ended} for {code}.", "InstallationFailed")
    return ended


def _others(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    _demand_guid("ProductCode", bound["ProductCode"])
    if "UpgradeCode" not in bound:
        return []
    _demand_guid("UpgradeCode", bound["UpgradeCode"] or "")
    related = context.machine.packages.related(bound["UpgradeCode"])
    return [code for code in related if not is_same(code, bound["ProductCode"])]


def _version(code: str, context: ResourceContext) -> str | None:
    """Give what Windows shows as the version of a product; None when it is not installed."""
    machine = context.machine
    key = machine.packages.key_of(code)
    return None if key is None else str(machine.registry.get(key, "DisplayVersion") or "")


def _plain(version: str) -> str:
    return re.sub(r"(?:\.0+)+\Z", "", version)


def _quoted(entry: str) -> str:
    name, _, value = entry.partition("=")
    return f'{name}="{value}"'


def _demand_guid(name: str, value: str) -> None:
    if not _GUID.fullmatch(value):
        raise resource_error(
            f"{name} is '{value}', which is not a GUID in braces.", "ProductCodeMalformed", "InvalidArgument"
        )


def _demand_package(path: str, sha256: str) -> None:
    if not path or not sha256:
        raise resource_error(
            "The product should be installed, but Path or Sha256 is not given.",
            "PathMissing",
            "InvalidArgument",
        )
    if not _PATH.fullmatch(path):
        raise resource_error(
            f"'{path}' is not the full path, share or address of an .msi file.",
            "PathMalformed",
            "InvalidArgument",
        )
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", sha256):
        raise resource_error(
            f"Sha256 is '{sha256}', which is not 64 hexadecimal digits.", "HashMalformed", "InvalidArgument"
        )


def _demand_properties(entries: Sequence[str]) -> None:
    for entry in entries:
        if not _PROPERTY.fullmatch(entry):
            name = entry.partition("=")[0]
            raise resource_error(
                f"The property '{name}' is not NAME=value, in capitals and without double quotes.",
                "PropertyMalformed",
                "InvalidArgument",
            )


def _failed(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidResult")
