"""HostGuardianClient of ProvisionerDsc (class PROV_HostGuardianClient): how a host proves itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.security.host_guardian import FEATURE, HostGuardian
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_URLS: Final = ("AttestationServerUrl", "KeyProtectionServerUrl")
_URL: Final = re.compile(r"https?://[^/\s]+(/\S*)?", re.IGNORECASE)
_RULES = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Mode", allowed=("HostGuardianService", "Local")),
    *(Rule(name) for name in _URLS),
)


class HostGuardianClient:
    """Stateless. Whether the host is believed is shown and not compared."""

    class_name = "PROV_HostGuardianClient"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        _demand_client(context)
        return {"IsSingleInstance": bound["IsSingleInstance"], **_configuration(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_local = _check_wish(bound)
        if not context.machine.features.is_installed(FEATURE):
            return is_local
        shown = _configuration(context)
        if is_same(shown["Mode"], "Local") is not is_local:
            return False
        return is_local or all(is_same(shown[name].rstrip("/"), bound[name].rstrip("/")) for name in _URLS)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        is_local = _check_wish(bound)
        _demand_client(context)
        await context.sleep(context.machine.durations.other_s)
        urls = ("", "") if is_local else tuple(bound[name] for name in _URLS)
        with calling("Set-HgsClientConfiguration"):
            context.machine.area(HostGuardian).turn_to(*urls)


def _check_wish(bound: Mapping[str, Any]) -> bool:
    """Tell whether local mode is wanted.

    Raises:
        ResourceError: an address is missing, too much, or none.
    """
    is_local = is_same(bound.get("Mode", "HostGuardianService"), "Local")
    for name in _URLS:
        url = bound.get(name, "")
        if is_local and url:
            raise resource_error(
                f"In local mode no service is asked: leave {name} out.",
                "UrlNotForLocalMode",
                "InvalidArgument",
            )
        if not is_local and not url:
            raise resource_error(f"{name} is needed, unless Mode is Local.", "UrlMissing", "InvalidArgument")
        if url and not _URL.fullmatch(url):
            raise resource_error(
                f"'{url}' is no address. Write it as http://hgs.example.com/Attestation.",
                "UrlMalformed",
                "InvalidArgument",
            )
    return is_local


def _configuration(context: ResourceContext) -> dict[str, Any]:
    with calling("Get-HgsClientConfiguration"):
        return context.machine.area(HostGuardian).configuration()


def _demand_client(context: ResourceContext) -> None:
    if not context.machine.features.is_installed(FEATURE):
        raise resource_error(
            "The PowerShell module HgsClient is missing. Install the feature HostGuardian, which the edition "
            "Datacenter has.",
            "GuardianClientMissing",
            "ObjectNotFound",
        )
