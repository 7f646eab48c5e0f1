"""OvsBridge of ProvisionerDsc (class PROV_OvsBridge): one bridge of Open vSwitch, its uplink, VLAN and adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.openvswitch.bridges import PATCH, OpenVSwitch
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_VLAN: Final = "(?:0*[0-9]{1,3}|0*[1-3][0-9]{3}|0*40[0-8][0-9]|0*409[0-4])"
_DATABASE: Final = "tcp:127.0.0.1:6640"
_SECONDS: Final = 30
_RULES: Final = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("ToolPath", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("AdapterName", may_be_empty=False),
    Rule(
        "VlanId",
        "uint32",
        pattern=_VLAN,
        refusal="The argument is greater than the maximum allowed range of 4094.",
    ),
    Rule("Database", may_be_empty=False),
    Rule(
        "TimeoutSeconds",
        "uint32",
        pattern="(?:[1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)",
        refusal="The argument is outside of the allowed range of 1 to 600.",
    ),
)


class OvsBridge:
    """Stateless. No step removes a port of somebody else."""

    class_name = "PROV_OvsBridge"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = _checked(bind("Get-TargetResource", (*_RULES[:2], *_RULES[5:]), properties))
        nothing = {
            **dict.fromkeys(("AdapterName", "VlanId", "Ports", "AdapterStatus")),
            "Name": bound["Name"],
            "ToolPath": bound["ToolPath"],
            "Ensure": "Absent",
            "Database": bound.get("Database", _DATABASE),
            "TimeoutSeconds": bound.get("TimeoutSeconds", _SECONDS),
        }
        ovs = context.machine.area(OpenVSwitch)
        if not _is_ready(bound, context):
            return nothing
        _ask(bound, context)
        bridge = ovs.bridges.get(bound["Name"])
        if bridge is None:
            return nothing
        uplinks = [port for port in bridge.ports if _adapter(port, context)]
        own = _adapter(bound["Name"], context)
        return nothing | {
            "Ensure": "Present",
            "Ports": list(bridge.ports),
            "VlanId": bridge.tag,
            "AdapterName": uplinks[0] if uplinks else None,
            "AdapterStatus": own.status if own else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of its page."""
        bound = _checked(bind("Test-TargetResource", _RULES, properties))
        is_absent = is_same(bound.get("Ensure", "Present"), "Absent")
        ovs = context.machine.area(OpenVSwitch)
        if not _is_ready(bound, context):
            return is_absent and not ovs.tool_at(bound["ToolPath"])
        _ask(bound, context)
        bridge = ovs.bridges.get(bound["Name"])
        if bridge is None or is_absent:
            return bridge is None and is_absent
        uplink = bound.get("AdapterName")
        if uplink is not None and (uplink not in bridge.ports or _adapter(uplink, context) is None):
            return False
        own = _adapter(bound["Name"], context)
        return bound.get("VlanId", bridge.tag) == bridge.tag and own is not None and own.status != "Disabled"

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all checks, then bridge, port, tag, adapter."""
        bound = _checked(bind("Set-TargetResource", _RULES, properties))
        name, ovs = bound["Name"], context.machine.area(OpenVSwitch)
        _demand_ready(bound, context)
        await context.sleep(context.machine.durations.other_s)
        _ask(bound, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            _remove(bound, context)
            return
        uplink = bound.get("AdapterName")
        if uplink is not None:
            _check_uplink(name, uplink, context)
        ovs.add_bridge(name)
        if uplink is not None:
            ovs.add_port(name, uplink)
        if "VlanId" in bound and ovs.bridges[name].tag != bound["VlanId"]:
            ovs.tag(name, bound["VlanId"])
        await _enable(name, bound.get("TimeoutSeconds", _SECONDS), context)


def _checked(bound: dict[str, Any]) -> dict[str, Any]:
    for name in (bound["Name"], bound.get("AdapterName", ""), bound.get("Database", "")):
        if '"' in name or name.startswith("-") or name.endswith("\\"):
            raise resource_error(
                f"'{name}' has a double quote, begins with a hyphen or ends with a backslash, and ovs-vsctl.exe "
                "would take it for something else.",
                "NameMalformed",
                "InvalidArgument",
            )
    return bound


def _adapter(name: str, context: ResourceContext) -> Adapter | None:
    return context.machine.network.find(name)


def _is_ready(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    ovs = context.machine.area(OpenVSwitch)
    return ovs.tool_at(bound["ToolPath"]) and not ovs.stopped()


def _demand_ready(bound: Mapping[str, Any], context: ResourceContext) -> None:
    ovs, name = context.machine.area(OpenVSwitch), bound["Name"]
    if not ovs.tool_at(bound["ToolPath"]):
        raise resource_error(
            f"There is no file '{bound['ToolPath']}', so nobody can ask for the bridge '{name}'.",
            "ToolNotFound",
            "ObjectNotFound",
        )
    if ovs.stopped():
        raise resource_error(
            f"The service '{ovs.stopped()}' does not run, and ovs-vsctl.exe would wait for it for ever. The "
            f"bridge '{name}' is left as it is.",
            "ServiceNotRunning",
            "ResourceUnavailable",
        )


def _ask(bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Fail as the tool does where its failure was injected: with a text that has 'hang' in it, it hangs."""
    error = context.machine.ledger.failing.get("ovs-vsctl.exe")
    if error is None:
        return
    seconds = bound.get("TimeoutSeconds", _SECONDS)
    if "hang" in error.message:
        raise resource_error(
            f"'ovs-vsctl.exe list-br' did not end within {seconds} seconds, and was ended. It waits for "
            "ovs-vswitchd: look at the log of that service.",
            "ToolHangs",
            "OperationTimeout",
        )
    raise resource_error(
        f"'ovs-vsctl.exe list-br' ended with 1: {error.message}", "ToolFailed", "InvalidResult"
    )


def _check_uplink(bridge: str, uplink: str, context: ResourceContext) -> None:
    if _adapter(uplink, context) is None:
        others = ", ".join(f"'{item.name}'" for item in context.machine.network.adapters)
        raise resource_error(
            f"No network adapter is called '{uplink}', and Open vSwitch knows adapters by their names alone. "
            f"There are: {others}",
            "AdapterNotFound",
            "ObjectNotFound",
        )
    other = context.machine.area(OpenVSwitch).bridge_of(uplink)
    if other not in (None, bridge):
        raise resource_error(
            f"The adapter '{uplink}' is a port of the bridge '{other}', so the bridge '{bridge}' cannot have it. "
            "No port is removed here.",
            "AdapterElsewhere",
            "ResourceBusy",
        )


def _remove(bound: Mapping[str, Any], context: ResourceContext) -> None:
    ovs, name = context.machine.area(OpenVSwitch), bound["Name"]
    bridge = ovs.bridges.get(name)
    ports = bridge.ports if bridge else {}
    others = [
        f"'{port}'" for port, kind in ports.items() if port != bound.get("AdapterName") and kind != PATCH
    ]
    if others:
        raise resource_error(
            f"The bridge '{name}' has ports that nobody asked to be removed: {', '.join(others)}.",
            "BridgeInUse",
            "ResourceBusy",
        )
    ovs.remove_bridge(name)


async def _enable(name: str, seconds: int, context: ResourceContext) -> None:
    own = _adapter(name, context)
    if own is None:
        await context.sleep(float(seconds))
        raise resource_error(
            f"The bridge '{name}' is in the database, but Windows shows no network adapter of that name: the "
            "extension of Open vSwitch is enabled on no virtual switch, or ovs-vswitchd has to be restarted.",
            "BridgeWithoutAdapter",
            "InvalidResult",
        )
    if own.status == "Disabled":
        with calling("Enable-NetAdapter"):
            context.machine.ledger.attempt("Enable-NetAdapter")
            context.machine.network.change(own.name, status="Up")
