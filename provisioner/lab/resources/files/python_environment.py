"""PythonEnvironment of ProvisionerDsc (class PROV_PythonEnvironment): an environment from a folder of wheels.

No Python runs in the lab. An environment is the files one has; a wheel is a file whose name says what it is, and
whose text has the names of the programs it brings, one a line.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, resource_error

_RULES: Final = (
    Rule("Path", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Python"),
    Rule("Requirements", "strings"),
    Rule("Wheels"),
)
_PATH: Final = re.compile(r'[A-Za-z]:\\[^<>:"|?*/]*[^<>:"|?*/\\. ]')
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_HOME: Final = re.compile(r"(?m)^\s*home\s*=\s*(.*?)\\?\s*$")
_LIST: Final = "provisioner-requirements.txt"
_WHEEL: Final = re.compile(r"([^-]+)-([^-]+)(?:-[^-]+)?-[^-]+-[^-]+-[^-]+\.whl", re.IGNORECASE)
_DISTRIBUTION: Final = re.compile(r"(.+)-([^-]+)\.dist-info", re.IGNORECASE)
#: What every new environment has.
_FIRST: Final = ("pip==24.0", "setuptools==65.5.0")


class PythonEnvironment:
    """Stateless: what is installed is in the folders of site-packages."""

    class_name = "PROV_PythonEnvironment"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: what is installed."""
        path = bind("Get-TargetResource", _RULES[:1], properties)["Path"]
        _demand_path("Path", path)
        home = _home(path, context)
        return {
            "Path": path,
            "Ensure": "Absent" if home is None else "Present",
            "Python": f"{home}\\python.exe" if home else None,
            "Requirements": None if home is None else list(_installed(path, context)),
            "Wheels": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: made with this Python, and everything wanted is listed."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_path("Path", bound["Path"])
        home = _home(bound["Path"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return home is None
        python, wanted, _wheels = _demand_wanted(bound)
        if home is None or not is_same(home, _origin(python)):
            return False
        missing = _missing(bound["Path"], wanted, context)
        context.verbose(f"Missing in {bound['Path']}: {', '.join(missing)}.")
        return not missing and context.machine.files.is_file(ntpath.join(bound["Path"], _LIST))

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: made or made anew, then what is missing is installed."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, files = bound["Path"], context.machine.files
        _demand_path("Path", path)
        home = _home(path, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if home is not None:
                files.remove(path)
            return
        python, wanted, wheels = _demand_wanted(bound)
        if not files.is_file(python):
            raise _not_found(f"There is no Python {python}.", "PythonNotFound")
        if not files.is_folder(wheels):
            raise _not_found(f"There is no folder {wheels} with wheels.", "WheelsNotFound")
        if home is None and files.is_folder(path) and files.children(path):
            raise resource_error(
                f"The folder {path} has files, and is no environment of Python that could be cleared.",
                "FolderNotEmpty",
                "InvalidOperation",
            )
        await context.sleep(context.machine.durations.other_s)
        _forget(path, context)
        if home is None or not is_same(home, _origin(python)) or not _answers(path, context):
            _make(path, _origin(python), context)
        missing = _missing(path, wanted, context)
        if missing:
            for requirement in wanted:
                _install(path, requirement, wheels, context)
            missing = _missing(path, wanted, context)
        if missing:
            raise _failed(
                f"pip ended well, and {', '.join(missing)} is not installed as written: write versions as pip "
                "shows them.",
                "NotInstalled",
            )
        files.write(ntpath.join(path, _LIST), "".join(f"{each}\r\n" for each in wanted).encode())


def _forget(path: str, context: ResourceContext) -> None:
    """Remove the list of what was wanted, until that is there."""
    file = ntpath.join(path, _LIST)
    if context.machine.files.is_file(file):
        context.machine.files.remove(file)


def _origin(python: str) -> str:
    return ntpath.dirname(python).rstrip("\\")


def _home(path: str, context: ResourceContext) -> str | None:
    file = ntpath.join(path, "pyvenv.cfg")
    if not context.machine.files.is_file(file):
        return None
    found = _HOME.search(context.machine.files.read(file).decode("utf-8", "replace"))
    return found[1] if found else ""


def _answers(path: str, context: ResourceContext) -> bool:
    return context.machine.files.is_file(ntpath.join(path, r"Scripts\python.exe"))


def _make(path: str, home: str, context: ResourceContext) -> None:
    """Run ``python.exe -m venv --clear``."""
    files = context.machine.files
    if files.is_folder(path):
        files.remove(path)
    files.make_folder(ntpath.join(path, "Scripts"))
    files.write(ntpath.join(path, "pyvenv.cfg"), f"home = {home}\r\nversion = 3.11.9\r\n".encode())
    for program in ("python.exe", "pip.exe"):
        files.write(ntpath.join(path, "Scripts", program), b"program")
    for requirement in _FIRST:
        _register(path, requirement, context)


def _register(path: str, requirement: str, context: ResourceContext) -> None:
    name, _, version = requirement.partition("==")
    files = context.machine.files
    packages = ntpath.join(path, r"Lib\site-packages")
    for old in files.children(packages) if files.is_folder(packages) else ():
        found = _DISTRIBUTION.fullmatch(old.name)
        if found and _plain(found[1]) == _plain(name):
            files.remove(old.path)
    folder = ntpath.join(packages, f"{re.sub('[-.]+', '_', name)}-{version}.dist-info")
    files.make_folder(folder)
    files.write(ntpath.join(folder, "METADATA"), f"Name: {name}\r\nVersion: {version}\r\n".encode())


def _install(path: str, requirement: str, wheels: str, context: ResourceContext) -> None:
    """Run ``pip install`` for one requirement; pip itself finds all of them before it installs one."""
    files = context.machine.files
    name, _, version = requirement.partition("==")
    for entry in files.children(wheels):
        found = _WHEEL.fullmatch(entry.name)
        if found and (_plain(found[1]), found[2]) == (_plain(name), version):
            _register(path, requirement, context)
            for program in files.read(entry.path).decode("utf-8", "replace").split():
                files.write(ntpath.join(path, "Scripts", f"{program}.exe"), f"runs {requirement}".encode())
            return
    raise _failed(
        f"{ntpath.join(path, 'Scripts', 'python.exe')} ended with 1: ERROR: No matching distribution found for "
        f"{requirement}",
        "InstallationFailed",
    )


def _installed(path: str, context: ResourceContext) -> Iterator[str]:
    packages = ntpath.join(path, r"Lib\site-packages")
    if not _answers(path, context) or not context.machine.files.is_folder(packages):
        return
    for entry in context.machine.files.children(packages):
        found = _DISTRIBUTION.fullmatch(entry.name)
        if found:
            yield f"{found[1].replace('_', '-')}=={found[2]}"


def _missing(path: str, wanted: Sequence[str], context: ResourceContext) -> list[str]:
    there = {(_plain(name), version) for name, _, version in map(_parts, _installed(path, context))}
    return [each for each in wanted if (_plain(_parts(each)[0]), _parts(each)[2]) not in there]


def _parts(requirement: str) -> tuple[str, str, str]:
    return requirement.partition("==")


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).casefold()


def _demand_path(name: str, path: str) -> None:
    if not _PATH.fullmatch(path):
        raise resource_error(
            f"{name} is '{path}', which is no full path below a drive.", "PathMalformed", "InvalidArgument"
        )


def _demand_wanted(bound: Mapping[str, Any]) -> tuple[str, list[str], str]:
    python, wheels = bound.get("Python") or "", bound.get("Wheels") or ""
    _demand_path("Python", python)
    _demand_path("Wheels", wheels)
    wanted = list(bound.get("Requirements") or ())
    if not wanted:
        raise _malformed("The environment should be there, but Requirements is empty.")
    for requirement in wanted:
        if not _REQUIREMENT.fullmatch(requirement):
            raise _malformed(f"The requirement '{requirement}' is not name==version.")
    return python, wanted, wheels


def _malformed(message: str) -> ResourceError:
    return resource_error(message, "RequirementMalformed", "InvalidArgument")


def _not_found(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "ObjectNotFound")


def _failed(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidResult")
