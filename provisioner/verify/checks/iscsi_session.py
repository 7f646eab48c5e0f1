"""Ask for the sessions of the iSCSI initiator with one target, and the paths they take."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from provisioner.transport.base import Command, Pipeline, Record
from provisioner.verify.question import errors_of, named, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

_PORT: Final = 3260
QUESTION = Pipeline.of("Get-IscsiSession")
#: How Get-IscsiTarget says that it knows no such target.
_NOT_KNOWN: Final = "CmdletizationQuery_NotFound_NodeAddress,"
#: What Windows shows for an address that it chose itself.
_CHOSEN_BY_WINDOWS: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - read, nothing listens


class IscsiSession:
    """The sessions with a target, by its IQN; there may be one for each path."""

    def __init__(self, asked: AskedNode, target: str) -> None:
        self._asked = asked
        self.target = target

    def __repr__(self) -> str:
        return f"<iscsi session {self.target} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether the initiator is logged on."""
        return bool(self._connected)

    @property
    def is_persistent(self) -> bool:
        """Whether it is logged on, and every session comes back after a boot by itself."""
        return self.exists and all(row.get("IsPersistent") is True for row in self._connected)

    @property
    def authentication(self) -> frozenset[str]:
        """Return how the sessions authenticated: of ``NONE``, ``ONEWAYCHAP`` and ``MUTUALCHAP``."""
        return frozenset(text_of(row.get("AuthenticationType")).upper() for row in self._connected)

    @property
    def paths(self) -> frozenset[str]:
        """Return where the sessions go: ``ADDRESS:PORT``, or ``ADDRESS:PORT@OWN`` where Windows shows its own end.

        IPv6 addresses stand in brackets.
        """
        pipeline = Pipeline(
            (Command("Get-IscsiTarget", {"NodeAddress": self.target}), Command("Get-IscsiConnection"))
        )
        result = self._asked.ask(pipeline)
        errors = errors_of(result)
        if errors and all(error.error_id.startswith(_NOT_KNOWN) for error in errors):
            return frozenset()
        return frozenset(_path(row) for row in table_of(self._asked, pipeline))

    def goes_over(self, portal: str) -> bool:
        """Tell whether a session goes over ``ADDRESS``, ``ADDRESS:PORT`` or either with ``@OWN``; PORT is 3260."""
        place, _, own = portal.partition("@")
        wanted = _spelled(place if re.search(r"(\]|^[^:]+):\d+$", place) else f"{place}:{_PORT}")
        if own:
            return f"{wanted}@{_spelled(own)}" in self.paths
        return any(path.partition("@")[0] == wanted for path in self.paths)

    @property
    def _connected(self) -> tuple[Record, ...]:
        rows = table_of(self._asked, QUESTION)
        found = named(rows, "TargetNodeAddress", self.target)
        return tuple(row for row in found if row.get("IsConnected") is True)


def _path(row: Record) -> str:
    own = text_of(row.get("InitiatorAddress"))
    place = f"{_bracketed(text_of(row['TargetAddress']))}:{row['TargetPortNumber']}"
    return place if own in _CHOSEN_BY_WINDOWS else f"{place}@{_bracketed(own)}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _spelled(place: str) -> str:
    """Write the IPv6 address of a place as Windows does."""
    return re.sub(r"\[(.*)\]", lambda found: f"[{ipaddress.ip_address(found[1])}]", place)
