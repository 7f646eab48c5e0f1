"""YAML text to a tree, or to everything that is wrong with it.

The rule of the room: hostile input ends in a diagnostic. Size, depth and the expansion of aliases are bounded,
and the parser's events are taken one by one, since PyYAML's own composer recurses without a bound, in C.
"""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.documents.core_schema import DECIMAL, FIRST_OF_SPECIAL, MAX_DIGITS, resolve
from provisioner.documents.syntax_errors import syntax_error
from provisioner.documents.tree import Entry, Mapping, Plain, Scalar, Sequence, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Deepest nesting, aliases included.
MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may hold.

    ``values`` counts every value once all aliases are written out, ``repeated`` those that aliases add: a small
    text must not become a large tree.
    """

    size_bytes: int
    values: int
    repeated: int


#: Roles, configurations, role inputs: written by hand.
ORDINARY: Final = Limits(size_bytes=4 * 1024 * 1024, values=200_000, repeated=200_000)
#: Inventories and what other programs wrote: tens of thousands of nodes.
WHOLE_SITE: Final = Limits(size_bytes=64 * 1024 * 1024, values=4_000_000, repeated=1_000_000)

#: Everything YAML does not allow in a text (YAML 1.2.2, section 5.1), the byte order mark included.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")


def parse(text: str, source: SourceFile, limits: Limits = ORDINARY) -> tuple[Tree | None, Diagnostics]:
    """Read a YAML text.

    Args:
        text: The document.
        source: What positions point into; usually holds the same text.
        limits: How much it may hold.

    Returns:
        The tree and all problems. None only beside an error, when the text cannot be read as YAML at all.
        A tree may stand beside errors too (duplicate keys, for example), so that a caller can report its
        own findings with them: ask ``has_errors``. An empty document is a null scalar.
    """
    problems = Diagnostics()
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        where = at_index(SourceFile(source.path, text), forbidden.start())
        problems.error(
            "Character is not allowed in YAML",
            f"The character U+{ord(forbidden[0]):04X} cannot be part of a YAML file.",
            SourceRange(source, where.line, where.column, where.end_line, where.end_column),
            "Remove it; inside double quotes it can be written as an escape.",
        )
        return None, problems
    composer = _Composer(text, source, problems, limits)
    try:
        with uncollected():
            return composer.document(), problems
    except _StopReading:
        pass
    except yaml.MarkedYAMLError as error:
        syntax_error(error, text, source, problems)
    except yaml.YAMLError as error:
        where = SourceRange(source, 1, 1, 1, 1)
        problems.error("YAML cannot be read", f"The YAML reader says: {str(error)[:200]}.", where)
    return None, problems


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the search for cycles away while a tree grows or is gone through.

    That makes none, and looking for them again and again in what only grows takes nearly half of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _StopReading(Exception):
    """Reading cannot go on; the reason is in the diagnostics already."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    tree: Tree
    size: int
    height: int


class _Composer:
    """Builds the tree from the events of the YAML parser.

    PyYAML's own composer calls itself without a bound on depth, in C; this one counts. Most of a large file is
    text without anchor or tag, so that case takes the short way through ``_leaf``. Events are of any type here:
    the parser's two versions, in C and in Python, share no class for their marks.
    """

    def __init__(self, text: str, source: SourceFile, problems: Diagnostics, limits: Limits) -> None:
        self._text = text
        self._source = source
        self._problems = problems
        self._limits = limits
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        self._next: Callable[[], Any] = loader(text).get_event
        self._anchors: dict[str, _Anchored | None] = {}
        self._expanded = 0
        self._repeated = 0
        self._deepest = 0

    def document(self) -> Tree:
        tree: Tree | None = None
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                if tree is not None:
                    self._error(
                        "Several documents in one file",
                        "A second YAML document starts here; one file holds one document.",
                        self._range(event, event),
                        "Put it into a file of its own, or remove the line '---'.",
                    )
                    raise _StopReading
                tree = self._node(self._next(), 1)
        return tree or Scalar(None, "", SourceRange(self._source, 1, 1, 1, 1))

    def _node(self, event: Any, depth: int) -> Tree:
        """Return the value that starts with this event."""
        kind = event.__class__
        if kind is yaml.AliasEvent:
            return self._alias(event, self._range(event, event), depth)
        if depth > self._deepest:
            self._deepest = depth
            if depth > MAX_DEPTH:
                self._too_deep(self._range(event, event))
        if event.tag is not None:
            self._error(
                "Tags are not used here",
                f"The tag {event.tag!r} has no meaning in this file.",
                self._range(event, event),
                "Remove it. Text that looks like a number goes in quotes.",
            )
        if event.anchor is not None:
            return self._anchored(event.anchor, event, depth)
        return self._content(event, depth)

    def _content(self, event: Any, depth: int) -> Tree:
        if event.__class__ is yaml.ScalarEvent:
            return self._leaf(event)
        self._grow(1, event)
        if event.__class__ is yaml.SequenceStartEvent:
            return self._sequence(event, depth)
        assert event.__class__ is yaml.MappingStartEvent
        return self._mapping(event, depth)

    def _anchored(self, anchor: str, event: Any, depth: int) -> Tree:
        self._anchors[anchor] = None
        before, deepest = self._expanded, self._deepest
        self._deepest = depth
        tree = self._content(event, depth)
        height = self._deepest - depth + 1
        self._deepest = max(self._deepest, deepest)
        self._anchors[anchor] = _Anchored(tree, self._expanded - before, height)
        return tree

    def _alias(self, event: Any, where: SourceRange, depth: int) -> Tree:
        name = event.anchor
        if name not in self._anchors:
            known = ", ".join(f"&{anchor}" for anchor in list(self._anchors)[:8])
            self._error(
                "Unknown alias",
                f"Nothing before this line is marked with '&{name}'.",
                where,
                f"Known here: {known}." if known else "Text that starts with '*' goes in quotes.",
            )
            return Scalar(None, "", where)
        anchored = self._anchors[name]
        if anchored is None:
            self._error("Alias contains itself", f"'*{name}' stands inside the value it repeats.", where)
            return Scalar(None, "", where)
        lowest = depth + anchored.height - 1
        if lowest > MAX_DEPTH:
            self._too_deep(where)
        self._deepest = max(self._deepest, lowest)
        self._repeated += anchored.size
        self._grow(anchored.size, event)
        return anchored.tree

    def _grow(self, count: int, event: Any) -> None:
        self._expanded += count
        limits = self._limits
        if self._expanded > limits.values:
            detail = f"With every alias written out it has more than {limits.values} values."
        elif self._repeated > limits.repeated:
            detail = f"Its aliases stand for more than {limits.repeated} values."
        else:
            return
        self._error("Document is too large", detail, self._range(event, event))
        raise _StopReading

    def _too_deep(self, where: SourceRange) -> NoReturn:
        self._error("Nesting is too deep", f"Values stand more than {MAX_DEPTH} levels deep here.", where)
        raise _StopReading

    def _sequence(self, start: Any, depth: int) -> Sequence:
        items: list[Tree] = []
        take = self._next
        while (event := take()).__class__ is not yaml.SequenceEndEvent:
            items.append(self._node(event, depth + 1))
        where = self._range(start, event)
        if not start.flow_style and items:
            where = _until(where, items[-1].where)
        return Sequence(tuple(items), where)

    def _mapping(self, start: Any, depth: int) -> Tree:
        entries: dict[str, Entry] = {}
        is_bare_expression = False
        take, node, last = self._next, self._node, yaml.MappingEndEvent
        value: Tree | None = None
        while (event := take()).__class__ is not last:
            key = node(event, depth + 1)
            value = node(take(), depth + 1)
            if event.__class__ is not yaml.ScalarEvent:
                if event.__class__ is yaml.MappingStartEvent:
                    is_bare_expression |= self._text.startswith("{{", start.start_mark.index)
                if is_bare_expression:
                    continue
            name = self._key(key, event)
            if name is None:
                continue
            if name.text in entries:
                self._error(
                    "Key appears twice",
                    f"The key '{name.text}' stands in line {entries[name.text].key.where.line} already.",
                    name.where,
                    "Keep one of the two.",
                )
                continue
            entries[name.text] = Entry(name, value)
        closing: Any = event
        where = self._range(start, closing)
        if is_bare_expression:
            return self._bare_expression(where, start.start_mark.index, closing.end_mark.index)
        if not start.flow_style and value is not None:
            where = _until(where, value.where)
        return Mapping(tuple(entries.values()), where)

    def _bare_expression(self, where: SourceRange, start: int, end: int) -> Scalar:
        text = self._text[start:end]
        self._error(
            "Expression is not in quotes",
            "Without quotes YAML reads the braces as a mapping.",
            where,
            "Put the whole value in quotes.",
        )
        return Scalar(text, text, where, is_plain=False)

    def _key(self, key: Tree, event: Any) -> Scalar | None:
        if key.__class__ is Scalar and key.value is key.text and key.text != "<<" and event.anchor is None:
            return key  # text, and where it stands: nearly every key
        where = self._range(event, event)
        if not isinstance(key, Scalar):
            self._error("Key is not text", "A list or a mapping cannot be a key here.", where)
            return None
        if key.is_plain and key.text == "<<":
            self._error(
                "Merge keys are not used here",
                "'<<' is not part of YAML 1.2.",
                where,
                "Write the keys out; values shared by several nodes belong into a group.",
            )
            return None
        if not isinstance(key.value, str):
            seen = "an empty text" if not key.text else f"'{key.text}'"
            self._error(
                "Key is not text",
                f"YAML reads {seen} as {_kind(key.value)} here, and keys are text.",
                where,
                "Put it in quotes.",
            )
        # An alias used as a key carries the position of the anchor; the place of use is the better one.
        return Scalar(key.text, key.text, where, key.is_plain)

    def _leaf(self, event: Any) -> Scalar:
        self._expanded += 1
        if self._expanded > self._limits.values:
            self._grow(0, event)
        start, end = event.start_mark, event.end_mark
        where = SourceRange(self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        text: str = event.value
        if event.style:  # None from the Python parser, empty from the C parser, for a plain one
            return Scalar(text, text, where, is_plain=False)
        if text[:1] not in FIRST_OF_SPECIAL:
            return Scalar(text, text, where)
        if len(text) > MAX_DIGITS and DECIMAL.fullmatch(text):
            self._error("Number is too long", f"It has {len(text)} digits.", where, "Text goes in quotes.")
            return Scalar(text, text, where)
        if _LEADING_ZERO.fullmatch(text):
            self._problems.warning(
                "Number with a leading zero",
                f"'{text}' is the number {int(text)}, since YAML 1.2 drops the zero; only a property that takes "
                "text keeps it as written.",
                where,
                "Put it in quotes if the zero matters; an octal number is written 0o755.",
            )
        return Scalar(resolve(text), text, where)

    def _range(self, first: Any, last: Any) -> SourceRange:
        start, end = first.start_mark, last.end_mark
        return SourceRange(self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _error(self, summary: str, detail: str, where: SourceRange, help: str = "") -> None:
        self._problems.error(summary, detail, where, help)


def _until(where: SourceRange, last: SourceRange) -> SourceRange:
    """End a block collection with its last value: YAML's own end is the start of whatever follows.

    An alias as the last value ends elsewhere; then the first line has to do.
    """
    if (last.line, last.column) < (where.line, where.column):
        return SourceRange(where.source, where.line, where.column, where.line, where.column + 1)
    return SourceRange(where.source, where.line, where.column, last.end_line, last.end_column)


def at_index(source: SourceFile, index: int) -> SourceRange:
    """Return the position of the character with this index in the whole text."""
    lines = (source.text[:index] + "|").splitlines()
    line, column = len(lines), len(lines[-1])
    return SourceRange(source, line, column, line, column + 1)


def _kind(value: Plain) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case _:
            return "a number"
