"""NetAdapterName of NetworkingDsc 9 (class DSC_NetAdapterName)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network import Adapter
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same, thrown

_RULES = (
    Rule("NewName", may_be_empty=False, is_mandatory=True),
    Rule("Name", may_be_empty=False),
    Rule("PhysicalMediaType", may_be_empty=False),
    Rule("Status", allowed=("Up", "Disconnected", "Disabled")),
    Rule("MacAddress", may_be_empty=False),
    Rule("InterfaceDescription", may_be_empty=False),
    Rule("InterfaceIndex", "uint32"),
    Rule("InterfaceGuid", may_be_empty=False),
    Rule("DriverDescription", may_be_empty=False),
    Rule("InterfaceNumber", "uint32"),
    Rule("IgnoreMultipleMatchingAdapters", "boolean"),
)


class NetAdapterName:
    """Stateless; an adapter of the new name counts, whatever else is asked of it."""

    class_name = "DSC_NetAdapterName"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        network = context.machine.network
        adapter = network.find(bound["NewName"]) or _find(bound, context)
        shown = {
            "Name": adapter.name if adapter else None,
            "PhysicalMediaType": adapter.media if adapter else None,
            "Status": adapter.status if adapter else None,
            "MacAddress": adapter.mac if adapter else None,
            "InterfaceDescription": adapter.description if adapter else None,
            "InterfaceIndex": network.index_of(adapter) if adapter else None,
            "InterfaceGuid": adapter.guid if adapter else None,
        }
        return {
            **shown,
            # The published module asks for a property that adapters do not have.
            "DriverDescription": None,
            "InterfaceNumber": bound.get("InterfaceNumber", 1),
            "IgnoreMultipleMatchingAdapters": bound.get("IgnoreMultipleMatchingAdapters", False),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; false only when the one adapter to be renamed was found."""
        bound = bind("Test-TargetResource", _RULES, properties)
        if context.machine.network.find(bound["NewName"]):
            return True
        _find(bound, context)
        return False

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an error of the renaming is written, not thrown."""
        bound = bind("Set-TargetResource", _RULES, properties)
        adapter = _find(bound, context)
        if adapter is None:
            return
        await context.sleep(context.machine.durations.other_s)
        try:
            context.machine.network.rename(adapter.name, bound["NewName"])
        except MachineError as error:
            context.nonterminating.append(thrown(error, "Rename-NetAdapter"))


def _find(bound: Mapping[str, Any], context: ResourceContext) -> Adapter | None:
    """Find the adapter that all given filters fit; with a number beyond the only one, there is none."""
    network = context.machine.network
    readers: dict[str, Callable[[Adapter], Any]] = {
        "Name": lambda item: item.name,
        "PhysicalMediaType": lambda item: item.media,
        "Status": lambda item: item.status,
        "MacAddress": lambda item: item.mac,
        "InterfaceDescription": lambda item: item.description,
        "InterfaceIndex": network.index_of,
        "InterfaceGuid": lambda item: item.guid,
        "DriverDescription": lambda item: item.driver_description,
    }
    found = [
        item
        for item in network.adapters
        if all(is_same(read(item), bound[name]) for name, read in readers.items() if name in bound)
    ]
    number = bound.get("InterfaceNumber", 1)
    if not found:
        raise invalid_operation(
            "A network adapter matching the parameters was not found. Please correct the properties and try again."
        )
    if len(found) > 1 and not bound.get("IgnoreMultipleMatchingAdapters"):
        raise invalid_operation(
            "Please adjust the parameters or specify IgnoreMultipleMatchingAdapters to only use the first and try "
            f"again. {len(found)} network adapters were found matching the parameters."
        )
    if 1 < len(found) < number:
        raise invalid_operation(
            f"network adapter interface number {len(found)} was specified but only {number} was found. Please "
            "correct the interface number and try again."
        )
    # Number 0 is index -1: the last one.
    return found[number - 1] if number <= len(found) else None
