"""Windows Installer: what an .msi file brings, what is installed, and the one installation at a time.

Installed products are Uninstall keys of the registry, as on Windows; here lies only what removal needs.
"""

from __future__ import annotations

import hashlib
import ntpath
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from provisioner.lab.machine.area import Ledger
from provisioner.lab.machine.ground.files import Files, parent_of
from provisioner.lab.machine.ground.registry import UNINSTALL, UNINSTALL_32, Registry
from provisioner.lab.machine.ground.services import Service, Services, StartMode, Status
from provisioner.lab.spec import PackageSpec, ServiceSpec

SUCCESS = 0
ERROR_INSTALL_FAILURE = 1603
ERROR_UNKNOWN_PRODUCT = 1605
ERROR_ALREADY_RUNNING = 1618
ERROR_OPEN_FAILED = 1619
ERROR_PACKAGE_INVALID = 1620
ERROR_PRODUCT_VERSION = 1638
REBOOT_INITIATED = 1641
REBOOT_REQUIRED = 3010
_INSTALL_FOLDER = re.compile(r"""\bINSTALLDIR=(?:"([^"]+)"|(\S+))""", re.IGNORECASE)
_FEATURES = re.compile(r"""\bADDLOCAL=(?:"([^"]*)"|(\S+))""", re.IGNORECASE)
#: With this the OpenStack packages bring files and nothing else.
_FILES_ONLY = re.compile(r'\bSKIPNOVACONF="?1\b')
_WORKED = {SUCCESS, REBOOT_INITIATED, REBOOT_REQUIRED}


def digest_of(content: bytes) -> str:
    """Identify a package by what its file holds, so that copies are packages too."""
    return hashlib.sha256(content).hexdigest()


class Packages:
    """The Windows Installer service of one machine."""

    def __init__(
        self,
        ledger: Ledger,
        files: Files,
        services: Services,
        registry: Registry,
        known: Mapping[str, PackageSpec],
    ) -> None:
        self._ledger = ledger
        self._files = files
        self._services = services
        self._registry = registry
        self._known = known
        self._attempts: dict[str, int] = {}
        self._installed: dict[str, str] = {}
        self.is_busy = False
        #: How an installation ends that finds no room on its volume.
        self.code_without_room = ERROR_INSTALL_FAILURE

    @contextmanager
    def execute(self) -> Iterator[bool]:
        """Hold the installer's mutex; gives False when somebody else has it (exit code 1618)."""
        if self.is_busy:
            yield False
            return
        self.is_busy = True
        try:
            yield True
        finally:
            self.is_busy = False

    def describe(self, path: str) -> PackageSpec | None:
        """What the file at ``path`` is; None when it is missing or no installer package."""
        entry = self._files.find(path)
        if entry is None or entry.content is None:
            return None
        return self._known.get(digest_of(entry.content))

    def key_of(self, product_id: str) -> str | None:
        """Registry path of an installed product, 64-bit view first."""
        for root in (UNINSTALL, UNINSTALL_32):
            if self._registry.has_key(f"{root}\\{product_id}"):
                return f"{root}\\{product_id}"
        return None

    def related(self, upgrade_code: str) -> list[str]:
        """Give the installed products of a family in the order they came (``Installer.RelatedProducts``)."""
        return [
            product_id
            for product_id, digest in self._installed.items()
            if digest in self._known
            and self._known[digest].upgrade_code.casefold() == upgrade_code.casefold()
        ]

    def install(self, path: str, arguments: str = "") -> int:
        """Run ``msiexec /i`` and give its exit code. Nothing stays behind of a failed installation.

        Of the arguments INSTALLDIR has an effect, ADDLOCAL where files come with features, SKIPNOVACONF, and
        REINSTALL: without it another version of an installed product is refused.
        """
        package = self.describe(path)
        if package is None:
            return ERROR_PACKAGE_INVALID if self._files.is_file(path) else ERROR_OPEN_FAILED
        if self._is_other_version(package) and "REINSTALL=" not in arguments.upper():
            return ERROR_PRODUCT_VERSION
        code = self._next_code(package)
        if code not in _WORKED:
            return code
        left_out = _left_out(package, arguments)
        if left_out is None:
            return ERROR_INSTALL_FAILURE
        named = _INSTALL_FOLDER.search(arguments)
        folder = (
            (named[1] or named[2]) if named else package.install_folder or rf"C:\Program Files\{package.name}"
        )
        if ntpath.splitdrive(folder)[0].rstrip(":").upper() in self._files.full:
            return self.code_without_room
        self._files.make_folder(folder)
        self._bring(folder, [(path, text) for path, text in package.files if path not in left_out])
        for service in () if _FILES_ONLY.search(arguments) else package.services:
            if self._services.find(service.name) is None:
                self._services.add(service_of(service, folder))
        if package.pending_rename:
            self._registry.add_pending_rename(r"C:\Config.Msi\1.rbf")
        self._register(package, path, folder)
        self._ledger.changed("packages", f"{package.product_id} installed")
        return code

    def _bring(self, folder: str, files: Iterable[tuple[str, str]]) -> None:
        for relative, content in files:
            target = ntpath.join(folder, relative)
            if target.endswith("\\"):
                self._files.make_folder(target)
            else:
                self._files.make_folder(parent_of(target))
                self._files.write(target, content.encode())

    def uninstall(self, product_id: str) -> int:
        """Run ``msiexec /x`` and give its exit code."""
        key = self.key_of(product_id)
        if key is None:
            return ERROR_UNKNOWN_PRODUCT
        package = self._known.get(self._installed.get(product_id, ""))
        if package is not None:
            code = self._next_code(package)
            if code not in _WORKED:
                return code
            for service in package.services:
                if self._services.find(service.name):
                    self._services.stop(service.name, force=True)
                    self._services.delete(service.name)
            folder = str(self._registry.get(key, "InstallLocation") or "")
            for relative, _content in package.files:
                self._files.remove(ntpath.join(folder, relative))
        self._registry.delete_key(key)
        self._installed.pop(product_id, None)
        self._ledger.changed("packages", f"{product_id} removed")
        return SUCCESS

    def adopt(
        self, product_id: str, content_digest: str, values: Mapping[str, Any], *, is_32_bit: bool = False
    ) -> None:
        """Enter an installed product into the registry, with the package that removes it."""
        root = UNINSTALL_32 if is_32_bit else UNINSTALL
        for name, data in values.items():
            self._registry.set(f"{root}\\{product_id}", name, data)
        self._installed[product_id] = content_digest

    def _is_other_version(self, package: PackageSpec) -> bool:
        key = self.key_of(package.product_id)
        return key is not None and self._registry.get(key, "DisplayVersion") != package.version

    def _register(self, package: PackageSpec, path: str, folder: str) -> None:
        entry = self._files.find(path)
        content = entry.content if entry and entry.content is not None else b""
        old = self.key_of(package.product_id)
        if old:
            self._registry.delete_key(old)
        values = {
            "DisplayName": package.name,
            "DisplayVersion": package.version,
            "Publisher": package.publisher,
            "InstallDate": self._files.clock[:10].replace("-", ""),
            "InstallSource": parent_of(path).rstrip("\\") + "\\",
            "EstimatedSize": package.size_kb,
            "InstallLocation": folder,
            "Comments": package.comments,
        }
        self.adopt(package.product_id, digest_of(content), values)

    def _next_code(self, package: PackageSpec) -> int:
        attempt = self._attempts.get(package.product_id, 0)
        self._attempts[package.product_id] = attempt + 1
        return package.exit_codes[min(attempt, len(package.exit_codes) - 1)]

    def to_plain(self) -> dict[str, Any]:
        """Give attempts and what was installed from which package."""
        return (
            {"attempts": self._attempts, "installed": self._installed}
            if self._attempts or self._installed
            else {}
        )

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self._attempts = dict(plain.get("attempts", {}))
        self._installed = dict(plain.get("installed", {}))


def _left_out(package: PackageSpec, arguments: str) -> set[str] | None:
    """Give the files whose feature is not asked for; None when one is asked for that the package does not have.

    Names of features are compared with case, as the installer does.
    """
    named = _FEATURES.search(arguments)
    wanted = (named[1] or named[2] or "").split(",") if named else ["ALL"]
    if not package.features or "ALL" in wanted:
        return set()
    if not set(wanted) <= {feature for _path, feature in package.features}:
        return None
    return {path for path, feature in package.features if feature not in wanted}


def service_of(spec: ServiceSpec, folder: str = "C:\\Services") -> Service:
    """Make a service as a setup program in ``folder`` registers it."""
    return Service(
        spec.name,
        spec.display_name or spec.name,
        spec.path or f'"{folder}\\bin\\{spec.name}.exe"',
        cast("StartMode", spec.start_mode),
        spec.start_name,
        cast("Status", spec.status),
        spec.dependencies,
        running_as=spec.start_name if spec.status == "Running" else None,
        start_behaviour=spec.start_behaviour,
    )
