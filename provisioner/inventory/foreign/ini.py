"""Ansible's INI inventories: ``[group]``, ``[group:children]``, ``[group:vars]``, ``host key=value`` lines.

Values are read as Ansible reads them: as a Python literal where they are one, as text otherwise; words of a
host line are split as a shell would, and ``#`` starts a comment there.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

from provisioner.diagnostics import SourceRange, did_you_mean
from provisioner.inventory.foreign.hostnames import MAX_HOSTS, WrongName, hosts_of
from provisioner.inventory.foreign.model import ALL, UNGROUPED, ForeignInventory
from provisioner.inventory.model import Located

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import Diagnostics, SourceFile

_SECTION: Final = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
_GROUP: Final = re.compile(r"(?P<group>[^:\]\s]+)\s*(?:#.*)?")
_KINDS: Final = ("hosts", "children", "vars")
_SPACES: Final = " \t\r"
#: Python's reader of literals calls itself for each level, and nothing sensible is that long.
_LONGEST_LITERAL: Final = 10_000


def read_ini(text: str, source: SourceFile, inventory: ForeignInventory, problems: Diagnostics) -> None:
    """Read an inventory into ``inventory``; everything that is wrong goes to ``problems``.

    Args:
        text: What stands in the file.
        source: What messages quote; it has the same lines and columns.
        inventory: Gets hosts and groups.
        problems: Gets an error for every line that cannot be read.
    """
    _Reader(source, inventory, problems).read(text)


class _Reader:
    def __init__(self, source: SourceFile, inventory: ForeignInventory, problems: Diagnostics) -> None:
        self._source = source
        self._inventory = inventory
        self._problems = problems
        self._declared = {ALL, UNGROUPED}
        self._mentioned: dict[str, tuple[str, SourceRange]] = {}

    def read(self, text: str) -> None:
        group, kind = UNGROUPED, "hosts"
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if not line or line[0] in "#;":
                continue
            where = self._range(number, raw, line)
            section = _SECTION.fullmatch(line)
            if section:
                group, kind = self._section(section, where)
            elif line.startswith("[") and line.endswith("]"):
                group, kind = "", "unknown"
                self._problems.error(
                    "Section has another form",
                    "A section is [name], [name:vars] or [name:children], without spaces.",
                    where,
                )
            else:
                self._line(line, group, kind, where)
        self._check_mentioned()

    def _line(self, line: str, group: str, kind: str, where: SourceRange) -> None:
        match kind:
            case "hosts":
                self._hosts(line, group, where)
            case "vars":
                self._variable(line, group, where)
            case "children":
                self._child(line, group, where)
            case _:
                pass  # lines of a section that is reported already

    def _check_mentioned(self) -> None:
        for name, (reason, where) in self._mentioned.items():
            if name not in self._declared:
                self._problems.error(
                    "Group is not declared",
                    reason,
                    where,
                    did_you_mean(name, self._declared - {ALL, UNGROUPED, name}),
                )

    def _section(self, section: re.Match[str], where: SourceRange) -> tuple[str, str]:
        group, kind = section["group"], section["kind"] or "hosts"
        if kind not in _KINDS:
            self._problems.error(
                "Section has an unknown kind",
                f"'{kind}' is not a kind of section.",
                where,
                "A section is [name], [name:vars] or [name:children].",
            )
            return group, "unknown"
        self._inventory.group(group, where)
        if kind == "vars":
            self._mention(
                group, f"'[{group}:vars]' stands here, and nothing else declares this group.", where
            )
        else:
            self._declared.add(group)
        return group, kind

    def _child(self, line: str, group: str, where: SourceRange) -> None:
        child = _GROUP.fullmatch(line)
        if not child:
            self._problems.error(
                "Group name has another form",
                "Below [name:children] each line is the name of one group.",
                where,
            )
            return
        name = child["group"]
        self._inventory.group(name, where)
        self._inventory.group(group, where).children.setdefault(name, where)
        self._mention(name, f"'{name}' is named as a part of '{group}', and nothing declares it.", where)

    def _mention(self, name: str, reason: str, where: SourceRange) -> None:
        self._mentioned.setdefault(name, (reason, where))

    def _variable(self, line: str, group: str, where: SourceRange) -> None:
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            self._problems.error(
                "Variable has another form", f"Below [{group}:vars] each line is name=value.", where
            )
            return
        self._inventory.group(group, where).variables[name.strip()] = Located(literal(value.strip()), where)

    def _hosts(self, line: str, group: str, where: SourceRange) -> None:
        try:
            words = list(split(line))
        except ValueError as error:
            self._problems.error(
                "Line cannot be split into words",
                f"{error}.",
                where,
                "Close the quote, or double the backslash.",
            )
            return
        variables = {}
        for word, start, end in words[1:]:
            name, equals, value = word.partition("=")
            at = SourceRange(self._source, where.line, where.column + start, where.line, where.column + end)
            if not equals or not name:
                self._problems.error(
                    "Variable has another form",
                    "After the name of a host each word is name=value.",
                    at,
                    "Put a value with spaces in quotes: name='one two'.",
                )
                continue
            variables[name] = Located(literal(value), at)
        add_hosts(self._inventory, words[0][0], group, variables, where, self._problems)

    def _range(self, number: int, raw: str, line: str) -> SourceRange:
        column = len(raw) - len(raw.lstrip()) + 1
        return SourceRange(self._source, number, column, number, column + len(line))


def add_hosts(  # noqa: PLR0913, PLR0917 - what one line says, and where it goes
    inventory: ForeignInventory,
    written: str,
    group: str,
    variables: dict[str, Located],
    where: SourceRange,
    problems: Diagnostics,
) -> None:
    """Add the hosts a name or range stands for to a group, with their variables."""
    try:
        names, port = hosts_of(written, MAX_HOSTS - len(inventory.hosts))
    except WrongName as error:
        problems.error("Host name has another form", str(error), where)
        return
    for name in names:
        host = inventory.host(name, where)
        inventory.group(group, where).hosts.setdefault(name, where)
        if port is not None:
            host.variables["ansible_port"] = Located(port, where)
        host.variables |= variables


def split(line: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a line with the positions where they start and end, as a POSIX shell splits them.

    Raises:
        ValueError: A quote is not closed, or a backslash ends the line.
    """
    at, size = 0, len(line)
    while at < size:
        if line[at] in _SPACES:
            at += 1
            continue
        if line[at] == "#":
            return
        start, word = at, []
        while at < size and line[at] not in _SPACES and line[at] != "#":
            char = line[at]
            if char == "'":
                end = line.find("'", at + 1)
                if end < 0:
                    raise ValueError("The quote ' is not closed")
                word.append(line[at + 1 : end])
                at = end + 1
            elif char == '"':
                at = _double_quoted(line, at + 1, word)
            elif char == "\\":
                if at + 1 == size:
                    raise ValueError("A backslash ends the line")
                word.append(line[at + 1])
                at += 2
            else:
                word.append(char)
                at += 1
        yield "".join(word), start, at


def _double_quoted(line: str, at: int, word: list[str]) -> int:
    """Append the text up to the closing quote; return the position behind it."""
    while at < len(line):
        char = line[at]
        if char == '"':
            return at + 1
        if char == "\\" and line[at + 1 : at + 2] in {'"', "\\"}:
            at += 1
            char = line[at]
        word.append(char)
        at += 1
    raise ValueError('The quote " is not closed')


def literal(text: str) -> Any:
    """Return what Ansible makes of a value: a Python literal where it is one, else the text."""
    if len(text) > _LONGEST_LITERAL:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted((_plain(item) for item in value), key=repr)
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case bytes():
            return value.decode("utf-8", errors="replace")
        case _:
            return "..." if value is ... else str(value)
