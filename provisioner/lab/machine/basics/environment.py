"""The environment of the process that runs resources: made of the machine's at boot, lost with the next boot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_REFERENCE = re.compile(r"%([^%]+)%")
#: Variables of every process that are in no key of the registry.
_OF_WINDOWS = {
    "ALLUSERSPROFILE": r"C:\ProgramData",
    "CommonProgramFiles": r"C:\Program Files\Common Files",
    "CommonProgramFiles(x86)": r"C:\Program Files (x86)\Common Files",
    "ProgramData": r"C:\ProgramData",
    "ProgramFiles": r"C:\Program Files",
    "ProgramFiles(x86)": r"C:\Program Files (x86)",
    "PUBLIC": r"C:\Users\Public",
    "SystemDrive": "C:",
    "SystemRoot": r"C:\Windows",
}


class ProcessEnvironment(Area["Machine"]):
    """Variables of the LCM's host process. Names are compared without regard to case and keep their spelling."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._values: dict[str, tuple[str, str]] = {}
        self._take_machine()

    def _take_machine(self) -> None:
        known = {**_OF_WINDOWS, "COMPUTERNAME": self.owner.computer_name}
        self._values = {name.casefold(): (name, value) for name, value in known.items()}
        for value in self.owner.registry.environment_at_boot().values():
            self._values[value.name.casefold()] = (value.name, self.expand(str(value.data)))

    def on_boot(self) -> None:
        """A new process has what the machine has."""
        self._take_machine()

    def get(self, name: str) -> str | None:
        """Value of a variable, None when there is none."""
        found = self._values.get(name.casefold())
        return found[1] if found else None

    def set(self, name: str, value: str) -> None:
        """Set a variable; an empty value removes it, as in .NET."""
        old = self._values.get(name.casefold())
        if value:
            self._values[name.casefold()] = (old[0] if old else name, value)
        else:
            self._values.pop(name.casefold(), None)
        self.owner.ledger.changed("environment", f"{name} changed")

    def names(self) -> list[str]:
        """Names of all variables, as spelled."""
        return [name for name, _value in self._values.values()]

    def expand(self, text: str) -> str:
        """Replace ``%NAME%`` by what this process has; an unknown name stays."""
        return _REFERENCE.sub(lambda found: self.get(found[1]) or found[0], text)

    def to_plain(self) -> Any:
        """Give all variables."""
        return dict(self._values.values())

    def load(self, plain: Mapping[str, str]) -> None:
        """Take over what ``to_plain`` gave."""
        self._values = {name.casefold(): (name, value) for name, value in plain.items()}
