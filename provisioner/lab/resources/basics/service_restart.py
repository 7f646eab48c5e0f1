"""ServiceRestart of ProvisionerDsc (class PROV_ServiceRestart): a service runs with its files as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.basics.service_control import existing
from provisioner.lab.resources.binding import Rule, bind, calling, resource_error

_RULES: Final = (
    Rule("ServiceName", may_be_empty=False, is_mandatory=True),
    Rule("Paths", "strings", is_mandatory=True),
)
_RESTART: Final = "Microsoft.PowerShell.Commands.RestartServiceCommand"


class ServiceRestart:
    """Stateless: times of files and of the service's process are all it looks at."""

    class_name = "PROV_ServiceRestart"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: the files that are newer."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {"ServiceName": bound["ServiceName"], "Paths": _newer(bound, context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: a service that is not there yet is a difference, one that does not run none."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return context.machine.services.find(bound["ServiceName"]) is not None and not _newer(bound, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: restart with force, then start what depended on it and ran."""
        bound = bind("Set-TargetResource", _RULES, properties)
        service = existing(bound["ServiceName"], context)
        if not _newer(bound, context):
            return
        services = context.machine.services
        await context.sleep(context.machine.durations.service_s)
        dependants = _running_dependants(service.name, context)
        with calling(_RESTART):
            services.stop(service.name, force=True)
            services.start(service.name)
            for name in dependants:
                services.start(name)
        newer = ", ".join(_newer(bound, context))
        if newer:
            raise resource_error(
                f"'{service.name}' was restarted, but its process is still older than {newer}: it shares the "
                "process with other services, so a restart cannot be told from none.",
                "ProcessOlder",
                "InvalidResult",
            )


def _running_dependants(name: str, context: ResourceContext) -> list[str]:
    """Give all that run and depend on a service, the nearest first."""
    found: list[str] = []
    for item in context.machine.services.dependants(name):
        if item.status == "Running":
            found += [item.name, *_running_dependants(item.name, context)]
    return list(dict.fromkeys(found))


def _newer(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    machine = context.machine
    service = machine.services.find(bound["ServiceName"])
    if service is None or service.status != "Running":
        return []
    started = datetime.fromisoformat(service.started) if service.started else machine.boot_time
    now = datetime.fromisoformat(machine.files.clock)
    newer = []
    for path in bound["Paths"]:
        entry = machine.files.find(path)
        if entry is None or entry.is_folder or not entry.written:
            continue
        changed = datetime.fromisoformat(entry.written)
        if changed > now:
            raise resource_error(
                f"The file '{path}' was changed at {_shown(changed)}, and the clock of the node says {_shown(now)}"
                ": whether the service has read it cannot be told. Set the clock, or write the file again.",
                "FileFromFuture",
                "InvalidData",
            )
        if changed > started:
            newer.append(path)
    return newer


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
