"""WindowsProcess of PSDscResources 2.12 (MSFT_WindowsProcess) and of Windows itself (MSFT_ProcessResource)."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.basics.processes import Process, Processes
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same

_KEYS = (Rule("Path", may_be_empty=False), Rule("Arguments"), Rule("Credential", "any", may_be_empty=False))
_REDIRECTIONS = ("StandardOutputPath", "StandardErrorPath", "StandardInputPath", "WorkingDirectory")
_RULES = (
    *_KEYS,
    Rule("Ensure", allowed=("Present", "Absent")),
    *(Rule(name) for name in _REDIRECTIONS),
)


class WindowsProcess:
    """Stateless. A process is its path, its whole arguments and, with a credential, its user."""

    class_name = "MSFT_WindowsProcess"
    module = "PSDscResources"
    #: Simulated seconds that Set waits for the number of processes it wants.
    patience_s = 200.0

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        found = self._found(bound, context)
        answer = {"Path": bound["Path"], "Arguments": bound.get("Arguments"), "Ensure": "Absent"}
        if not found:
            return answer
        return {
            **answer,
            "Ensure": "Present",
            "ProcessId": found[0].pid,
            "ProcessCount": len(found),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return bool(self._found(bound, context)) == is_same(bound.get("Ensure", "Present"), "Present")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: waits for exactly one process, or for none."""
        bound = bind("Set-TargetResource", _RULES, properties)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        found = self._found(bound, context)
        processes = context.machine.area(Processes)
        if is_present:
            self._check_redirections(bound)
            if found:
                return
            processes.start(self._path(bound["Path"], context), bound.get("Arguments") or "", _user(bound))
        else:
            for process in found:
                processes.stop(process.pid)
        if len(self._found(bound, context)) != int(is_present):
            await context.sleep(self.patience_s)
            raise self._failure(is_present=is_present)

    def _found(self, bound: Mapping[str, Any], context: ResourceContext) -> list[Process]:
        path = self._path(bound["Path"], context)
        return [
            item
            for item in context.machine.area(Processes).running()
            if is_same(item.path, path)
            and is_same(item.arguments, bound.get("Arguments") or "")
            and ("Credential" not in bound or is_same(item.user, _user(bound)))
        ]

    def _path(self, path: str, context: ResourceContext) -> str:
        files = context.machine.files
        if ntpath.splitdrive(path)[0]:
            if not files.is_file(path) and not path.casefold().startswith("c:\\windows\\"):
                raise self._bad_path(f"The path {path} cannot be found.", "PathShouldExist")
            return path
        if "\\" in path:
            raise self._bad_path(f"The path {path} is not absolute.", "PathShouldBeAbsolute")
        name = path if ntpath.splitext(path)[1] else f"{path}.exe"
        for folder in (r"C:\Windows\System32", r"C:\Windows"):
            if files.is_file(ntpath.join(folder, name)) or name.casefold() in _IN_SYSTEM:
                return ntpath.join(folder, name)
        raise self._bad_path(f"The path {path} cannot be found.", "PathShouldExist")

    def _check_redirections(self, bound: Mapping[str, Any]) -> None:
        for name in _REDIRECTIONS:
            if name in bound and "Credential" in bound and name != "WorkingDirectory":
                raise self._bad_parameter(f"{name} must not be given with a credential.", name)
            if name in bound and not ntpath.splitdrive(bound[name])[0]:
                raise self._bad_path(f"The path {bound[name]} is not absolute.", "PathShouldBeAbsolute")

    def _bad_path(self, text: str, reason: str) -> ResourceError:
        del reason
        return invalid_argument(text, "Path")

    def _bad_parameter(self, text: str, name: str) -> ResourceError:
        return invalid_argument(text, name)

    def _failure(self, *, is_present: bool) -> ResourceError:
        verb = "start" if is_present else "stop"
        return invalid_operation(f"The process did not {verb} in time.")


#: Programs of Windows that a bare name finds.
_IN_SYSTEM = frozenset(
    {"cmd.exe", "notepad.exe", "ping.exe", "powershell.exe", "hostname.exe", "ipconfig.exe"}
)


class InBoxProcess(WindowsProcess):
    """The one that comes with Windows waits for two seconds and has other ids."""

    class_name = "MSFT_ProcessResource"
    module = "PSDesiredStateConfiguration"
    patience_s = 2.0

    def _bad_path(self, text: str, reason: str) -> ResourceError:
        return ResourceError(text, reason, "InvalidArgument", "System.ArgumentException")

    def _bad_parameter(self, text: str, name: str) -> ResourceError:
        del name
        return ResourceError(
            text, "ParameterShouldNotBeSpecified", "InvalidArgument", "System.ArgumentException"
        )

    def _failure(self, *, is_present: bool) -> ResourceError:
        verb = "Starting" if is_present else "ProcessesToStop"
        reason = "FailureWaitingForProcessesToStart" if is_present else "FailureWaitingForProcessesToStop"
        return ResourceError(
            f"{verb}: the number of processes is not what it should be.",
            reason,
            "InvalidOperation",
            "System.InvalidOperationException",
        )


def _user(bound: Mapping[str, Any]) -> str:
    credential = bound.get("Credential")
    return r"NT AUTHORITY\SYSTEM" if credential is None else str(credential["UserName"])
