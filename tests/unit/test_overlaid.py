"""``overlaid``: what stands on top of a configuration file is what oslo.config reads of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oslo_config import cfg

from provisioner.expressions import ExpressionError, Expressions

BASE = """\
# What every service has.
[DEFAULT]
debug = false
# Where it writes.
log_dir: C:\\Log
more = one
  two
same = 1
same = 2

[agent]
# Seconds.
polling = 2
# Of the next section.
[hyperv]
limit = 5
"""


def overlaid(text: Any, overlay: Any) -> str:
    result = Expressions({"text": text, "overlay": overlay}).evaluate("{{ text | overlaid(overlay) }}")
    assert isinstance(result, str)
    return result


def loaded(text: str, folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return what oslo.config reads, by folded sections."""
    path = folder / "service.conf"
    path.write_bytes(text.encode())
    normalized: dict[str, dict[str, list[str]]] = {}
    parser = cfg.ConfigParser(str(path), {})
    parser._add_normalized(normalized)
    parser.parse()
    return normalized


def test_an_option_is_replaced_where_it_stands_and_everything_else_stays() -> None:
    assert overlaid(BASE, {"AGENT": {"polling": 7}}) == BASE.replace("polling = 2", "polling = 7")


def test_an_option_that_is_new_stands_behind_the_last_one_of_its_section() -> None:
    found = overlaid(BASE, {"agent": {"worker_count": 3}})

    assert found == BASE.replace("polling = 2\n", "polling = 2\nworker_count = 3\n")


def test_a_section_that_is_new_stands_at_the_end() -> None:
    assert overlaid(BASE, {"neutron": {"x": "y"}}) == f"{BASE}\n[neutron]\nx = y\n"
    assert overlaid("", {"neutron": {"x": "y"}}) == "[neutron]\nx = y\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (0.5, "0.5"),
        ("$my_ip", "$my_ip"),
        ("100%", "100%"),
        ("a: b = c # d", "a: b = c # d"),
        (" padded ", '" padded "'),
        ("'quoted'", "\"'quoted'\""),
        ("@{secret:queue}", "@{secret:queue}"),
    ],
)
def test_a_value_is_written_as_services_read_it(value: Any, text: str) -> None:
    assert overlaid("", {"DEFAULT": {"name": value}}) == f"[DEFAULT]\nname = {text}\n"


def test_a_list_is_an_option_given_several_times() -> None:
    assert overlaid("", {"pci": {"alias": ["a", "b"]}}) == "[pci]\nalias = a\nalias = b\n"


def test_null_takes_every_line_of_an_option_away() -> None:
    overlay = {"DEFAULT": {"more": None, "same": None, "never_there": None}, "no_section": {"x": None}}

    assert overlaid(BASE, overlay) == BASE.replace("more = one\n  two\nsame = 1\nsame = 2\n", "")


def test_an_option_given_twice_and_one_that_goes_on_are_replaced_whole() -> None:
    found = overlaid(BASE, {"DEFAULT": {"same": 3, "more": "1\n2"}})

    old = "more = one\n  two\nsame = 1\nsame = 2\n"
    assert found == BASE.replace(old, "more = 1\n    2\nsame = 3\n")


def test_default_in_small_letters_is_another_section() -> None:
    assert overlaid("[DEFAULT]\na = 1\n", {"default": {"a": 2}}) == "[DEFAULT]\na = 1\n\n[default]\na = 2\n"


def test_nothing_to_lay_over_changes_no_byte() -> None:
    text = "[DEFAULT]\r\na = 1"
    assert overlaid(text, {}) == text
    assert overlaid(text, "") == text
    assert overlaid(text, "# only a comment\n") == text


def test_ends_of_lines_are_those_of_the_text_below() -> None:
    assert overlaid("[a]\r\nx = 1\r\n", "[a]\nx = 2\n[b]\ny = 3\n") == "[a]\r\nx = 2\r\n\r\n[b]\r\ny = 3\r\n"
    assert overlaid("[a]\nx = 1", {"a": {"y": 2}}) == "[a]\nx = 1\ny = 2\n"


def test_comments_of_a_text_on_top_go_with_what_they_stand_above() -> None:
    top = "# Top.\n[agent]\n# Why seven.\npolling = 7\n\n# New.\n[new]\n# x\nx = 1\n# last\n"

    assert overlaid("[agent]\n# Seconds.\npolling = 2\n", top) == (
        "[agent]\n# Seconds.\n# Top.\n# Why seven.\npolling = 7\n\n# New.\n[new]\n# x\nx = 1\n# last\n"
    )


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"a]\n[b": {"x": 1}}, "no name of a section"),
        ({"a": {"x\ny": 1}}, "no name of an option"),
        ({"a": {"x = 1; y": 1}}, "no name of an option"),
        ({"a": {"[b]": 1}}, "no name of an option"),
        ({"a": {"x": "1\n\n2"}}, "has an empty line"),
        ({"a": {"x": "1\n"}}, r"starts with '\|-'"),
        ({"a": {"x": "1\r[b]"}}, "control character"),
        ({"a": {"x": {"y": {}}}}, "Option 'x' of .a. is text, a number"),
        ({"a": {"x": [[1]]}}, "this is a list with a list"),
        ({"a": 1}, "is a mapping of options to values, and this is a number"),
        ({"a": None}, "is a mapping of options to values, and this is null"),
        ({"a": {"x": 1}, "A": {"x": 2}}, "are one section"),
        ([1], "a text or a mapping of sections to options, and this is a list"),
    ],
)
def test_what_cannot_be_written_so_that_it_is_read_as_it_was_meant_is_refused(
    overlay: Any, message: str
) -> None:
    with pytest.raises(ExpressionError, match=message):
        overlaid(BASE, overlay)


_NAMES = st.sampled_from(["a", "b_c", "Option", "x-y", "same"])
_SECTIONS = st.sampled_from(["DEFAULT", "default", "Agent", "agent", "AGENT", "hyperv"])
_TEXTS = st.text(st.sampled_from("ab1 \t$%@{}'\"=:#;[],\\\u00a0\u2028é\n"), max_size=12)
_VALUES = _TEXTS | st.integers() | st.booleans() | st.floats(allow_nan=False) | st.none()
_OVERLAYS = st.dictionaries(
    _SECTIONS, st.dictionaries(_NAMES, _VALUES | st.lists(_TEXTS | st.integers(), max_size=3), max_size=4)
)
_LINES = st.one_of(
    _SECTIONS.map(lambda name: f"[{name}]"),
    st.tuples(_NAMES, st.sampled_from([" = ", "=", ": ", " :"]), st.text("ab '\"$#;=:", max_size=5)).map(
        "".join
    ),
    st.sampled_from(["", "# comment", "; x = 1", "   ", "same = 1\n  # goes on\n\t[agent]", "a:\n b_c = 2"]),
)
_BASES = st.tuples(st.lists(_LINES, max_size=12), st.sampled_from(["\n", "\r\n"]))


def _told(value: Any) -> list[str]:
    """Return what oslo.config is to read of a value."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _cannot_be_said(overlay: dict[str, Any]) -> bool:
    names = [
        (section if section == "DEFAULT" else section.lower(), name)
        for section in overlay
        for name in overlay[section]
    ]
    texts = [text for options in overlay.values() for value in options.values() for text in _told(value)]
    return len(names) > len(set(names)) or any(
        not line or line != line.strip() for text in texts for line in text.split("\n")[1:]
    )


@given(base=_BASES, overlay=_OVERLAYS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_oslo_config_reads_what_a_merge_of_mappings_says(
    base: tuple[list[str], str], overlay: dict[str, Any], tmp_path: Path
) -> None:
    text = base[1].join(["[DEFAULT]", *base[0]])
    wanted = loaded(text, tmp_path)
    if _cannot_be_said(overlay):
        with pytest.raises(ExpressionError):
            overlaid(text, overlay)
        return
    found = overlaid(text, overlay)
    for section, options in overlay.items():
        folded = section if section == "DEFAULT" else section.lower()
        for name, value in options.items():
            told = _told(value)
            wanted.setdefault(folded, {}).pop(name, None)
            if told:
                wanted[folded][name] = told

    def having(sections: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
        return {name: options for name, options in sections.items() if options}

    assert having(loaded(found, tmp_path)) == having(wanted)


@given(base=_BASES, top=_BASES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_on_top_says_what_its_mapping_would(
    base: tuple[list[str], str], top: tuple[list[str], str], tmp_path: Path
) -> None:
    text, overlay = (part[1].join(["[DEFAULT]", *part[0]]) for part in (base, top))
    wanted = loaded(text, tmp_path)
    for section, options in loaded(overlay, tmp_path).items():
        wanted.setdefault(section, {}).update(options)

    found = loaded(overlaid(text, overlay), tmp_path)

    assert {name: each for name, each in found.items() if each} == {
        n: each for n, each in wanted.items() if each
    }
