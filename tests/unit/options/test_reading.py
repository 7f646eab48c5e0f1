"""Lines are read as oslo.config's own reader reads them."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from oslo_config import iniparser

from provisioner.options.faults import Kind
from provisioner.options.reading import read_lines

PIECES = [
    *(
        "[DEFAULT]",
        "[a]",
        "[ A ]",
        "[]",
        "[",
        "]",
        "[a",
        "[a]]",
        "[a] x",
        "a",
        "a=b",
        "a = b",
        "a:b=c",
        "a=b:c",
        "=b",
        ":",
    ),
    *(
        " ",
        "\t",
        "  a = b",
        "#",
        "# a = b",
        ";x",
        " # x",
        "a = 'b'",
        'a = "b"',
        "a = '",
        "a = ''",
        "a = 'b\"",
        "a =",
    ),
    *("\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "\0", "ü = ü", "a\tb = c", "$", "%(a)s"),
]


class Theirs(iniparser.BaseParser):
    """What oslo.config does: ConfigParser of oslo_config.cfg, without the file."""

    def __init__(self) -> None:
        super().__init__()
        self.section = ""
        self.found: list[tuple[str, str, str]] = []

    def new_section(self, section: str) -> None:
        self.section = section

    def assignment(self, key: str, value: Any) -> None:
        if not self.section:
            raise iniparser.ParseError("Section must be started before assignment", self.lineno, key)
        self.found.append((self.section, key, "\n".join(value)))


def theirs(text: str) -> list[tuple[str, str, str]] | None:
    parser = Theirs()
    try:
        parser.parse(io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8").readlines())
    except iniparser.ParseError:
        return None
    return parser.found


@settings(max_examples=3000, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
)
@example(["[a]", "x = 1", "# c", "  more"], "\n")
@example(["[a]", "x = 1", "", "  more"], "\n")
@example(["[a]", "x = ", "  more", "  and"], "\n")
@example(["[a]", "x = 1", "\ty = 2"], "\n")
@example(["\ufeff[a]", "x = 1"], "\n")
def test_a_text_is_read_as_oslo_config_reads_it(pieces: list[str], end: str) -> None:
    text = end.join(pieces)
    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    ours = read_lines(text)
    is_broken = any(fault.kind in {Kind.SYNTAX, Kind.ENCODING} for fault in ours.faults)
    expected = theirs(text)
    assert is_broken == (expected is None)
    if expected is not None:
        assert [(each.section, each.name, each.value) for each in ours.assignments] == expected


def test_every_value_knows_its_line() -> None:
    text = "# first\n[a]\nx = 1\n\ny = 2,\n  3\n  4\n[b]\nz = 5"
    found = {each.name: (each.line, each.more) for each in read_lines(text).assignments}
    assert found == {"x": (3, ()), "y": (5, ((6, "3"), (7, "4"))), "z": (9, ())}
    assert read_lines(text).sections == {"a": 2, "b": 8}


def test_all_broken_lines_are_told_and_the_rest_is_read() -> None:
    found = read_lines("x = 1\n[a\ny = 2\n[b]\nnothing\n= 3\nz = 4\n")
    assert [fault.line for fault in found.faults] == [1, 2, 5, 6]
    assert [(each.section, each.name) for each in found.assignments] == [("b", "z")]
