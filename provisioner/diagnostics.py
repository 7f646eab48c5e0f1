"""What is wrong with what the user wrote: positions, sentences and their printed form.

A diagnostic has a fixed, nameless summary and a detail in full sentences: what was seen, why it is wrong,
what to do. Nothing here reads a file; source lines come from the ``SourceFile`` the position points into.
"""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from provisioner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@functools.lru_cache(maxsize=16)
def _lines(text: str) -> list[str]:
    """Split a file once, however many of its lines are shown."""
    return text.splitlines()


class Severity(Enum):
    """How bad it is. Errors stop the work, warnings do not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text the user wrote. ``path`` is what is printed, so it is relative where that is shorter."""

    path: str
    text: str = field(repr=False, compare=False)

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its end; empty beyond the end."""
        lines = _lines(self.text)
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class SourceRange:
    """A stretch of a source file. Lines and columns count from 1; the end column is exclusive."""

    source: SourceFile
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. ``help`` says what to do ("Did you mean 'Name'?"); may be empty."""

    severity: Severity
    summary: str
    detail: str
    where: SourceRange | None = None
    help: str = ""

    def render(self) -> str:
        """Return the printed form: position, summary, the line with a caret, detail, help."""
        place = f"{self.where}: " if self.where else ""
        parts = [f"{place}{self.severity.value}: {self.summary}"]
        if self.where:
            parts.extend(_excerpt(self.where))
        parts.append(f"  {self.detail}")
        if self.help:
            parts.append(f"  {self.help}")
        return "\n".join(parts)


#: Longest piece of a source line that is shown.
_EXCERPT = 200


def _excerpt(where: SourceRange) -> list[str]:
    line = where.source.line(where.line)
    if not line.strip():
        return []
    number = str(where.line)
    end = where.end_column if where.end_line == where.line else len(line) + 1
    width = max(1, min(end, len(line) + 1) - where.column)
    # Tabs stay tabs so that the caret stands under its character in any terminal.
    start = max(0, where.column - 1 - _EXCERPT // 2) if len(line) > _EXCERPT else 0
    lead = "".join("\t" if char == "\t" else " " for char in line[start : where.column - 1])
    width = min(width, max(1, _EXCERPT - len(lead)))
    # Control characters could steer the reader's terminal.
    shown = "".join(
        char if char.isprintable() or char == "\t" else "�" for char in line[start : start + _EXCERPT]
    )
    return [f"  {number} | {shown}", f"  {' ' * len(number)} | {lead}{'^' * width}"]


class Diagnostics:
    """A growing collection of problems. Printed in file order, errors and warnings together."""

    def __init__(self, problems: Iterable[Diagnostic] = ()) -> None:
        self._problems = list(problems)
        # What was there when it was last extended, so that extending costs what is added, not what is there.
        self._known: set[Diagnostic] = set()
        self._known_count = 0

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self._problems, key=_file_order))

    def __len__(self) -> int:
        return len(self._problems)

    @property
    def has_errors(self) -> bool:
        """Whether at least one problem stops the work."""
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def error(self, summary: str, detail: str, where: SourceRange | None = None, help: str = "") -> None:
        """Add an error."""
        self._problems.append(Diagnostic(Severity.ERROR, summary, detail, where, help))

    def warning(self, summary: str, detail: str, where: SourceRange | None = None, help: str = "") -> None:
        """Add a warning."""
        self._problems.append(Diagnostic(Severity.WARNING, summary, detail, where, help))

    def extend(self, others: Iterable[Diagnostic]) -> None:
        """Add the problems of another collection, each once: nodes that share a role share its problems."""
        if isinstance(others, Diagnostics) and not len(others):
            return  # it is so for nearly every node of a fleet
        added = [*self._problems[self._known_count :], *others]
        del self._problems[self._known_count :]
        for problem in added:
            if problem not in self._known:
                self._known.add(problem)
                self._problems.append(problem)
        self._known_count = len(self._problems)

    def rendered(self) -> list[str]:
        """Return the printed forms in file order; what many nodes have in common is told once."""
        alike: dict[Diagnostic, list[tuple[Diagnostic, str]]] = {}
        for problem in self:
            node = _NODE.search(problem.detail)
            name = node["name"] if node else ""
            alike.setdefault(_without(name, problem), []).append((problem, name))
        shown = []
        for told in alike.values():
            if len(told) > _ALIKE and told[0][1]:
                # Processes that share the work answer in any order.
                told.sort(key=lambda pair: (len(pair[1]), pair[1]))
                names = [name for _, name in told[1:]]
                shown.append(
                    f"{told[0][0].render()}\n  So it is with {len(names)} more nodes: {_listed(names)}."
                )
            else:
                shown += [problem.render() for problem, _ in told]
        return shown

    def raise_errors(self) -> None:
        """Raise ``InputError`` with all problems when there is at least one error."""
        if self.has_errors:
            raise InputError(self, self.rendered())


#: How many nodes have their own say before one speaks for all.
_ALIKE = 3
_NODE = re.compile(r"\bnode '(?P<name>[^']+)'", re.IGNORECASE)


def _without(node: str, problem: Diagnostic) -> Diagnostic:
    """Return what is equal for problems that differ in the name of the node only."""
    if not node or problem.where is None:
        return problem
    name = re.compile(rf"(?<![\w.-]){re.escape(node)}(?![\w-])")
    return replace(problem, detail=name.sub("*", problem.detail), help=name.sub("*", problem.help))


def _file_order(problem: Diagnostic) -> tuple[str, int, int]:
    where = problem.where
    return (where.source.path, where.line, where.column) if where else ("", 0, 0)


def did_you_mean(seen: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the closest known word, else the known words, else nothing.

    Case never counts as a difference. At most eight words are listed.
    """
    # What was written is no help, even when there is something of that name that cannot be used.
    words = {word.casefold(): word for word in known if word != seen}
    close = difflib.get_close_matches(seen.casefold(), words, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{words[close[0]]}'?"
    return f"Known here: {_listed(sorted(words.values()))}." if words else ""


def _listed(words: list[str]) -> str:
    rest = f" and {len(words) - 8} more" if len(words) > 8 else ""  # noqa: PLR2004 - see did_you_mean
    return f"{', '.join(words[:8])}{rest}"
