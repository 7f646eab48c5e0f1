"""The pieces Ansible's inventories are read with, against Python's own where there is one; hostile input."""

from __future__ import annotations

import random
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.diagnostics import SourceFile
from provisioner.inventory.foreign.hostnames import MAX_HOSTS, WrongName, hosts_of
from provisioner.inventory.foreign.ini import literal, split
from provisioner.inventory.foreign.reading import Form, read_foreign, read_foreign_text
from provisioner.inventory.foreign.translate import translate
from provisioner.inventory.foreign.yaml_values import resolved
from tests.compiling import REPOSITORY

LINES = st.text(alphabet="ab =#'\"\\\t[]1", max_size=20)


@given(LINES)
def test_words_are_those_a_shell_splits(line: str) -> None:
    try:
        expected: list[str] | None = shlex.split(line, comments=True)
    except ValueError:
        expected = None
    try:
        words: list[str] | None = [word for word, _, _ in split(line)]
    except ValueError:
        words = None
    assert words == expected


@given(LINES)
def test_a_word_starts_and_ends_where_it_says(line: str) -> None:
    try:
        found = list(split(line))
    except ValueError:
        return
    for word, start, end in found:
        assert 0 <= start < end <= len(line)
        assert shlex.split(line[start:end], comments=False) == [word]


@given(st.text(alphabet="0123456789abxoeE_.:+-yYnNtrueof~", max_size=8))
def test_plain_scalars_mean_what_they_mean_to_ansible(text: str) -> None:
    try:
        expected: Any = yaml.safe_load(f"- {text}")[0]
    except (yaml.YAMLError, ValueError):
        return
    if isinstance(expected, int | float | str | bool) or expected is None:
        assert repr(resolved(text)) == repr(expected)


@pytest.mark.parametrize(
    ("written", "names", "port"),
    [
        ("a", ["a"], None),
        ("a:22", ["a"], 22),
        ("a[1:3]", ["a1", "a2", "a3"], None),
        ("a[01:03]b", ["a01b", "a02b", "a03b"], None),
        ("a[:2]", ["a0", "a1", "a2"], None),
        ("a[1:9:4]:5985", ["a1", "a5", "a9"], 5985),
        ("[a:c]", ["a", "b", "c"], None),
        ("2001:db8::1", ["2001:db8::1"], None),
        ("[2001:db8::1]:5986", ["2001:db8::1"], 5986),
        ("a[1:2][x:y]", ["a1x", "a1y", "a2x", "a2y"], None),
    ],
)
def test_ranges_and_ports(written: str, names: list[str], port: int | None) -> None:
    assert hosts_of(written) == (names, port)


@given(st.text(alphabet="ab01[]:", max_size=12))
def test_a_name_is_read_or_refused(written: str) -> None:
    try:
        names, _ = hosts_of(written)
    except WrongName:
        return
    assert 0 < len(names) <= MAX_HOSTS


def test_many_ranges_are_refused_before_they_are_made() -> None:
    with pytest.raises(WrongName):
        hosts_of("a" + "[1:999]" * 30)


@pytest.mark.parametrize(
    "text", ["[" * 5000, "(" * 5000, "1" * 5000, "1+" * 3000, "9**9**9**9", "'\\ud800'", "\x00"]
)
def test_a_hostile_value_is_text(text: str) -> None:
    assert isinstance(literal(text), str)


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("x.ini", "all:\n  hosts:\n", Form.INI),
        ("hosts", "[web]\na\n", Form.INI),
        ("hosts", "# c\n\nall:\n  hosts: {a: }\n", Form.ANSIBLE),
        ("hosts.json", '{"all": {"hosts": {"a": null}}}', Form.ANSIBLE),
        ("hosts", "---\nall: {hosts: {a: }}\n", Form.ANSIBLE),
        ("config", "Host a\n  HostName b\n", Form.VAGRANT),
    ],
)
def test_the_form_is_told_by_name_and_beginning(name: str, text: str, form: Form) -> None:
    auto = read_foreign_text(text, SourceFile(name, text))
    said = read_foreign_text(text, SourceFile(name, text), form)
    assert [problem.render() for problem in auto[1]] == [problem.render() for problem in said[1]]
    assert (auto[0] and list(auto[0].hosts)) == (said[0] and list(said[0].hosts))


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    foreign, problems = read_foreign(tmp_path / "none.ini")
    assert foreign is None
    assert [problem.summary for problem in problems] == ["File cannot be read"]


def test_an_encrypted_file_of_variables_is_told(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[win]\na\n", encoding="utf-8")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/win.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6530\n", encoding="utf-8")
    foreign, problems = read_foreign(tmp_path / "hosts")
    assert foreign is not None
    assert [problem.summary for problem in problems] == ["File is encrypted"]


def test_a_broken_file_of_variables_is_an_error_that_hides_passwords(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("[win]\na\n", encoding="utf-8")
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars/a.yml").write_text("x: [\npassword: cAnArY\n", encoding="utf-8")
    foreign, problems = read_foreign(tmp_path / "hosts")
    assert foreign is None
    assert "cAnArY" not in "".join(problem.render() for problem in problems)


SEEDS = sorted(
    path
    for path in REPOSITORY.glob("tests/cases/foreign*/**/*")
    if path.is_file() and path.suffix != ".txt" and path.name != "expected.json"
)
PIECES = [
    b"[",
    b"]",
    b":",
    b"'",
    b'"',
    b"\n",
    b"\t",
    b"{{",
    b"<<: ",
    b"!vault ",
    b"&a ",
    b"*a",
    b"\x00",
    b"=",
    b"%",
]


@pytest.mark.parametrize("seed", range(12))
def test_no_mutation_of_a_file_gives_a_traceback(seed: int) -> None:
    dice = random.Random(seed)
    read = 0
    for _ in range(100):
        content = bytearray(dice.choice(SEEDS).read_bytes())
        for _ in range(dice.randint(0, 4)):
            at = dice.randrange(len(content) + 1)
            match dice.randrange(4):
                case 0:
                    content[at:at] = dice.choice(PIECES)
                case 1:
                    del content[at : at + dice.randint(1, 8)]
                case 2 if at < len(content):
                    content[at] = dice.randrange(256)
                case _:
                    content[at:at] = content[: dice.randint(1, 60)]
        text = content.decode("utf-8", errors="replace")
        form = dice.choice([Form.AUTO, Form.AUTO, Form.AUTO, *Form])
        foreign, problems = read_foreign_text(text, SourceFile("hosts", text), form)
        assert (foreign is None) is problems.has_errors
        if foreign is not None:
            read += 1
            found, notes = translate(foreign, "site")
            assert (found is None) is notes.has_errors
            said = {note.summary for note in notes if note.severity.value == "error"}
            assert said <= {"No Windows machine found"}
    assert read > 0


@given(st.text(max_size=60), st.sampled_from(list(Form)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str, form: Form) -> None:
    foreign, problems = read_foreign_text(text, SourceFile("hosts", text), form)
    assert (foreign is None) is problems.has_errors
    if foreign is not None:
        found, notes = translate(foreign, "site")
        assert (found is None) is notes.has_errors
