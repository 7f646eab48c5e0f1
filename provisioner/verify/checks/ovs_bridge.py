"""Ask Open vSwitch for a bridge. One call tells of all bridges; it gives up after ten seconds.

``ovs-vsctl.exe`` has to be in a folder of PATH, as its installer sees to. While ovs-vswitchd is down, or the
database does not answer, every question raises CommandError.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provisioner.errors import NodeError
from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import output_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

_LINE: Final = re.compile(r"\s+(Bridge|Port|Interface|tag:) (.+)")


@dataclass(slots=True)
class _Found:
    tag: int = 0
    ports: list[str] = field(default_factory=list)


class OvsBridge:
    """One bridge by name; upper and lower case differ. ``database`` is where ovs-vsctl.exe finds it."""

    def __init__(self, asked: AskedNode, name: str, database: str = "tcp:127.0.0.1:6640") -> None:
        self._asked = asked
        self.name = name
        options = ("--timeout=10", f"--db={database}", "show")
        self._question = Pipeline((Command("ovs-vsctl.exe", arguments=options),))

    def __repr__(self) -> str:
        return f"<ovs bridge {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is a bridge of this name."""
        return self.name in self._bridges

    @property
    def ports(self) -> tuple[str, ...]:
        """Return the names of its ports, its own left out."""
        return tuple(port for port in self._bridge.ports if port != self.name)

    @property
    def vlan(self) -> int:
        """Return the VLAN of its own port; 0 is none."""
        return self._bridge.tag

    @property
    def _bridge(self) -> _Found:
        found = self._bridges.get(self.name)
        if found is None:
            raise NodeError(self._asked.node, f"there is no bridge named {self.name}")
        return found

    @property
    def _bridges(self) -> dict[str, _Found]:
        bridges: dict[str, _Found] = {}
        bridge = port = ""
        for line in "\n".join(str(item) for item in output_of(self._asked, self._question)).splitlines():
            read = _LINE.fullmatch(line.rstrip())
            if read is None:
                continue
            kind, name = read[1], _bare(read[2])
            if kind == "Bridge":
                bridge = name
                bridges[bridge] = _Found()
            elif kind == "Port":
                port = name
                bridges[bridge].ports.append(port)
            elif kind == "tag:" and port == bridge:
                bridges[bridge].tag = int(name)
        return bridges


def _bare(text: str) -> str:
    """Take the quotes away that a name with a blank is written with."""
    return str(json.loads(text)) if text.startswith('"') else text
