"""Values no two nodes of an inventory may have: every node claims its own, and nobody may claim them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.expressions import ExpressionError
from provisioner.roles.model import kind_of

if TYPE_CHECKING:
    from provisioner.addresses import NodeName
    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.roles.model import Unique
    from provisioner.roles.statements.asking import Asking


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one node has for its own, as it is written there."""

    node: NodeName
    what: str
    value: str
    where: SourceRange


class Claims:
    """The claims of all nodes. Compared without regard to case, by what they are called and by value."""

    def __init__(self, selected: frozenset[NodeName], problems: Diagnostics) -> None:
        self._selected = selected
        self._problems = problems
        self._claims: dict[tuple[str, str], list[_Claim]] = {}

    def collect(self, asking: Asking) -> None:
        """Take what one role claims for one node; null and the empty text are no claims."""
        node = asking.of_node.node.name
        for unique in asking.role.unique:
            if not asking.knows(unique.variable):
                continue
            try:
                value = asking.plain(unique.value)
            except ExpressionError:
                continue  # it is reported
            where: SourceRange | None = None
            for text in _texts(value, unique, asking):
                where = where or asking.where(unique.variable)
                held = self._claims.setdefault((unique.what.casefold(), text.casefold()), [])
                if all(each.node != node for each in held):
                    held.append(_Claim(node, unique.what, text, where))

    def compare(self) -> None:
        """Report every value that two nodes have, at the later one; where none is selected it is nobody's."""
        for held in self._claims.values():
            is_ours = held[0].node in self._selected
            for claim in held[1:]:
                if is_ours or claim.node in self._selected:
                    self._report(claim, held[0])

    def _report(self, claim: _Claim, first: _Claim) -> None:
        self._problems.error(
            "Two nodes share a value",
            f"Node '{claim.node}' has the {claim.what} '{claim.value}', and so has '{first.node}' at "
            f"{first.where}.",
            claim.where,
            f"Give each its own {claim.what}.",
        )


def _texts(value: Any, unique: Unique, asking: Asking) -> list[str]:
    """Return the values as texts; what is neither text nor number cannot be compared."""
    found = []
    for part in value if isinstance(value, list | tuple) else [value]:
        if isinstance(part, str | int) and not isinstance(part, bool):
            found.append(str(part).strip())
        elif part is not None:
            asking.problems.error(
                "Unique value is not text",
                f"The {unique.what} of node '{asking.of_node.node.name}' is {kind_of(part)}, and a text, a whole "
                "number or a list of these can be compared.",
                unique.where,
            )
    return [text for text in found if text]
