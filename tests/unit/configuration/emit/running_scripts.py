"""A reader of the scripts we write, by the grammar of PowerShell configurations and not by how we write them.

It knows blocks, property lists, arrays, hashtables, variables, casts and both kinds of strings, and gives what a
compiling PowerShell would have in hand: imports, parameters and resources with their values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.unit.configuration.emit.test_powershell_literals import meaning

_QUOTES = "'\u2018\u2019\u201a\u201b"
_DOUBLE = '"\u201c\u201d\u201e'
_TOKEN = re.compile(
    rf"(?P<text>[{_QUOTES}](?:[^{_QUOTES}]|[{_QUOTES}]{{2}})*[{_QUOTES}](?![{_QUOTES}])"
    rf"|[{_DOUBLE}](?:`.|\$\(\[char\]0x[0-9A-F]{{4}}\)|[^`{_DOUBLE}$])*[{_DOUBLE}])"
    r"|(?P<end>\n)|(?P<space>[ \t]+|#[^\n]*)"
    r"|(?P<mark>@\(|@\{|[(){}\[\],=])|(?P<variable>\$\w+)"
    r"|(?P<word>-?[\w.\\]+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Cast:
    type: str
    text: str


@dataclass(frozen=True)
class Block:
    """``Keyword 'name' { ... }`` or, inside a property, ``Class { ... }``."""

    keyword: str
    name: str
    properties: dict[str, Any]


@dataclass
class Script:
    name: str = ""
    node: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    resources: list[Block] = field(default_factory=list)


def run(text: str) -> Script:
    return _Reader(text).script()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            assert found is not None, text[place : place + 60]
            assert found.lastgroup is not None
            if found.lastgroup != "space":
                self._tokens.append((found.lastgroup, found[0]))
            place = found.end()
        self._place = 0

    def script(self) -> Script:
        found = Script()
        self._word("Configuration")
        found.name = self._next("word")
        self._next_mark("{")
        if self._is_word("param"):
            self._parameters(found)
        while self._is_word("Import-DscResource"):
            self._import(found)
        self._word("Node")
        found.node = meaning(self._next("text"))
        self._next_mark("{")
        while not self._is_mark("}"):
            found.resources.append(self._resource())
        self._next_mark("}")
        self._next_mark("}")
        self._skip_ends()
        assert self._place == len(self._tokens)
        return found

    def _parameters(self, found: Script) -> None:
        self._word("param")
        self._next_mark("(")
        while True:
            for word in ("[", "Parameter", "(", "Mandatory", ",", "HelpMessage", "="):
                self._either(word)
            help_text = meaning(self._next("text"))
            for word in (")", "]", "[", "PSCredential", "]"):
                self._either(word)
            found.parameters[self._next("variable")[1:]] = help_text
            if not self._is_mark(","):
                break
            self._next_mark(",")
        self._next_mark(")")

    def _import(self, found: Script) -> None:
        self._word("Import-DscResource")
        self._word("-ModuleName")
        module = meaning(self._next("text"))
        assert module not in found.imports
        found.imports[module] = ""
        if self._is_word("-ModuleVersion"):
            self._word("-ModuleVersion")
            found.imports[module] = meaning(self._next("text"))

    def _resource(self) -> Block:
        keyword = self._next("word")
        name = meaning(self._next("text"))
        return Block(keyword, name, self._body())

    def _body(self) -> dict[str, Any]:
        self._next_mark("{")
        return self._entries()

    def _entries(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._is_mark("}"):
            kind, text = self._take()
            name = meaning(text) if kind == "text" else text
            assert kind in {"text", "word"}
            assert name.casefold() not in {each.casefold() for each in found}
            self._next_mark("=")
            found[name] = self._value()
            assert self._tokens[self._place] in {("end", "\n"), ("mark", "}")}, "a property ends its line"
        self._next_mark("}")
        return found

    def _value(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return meaning(text)
        if kind == "variable":
            return {"$true": True, "$false": False, "$null": None}.get(text, Variable(text[1:]))
        if (kind, text) == ("mark", "["):
            cast = self._next("word")
            self._next_mark("]")
            return Cast(cast, meaning(self._next("text")))
        if (kind, text) == ("mark", "@{"):
            return self._entries()
        if (kind, text) == ("mark", "@("):
            return self._array()
        assert kind == "word"
        if self._tokens[self._place] == ("mark", "{"):
            return Block(text, "", self._body())
        return float(text) if "." in text else int(text)

    def _array(self) -> list[Any]:
        found = []
        while not self._is_mark(")"):
            found.append(self._value())
            if self._is_mark(","):
                self._next_mark(",")
        self._next_mark(")")
        return found

    def _skip_ends(self) -> None:
        while self._place < len(self._tokens) and self._tokens[self._place][0] == "end":
            self._place += 1

    def _take(self) -> tuple[str, str]:
        self._skip_ends()
        self._place += 1
        return self._tokens[self._place - 1]

    def _next(self, kind: str) -> str:
        found, text = self._take()
        assert found == kind, f"{kind} expected, not {text!r}"
        return text

    def _next_mark(self, mark: str) -> None:
        assert self._take() == ("mark", mark)

    def _either(self, text: str) -> None:
        assert self._take()[1] == text

    def _word(self, word: str) -> None:
        for part in word.split("-", 1) if not word.startswith("-") else [word]:
            kind, text = self._take()
            assert kind == "word"
            assert text.removeprefix("-") == part.removeprefix("-"), f"{word} expected, not {text!r}"

    def _is_word(self, word: str) -> bool:
        self._skip_ends()
        return self._tokens[self._place] == (
            "word",
            word.split("-", 1)[0] if not word.startswith("-") else word,
        )

    def _is_mark(self, mark: str) -> bool:
        self._skip_ends()
        return self._tokens[self._place] == ("mark", mark)
