"""Package, which comes with Windows, and xPackage of xPSDesiredStateConfiguration 9.2: .msi and .exe."""

from __future__ import annotations

import ntpath
import uuid
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.ground.packages import ERROR_ALREADY_RUNNING, REBOOT_INITIATED, REBOOT_REQUIRED
from provisioner.lab.machine.ground.registry import UNINSTALL, UNINSTALL_32
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same

_RULES = (
    Rule("Name", may_be_empty=False),
    Rule("Path", may_be_empty=False),
    Rule("ProductId"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Arguments"),
    Rule("Credential", "any"),
    Rule("ReturnCode", "any"),
    Rule("LogPath"),
    Rule("IgnoreReboot", "boolean"),
)
_UNINSTALL_NOT_FOUND = 1620


class Package:
    """Stateless. Found by product code, else by the exact display name in both lists of programs."""

    class_name = "MSFT_PackageResource"
    module = "PSDesiredStateConfiguration"
    #: Exit codes that mean success unless others are bound.
    good_codes: tuple[int, ...] = (0,)
    #: Whether 3010 and 1641 ask for a boot, and whether a boot that is due spares the last look.
    knows_reboot_codes = False

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        key = _find(bound, context)
        if key is None:
            return {"Name": bound["Name"], "ProductId": bound.get("ProductId"), "Ensure": "Absent"}
        value = context.machine.registry.get
        return {
            "Name": value(key, "DisplayName"),
            "ProductId": ntpath.basename(key),
            "Ensure": "Present",
            "Path": bound.get("Path"),
            "Size": (value(key, "EstimatedSize") or 0) / 1024,
            "Version": value(key, "DisplayVersion"),
            "Publisher": value(key, "Publisher"),
            "InstallSource": value(key, "InstallSource"),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: version and path of what is installed do not count."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        return (_find(bound, context) is not None) == is_present

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: looks first whether there is anything to do."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _check_path(str(bound["Path"]))
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        key = _find(bound, context)
        if (key is not None) == is_present:
            return
        if is_present:
            self._check_package(bound, context)
        code = await _run(bound, key, context)
        given = bound.get("ReturnCode")
        good = tuple(given) if isinstance(given, list | tuple) else (given,) if given else self.good_codes
        is_warned = self.knows_reboot_codes and not is_present and code == _UNINSTALL_NOT_FOUND
        if code not in good and not is_warned:
            raise invalid_operation(
                f"The return code {code} was not expected. Configuration is likely not correct"
            )
        machine = context.machine
        is_due = machine.needs_reboot or (
            self.knows_reboot_codes and code in {REBOOT_REQUIRED, REBOOT_INITIATED}
        )
        if is_due and not bound.get("IgnoreReboot"):
            context.reboot_requested = True
        if self.knows_reboot_codes and is_due:
            return
        if (_find(bound, context) is not None) != is_present:
            raise invalid_operation(
                f"Package from {bound['Path']} was run, and {bound['Name']} is not as wanted."
            )

    def _check_package(self, bound: Mapping[str, Any], context: ResourceContext) -> None:
        path = str(bound["Path"])
        if not context.machine.files.is_file(path):
            raise invalid_operation(f"The given Path ({path}) could not be found.")
        package = context.machine.packages.describe(path)
        wanted = _product_id(bound.get("ProductId"))
        is_msi = path.casefold().endswith(".msi")
        if not is_msi or package is None:
            return
        if (wanted and package.product_id != wanted) or not (wanted or is_same(package.name, bound["Name"])):
            raise self._mismatch(path, package.product_id)

    def _mismatch(self, path: str, found: str) -> ResourceError:
        return ResourceError(
            f"The specified Name and IdentifyingNumber do not match those of {path} ({found}).",
            "NameOrIdNotInMSI",
            "InvalidOperation",
            "System.ArgumentException",
        )


class XPackage(Package):
    """Knows the codes that mean a boot; any other is an error, but not that of a product nobody knows."""

    class_name = "DSC_xPackageResource"
    module = "xPSDesiredStateConfiguration"
    good_codes = (0, REBOOT_INITIATED, REBOOT_REQUIRED)
    knows_reboot_codes = True

    def _mismatch(self, path: str, found: str) -> ResourceError:
        return invalid_argument(
            f"The specified Name and IdentifyingNumber are not of {path} ({found}).", "ProductId"
        )


def _product_id(text: str | None) -> str:
    if not text:
        return ""
    try:
        return f"{{{str(uuid.UUID(text)).upper()}}}"
    except ValueError:
        raise invalid_argument(
            f"The specified IdentifyingNumber ({text}) is not a valid Guid", "ProductId"
        ) from None


def _check_path(path: str) -> None:
    if not path.casefold().endswith((".msi", ".exe")):
        raise invalid_argument(f"{path} does not appear to be an installer: neither .msi nor .exe.", "Path")


def _find(bound: Mapping[str, Any], context: ResourceContext) -> str | None:
    """Give the key of the product in the list of programs."""
    wanted = _product_id(bound.get("ProductId"))
    if wanted:
        return context.machine.packages.key_of(wanted)
    registry = context.machine.registry
    for root in (UNINSTALL, UNINSTALL_32):
        for name in registry.subkeys(root):
            key = f"{root}\\{name}"
            if is_same(registry.get(key, "DisplayName"), bound["Name"]):
                return key
    return None


async def _run(bound: Mapping[str, Any], key: str | None, context: ResourceContext) -> int:
    packages, path = context.machine.packages, str(bound["Path"])
    package = packages.describe(path)
    duration = package.duration_s if package and package.duration_s is not None else None
    with packages.execute() as is_free:
        if not is_free:
            return ERROR_ALREADY_RUNNING
        await context.sleep(context.machine.durations.msi_s if duration is None else duration)
        if key is None:
            return packages.install(path, bound.get("Arguments") or "")
        return packages.uninstall(ntpath.basename(key))
