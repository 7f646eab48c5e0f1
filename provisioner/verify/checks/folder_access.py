r"""Ask who may do what with a folder.

Rules arrive as the text that PowerShell adds, one line each: ``CONTOSO\HV01$ Allow  FullControl``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

_RULE = re.compile(r"(?P<account>.+?) (?P<kind>Allow|Deny)  (?P<rights>.+)")


class FolderAccess:
    """The rights on a folder, by its full path."""

    def __init__(self, asked: AskedNode, path: str) -> None:
        self._asked = asked
        self.path = path

    def __repr__(self) -> str:
        return f"<folder access {self.path} on {self._asked.node}>"

    def allows(self, account: str) -> frozenset[str]:
        """Return what an account is allowed, inherited rights too: ``FullControl`` and so on."""
        return self._rights("Allow", account)

    def denies(self, account: str) -> frozenset[str]:
        """Return what an account is denied, which counts more than what it is allowed."""
        return self._rights("Deny", account)

    def _rights(self, kind: str, account: str) -> frozenset[str]:
        pipeline = Pipeline.of("Get-Acl", LiteralPath=self.path)
        rows = table_of(self._asked, pipeline)
        lines = text_of(only_row(self._asked.node, rows, f"folder at {self.path}")["AccessToString"])
        rules = (_RULE.fullmatch(line.strip()) for line in lines.splitlines())
        return frozenset(
            right
            for rule in rules
            if rule and rule["kind"] == kind and rule["account"].casefold() == account.casefold()
            for right in rule["rights"].split(", ")
            if right != "Synchronize"
        )
