"""The filter ``overlaid``: a service's configuration file with options replaced, added or taken away.

The rule of the room: what is written here, oslo.config reads back as it was given, and what cannot be written so
is refused. Everything the overlay does not speak of stays as it is, comments included. Source of the rules for
lines: oslo_config.iniparser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.expressions.bounds import ExpressionError, kind_of, text_of

#: As a file is opened for text: each of \r\n, \r and \n ends a line, and nothing else does.
_LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SECTION_NAME: Final = re.compile(r"[^\[\]\x00-\x1f\x7f\s](?:[^\[\]\x00-\x1f\x7f]*[^\[\]\x00-\x1f\x7f\s])?")
_OPTION_NAME: Final = re.compile(r"[^=:#;\[\x00-\x1f\x7f\s](?:[^=:\x00-\x1f\x7f]*[^=:\x00-\x1f\x7f\s])?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTINUED: Final = "    "


@dataclass(slots=True)
class _Piece:
    """Lines that belong together, without their ends; ``option`` is the one they assign, empty when none."""

    option: str
    lines: list[str]


@dataclass(slots=True)
class _Block:
    """A section as far as it goes in one stretch; the first block is what stands before any section."""

    section: str | None
    heading: list[str]
    pieces: list[_Piece] = field(default_factory=list)


class OverlayError(ExpressionError):
    """A mapping says what no file can say. ``path`` leads there: a section, or a section and an option."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


#: Per section, folded: its name as spelt, what stands above its heading, and the pieces of each of its options.
_Overlay = dict[str, tuple[str, list[str], dict[str, list[_Piece]]]]


def overlaid(text: Any, overlay: Any) -> str:
    """Return the text with what another text, or a mapping of sections to options, says on top of it.

    Args:
        text: What is below; sections are found without regard to case, DEFAULT apart, as oslo.config finds them.
        overlay: A text of the same form, or a mapping section -> option -> value: text, a number, true or false,
            a list of these for an option given several times, null for one that is taken away.
    """
    if not isinstance(text, str):
        raise ExpressionError(f"overlaid() lays something over a text, and this is {kind_of(text)}.")
    if isinstance(overlay, str):
        wanted = _of_text(overlay)
    elif isinstance(overlay, Mapping):
        wanted = _of_mapping(overlay)
    else:
        raise ExpressionError(
            f"overlaid() takes a text or a mapping of sections to options, and this is {kind_of(overlay)}."
        )
    if not wanted:
        return text
    blocks = _blocks(text)
    for section, (spelt, above, options) in wanted.items():
        _lay(blocks, section, spelt, above, options)
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [line for block in blocks for line in _lines_of(block)]
    return "".join(f"{line}{end}" for line in lines)


def _lay(
    blocks: list[_Block], section: str, spelt: str, above: list[str], options: dict[str, list[_Piece]]
) -> None:
    own = [block for block in blocks if block.section is not None and _folded(block.section) == section]
    first_new = next((pieces[0] for pieces in options.values() if pieces), None)
    if own and first_new:
        first_new.lines[:0] = above
    for name, pieces in options.items():
        places = [(block, piece) for block in own for piece in block.pieces if piece.option == name]
        new = list(pieces)
        if places and new:
            block, first = places[0]
            at = next(number for number, piece in enumerate(block.pieces) if piece is first)
            block.pieces[at:at] = new
            new = []
        for block, piece in places:
            block.pieces[:] = [each for each in block.pieces if each is not piece]
        if new:
            if not own:
                own = [_Block(spelt, _apart(blocks, [*above, f"[{spelt}]"]))]
                blocks.append(own[0])
            _append(own[0], new)


def _apart(blocks: list[_Block], heading: list[str]) -> list[str]:
    """Return a heading with an empty line above it, where there is anything above."""
    above = [line for block in blocks for line in _lines_of(block)]
    return ["", *heading] if above and above[-1].strip() else heading


def _append(block: _Block, new: list[_Piece]) -> None:
    """Put pieces behind the last option of a block: comments at its end may belong to what follows."""
    last = [number for number, piece in enumerate(block.pieces) if piece.option]
    at = last[-1] + 1 if last else 0
    block.pieces[at:at] = new


def _lines_of(block: _Block) -> Iterator[str]:
    yield from block.heading
    for piece in block.pieces:
        yield from piece.lines


def _blocks(text: str) -> list[_Block]:
    """Read a text; its lines together are the text again."""
    found = [_Block(None, [])]
    current: _Piece | None = None
    for written in _LINES.findall(text):
        line = written.rstrip("\r\n")
        stripped = line.rstrip()
        if stripped.startswith((" ", "\t")) and current is not None:
            current.lines.append(line)
            continue
        current = None
        if stripped.startswith("[") and stripped.endswith("]") and stripped != "[]":
            found.append(_Block(stripped[1:-1], [line]))
            continue
        marks = [at for at in (stripped.find("="), stripped.find(":")) if at >= 0]
        is_comment = stripped.startswith(("#", ";", "[", " ", "\t"))
        name = stripped[: min(marks)].strip() if marks and not is_comment else ""
        piece = _Piece(name, [line])
        found[-1].pieces.append(piece)
        current = piece if name else None
    return found


def _of_text(text: str) -> _Overlay:
    """Read a text as an overlay. What stands above an option, or above a section, goes with it."""
    found: _Overlay = {}
    above: list[str] = []
    for block in _blocks(text):
        if block.section is None:
            above = _take(block, {}, above)
            continue
        _, heading, options = found.setdefault(_folded(block.section), (block.section, above, {}))
        # Of a section that is there already the heading goes; what stood above it does not.
        above = [] if heading is above else above
        above = _take(block, options, above)
    if above and found:
        _, heading, options = list(found.values())[-1]
        last = list(options.values())[-1] if options else None
        if last:
            last[-1].lines += above
        else:
            heading += above
    return found


def _take(block: _Block, options: dict[str, list[_Piece]], above: list[str]) -> list[str]:
    """Add the options of a block, each with the comments above it; return the comments that are left."""
    for piece in block.pieces:
        if piece.option:
            options.setdefault(piece.option, []).append(_Piece(piece.option, [*above, *piece.lines]))
            above = []
        else:
            above = [*above, *(line for line in piece.lines if line.strip())]
    return above


def _of_mapping(overlay: Mapping[Any, Any]) -> _Overlay:
    found: _Overlay = {}
    for section, options in overlay.items():
        if not isinstance(section, str) or not _SECTION_NAME.fullmatch(section):
            raise OverlayError(
                f"'{_shown(section)}' is no name of a section: one line of text without brackets, and without "
                "blanks around it.",
                str(section),
            )
        if not isinstance(options, Mapping):
            raise OverlayError(
                f"Section [{section}] is a mapping of options to values, and this is {kind_of(options)}.",
                section,
            )
        spelt, _, pieces = found.setdefault(_folded(section), (section, [], {}))
        for name, value in options.items():
            if not isinstance(name, str) or not _OPTION_NAME.fullmatch(name):
                raise OverlayError(
                    f"'{_shown(name)}' in section [{section}] is no name of an option: one line of text without "
                    "'=' and ':', and without blanks around it.",
                    section,
                    str(name),
                )
            if name in pieces:
                raise OverlayError(
                    f"Option '{name}' stands in [{spelt}] and in [{section}], which are one section.",
                    section,
                    name,
                )
            pieces[name] = [_Piece(name, lines) for lines in _written(section, name, value)]
    return found


def _written(section: str, name: str, value: Any) -> Iterator[list[str]]:
    """Yield the lines of an option, once for each time it is given."""
    if value is None:
        return
    for part in value if isinstance(value, list | tuple) else [value]:
        match part:
            case bool():
                yield [f"{name} = {'true' if part else 'false'}"]
            case str():
                yield _of_value(section, name, part)
            case int() | float():
                yield [f"{name} = {text_of(part)}"]
            case _:
                inside = "a list with " if part is not value else ""
                kind = "a mapping" if isinstance(part, Mapping) else kind_of(part)
                raise OverlayError(
                    f"Option '{name}' of [{section}] is text, a number, true or false, a list of these, or null; "
                    f"this is {inside}{kind}.",
                    section,
                    name,
                )


def _of_value(section: str, name: str, value: str) -> list[str]:
    if _CONTROL.search(value):
        raise OverlayError(f"The value of '{name}' of [{section}] holds a control character.", section, name)
    first, *more = value.split("\n")
    # Values lose the blanks around them, and one pair of quotes: so they get one.
    if first != first.strip() or (first and first[0] == first[-1] and first[0] in "\"'"):
        first = f'"{first}"'
    if any(not line or line != line.strip() for line in more):
        raise OverlayError(
            f"The value of '{name}' of [{section}] has an empty line, or one with blanks at an end, and a file "
            "has no way to say so. A block that starts with '|-' has no line end behind it.",
            section,
            name,
        )
    return [f"{name} = {first}".rstrip(), *(f"{_CONTINUED}{line}" for line in more)]


def _folded(section: str) -> str:
    return section if section == "DEFAULT" else section.lower()


def _shown(name: Any) -> str:
    return "".join(char if char.isprintable() else "?" for char in str(name))
