"""Break valid files: bytes at random, words by hostile words, values by other values. Seeded, so a case has a number."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

#: What YAML, Jinja, MOF and PowerShell each give a meaning, and what none of them likes.
HOSTILE = (
    "{{", "}}", "{%", "%}", "{#", "- ", ": ", "? ", "!!python/object/apply:os.system [id]", "!tag", "&a", "*a",
    "<<: *a", "|", ">-", "'", '"', "\\", "\t", "\r", "\x00", "\x1b[31m", "\ud7ff", "\ufeff", "\u2028", "😀",
    "null", "~", "true", "0x1F", "0o17", "1e999", "-0", ".nan", "9" * 500, "[" * 70, "{a: " * 70, "--- ", "...",
    "%YAML 1.1", "../../etc/passwd", "C:\\", "[Service]W3SVC", "[Service]", "::[A]b", "env:", "file:/etc/shadow",
    "env:X|url", "env:X|nothing", "{{ 9 ** 9 ** 9 }}", "{{ ''.__class__.__mro__ }}", "{{ 'a' * 10 ** 9 }}",
    "{{ range(10 ** 9) | list }}", "{% for i in range(10**9) %}x{% endfor %}", "{{ item }}", "{{ node }}",
    "{{ template('x') }}", "@{secret:x}", "-----BEGIN CMS-----", "*/", "};", "instance of X {};", "DependsOn",
    "PsDscRunAsCredential", "ResourceID", "--knock-out", "deep", "unique",
)  # fmt: skip

#: Values that keep a file well-formed, so that the mutation is met by the compiler and not by the YAML reader.
VALUES = (
    "null", "true", "false", "0", "-1", "4294967296", "1.5", "''", "' '", "text", "Present", "absent", "[]", "{}",
    "[1, [2, [3]]]", "[null]", "{a: 1}", "{user: x, password: 'env:A'}", "{user: 1}", "'{{ node.name }}'",
    "'{{ nothing }}'", "'{{ 1 / 0 }}'", "'{{ [1] }}'", "'[Service]W3SVC'", "'[Nope]x'", "'{{'", '"\\u0007"',
    "2026-01-01", "'1.2.3'", "'99.0'", "web", "'@{secret:x}'", "'20260101000000.000000+000'", "'a\\b'", "[a, --a]",
)  # fmt: skip

_SCALAR = re.compile(r": (?P<part>\"[^\"\n]*\"|'[^'\n]*'|[^\s{\[#\"'&*!|>][^,}\]\n#]*)")
#: Properties of resources begin with a capital letter, keys of our own with a small one.
_PROPERTY = re.compile(r"[A-Z]\w+: (?P<part>\[[^\]]*\]|\"[^\"\n]*\"|'[^'\n]*'|[^\s{\"'&*!|>][^,}\]\n#]*)")
_WORD = re.compile(r"(?P<part>\w+)")


#: How often a file is broken gently, by the end of its name.
_WEIGHTS = {"dsc.yaml": 8, "decommission.dsc.yaml": 2, "py": 1}


def mutate(files: Mapping[str, str], seed: int) -> dict[str, bytes]:
    """Return the files with one of them broken in one to three places; the same seed breaks the same places."""
    dice = random.Random(seed)
    broken = {name: text.encode() for name, text in files.items()}
    # Most cases stay well-formed, many of them in a configuration: the compiler shall meet them.
    is_gentle = dice.random() < 0.7
    names = sorted(files)
    weights = [
        _WEIGHTS.get(name.rpartition("/")[2].partition(".")[2], 3) if is_gentle else 1 for name in names
    ]
    target = dice.choices(names, weights)[0]
    for _ in range(dice.randint(1, 2 if is_gentle else 3)):
        broken[target] = dice.choice(_GENTLE if is_gentle else _ROUGH)(broken[target], dice)
    return broken


def _place(data: bytes, dice: random.Random) -> int:
    return dice.randrange(len(data) + 1)


def _flip(data: bytes, dice: random.Random) -> bytes:
    at = _place(data, dice)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    start, end = sorted((_place(data, dice), _place(data, dice)))
    return data[:start] + data[min(end, start + 40) :]


def _truncate(data: bytes, dice: random.Random) -> bytes:
    return data[: _place(data, dice)]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    start, end = sorted((_place(data, dice), _place(data, dice)))
    return data[:end] + data[start:end][:200] * dice.randint(1, 3) + data[end:]


def _swap_lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _insert_hostile(data: bytes, dice: random.Random) -> bytes:
    at = _place(data, dice)
    return data[:at] + dice.choice(HOSTILE).encode("utf-8", "surrogatepass") + data[at:]


def _replace(pattern: re.Pattern[str], words: tuple[str, ...]) -> Callable[[bytes, random.Random], bytes]:
    def replace(data: bytes, dice: random.Random) -> bytes:
        text = data.decode("utf-8", "replace")
        found = list(pattern.finditer(text))
        if not found:
            return data
        match = dice.choice(found)
        new = dice.choice(words)
        return (text[: match.start("part")] + new + text[match.end("part") :]).encode(
            "utf-8", "surrogatepass"
        )

    return replace


def _drop_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[dice.randrange(len(lines))]
    return b"".join(lines)


def _misspell(data: bytes, dice: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    found = list(_WORD.finditer(text))
    if not found:
        return data
    match = dice.choice(found)
    word = match[0]
    at = dice.randrange(len(word))
    new = word[:at] + word[at + 1 :] if dice.random() < 0.5 else word[:at] + "x" + word[at:]
    return (text[: match.start()] + new + text[match.end() :]).encode()


_ROUGH = (_flip, _cut, _truncate, _repeat, _swap_lines, _insert_hostile, _replace(_WORD, HOSTILE))
_GENTLE = (*(_replace(_PROPERTY, VALUES),) * 5, _replace(_SCALAR, VALUES), _drop_line, _misspell)
