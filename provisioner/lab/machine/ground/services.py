"""Windows services: what is registered, what runs, and what starting and stopping drags along.

Services are frozen values that machines share until one changes. Names are compared without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from provisioner.lab.machine.area import Ledger, MachineError

Status = Literal["Running", "Stopped"]
StartMode = Literal["Auto", "Manual", "Disabled", "Boot", "System"]

_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"
#: What OpenStack's packages run programs as services by: a name, a program, the file this reads.
_WRAPPED = re.compile(
    r'"?([^"]*\\OpenStackService[^"\\]*\.exe)"? \S+ "?([^"]+?\.exe)"?(?: .*?--config-file "?([^"]+)"?.*)?',
    re.IGNORECASE,
)
_SVCHOST = r"C:\Windows\system32\svchost.exe -k "


@dataclass(frozen=True, slots=True)
class Service:
    """One service as the service control manager knows it.

    ``running_as`` is the account of the running process: it changes at start only. ``started`` is the ISO time of
    its start, empty since the boot. ``start_behaviour`` is
    ``ok``, ``slow`` (takes longer than usual), ``fail`` (the process ends at once) or ``hang`` (nothing happens);
    ``stop_behaviour`` is ``ok`` or ``hang``.
    """

    name: str
    display_name: str
    path: str
    start_mode: StartMode = "Manual"
    start_name: str = "LocalSystem"
    status: Status = "Stopped"
    dependencies: tuple[str, ...] = ()
    description: str | None = None
    desktop_interact: bool = False
    is_marked_for_delete: bool = False
    running_as: str | None = None
    started: str = ""
    start_behaviour: str = "ok"
    stop_behaviour: str = "ok"

    @property
    def label(self) -> str:
        """Name as error texts give it."""
        return f"{self.display_name} ({self.name})"

    @property
    def startup_type(self) -> str:
        """Value of ServiceController.StartType."""
        return "Automatic" if self.start_mode == "Auto" else self.start_mode


def _in_box(
    name: str, display: str, group: str, mode: StartMode, *needs: str, account: str = "LocalSystem"
) -> Service:
    running = mode == "Auto"
    return Service(
        name,
        display,
        group if "\\" in group else _SVCHOST + group,
        mode,
        account,
        "Running" if running else "Stopped",
        needs,
        running_as=account if running else None,
    )


_LOCAL = r"NT AUTHORITY\LocalService"
_NETWORK = r"NT AUTHORITY\NetworkService"

#: Part of what every Windows Server has; enough for roles and checks to meet real names and dependencies.
IN_BOX: tuple[Service, ...] = (
    _in_box(
        "BFE", "Base Filtering Engine", "LocalServiceNoNetworkFirewall -p", "Auto", "RpcSs", account=_LOCAL
    ),
    _in_box("BITS", "Background Intelligent Transfer Service", "netsvcs -p", "Manual", "RpcSs"),
    _in_box("CryptSvc", "Cryptographic Services", "NetworkService -p", "Auto", "RpcSs", account=_NETWORK),
    _in_box("DcomLaunch", "DCOM Server Process Launcher", "DcomLaunch -p", "Auto"),
    _in_box("Dhcp", "DHCP Client", "LocalServiceNetworkRestricted -p", "Auto", account=_LOCAL),
    _in_box("Dnscache", "DNS Client", "NetworkService -p", "Auto", account=_NETWORK),
    _in_box("EventLog", "Windows Event Log", "LocalServiceNetworkRestricted -p", "Auto", account=_LOCAL),
    _in_box("HvHost", "HV Host Service", "LocalSystemNetworkRestricted -p", "Manual"),
    _in_box("LanmanServer", "Server", "netsvcs -p", "Auto", "SamSS"),
    _in_box("LanmanWorkstation", "Workstation", "NetworkService -p", "Auto", account=_NETWORK),
    _in_box("MSiSCSI", "Microsoft iSCSI Initiator Service", "netsvcs -p", "Manual"),
    _in_box(
        "mpssvc",
        "Windows Defender Firewall",
        "LocalServiceNoNetworkFirewall -p",
        "Auto",
        "BFE",
        account=_LOCAL,
    ),
    _in_box("msiserver", "Windows Installer", r"C:\Windows\system32\msiexec.exe /V", "Manual", "RpcSs"),
    _in_box("Netlogon", "Netlogon", r"C:\Windows\system32\lsass.exe", "Manual", "LanmanWorkstation"),
    _in_box("nsi", "Network Store Interface Service", "LocalService -p", "Auto", "RpcSs", account=_LOCAL),
    _in_box("PlugPlay", "Plug and Play", "DcomLaunch -p", "Manual"),
    _in_box("Power", "Power", "DcomLaunch -p", "Auto"),
    _in_box("ProfSvc", "User Profile Service", "UserProfileService -p", "Auto", "RpcSs"),
    _in_box("RemoteRegistry", "Remote Registry", "localService -p", "Manual", "RpcSs", account=_LOCAL),
    _in_box("RpcEptMapper", "RPC Endpoint Mapper", "RPCSS -p", "Auto", account=_NETWORK),
    _in_box(
        "RpcSs",
        "Remote Procedure Call (RPC)",
        "rpcss -p",
        "Auto",
        "RpcEptMapper",
        "DcomLaunch",
        account=_NETWORK,
    ),
    _in_box("SamSS", "Security Accounts Manager", r"C:\Windows\system32\lsass.exe", "Auto", "RpcSs"),
    _in_box("Schedule", "Task Scheduler", "netsvcs -p", "Auto", "RpcSs"),
    _in_box("seclogon", "Secondary Logon", "netsvcs -p", "Manual"),
    _in_box("Spooler", "Print Spooler", r"C:\Windows\System32\spoolsv.exe", "Auto", "RpcSs"),
    _in_box("TermService", "Remote Desktop Services", "NetworkService", "Manual", "RpcSs", account=_NETWORK),
    _in_box("vds", "Virtual Disk", r"C:\Windows\System32\vds.exe", "Manual", "RpcSs"),
    _in_box("smphost", "Microsoft Storage Spaces SMP", "smphost", "Manual", "RpcSs", account=_NETWORK),
    *(
        _in_box(name, f"Hyper-V {display}", "LocalSystemNetworkRestricted -p", "Manual")
        for name, display in (
            ("vmicguestinterface", "Guest Service Interface"),
            ("vmicheartbeat", "Heartbeat Service"),
            ("vmickvpexchange", "Data Exchange Service"),
            ("vmicrdv", "Remote Desktop Virtualization Service"),
            ("vmicshutdown", "Guest Shutdown Service"),
            ("vmictimesync", "Time Synchronization Service"),
            ("vmicvmsession", "PowerShell Direct Service"),
            ("vmicvss", "Volume Shadow Copy Requestor"),
        )
    ),
    _in_box("VSS", "Volume Shadow Copy", r"C:\Windows\system32\vssvc.exe", "Manual", "RpcSs"),
    _in_box("W32Time", "Windows Time", "LocalService", "Auto", account=_LOCAL),
    _in_box("Winmgmt", "Windows Management Instrumentation", "netsvcs -p", "Auto", "RpcSs"),
    _in_box(
        "WinRM",
        "Windows Remote Management (WS-Management)",
        "NetworkService -p",
        "Auto",
        "RpcSs",
        account=_NETWORK,
    ),
    _in_box("wuauserv", "Windows Update", "netsvcs -p", "Manual", "RpcSs"),
)


#: By folded name, shared by all machines that begin with them.
_IN_BOX: Mapping[str, Service] = {service.name.casefold(): service for service in IN_BOX}


class Services:
    """The service control manager's database."""

    def __init__(self, ledger: Ledger, base: Iterable[Service] | None = None) -> None:
        self._ledger = ledger
        self._base = _IN_BOX if base is None else {service.name.casefold(): service for service in base}
        self._items = dict(self._base)
        #: ISO time of the machine, for processes that start; empty while it boots.
        self.clock = ""
        #: Whether there is a file of a path; asked of services that a wrapper runs.
        self.has_file: Callable[[str], bool] = lambda _path: True

    def __iter__(self) -> Iterator[Service]:
        return iter(sorted(self._items.values(), key=lambda service: service.name.casefold()))

    def attempt(self, cmdlet: str) -> None:
        """Raise the injected error of ``cmdlet``, if there is one."""
        self._ledger.attempt(cmdlet)

    def find(self, name: str) -> Service | None:
        """Look a service up by its name."""
        return self._items.get(name.casefold())

    def dependants(self, name: str) -> list[Service]:
        """Services that name this one among their dependencies, directly."""
        wanted = name.casefold()
        return [item for item in self if wanted in (needed.casefold() for needed in item.dependencies)]

    def add(self, service: Service) -> None:
        """Register a service (New-Service, an installer, a feature).

        Raises:
            MachineError: the name is taken.
        """
        self._ledger.attempt("New-Service")
        if self.find(service.name):
            raise MachineError(
                f"Service '{service.label}' cannot be created due to the following error: "
                "The specified service already exists",
                "CouldNotNewService",
                "PermissionDenied",
                _EXCEPTION,
            )
        self._store(service, "added")

    def change(self, name: str, **fields: Any) -> Service:
        """Change the registration of an existing service (Win32_Service.Change, Set-Service)."""
        changed = replace(self._items[name.casefold()], **fields)
        self._store(changed, "changed")
        return changed

    def delete(self, name: str) -> None:
        """Delete a service; a running one is only marked and goes when it stops."""
        service = self._items[name.casefold()]
        if service.status == "Running":
            self._store(replace(service, is_marked_for_delete=True), "marked for deletion")
            return
        del self._items[name.casefold()]
        self._ledger.changed("services", f"{service.name} deleted")

    def start(self, name: str) -> None:
        """Start a service and, before it, what it depends on. Running already: nothing happens.

        Raises:
            MachineError: CouldNotStartService (missing or failing dependency, disabled) or StartServiceFailed.
        """
        self._ledger.attempt("Start-Service")
        service = self._items[name.casefold()]
        if service.status == "Running":
            return
        reason = self._start(service, ())
        if reason:
            raise MachineError(
                f"Service '{service.label}' cannot be started due to the following error: "
                f"Cannot start service {service.name} on computer '.'. {reason}",
                "CouldNotStartService",
                "OpenError",
                _EXCEPTION,
            )

    def _start(self, service: Service, started_for: tuple[str, ...]) -> str:
        """Start and return why it could not be, in the words of the Win32 error; empty when it runs."""
        if service.start_mode == "Disabled" or service.is_marked_for_delete:
            return (
                "The service cannot be started, either because it is disabled or because it has no enabled "
                "devices associated with it. (1058)"
            )
        for needed in service.dependencies:
            other = self.find(needed)
            if other is None:
                return "The dependency service does not exist or has been marked for deletion. (1075)"
            if other.status == "Running":
                continue
            if other.name in started_for or self._start(other, (*started_for, service.name)):
                return "The dependency service or group failed to start. (1068)"
        if service.start_behaviour == "fail" or self._lacks_program(service.path):
            return "The service did not respond to the start or control request in a timely fashion. (1053)"
        if service.start_behaviour != "hang":
            running = replace(service, status="Running", running_as=service.start_name, started=self.clock)
            self._store(running, "started")
        return ""

    def _lacks_program(self, command_line: str) -> bool:
        """Whether a wrapper, the program it runs or the file this reads is missing."""
        wrapped = _WRAPPED.fullmatch(command_line)
        return wrapped is not None and not all(self.has_file(path) for path in wrapped.groups() if path)

    def stop(self, name: str, *, force: bool = False) -> None:
        """Stop a service; with ``force`` its running dependants first.

        Raises:
            MachineError: ServiceHasDependentServices when dependants run and ``force`` is not given.
        """
        self._ledger.attempt("Stop-Service")
        service = self._items[name.casefold()]
        if service.status == "Stopped":
            return
        running = [item for item in self.dependants(name) if item.status == "Running"]
        if running and not force:
            raise MachineError(
                f"Cannot stop service '{service.label}' because it has dependent services. "
                "It can only be stopped if the Force flag is set.",
                "ServiceHasDependentServices",
                "InvalidOperation",
                _EXCEPTION,
            )
        for item in running:
            self.stop(item.name, force=True)
        if service.stop_behaviour == "hang":
            return
        stopped = replace(self._items[name.casefold()], status="Stopped", running_as=None, started="")
        self._store(stopped, "stopped")
        if service.is_marked_for_delete:
            del self._items[name.casefold()]
            self._ledger.changed("services", f"{service.name} deleted")

    def on_boot(self) -> None:
        """Stop everything, forget what was marked for deletion, start what is automatic in dependency order."""
        for key, item in list(self._items.items()):
            if item.is_marked_for_delete:
                del self._items[key]
            elif item.status == "Running":
                self._items[key] = replace(item, status="Stopped", running_as=None, started="")
        clock, self.clock = self.clock, ""
        for item in list(self._items.values()):
            current = self.find(item.name)
            if current is not None and current.status == "Stopped" and current.start_mode == "Auto":
                self._start(current, ())
        self.clock = clock

    def _store(self, service: Service, what: str) -> None:
        self._items[service.name.casefold()] = service
        self._ledger.changed("services", f"{service.name} {what}")

    def to_plain(self) -> dict[str, Any]:
        """Give what differs from the base list."""
        changed = {key: asdict(item) for key, item in self._items.items() if self._base.get(key) != item}
        gone = sorted(self._base.keys() - self._items.keys())
        return {"changed": changed, "gone": gone} if changed or gone else {}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        for key in plain.get("gone", ()):
            self._items.pop(key, None)
        for key, fields in plain.get("changed", {}).items():
            self._items[key] = Service(**{**fields, "dependencies": tuple(fields["dependencies"])})
