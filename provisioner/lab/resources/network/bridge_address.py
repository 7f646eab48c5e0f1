"""BridgeAddress of ProvisionerDsc (class PROV_BridgeAddress): addresses go to a bridge, or back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.openvswitch.address_moves import (
    AddressMoves,
    Configuration,
    Move,
    extension_guard,
    own_guard,
)
from provisioner.lab.machine.openvswitch.bridges import OpenVSwitch
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("BridgeAdapter", is_mandatory=True, may_be_empty=False),
    Rule("SourceAdapter", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Addresses", "strings", may_be_empty=False),
    Rule("DefaultGateway", may_be_empty=False),
    Rule("DnsServers", "strings", may_be_empty=False),
    Rule("VMSwitchName", may_be_empty=False),
    Rule("ExtensionNames", "strings", may_be_empty=False),
    Rule(
        "TimeoutSeconds",
        "uint32",
        pattern="(?:[1-9][0-9]{1,2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)",
        refusal="The argument is outside of the allowed range of 10 to 3600.",
    ),
)
_SECONDS: Final = 180
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_HOST: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_ADDRESS: Final = re.compile(rf"{_HOST.pattern}/(?:[1-9]|[12][0-9]|3[0-2])")


class BridgeAddress:
    """Stateless: what is kept of a move is in the registry."""

    class_name = "PROV_BridgeAddress"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        moves = context.machine.area(AddressMoves)
        found, move = moves.of(bound["BridgeAdapter"]), moves.find(bound["BridgeAdapter"])
        return {
            "BridgeAdapter": bound["BridgeAdapter"],
            "SourceAdapter": move.source if move else bound["SourceAdapter"],
            "Ensure": "Present" if move and move.phase == "Confirmed" else "Absent",
            "Addresses": list(found.addresses),
            "DefaultGateway": found.gateway,
            "DnsServers": list(found.servers),
            **dict.fromkeys(("VMSwitchName", "ExtensionNames", "TimeoutSeconds")),
            "Phase": move.phase if move else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of its page."""
        bound = _bound("Test-TargetResource", properties)
        moves = context.machine.area(AddressMoves)
        move = moves.find(bound["BridgeAdapter"])
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return move is None
        if move is None or move.phase != "Confirmed" or moves.is_guarded(own_guard(bound["BridgeAdapter"])):
            return False
        if "VMSwitchName" in bound and moves.is_guarded(extension_guard(bound["VMSwitchName"])):
            return False
        is_there = moves.of(bound["BridgeAdapter"]).is_like(_wanted(bound, move))
        return is_there and not moves.of(bound["SourceAdapter"]).addresses

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: save, guard, move, listen; without an answer all goes back."""
        bound = _bound("Set-TargetResource", properties)
        bridge, machine = bound["BridgeAdapter"], context.machine
        moves = machine.area(AddressMoves)
        move = moves.find(bridge)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if move is not None:
                _restore(bridge, move, machine)
            return
        _check_adapters(bound, move, machine)
        move = replace(move or _first(bound, moves), phase="Moving")
        wanted = _wanted(bound, move)
        _demand_address(bound, wanted)
        moves.keep(bridge, move)
        others = [name for name in moves.saved() if not is_same(name, bridge) and "VMSwitchName" in bound]
        moves.guard(own_guard(bridge), "\n".join((bridge, *others)))
        if "VMSwitchName" in bound:
            moves.guard(extension_guard(bound["VMSwitchName"]), bound["VMSwitchName"])
        try:
            with calling("New-NetIPAddress"):
                moves.configure(move.source, Configuration())
                moves.configure(bridge, wanted)
            await _listen(bound, wanted, context)
        except ResourceError:
            for name in (bridge, *others):
                _restore(name, moves.find(name) or move, machine)
            if "VMSwitchName" in bound:
                moves.run_guard(extension_guard(bound["VMSwitchName"]))
            raise
        moves.keep(bridge, replace(move, phase="Confirmed"))
        if "VMSwitchName" in bound:
            moves.unguard(extension_guard(bound["VMSwitchName"]))
        moves.unguard(own_guard(bridge))


def _bound(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Bind, and refuse what is malformed or contradicts itself."""
    bound = bind(function, _RULES, properties)
    bridge, source = bound["BridgeAdapter"], bound["SourceAdapter"]
    switch = [bound["VMSwitchName"]] if "VMSwitchName" in bound else []
    for name in (bridge, source, *switch, *bound.get("ExtensionNames", ())):
        if '"' in name:
            raise _argument(
                f"The name '{name}' has a double quote, which no task of Windows could be told.",
                "NameMalformed",
            )
    if is_same(bridge, source):
        raise _argument(
            f"The addresses of '{bridge}' are there already: SourceAdapter is another adapter.",
            "AdapterTwice",
        )
    for address in bound.get("Addresses", ()):
        if not _ADDRESS.fullmatch(address):
            raise _argument(
                f"'{address}' is no IPv4 address with a prefix length, as in 192.0.2.10/24.",
                "AddressMalformed",
            )
    gateway = [bound["DefaultGateway"]] if "DefaultGateway" in bound else []
    for address in (*gateway, *bound.get("DnsServers", ())):
        if not _HOST.fullmatch(address):
            raise _argument(f"'{address}' is no IPv4 address.", "AddressMalformed")
    if ("VMSwitchName" in bound) != ("ExtensionNames" in bound):
        raise _argument(
            "VMSwitchName and ExtensionNames go together: what is disabled again, and where.",
            "SwitchIncomplete",
        )
    if ("DefaultGateway" in bound or "DnsServers" in bound) and "Addresses" not in bound:
        raise _argument(
            "DefaultGateway and DnsServers go with Addresses; without these, all is taken over from the adapter.",
            "AddressesMissing",
        )
    return bound


def _argument(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidArgument")


def _wanted(bound: Mapping[str, Any], move: Move) -> Configuration:
    if "Addresses" not in bound:
        return replace(move.before, dhcp=False)
    return Configuration(
        tuple(bound["Addresses"]), bound.get("DefaultGateway", ""), tuple(bound.get("DnsServers", ()))
    )


def _check_adapters(bound: Mapping[str, Any], move: Move | None, machine: Machine) -> None:
    for name in (bound["BridgeAdapter"], bound["SourceAdapter"]):
        found = machine.network.find(name)
        if found is None:
            others = ", ".join(f"'{item.name}'" for item in machine.network.adapters)
            raise resource_error(
                f"No network adapter is called '{name}'. There are: {others}",
                "AdapterNotFound",
                "ObjectNotFound",
            )
        if name == bound["BridgeAdapter"] and found.status != "Up":
            raise resource_error(
                f"The network adapter '{name}' is {found.status}: nobody would be heard over it.",
                "AdapterNotUp",
                "ResourceUnavailable",
            )
    if move is not None and not is_same(move.source, bound["SourceAdapter"]):
        raise resource_error(
            f"The addresses on '{bound['BridgeAdapter']}' came from '{move.source}', not from "
            f"'{bound['SourceAdapter']}'. Move them back first, with Ensure Absent.",
            "SourceChanged",
            "InvalidOperation",
        )


def _first(bound: Mapping[str, Any], moves: AddressMoves) -> Move:
    """What the source has, or the bridge where somebody moved it before."""
    source, bridge = bound["SourceAdapter"], bound["BridgeAdapter"]
    found = moves.of(source)
    if not found.addresses and "Addresses" not in bound:
        found = replace(moves.of(bridge), dhcp=False)
    return Move(source, found)


def _demand_address(bound: Mapping[str, Any], wanted: Configuration) -> None:
    if not wanted.addresses:
        raise resource_error(
            f"Neither '{bound['SourceAdapter']}' nor '{bound['BridgeAdapter']}' has an IPv4 address, and "
            "Addresses are not given.",
            "NoAddress",
            "InvalidOperation",
        )


async def _listen(bound: Mapping[str, Any], wanted: Configuration, context: ResourceContext) -> None:
    """Wait for somebody to be heard: the way out has to be whole, and the gateway there."""
    bridge, machine = bound["BridgeAdapter"], context.machine
    _cut(machine, wanted)
    await context.sleep(machine.durations.switch_s)
    is_heard = machine.area(OpenVSwitch).reaches_out(bridge) and wanted.gateway not in machine.unreachable
    if is_heard and machine.area(AddressMoves).of(bridge).is_like(wanted):
        return
    seconds = bound.get("TimeoutSeconds", _SECONDS)
    await context.sleep(float(seconds))
    hosts = ", ".join(address.partition("/")[0] for address in wanted.addresses)
    silence = "there is no default gateway, Windows has not found that nobody else has the addresses"
    if wanted.gateway:
        silence = f"the default gateway '{wanted.gateway}' does not answer"
    raise resource_error(
        f"Nobody was heard over '{bridge}' within {seconds} seconds: {silence}, and no connection to {hosts} was "
        "made. The addresses are back where they were.",
        "MoveNotConfirmed",
        "OperationTimeout",
    )


def _cut(machine: Machine, moved: Configuration) -> None:
    """The address the node is reached at is gone for a moment while it moves."""
    if any(address.partition("/")[0] == machine.address for address in moved.addresses):
        machine.on_network(machine.durations.switch_s)


def _restore(bridge: str, move: Move, machine: Machine) -> None:
    if machine.network.find(move.source) is None:
        others = ", ".join(item.name for item in machine.network.adapters)
        raise resource_error(
            f"No network adapter is called '{move.source}', where the addresses of '{bridge}' came from. There "
            f"are: {others}",
            "AdapterNotFound",
            "ObjectNotFound",
        )
    with calling("New-NetIPAddress"):
        machine.area(AddressMoves).restore(bridge, move)
    _cut(machine, move.before)
