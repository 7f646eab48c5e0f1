"""Adapters on virtual switches: those of virtual machines and those of the host (ManagementOS)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.hyperv.host import VirtualizationHost

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_EXCEPTION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"


@dataclass(frozen=True, slots=True)
class VmAdapter:
    """One adapter. ``vm`` is empty for the host; ``mac`` 12 hexadecimal digits; ``vlan`` 0 means untagged.

    ``guest`` is what the guest reports of its addresses: comma separated texts by IPAddress, Subnet,
    DefaultGateway, DNSServer; None while it uses DHCP.
    """

    name: str
    vm: str = ""
    switch: str = ""
    mac: str = ""
    is_dynamic: bool = True
    vlan: int = 0
    guest: tuple[tuple[str, str], ...] | None = None


class VmAdapters(Area["Machine"]):
    """Adapters in the order of their making; names need not be unique."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._adapters: list[VmAdapter] = []

    def of_host(self, name: str | None = None, switch: str | None = None) -> list[VmAdapter]:
        """Adapters of the host (Get-VMNetworkAdapter -ManagementOS): the ports of switches are among them."""
        self._demand("Get-VMNetworkAdapter")
        ports = [
            VmAdapter(item.name, "", item.name, port.mac.replace("-", ""), is_dynamic=False, vlan=port.vlan)
            for item in self.owner.hyperv.switches()
            if (port := self.owner.network.find(f"vEthernet ({item.name})")) and port.switch_id == item.id
        ]
        own = [item for item in self._adapters if not item.vm]
        return [item for item in (*ports, *own) if _fits(item.name, name) and _fits(item.switch, switch)]

    def of_machine(self, vm: str, name: str | None = None) -> list[VmAdapter]:
        """Adapters of a virtual machine (Get-VMNetworkAdapter -VMName)."""
        self._demand("Get-VMNetworkAdapter")
        return [item for item in self._adapters if item.vm and _fits(item.vm, vm) and _fits(item.name, name)]

    def add(self, adapter: VmAdapter) -> VmAdapter:
        """Make an adapter (Add-VMNetworkAdapter); a dynamic address comes from the pool of the host.

        Raises:
            MachineError: the machine or the switch does not exist.
        """
        self._demand("Add-VMNetworkAdapter")
        switch = next(
            (item for item in self.owner.hyperv.switches() if _fits(item.name, adapter.switch)), None
        )
        if adapter.switch and switch is None:
            raise _failure(
                f'Hyper-V was unable to find a virtual switch with name "{adapter.switch}".',
                "InvalidParameter",
            )
        if adapter.vm and not any(_fits(item.name, adapter.vm) for item in self.owner.hyperv.machines()):
            raise _failure(
                f'Hyper-V was unable to find a virtual machine with name "{adapter.vm}".', "InvalidParameter"
            )
        made = adapter
        if not made.mac:
            made = replace(made, mac=self.owner.area(VirtualizationHost).new_mac())
        if not made.vm and switch is not None:
            dashed = "-".join(made.mac[at : at + 2] for at in range(0, 12, 2))
            guid = f"{{{switch.id[:-12]}{made.mac.lower()}}}"
            port = Adapter(
                f"vEthernet ({made.name})",
                f"Hyper-V Virtual Ethernet Adapter #{len(self.owner.network.adapters)}",
                guid,
                dashed,
                "Up",
                switch.id,
                is_virtual=True,
            )
            self.owner.network.add(port)
        self._adapters.append(made)
        self.owner.ledger.changed("vm_adapters", f"{made.name} of {made.vm or 'the host'} added")
        return made

    def change(self, adapter: VmAdapter, cmdlet: str, **fields: Any) -> VmAdapter:
        """Change an adapter (Set-VMNetworkAdapter, Connect-VMNetworkAdapter, Set-VMNetworkAdapterVlan)."""
        self._demand(cmdlet)
        changed = replace(adapter, **fields)
        self._adapters[self._adapters.index(adapter)] = changed
        self.owner.ledger.changed("vm_adapters", f"{adapter.name}: {', '.join(fields)} set")
        return changed

    def tag(self, adapter: VmAdapter, vlan: int) -> None:
        """Put an adapter into a VLAN, or with 0 into none (Set-VMNetworkAdapterVlan); ports of the host too."""
        if adapter in self._adapters:
            self.change(adapter, "Set-VMNetworkAdapterVlan", vlan=vlan)
            return
        self._demand("Set-VMNetworkAdapterVlan")
        self.owner.network.change(f"vEthernet ({adapter.name})", vlan=vlan)

    def remove(self, found: list[VmAdapter]) -> None:
        """Remove adapters (Remove-VMNetworkAdapter)."""
        self._demand("Remove-VMNetworkAdapter")
        for adapter in found:
            if not adapter.vm:
                self.owner.network.remove(f"vEthernet ({adapter.name})")
            if adapter in self._adapters:
                self._adapters.remove(adapter)
        self.owner.ledger.changed("vm_adapters", f"{len(found)} removed")

    def _demand(self, cmdlet: str) -> None:
        self.owner.ledger.attempt(cmdlet)
        self.owner.hyperv.demand_active()

    def to_plain(self) -> Any:
        """Give all adapters but the ports that switches made."""
        return [asdict(item) for item in self._adapters]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._adapters = [VmAdapter(**{**item, "guest": _guest(item.get("guest"))}) for item in plain]


def _guest(plain: Any) -> tuple[tuple[str, str], ...] | None:
    return None if plain is None else tuple((str(name), str(value)) for name, value in plain)


def _fits(text: str, wanted: str | None) -> bool:
    return wanted is None or text.casefold() == wanted.casefold()


def _failure(message: str, error_id: str) -> MachineError:
    return MachineError(message, error_id, "InvalidArgument", _EXCEPTION)
