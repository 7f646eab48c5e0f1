"""How cmd.exe reads a line, case by case, and that no line whatever makes the reader fail."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.lab.processes.base import split_arguments
from provisioner.lab.processes.command_line import (
    Group,
    Joined,
    Node,
    Redirection,
    Simple,
    SyntaxProblem,
    expand,
    expand_arguments,
    parse,
)


def _shown(node: Node | None) -> str:
    match node:
        case None:
            return ""
        case Simple(text, redirections):
            return f"[{text}]" + "".join(_where(item) for item in redirections)
        case Group(inner, redirections):
            return f"({_shown(inner)})" + "".join(_where(item) for item in redirections)
        case Joined(operator, left, right):
            return f"{{{_shown(left)}{operator}{_shown(right)}}}"
    raise AssertionError(node)


def _where(item: Redirection) -> str:
    if item.same_as is not None:
        return f"<{item.handle}=&{item.same_as}>"
    return f"<{item.handle}{'+' if item.appends else ''}={item.path}>"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("", ""),
        ("   ", ""),
        ("echo hi ", "[echo hi ]"),
        ("a&b", "{[a]&[b]}"),
        ("a || b && c", "{[a ]||{[b ]&&[c]}}"),
        ("a && b || c & d", "{{{[a ]&&[b ]}||[c ]}&[d]}"),
        ("a | b | c && d", "{{{[a ]|[b ]}|[c ]}&&[d]}"),
        ('echo "a & b"', '[echo "a & b"]'),
        ('echo "a & b', '[echo "a & b]'),
        ("echo a ^& b", "[echo a & b]"),
        ("echo a^", "[echo a]"),
        ("echo err>&2 && x", "{[echo err ]<1=&2>&&[x]}"),
        ("echo a>f.txt", "[echo a]<1=f.txt>"),
        ('echo a >> "C:\\a b\\f.txt" 2>&1', "[echo a  ]<1+=C:\\a b\\f.txt><2=&1>"),
        ("> f.txt echo a", "[ echo a]<1=f.txt>"),
        ("echo a2>f", "[echo a2]<1=f>"),
        ("sort < in > out", "[sort  ]<0=in><1=out>"),
        ("(a & b) > f", "({[a ]&[b]})<1=f>"),
        ("echo (a)", "[echo (a)]"),
        ("a &", "[a ]"),
        ("((a))", "(([a]))"),
    ],
)
def test_a_line_is_read_as_cmd_reads_it(line: str, shown: str) -> None:
    assert _shown(parse(line)) == shown


@pytest.mark.parametrize(
    "line", ["& a", "a && && b", "a |", "(a", "echo >", "echo >&x", "||", "(" * 500 + "a"]
)
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse(line)


@given(st.text(alphabet=st.sampled_from('ab 1"^&|<>()%\t\n2²'), max_size=60))
def test_any_line_is_read_or_refused(line: str) -> None:
    with contextlib.suppress(SyntaxProblem):
        parse(expand(line, {"a": "b&b"}.get, is_batch=True))


@pytest.mark.parametrize(
    ("line", "is_batch", "expanded"),
    [
        ("%A% %B%", False, "one %B%"),
        ("%A% %B%", True, "one "),
        ("100%", False, "100%"),
        ("100%%", True, "100%"),
        ("%%A%%", True, "%A%"),
        ("%A%%A%", False, "oneone"),
    ],
)
def test_variables_are_replaced_by_their_text(line: str, is_batch: bool, expanded: str) -> None:  # noqa: FBT001
    assert expand(line, {"A": "one"}.get, is_batch=is_batch) == expanded


def test_arguments_of_a_batch_file_are_replaced() -> None:
    assert expand_arguments("%0 %1 %~2 %3 %* %%1", ("x.bat", "a", '"b c"')) == 'x.bat a b c  a "b c" %%1'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b  c", ("a", "b", "c")),
        ('"a b" c', ("a b", "c")),
        (r'a "b\"c" d', ("a", 'b"c', "d")),
        (r'a "b\\" c', ("a", "b\\", "c")),
        (r"a b\\c", ("a", r"b\\c")),
        ('a ""', ("a", "")),
        ('a "b""c"', ("a", 'b"c')),
        ("", ()),
    ],
)
def test_arguments_are_split_as_windows_does(line: str, words: tuple[str, ...]) -> None:
    assert split_arguments(line) == words
