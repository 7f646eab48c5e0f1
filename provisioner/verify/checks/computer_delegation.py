"""Ask Active Directory, from the node, to what a computer account may delegate.

The node asks a domain controller for whoever is logged on: that needs a log-on that may go on from the node
(Kerberos with delegation, CredSSP), or the controller refuses. All accounts with delegation come in one answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, named, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

_LIST: Final = "msDS-AllowedToDelegateTo"
_FLAG: Final = "TrustedToAuthForDelegation"
TABLE: Final = Pipeline.of("Get-ADComputer", Filter=f"{_LIST} -like '*'", Properties=[_LIST, _FLAG])


class ComputerDelegation:
    """One computer account by its name. One that is not there delegates nothing, as one without entries."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<computer delegation {self.name} on {self._asked.node}>"

    @property
    def entries(self) -> tuple[str, ...]:
        """Return the service principal names the account may delegate to, folded to lower case and sorted."""
        found = {text_of(item).casefold() for row in self._rows for item in items_of(row[_LIST])}
        return tuple(sorted(found))

    @property
    def allows_any_protocol(self) -> bool:
        """Whether it may delegate for who came by another protocol than Kerberos."""
        return any(bool(row[_FLAG]) for row in self._rows)

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)
