"""xVMHost of xHyper-V 3.18 (class MSFT_xVMHost)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same, spelled, thrown
from provisioner.lab.resources.calls import written

_INTERVAL: Final = "ResourceMeteringSaveInterval"
_MIGRATION: Final = "VirtualMachineMigrationEnabled"
_RULES = (
    Rule("IsSingleInstance", is_mandatory=True, allowed=("Yes",)),
    Rule("EnableEnhancedSessionMode", "boolean"),
    Rule("FibreChannelWwnn"),
    Rule("FibreChannelWwpnMaximum"),
    Rule("FibreChannelWwpnMinimum"),
    Rule("MacAddressMaximum"),
    Rule("MacAddressMinimum"),
    Rule("MaximumStorageMigrations", "uint32"),
    Rule("MaximumVirtualMachineMigrations", "uint32"),
    Rule("NumaSpanningEnabled", "boolean"),
    Rule(f"{_INTERVAL}Minute", "uint32"),
    Rule("UseAnyNetworkForMigration", "boolean"),
    Rule("VirtualHardDiskPath"),
    Rule("VirtualMachineMigrationAuthenticationType", allowed=("Kerberos", "CredSSP")),
    Rule("VirtualMachineMigrationPerformanceOption", allowed=("TCPIP", "Compression", "SMB")),
    Rule("VirtualMachinePath"),
    Rule(_MIGRATION, "boolean"),
)
_CMDLETS = "Microsoft.HyperV.PowerShell.Commands."
_MINUTE_S = 60


class VMHost:
    """Stateless. Texts are compared without regard to case and are otherwise only texts: paths too."""

    class_name = "MSFT_xVMHost"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        return {"IsSingleInstance": bound["IsSingleInstance"], **_settings(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: each bound property against the setting of its name."""
        bound = bind("Test-TargetResource", _RULES, properties)
        settings = _settings(context)
        return all(is_same(value, settings.get(name, value)) for name, value in bound.items())

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all that is bound is written, equal or not."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _demand_module(context)
        await context.sleep(context.machine.durations.other_s)
        host = context.machine.area(VirtualizationHost)
        wanted = {name: value for name, value in bound.items() if name != "IsSingleInstance"}
        minutes = wanted.pop(f"{_INTERVAL}Minute", None)
        if minutes is not None:
            wanted[_INTERVAL] = minutes * _MINUTE_S
        enabled = wanted.pop(_MIGRATION, None)
        if enabled and not _is_member(context):
            enabled = None
        if enabled is not None:
            command = _CMDLETS + ("EnableVMMigration" if enabled else "DisableVMMigration")
            written(context, command, partial(host.migrate, enabled=enabled))
        if wanted:
            written(context, _CMDLETS + "SetVMHost", partial(host.change, wanted))


def _is_member(context: ResourceContext) -> bool:
    """Whether live migration may be enabled; without an answer nothing is done about it.

    Raises:
        ResourceError: the machine is in a workgroup.
    """
    is_member = bool(context.machine.area(Identity).domain)
    try:
        context.machine.ledger.attempt("Get-CimInstance")
    except MachineError as error:
        context.nonterminating.append(thrown(error, "Get-CimInstance"))
        if error.is_terminating:
            return False
        is_member = False
    if not is_member:
        raise invalid_operation(
            "Live migrations can be enabled only on computers that are joined to a domain."
        )
    return True


def _settings(context: ResourceContext) -> dict[str, Any]:
    _demand_module(context)
    try:
        settings = context.machine.area(VirtualizationHost).settings()
    except MachineError as error:
        context.nonterminating += [
            thrown(error, _CMDLETS + "GetVMHost"),
            ResourceError(
                "Cannot process argument transformation on parameter 'TimeSpan'. Cannot convert null to type "
                '"System.TimeSpan".',
                "ParameterArgumentTransformationError,ConvertFrom-TimeSpan",
                "InvalidData",
                "System.Management.Automation.ParameterBindingArgumentTransformationException",
            ),
        ]
        return dict.fromkeys(rule.name for rule in _RULES[1:])
    # As PowerShell converts: half a minute goes to the even one.
    minutes = round(settings.pop(_INTERVAL) / _MINUTE_S)
    for rule in _RULES[1:]:
        if rule.allowed:
            # Enumerations come back as they are spelled, however they were written.
            settings[rule.name] = spelled(settings[rule.name], rule.allowed)
    return {**settings, f"{_INTERVAL}Minute": minutes}


def _demand_module(context: ResourceContext) -> None:
    if not context.machine.hyperv.has_module:
        raise ResourceError(
            "System.Exception: Please ensure that the PowerShell module 'Hyper-V' is installed. (DRC0009)",
            "MachineStateIncorrect",
            "ObjectNotFound",
            "System.Exception",
        )
