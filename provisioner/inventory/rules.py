"""Which strategy counts at which path: the ``merge:`` section of an inventory.

A path is the name of a variable, then the keys below it, with dots between; ``*`` is any one key. A rule for a
path makes the mappings on the way to it merge key by key, since else it could never be reached.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provisioner.documents import Mapping
from provisioner.inventory.strategies import Strategy, read_strategy

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Tree

ANY: Final = "*"


@dataclass(slots=True)
class _Step:
    strategy: Strategy | None = None
    below: dict[str, _Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that count at one path, the more exact first. Nothing is known of what lies above it."""

    _steps: tuple[_Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._steps)

    @property
    def strategy(self) -> Strategy | None:
        """The strategy written for this very path."""
        return next((step.strategy for step in self._steps if step.strategy), None)

    @property
    def go_deeper(self) -> bool:
        """Whether there is a rule for something below this path."""
        return any(step.below for step in self._steps)

    def at(self, key: str) -> Rules:
        """Return the rules one key further down."""
        if not self._steps:
            return self
        named = (step.below.get(key) for step in self._steps)
        starred = (step.below.get(ANY) for step in self._steps)
        return Rules(tuple(step for step in (*named, *starred) if step))


NO_RULES: Final = Rules()


def read_rules(tree: Tree | None, problems: Diagnostics) -> tuple[Rules, dict[str, SourceRange]]:
    """Read ``merge:``.

    Returns:
        The rules, and each variable that is named with the place where it is.
    """
    if not isinstance(tree, Mapping):
        return NO_RULES, {}
    root = _Step()
    variables: dict[str, SourceRange] = {}
    for entry in tree.entries:
        keys = entry.name.split(".")
        if not all(keys) or keys[0] == ANY:
            problems.error(
                "Merge path has a wrong form",
                "A path is the name of a variable and the keys below it, with a dot between each two.",
                entry.key.where,
                "Write 'name', 'name.key' or 'name.*.key'; '*' is any one key below a variable.",
            )
            continue
        strategy = read_strategy(entry.value, problems)
        step = root
        for key in keys:
            step = step.below.setdefault(key, _Step())
        step.strategy = strategy
        variables.setdefault(keys[0], entry.key.where)
    return Rules((root,)) if root.below else NO_RULES, variables
