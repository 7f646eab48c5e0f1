from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.diagnostics import SourceFile
from provisioner.inventory.explanation import safe
from provisioner.inventory.loader import read_inventory
from provisioner.inventory.masking import mask_assignments, mask_lines


def masked(text: str) -> str:
    return mask_lines(SourceFile("x", text)).text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password: hunter2", "password: *******"),
        ("  password:   hunter2 # note", "  password:   ******* * ****"),
        ('{"password":"a,b", x: 1}', '{"password":****** ** **'),
        ("admin_Password: x", "admin_Password: *"),
        ("paswd: x", "paswd: *"),
        ("token: x", "token: *"),
        ("client-secret: x", "client-secret: *"),
        ("password: env:NAME", "password: env:NAME"),
        ("password: 'file:x/y'", "password: 'file:x/y'"),
        ("password: env:A, token: x", "password: env:A, token: *"),
        ("password: env:A|url|oslo, x: y", "password: env:A|url|oslo, x: y"),
        ("token: 'file:a|url'", "token: 'file:a|url'"),
        ("x-password-y: z", "x-password-y: *"),
        ("password:", "password:"),
        ("password:\n  next: 1", "password:\n  next: 1"),
        ("user: x", "user: x"),
        ("password: |\n  a b\n\n  c: d\nnext: 1", "password: *\n  * *\n\n  ** *\nnext: 1"),
        ("- password: one\n    two\n  user: x", "- password: ***\n    ***\n  user: x"),
        ("- - token: >\n      a\n    b: 1", "- - token: *\n      *\n    b: 1"),
        ("a:\n  password: 'x\n   y'\n  user: u", "a:\n  password: **\n   **\n  user: u"),
        ("password: x\n  user: u", "password: *\n  user: u"),
        ("url: https://nova:p@w@host:5000/v3", "url: https://nova:***@host:5000/v3"),
        ("url: 'redis://:pw@host'", "url: 'redis://:**@host'"),
        ("url: rabbit://nova:@{x}@host", "url: rabbit://nova:@{x}@host"),
        ("url: https://host:5000/v3 # a@b", "url: https://host:5000/v3 # a@b"),
    ],
)
def test_values_that_sound_like_secrets_are_starred_out(line: str, shown: str) -> None:
    assert masked(line) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password = hunter2", "password = *******"),
        ("a ansible_password=x y=2", "a ansible_password=* ***"),
        ("  Password vagrant", "  Password *******"),
        ("pass: x", "pass: *"),
        ("[secret]", "[secret]"),
        ("password = {{ nova_password }}", "password = {{ nova_password }}"),
        ("password = {{ 'hunter2' }}", "password = ** ********* **"),
        ("password = {{ a }} {{ b }}x", "password = ** * ** ** * ***"),
        ("password\nnext line", "password\nnext line"),
        ("user x", "user x"),
    ],
)
def test_assignments_that_sound_like_secrets_are_starred_out(line: str, shown: str) -> None:
    assert mask_assignments(SourceFile("x", line)).text == shown


def test_a_long_line_is_masked_in_linear_time() -> None:
    line = "password " * 20_000
    assert len(mask_assignments(SourceFile("x", line)).text) == len(line)


@pytest.mark.parametrize(
    "line", ["pwd" * 300_000, "pwd-" * 300_000, "pwd " * 300_000, " " * 900_000 + "pwd", "://a:" * 200_000]
)
def test_a_long_line_takes_no_longer_than_it_is_long(line: str) -> None:
    assert masked(line) == line  # in quadratic time this would never end


@given(st.text())
def test_a_mask_moves_no_column_and_no_line(text: str) -> None:
    shown = masked("a: 1\npassword: " + text)
    assert [len(line) for line in shown.splitlines()] == [
        len(line) for line in ("a: 1\npassword: " + text).splitlines()
    ]


SECRET = "cAnArY7"
QUOTED = st.sampled_from(
    [SECRET, f"'{SECRET}'", f'"{SECRET}"', f'"{SECRET}, {SECRET}"', f"[{SECRET}]", f"{{{SECRET}: 1}}"]
)
KEY = st.sampled_from(
    ["password", "pasword", "Password", "passwd", "pw", "secret", "api_token", "x", "'password'"]
)


@given(
    KEY,
    QUOTED,
    st.sampled_from(["{p}", "{{user: 3, {p}}}", "{{{p}, prot: 3, user: []}}", "\n    user: 3\n    {p}"]),
)
def test_no_form_of_a_written_password_reaches_a_message(key: str, value: str, form: str) -> None:
    connection = form.format(p=f"{key}: {value}")
    if not connection.startswith(("{", "\n")):
        connection = "\n    " + connection
    for text in (
        f"site: [\nconnection: {connection}\n",
        f"connection: {connection}\nnodes: {{a: 3}}\n",
        f"nodes:\n  hv01:\n   connection: {connection}\n",
        f"groups:\n  hv01:\n   connection: {connection}\n",
    ):
        _, problems = read_inventory(text, SourceFile("x", text))
        assert problems.has_errors
        for problem in problems:
            if SECRET in problem.render():
                # A broken file has no tree: then only keys that sound like a secret are known.
                assert problem.summary == "YAML cannot be read"
                assert key in {"pw", "x"}


def test_a_password_in_an_address_is_not_among_the_values_that_are_shown() -> None:
    given = {
        "url": "rabbit://a:Hunter3@h",
        "asked": "rabbit://a:@{secret:q}@h",
        "port": 1,
        "where": "https://h:5000/v3",
    }
    assert safe(given, ("nova_options", "DEFAULT")) == given | {"url": "rabbit://a:*******@h"}
