"""What is set on an adapter besides its addresses: protocols bound to it, and properties of its driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.network import Adapter

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

#: Component, its display name, and whether it is on: those of a new adapter.
_COMPONENTS: Final = (
    ("ms_msclient", "Client for Microsoft Networks", True),
    ("ms_server", "File and Printer Sharing for Microsoft Networks", True),
    ("ms_pacer", "QoS Packet Scheduler", True),
    ("ms_tcpip", "Internet Protocol Version 4 (TCP/IPv4)", True),
    ("ms_tcpip6", "Internet Protocol Version 6 (TCP/IPv6)", True),
    ("ms_lltdio", "Link-Layer Topology Discovery Mapper I/O Driver", True),
    ("ms_rspndr", "Link-Layer Topology Discovery Responder", True),
    ("ms_lldp", "Microsoft LLDP Protocol Driver", True),
    ("ms_implat", "Microsoft Network Adapter Multiplexor Protocol", False),
    ("vms_pp", "Hyper-V Extensible Virtual Switch", False),
)
#: What stays bound to an adapter below a virtual switch, and below a team.
_BELOW_SWITCH: Final = frozenset({"vms_pp", "ms_lldp"})
_BELOW_TEAM: Final = frozenset({"ms_implat", "ms_lldp"})


@dataclass(frozen=True, slots=True)
class AdvancedProperty:
    """A keyword of a driver. ``choices``: registry value to display value; without any, every text is a value."""

    keyword: str
    display_name: str
    value: tuple[str, ...]
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def display_value(self) -> str:
        """The value as it is shown."""
        return dict(self.choices).get(self.value[0], self.value[0]) if self.value else ""


_ON_OFF: Final = (("0", "Disabled"), ("1", "Enabled"))
_OFFLOAD: Final = (("0", "Disabled"), ("1", "Tx Enabled"), ("2", "Rx Enabled"), ("3", "Rx & Tx Enabled"))
_JUMBO: Final = (("1514", "Disabled"), ("4088", "4088 Bytes"), ("9014", "9014 Bytes"))
_FRESH: Final = (
    AdvancedProperty("*FlowControl", "Flow Control", ("3",), _OFFLOAD),
    AdvancedProperty("*InterruptModeration", "Interrupt Moderation", ("1",), _ON_OFF),
    AdvancedProperty("*IPChecksumOffloadIPv4", "IPv4 Checksum Offload", ("3",), _OFFLOAD),
    AdvancedProperty("*JumboPacket", "Jumbo Packet", ("1514",), _JUMBO),
    AdvancedProperty("*LsoV2IPv4", "Large Send Offload V2 (IPv4)", ("1",), _ON_OFF),
    AdvancedProperty("*LsoV2IPv6", "Large Send Offload V2 (IPv6)", ("1",), _ON_OFF),
    AdvancedProperty("*RSS", "Receive Side Scaling", ("1",), _ON_OFF),
    AdvancedProperty("*SpeedDuplex", "Speed & Duplex", ("0",), (("0", "Auto Negotiation"),)),
    AdvancedProperty("*SRIOV", "SR-IOV", ("1",), _ON_OFF),
    AdvancedProperty("*VMQ", "Virtual Machine Queues", ("1",), _ON_OFF),
    AdvancedProperty("NetworkAddress", "Locally Administered Address", ("",)),
)


class AdapterSettings(Area["Machine"]):
    """Settings by GUID of the adapter, as far as they are not those of a new one."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._bindings: dict[str, dict[str, bool]] = {}
        self._properties: dict[str, dict[str, list[str]]] = {}

    def bindings(self, adapter: Adapter) -> list[tuple[str, str, bool]]:
        """Give component, display name and state of everything that can be bound to an adapter."""
        own = self._bindings.get(adapter.guid, {})
        below = _BELOW_SWITCH if adapter.switch_id and not adapter.is_virtual else None
        if adapter.team and not adapter.is_team:
            below = _BELOW_TEAM
        return [
            (name, display, own.get(name, (name in below) if below else is_on))
            for name, display, is_on in _COMPONENTS
        ]

    def bind(self, adapter: Adapter, component: str, *, enabled: bool) -> None:
        """Bind a component to an adapter, or take it off.

        Raises:
            MachineError: there is no such component.
        """
        self.owner.ledger.attempt("Enable-NetAdapterBinding" if enabled else "Disable-NetAdapterBinding")
        known = next((name for name, _, _ in _COMPONENTS if name.casefold() == component.casefold()), None)
        if known is None:
            raise missing("MSFT_NetAdapterBindingSettingData")
        self._bindings.setdefault(adapter.guid, {})[known] = enabled
        self._changed(adapter, f"{known} {'on' if enabled else 'off'}")

    def properties(self, adapter: Adapter) -> list[AdvancedProperty]:
        """Give the properties of an adapter's driver."""
        own = self._properties.get(adapter.guid, {})
        return [
            AdvancedProperty(
                item.keyword, item.display_name, tuple(own.get(item.keyword, item.value)), item.choices
            )
            for item in _FRESH
        ]

    def set_property(self, adapter: Adapter, keyword: str, value: str) -> None:
        """Set a property; the adapter restarts, and with it what goes over it.

        Raises:
            MachineError: there is no such keyword, or no such value.
        """
        self.owner.ledger.attempt("Set-NetAdapterAdvancedProperty")
        found = next((item for item in _FRESH if item.keyword.casefold() == keyword.casefold()), None)
        if found is None:
            raise missing("MSFT_NetAdapterAdvancedPropertySettingData")
        if found.choices and value not in dict(found.choices):
            raise MachineError(
                f"The following values are valid registry values: {', '.join(dict(found.choices))}",
                "Windows System Error 87",
                "InvalidArgument",
                "Microsoft.Management.Infrastructure.CimException",
            )
        self._properties.setdefault(adapter.guid, {})[found.keyword] = [value]
        self._changed(adapter, f"{found.keyword} is {value}")
        carrier = self.owner.network.carrier(adapter)
        if carrier is not None and carrier == self.owner.network.management:
            self.owner.on_network(self.owner.durations.switch_s)

    def _changed(self, adapter: Adapter, what: str) -> None:
        self.owner.ledger.changed("adapter settings", f"{adapter.name}: {what}")

    def to_plain(self) -> dict[str, Any]:
        """Give what is not as on a new adapter."""
        return {"bindings": self._bindings, "properties": self._properties}

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; an adapter may be given by its name in place of its GUID."""
        guids = {item.name: item.guid for item in self.owner.network.adapters}
        for key, target in (("bindings", self._bindings), ("properties", self._properties)):
            for name, values in plain.get(key, {}).items():
                target[guids.get(name, name)] = dict(values)


def missing(class_name: str) -> MachineError:
    """Make the error of a query with several conditions that found nothing."""
    return MachineError(
        f"No matching {class_name} objects found by CIM query for instances of the "
        f"ROOT/StandardCimv2/{class_name} class on the CIM server. Verify query parameters and retry.",
        "CmdletizationQuery_NotFound",
        "ObjectNotFound",
        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
    )
