"""YAML text as a tree that remembers file, line and column of every key and value.

The rule of the room: nothing here knows what a document means. Scalars follow the YAML 1.2 core schema, so
``on`` and ``yes`` are text and ``0755`` is the number 755 (with a warning, as YAML 1.1 readers disagree).
Left out on purpose, each with a message that says so: tags, merge keys, several documents in one file,
keys that are not text, aliases that contain themselves. Hostile input ends in a diagnostic: size, depth and
the expansion of aliases are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Largest file that is read, in bytes. Inventories and roles are far below.
MAX_SIZE_BYTES: Final = 4 * 1024 * 1024
#: Deepest nesting, aliases included.
MAX_DEPTH: Final = 64
#: Most values a document may have once every alias is replaced by what it stands for.
MAX_EXPANDED: Final = 200_000

_Plain = None | bool | int | float | str

#: YAML 1.2.2, section 10.3.2, "Tag Resolution" of the core schema.
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN: Final = frozenset({".nan", ".NaN", ".NAN"})
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")
#: Python refuses to convert longer ones, and no setting of a Windows machine is that large.
_MAX_DIGITS: Final = 400

#: Everything YAML does not allow in a text (YAML 1.2.2, section 5.1), the byte order mark included.
_FORBIDDEN: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``text`` is as YAML reads it, before it becomes a number; plain means without quotes."""

    value: _Plain
    text: str
    where: SourceRange
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, in file order."""

    items: tuple[Tree, ...]
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value. ``key.where`` is the position of the key alone."""

    key: Scalar
    value: Tree

    @property
    def name(self) -> str:
        """The key as text."""
        return self.key.text


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in file order. Keys are text and unique."""

    entries: tuple[Entry, ...]
    where: SourceRange
    _values: dict[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", {entry.name: entry for entry in self.entries})

    def get(self, name: str) -> Tree | None:
        """Return the value under a key, None when the key is absent (an empty value is a null scalar)."""
        entry = self._values.get(name)
        return entry.value if entry else None

    def entry(self, name: str) -> Entry | None:
        """Return key and value, for the position of the key."""
        return self._values.get(name)

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Yield names and values in file order."""
        return ((entry.name, entry.value) for entry in self.entries)


Tree = Scalar | Sequence | Mapping


def load(path: Path, shown_as: str | None = None) -> tuple[Tree | None, Diagnostics]:
    """Read a YAML file.

    Args:
        path: The file; UTF-8, with or without a byte order mark.
        shown_as: The name printed in messages; the path as given when left out.

    Returns:
        See ``parse``. A file that cannot be read gives None and one error.
    """
    text, source, problems = read_text(path, shown_as)
    if text is None:
        return None, problems
    return parse(text, source)


def read_text(path: Path, shown_as: str | None = None) -> tuple[str | None, SourceFile, Diagnostics]:
    """Read a UTF-8 text file whole; None and one error when that is impossible."""
    shown = shown_as or str(path)
    problems = Diagnostics()
    nothing = SourceFile(shown, "")
    at = SourceRange(nothing, 1, 1, 1, 1)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_SIZE_BYTES + 1)
    except (OSError, ValueError) as error:
        problems.error("File cannot be read", f"{shown}: {_reason(path, error)}.")
        return None, nothing, problems
    if len(raw) > MAX_SIZE_BYTES:
        problems.error(
            "File is too large",
            f"{shown} has more than {MAX_SIZE_BYTES // 1024 // 1024} MiB.",
            at,
            "Split it, or check that this is the file you meant.",
        )
        return None, nothing, problems
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.error("File is not UTF-8", f"{shown} is UTF-16.", at, "Save it as UTF-8.")
        return None, nothing, problems
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source = SourceFile(shown, raw.decode("utf-8-sig", errors="replace"))
        where = _at_index(source, len(error.object[: error.start].decode("utf-8-sig", errors="replace")))
        byte = error.object[error.start]
        detail = f"The byte 0x{byte:02x} is not UTF-8."
        problems.error("File is not UTF-8", detail, where, "Save the file as UTF-8.")
        return None, source, problems
    return text, SourceFile(shown, text), problems


def parse(text: str, source: SourceFile) -> tuple[Tree | None, Diagnostics]:
    """Read a YAML text.

    Args:
        text: The document.
        source: What positions point into; usually holds the same text.

    Returns:
        The tree and all problems. None only beside an error, when the text cannot be read as YAML at all.
        A tree may stand beside errors too (duplicate keys, for example), so that a caller can report its
        own findings with them: ask ``has_errors``. An empty document is a null scalar.
    """
    problems = Diagnostics()
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        where = _at_index(SourceFile(source.path, text), forbidden.start())
        problems.error(
            "Character is not allowed in YAML",
            f"The character U+{ord(forbidden[0]):04X} cannot be part of a YAML file.",
            SourceRange(source, where.line, where.column, where.end_line, where.end_column),
            "Remove it; inside double quotes it can be written as an escape.",
        )
        return None, problems
    composer = _Composer(text, source, problems)
    try:
        return composer.document(), problems
    except _StopReading:
        pass
    except yaml.MarkedYAMLError as error:
        _syntax_error(error, text, source, problems)
    except yaml.YAMLError as error:
        where = SourceRange(source, 1, 1, 1, 1)
        problems.error("YAML cannot be read", f"The YAML reader says: {str(error)[:200]}.", where)
    return None, problems


def plain(tree: Tree) -> Any:
    """Return the values alone: None, bool, int, float, str, list and dict. Aliases become copies."""
    match tree:
        case Scalar():
            return tree.value
        case Sequence():
            return [plain(item) for item in tree.items]
        case Mapping():
            return {name: plain(value) for name, value in tree.items()}


def locate(tree: Tree, path: tuple[str | int, ...]) -> SourceRange:
    """Return the position of the value under a path of keys and indexes.

    Where the path leads to nothing, it is the position of the nearest ancestor that exists; for a value
    that is empty in the file (``key:``) it is the position of its key.
    """
    where = tree.where
    for step in path:
        child: Tree | None = None
        key: SourceRange | None = None
        match tree:
            case Mapping():
                entry = tree.entry(str(step))
                if entry:
                    child, key = entry.value, entry.key.where
            case Sequence():
                if isinstance(step, int) and 0 <= step < len(tree.items):
                    child = tree.items[step]
            case Scalar():
                pass
        if child is None:
            return where
        tree = child
        is_empty = isinstance(child, Scalar) and child.is_plain and not child.text
        where = key if key and is_empty else child.where
    return where


class _StopReading(Exception):
    """Reading cannot go on; the reason is in the diagnostics already."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    tree: Tree
    size: int
    height: int


class _Composer:
    """Builds the tree from the events of the YAML parser.

    PyYAML's own composer calls itself without a bound on depth, in C; this one counts.
    """

    def __init__(self, text: str, source: SourceFile, problems: Diagnostics) -> None:
        self._text = text
        self._source = source
        self._problems = problems
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
        self._anchors: dict[str, _Anchored | None] = {}
        self._expanded = 0

    def document(self) -> Tree:
        tree: Tree | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if tree is not None:
                    self._error(
                        "Several documents in one file",
                        "A second YAML document starts here; one file holds one document.",
                        self._range(event, event),
                        "Put it into a file of its own, or remove the line '---'.",
                    )
                    raise _StopReading
                tree, _ = self._node(next(self._events), 1)
        return tree or Scalar(None, "", SourceRange(self._source, 1, 1, 1, 1))

    def _node(self, event: yaml.Event, depth: int) -> tuple[Tree, int]:
        """Return the value that starts with this event, and how many levels it has."""
        where = self._range(event, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, where, depth)
        self._grow(1, depth, where)
        before = self._expanded
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = None
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            self._error(
                "Tags are not used here",
                f"The tag {tag!r} has no meaning in this file.",
                where,
                "Remove it. Text that looks like a number goes in quotes.",
            )
        tree: Tree
        height = 1
        if isinstance(event, yaml.ScalarEvent):
            tree = self._scalar(event, where)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree, height = self._sequence(event, depth)
        else:
            assert isinstance(event, yaml.MappingStartEvent)
            tree, height = self._mapping(event, depth)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(tree, self._expanded - before + 1, height)
        return tree, height

    def _alias(self, event: yaml.AliasEvent, where: SourceRange, depth: int) -> tuple[Tree, int]:
        name = event.anchor
        if name not in self._anchors:
            known = ", ".join(f"&{anchor}" for anchor in list(self._anchors)[:8])
            self._error(
                "Unknown alias",
                f"Nothing before this line is marked with '&{name}'.",
                where,
                f"Known here: {known}." if known else "Text that starts with '*' goes in quotes.",
            )
            return Scalar(None, "", where), 1
        anchored = self._anchors[name]
        if anchored is None:
            self._error("Alias contains itself", f"'*{name}' stands inside the value it repeats.", where)
            return Scalar(None, "", where), 1
        self._grow(anchored.size, depth + anchored.height - 1, where)
        return anchored.tree, anchored.height

    def _grow(self, count: int, depth: int, where: SourceRange) -> None:
        self._expanded += count
        if depth > MAX_DEPTH:
            self._error("Nesting is too deep", f"Values stand more than {MAX_DEPTH} levels deep here.", where)
            raise _StopReading
        if self._expanded > MAX_EXPANDED:
            self._error(
                "Document is too large",
                f"With every alias written out it has more than {MAX_EXPANDED} values.",
                where,
            )
            raise _StopReading

    def _sequence(self, start: yaml.SequenceStartEvent, depth: int) -> tuple[Sequence, int]:
        items: list[Tree] = []
        tallest = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item, height = self._node(event, depth + 1)
            items.append(item)
            tallest = max(tallest, height)
        where = self._range(start, event)
        if not start.flow_style and items:
            where = _until(where, items[-1].where)
        return Sequence(tuple(items), where), tallest + 1

    def _mapping(self, start: yaml.MappingStartEvent, depth: int) -> tuple[Tree, int]:
        entries: dict[str, Entry] = {}
        tallest = 0
        is_bare_expression = False
        begin = self._index(start.start_mark)
        last = self._range(start, start)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_where = self._range(event, event)
            if isinstance(event, yaml.MappingStartEvent) and self._text.startswith("{{", begin):
                is_bare_expression = True
            key, key_height = self._node(event, depth + 1)
            value, height = self._node(next(self._events), depth + 1)
            tallest = max(tallest, height, key_height)
            last = value.where
            if is_bare_expression:
                continue
            name = self._key(key, key_where)
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
        where = self._range(start, event)
        if is_bare_expression:
            return self._bare_expression(where, begin, self._index(event.end_mark)), 1
        if not start.flow_style and entries:
            where = _until(where, last)
        return Mapping(tuple(entries.values()), where), tallest + 1

    def _bare_expression(self, where: SourceRange, start: int, end: int) -> Scalar:
        text = self._text[start:end]
        self._error(
            "Expression is not in quotes",
            "Without quotes YAML reads the braces as a mapping.",
            where,
            "Put the whole value in quotes.",
        )
        return Scalar(text, text, where, is_plain=False)

    def _key(self, key: Tree, where: SourceRange) -> Scalar | None:
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

    def _scalar(self, event: yaml.ScalarEvent, where: SourceRange) -> Scalar:
        text: str = event.value
        is_plain = not event.style  # None from the Python parser, empty from the C parser
        if not is_plain:
            return Scalar(text, text, where, is_plain=False)
        if len(text) > _MAX_DIGITS and _DECIMAL.fullmatch(text):
            self._error("Number is too long", f"It has {len(text)} digits.", where, "Text goes in quotes.")
            return Scalar(text, text, where)
        if _LEADING_ZERO.fullmatch(text):
            self._problems.warning(
                "Number with a leading zero",
                f"'{text}' is read as {int(text)}, since YAML 1.2 drops the zero.",
                where,
                "Put it in quotes if the zero matters; an octal number is written 0o755.",
            )
        return Scalar(resolve(text), text, where)

    def _range(self, first: yaml.Event, last: yaml.Event) -> SourceRange:
        start, end = first.start_mark, last.end_mark
        assert start is not None
        assert end is not None
        return SourceRange(self._source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    @staticmethod
    def _index(mark: yaml.Mark | Any) -> int:
        assert mark is not None
        return mark.index

    def _error(self, summary: str, detail: str, where: SourceRange, help: str = "") -> None:
        self._problems.error(summary, detail, where, help)


def resolve(text: str) -> _Plain:
    """Return what a plain scalar means in the YAML 1.2 core schema."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float(text.replace(".", ""))
    if text in _NAN:
        return float("nan")
    return text


def _kind(value: _Plain) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def _until(where: SourceRange, last: SourceRange) -> SourceRange:
    """End a block collection with its last value: YAML's own end is the start of whatever follows.

    An alias as the last value ends elsewhere; then the first line has to do.
    """
    if (last.line, last.column) < (where.line, where.column):
        return SourceRange(where.source, where.line, where.column, where.line, where.column + 1)
    return SourceRange(where.source, where.line, where.column, last.end_line, last.end_column)


def _at_index(source: SourceFile, index: int) -> SourceRange:
    lines = (source.text[:index] + "|").splitlines()
    line, column = len(lines), len(lines[-1])
    return SourceRange(source, line, column, line, column + 1)


def _reason(path: Path, error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder, and a file is needed"
        case PermissionError():
            return "the file may not be read by this user"
        case OSError():
            return error.strerror or "it cannot be opened"
        case _:
            return f"{str(path)!r} is not a usable path"


#: What the YAML parser says -> what it means here, and what to do.
_ADVICE: Final = (
    (
        "found unknown escape character",
        "Inside double quotes a backslash starts an escape, and this one does not exist.",
        "Write Windows paths in single quotes or without quotes: 'C:\\Temp'.",
    ),
    (
        "did not find expected hexdecimal number",
        "Inside double quotes '\\x' and '\\u' need hexadecimal digits.",
        "Write Windows paths in single quotes or without quotes: 'C:\\Temp'.",
    ),
    (
        "mapping values are not allowed",
        "A ': ' stands where no key can be.",
        "Put text that contains ': ' in quotes, or check the indentation of this line and the one before.",
    ),
    (
        "found unexpected end of stream",
        "The quote that opens here is never closed.",
        "Close it.",
    ),
    (
        "expected ',' or ']'",
        "The list that opens with '[' is not closed, or a comma is missing.",
        "Close it with ']'; text with brackets, braces or commas in it goes in quotes.",
    ),
    (
        "expected ',' or '}'",
        "The mapping that opens with '{' is not closed, or a comma is missing.",
        "Close it with '}'; text with braces in it goes in quotes.",
    ),
    (
        "could not find expected ':'",
        "A key needs ': ' after it.",
        "Add it, or indent the line so that it belongs to the text before.",
    ),
    (
        "did not find expected key",
        "A key is expected here, at the depth of the keys before it.",
        "Check the indentation of this line, and quotes that end too early.",
    ),
    (
        "did not find expected '-' indicator",
        "An item of the list is expected here, and it has to start with '- '.",
        "Check the indentation of this line.",
    ),
    (
        "block sequence entries are not allowed",
        "A list cannot start here.",
        "Put '- ' on a line of its own below the key.",
    ),
)


def _syntax_error(error: yaml.MarkedYAMLError, text: str, source: SourceFile, problems: Diagnostics) -> None:
    problem = error.problem or "it is not YAML"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and ("end of stream" in problem or "expected ':'" in problem):
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if any(known.where and known.where.line == line for known in problems):
        return  # a follow-up, mostly of an expression without quotes
    lines = text.splitlines()
    where = SourceRange(source, line, column, line, column + 1)
    written = lines[line - 1] if line <= len(lines) else ""
    character = written[column - 1 : column]
    detail = f"The YAML reader says: {' '.join(filter(None, (error.context, problem)))}."
    advice = "Check quotes, brackets and indentation here and in the line before."
    if "cannot start any token" in problem and character == "\t":
        detail, advice = "A tab stands where YAML wants spaces.", "Indent with spaces."
    elif "cannot start any token" in problem:
        detail = f"A value without quotes cannot start with '{character}'."
        advice = "Put it in quotes."
    for said, meaning, help_ in _ADVICE:
        if said in problem:
            detail, advice = meaning, help_
            break
    if re.search(r"(?:^|[:\-\[,])\s*\{\{", written):
        advice = "Put a value that starts with an expression in quotes, the whole of it."
    problems.error("YAML cannot be read", detail, where, advice)
