"""Extensions of virtual switches: which there are, and on which switches they are enabled.

A driver package brings one: a file ``ovsext.inf`` on the disk is that of Open vSwitch, and its first line the
name that its build has. On a real machine ``netcfg`` installs it; here the file is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area
from provisioner.lab.machine.ground.hyperv import Switch

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_INF: Final = "\\ovsext.inf"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension; ``kind`` is Forwarding, Filter or Capture."""

    name: str
    kind: str
    vendor: str


#: What Windows brings; the first of them is enabled on every new switch.
_IN_BOX: Final = (
    Extension("Microsoft Windows Filtering Platform", "Filter", "Microsoft"),
    Extension("Microsoft NDIS Capture", "Capture", "Microsoft"),
)


class SwitchExtensions(Area["Machine"]):
    """By the id of a switch, the names of what was enabled there, and of what was disabled."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._chosen: dict[str, dict[str, bool]] = {}

    def known(self) -> tuple[Extension, ...]:
        """Give all extensions that are installed."""
        files = self.owner.files
        found = [path for path in files.paths() if path.casefold().endswith(_INF) and files.is_file(path)]
        names = [files.read(path).decode("utf-8", "replace").partition("\n")[0].strip() for path in found]
        return (*_IN_BOX, *(Extension(name, "Forwarding", "Open vSwitch") for name in names if name))

    def forwarding(self) -> frozenset[str]:
        """Give the names of the extensions that forward, folded."""
        return frozenset(item.name.casefold() for item in self.known() if item.kind == "Forwarding")

    def of(self, switch: Switch) -> list[tuple[Extension, bool]]:
        """Give every extension with whether it is enabled on a switch."""
        chosen = self._chosen.get(switch.id, {})
        return [(item, chosen.get(item.name.casefold(), item == _IN_BOX[0])) for item in self.known()]

    def switch_with_forwarding(self) -> Switch | None:
        """Give the first switch on which an extension forwards: Open vSwitch has it."""
        if not self.owner.hyperv.is_active:
            return None
        return next((item for item in self.owner.hyperv.switches() if self.forwards(item)), None)

    def forwards(self, switch: Switch) -> bool:
        """Whether an extension forwards on a switch."""
        return any(is_enabled and item.kind == "Forwarding" for item, is_enabled in self.of(switch))

    def choose(self, switch: Switch, name: str, *, is_enabled: bool) -> None:
        """Enable or disable an extension (Enable-VMSwitchExtension, Disable-VMSwitchExtension).

        The address of a machine that is on the switch is gone for a moment: what forwards is another one.

        Raises:
            MachineError: Hyper-V does not answer.
        """
        self.owner.ledger.attempt("Enable-VMSwitchExtension" if is_enabled else "Disable-VMSwitchExtension")
        self.owner.hyperv.demand_active()
        before = self.forwards(switch)
        self._chosen.setdefault(switch.id, {})[name.casefold()] = is_enabled
        self.owner.ledger.changed(
            "switch extensions", f"{name} {'enabled' if is_enabled else 'disabled'} on {switch.name}"
        )
        carrier = self.owner.network.management
        if carrier is not None and carrier.switch_id == switch.id and self.forwards(switch) != before:
            self.owner.on_network(self.owner.durations.switch_s)

    def to_plain(self) -> dict[str, Any]:
        """Give what was enabled and disabled."""
        return {switch: dict(chosen) for switch, chosen in self._chosen.items()}

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; a switch may be given by its name in place of its id."""
        ids = {item["name"]: item["id"] for item in self.owner.hyperv.to_plain()["switches"]}
        self._chosen = {
            ids.get(switch, switch): {name.casefold(): value for name, value in chosen.items()}
            for switch, chosen in plain.items()
        }
