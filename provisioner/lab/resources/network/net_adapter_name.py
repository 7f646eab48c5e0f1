"""NetAdapterName of NetworkingDsc 9 (class DSC_NetAdapterName)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same
from provisioner.lab.resources.calls import works, written

_RULES = (
    Rule("NewName", may_be_empty=False, is_mandatory=True),
    Rule("Name", may_be_empty=False),
    Rule("PhysicalMediaType"),
    Rule("Status", allowed=("Up", "Disconnected", "Disabled")),
    Rule("MacAddress"),
    Rule("InterfaceDescription"),
    Rule("InterfaceIndex", "uint32"),
    Rule("InterfaceGuid"),
    Rule("DriverDescription"),
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
        adapter = _named(bound["NewName"], context) or _find(bound, context)
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
        if _named(bound["NewName"], context):
            return True
        _find(bound, context)
        return False

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an error of the renaming is written, not thrown."""
        bound = bind("Set-TargetResource", _RULES, properties)
        adapter = _find(bound, context)
        if adapter is None:
            # The cmdlet is called with an adapter of no name, and finds none.
            works(context, "Rename-NetAdapter")
            return
        await context.sleep(context.machine.durations.other_s)
        rename = partial(context.machine.network.rename, adapter.name, bound["NewName"])
        written(context, "Rename-NetAdapter", rename)


def _named(name: str, context: ResourceContext) -> Adapter | None:
    """Look the new name up; all errors of it are silenced, also that of two adapters of the name."""
    try:
        context.machine.ledger.attempt("Get-NetAdapter")
    except MachineError:
        return None
    found = [item for item in context.machine.network.adapters if is_same(item.name, name)]
    return found[0] if len(found) == 1 else None


def _find(bound: Mapping[str, Any], context: ResourceContext) -> Adapter | None:
    """Find the adapter that all given filters fit; with a number beyond the only one, there is none.

    Raises:
        ResourceError: none or too many fit, or the adapters cannot be listed.
    """
    with calling("Get-NetAdapter"):
        context.machine.ledger.attempt("Get-NetAdapter")
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
