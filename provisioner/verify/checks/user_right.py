"""Ask who has a user right.

No cmdlet of Windows tells. The resource that sets them does, and knows each account by name and by SID; it is
asked by itself, past all documents, while the LCM is Idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, only_row, table_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.transport.base import Record

_MODULE = {"ModuleName": "SecurityPolicyDsc", "ModuleVersion": "2.10.0.0"}


class UserRight:
    """A user right by the name of its policy, as ``Log_on_as_a_service``."""

    def __init__(self, asked: AskedNode, policy: str) -> None:
        self._asked = asked
        self.policy = policy

    def __repr__(self) -> str:
        return f"<user right {self.policy} on {self._asked.node}>"

    @property
    def holders(self) -> frozenset[str]:
        r"""Return the names of all accounts that have it, as Windows shows them (``BUILTIN\Administrators``)."""
        # The resource wants to be told some account even where it only looks.
        row = self._ask("Get", ["Administrators"])
        return frozenset(text_of(item) for item in items_of(row["Identity"]))

    def is_held_by(self, accounts: Iterable[str]) -> bool:
        """Whether all of these have it, by name or SID; others may have it too."""
        # The resource passes over accounts that do not exist. So each is asked for by itself, and the other way
        # round: only who holds the right keeps it from being absent.
        return all(
            not self._ask("Test", [account], Ensure="Absent")["InDesiredState"] for account in accounts
        )

    def _ask(self, method: str, accounts: list[str], **others: str) -> Record:
        pipeline = Pipeline.of(
            "Invoke-DscResource",
            Name="UserRightsAssignment",
            ModuleName=_MODULE,
            Method=method,
            Property={"Policy": self.policy, "Identity": accounts, **others},
        )
        return only_row(self._asked.node, table_of(self._asked, pipeline), f"answer about {self.policy}")
