"""TimeSource of ProvisionerDsc (class PROV_TimeSource): where the Windows Time service takes the time from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioner.lab.machine.ground.registry import Registry
from provisioner.lab.machine.ground.services import Service
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Type", allowed=("NTP", "NT5DS"), is_mandatory=True),
    Rule("Peers", "strings"),
)
_PARAMETERS: Final = r"SYSTEM\CurrentControlSet\Services\W32Time\Parameters"
_POLICY: Final = r"SOFTWARE\Policies\Microsoft\W32Time\Parameters"
_SERVICE: Final = "W32Time"
_PEER: Final = re.compile(r"[A-Za-z0-9.:_-]+(,0x[0-9A-Fa-f]+)?")


class TimeSource:
    """Stateless. A machine that nobody told a source has nothing in its registry."""

    class_name = "PROV_TimeSource"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bind("Get-TargetResource", _RULES[:2], properties)
        kind, peers = _source(context.machine.registry, _PARAMETERS)
        return {"IsSingleInstance": "Yes", "Type": kind, "Peers": peers}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = _bound("Test-TargetResource", properties, context)
        if not _is_wanted(bound, context):
            return False
        service = _service(context)
        return service.status == "Running" and service.start_mode == "Auto"

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the service first, since w32tm tells it of the change."""
        bound = _bound("Set-TargetResource", properties, context)
        machine = context.machine
        await context.sleep(machine.durations.other_s)
        if _service(context).start_mode != "Auto":
            machine.services.change(_SERVICE, start_mode="Auto")
        with calling("Microsoft.PowerShell.Commands.StartServiceCommand"):
            machine.services.start(_SERVICE)
        if _is_wanted(bound, context):
            return
        error = machine.ledger.failing.get("w32tm.exe")
        if error is not None:
            raise _failed(f"w32tm.exe ended with 1: {error.message}", "TimeConfigurationFailed")
        if is_same(bound["Type"], "NTP"):
            machine.registry.set(_PARAMETERS, "NtpServer", " ".join(map(_entry, bound["Peers"])))
        machine.registry.set(_PARAMETERS, "Type", bound["Type"].upper())


def _bound(function: str, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    """Bind, and refuse what does not go together or what a policy decides."""
    bound = bind(function, _RULES, properties)
    peers = bound["Peers"] = list(bound.get("Peers") or ())
    is_ntp = is_same(bound["Type"], "NTP")
    if is_ntp and not peers:
        raise resource_error(
            "The type NTP needs at least one server in Peers.", "PeersMissing", "InvalidArgument"
        )
    if peers and not is_ntp:
        raise resource_error(
            "The type NT5DS takes the time from the domain and uses no Peers.",
            "PeersNotUsed",
            "InvalidArgument",
        )
    for peer in peers:
        if not _PEER.fullmatch(peer):
            raise resource_error(
                f"'{peer}' is no name or address of a time server, with or without flags like ,0x8.",
                "PeerMalformed",
                "InvalidArgument",
            )
    kind, policy = _source(context.machine.registry, _POLICY)
    if (kind and not is_same(kind, bound["Type"])) or (is_ntp and policy and _set(policy) != _set(peers)):
        raise resource_error(
            f"A group policy sets the time source: type '{kind}', servers '{' '.join(policy)}'. "
            "Change the policy.",
            "TimePolicy",
            "PermissionDenied",
        )
    return bound


def _service(context: ResourceContext) -> Service:
    with calling("Get-Service"):
        context.machine.ledger.attempt("Get-Service")
    service = context.machine.services.find(_SERVICE)
    if service is None:
        raise ResourceError(
            f"Cannot find any service with service name '{_SERVICE}'.",
            "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand",
            "ObjectNotFound",
            "Microsoft.PowerShell.Commands.ServiceCommandException",
        )
    return service


def _is_wanted(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    kind, peers = _source(context.machine.registry, _PARAMETERS)
    if not is_same(kind, bound["Type"]):
        return False
    return is_same(kind, "NT5DS") or _set(peers) == _set(bound["Peers"])


def _source(registry: Registry, key: str) -> tuple[str, list[str]]:
    return str(registry.get(key, "Type") or ""), str(registry.get(key, "NtpServer") or "").split()


def _entry(peer: str) -> str:
    return peer if "," in peer else f"{peer},0x8"


def _set(peers: Iterable[str]) -> list[str]:
    return sorted(_entry(peer).casefold() for peer in peers)


def _failed(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidResult")
