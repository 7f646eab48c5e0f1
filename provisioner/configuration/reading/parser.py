"""Read a MOF document into instances, with everything that is wrong in it and where.

Strict where the parser of an LCM is: an alias is declared before it is used, a property stands once, no comma
before a closing brace. After an error reading goes on with the next instance. What a class means, or whether it
exists, is not known here. Source: mof-format section 8; what an LCM refuses: real LCM behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.configuration.instances import Alias, MofDocument, MofInstance, MofProperty
from provisioner.configuration.reading.lexer import Lexer, Token, TokenKind
from provisioner.configuration.reading.text import MofText, decode
from provisioner.diagnostics import Diagnostics

#: Instances inside instances. Real documents have three.
DEEPEST = 32
#: Instances an alias stands for with everything inside them; more is a document made to fill the memory.
LARGEST_TREE = 100_000
#: The same for all instances of a document together. Real documents use each embedded instance once.
LARGEST_FOREST = 2_000_000

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_DECLARATIONS = frozenset({"class", "qualifier", "association", "indication"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A document that was read whole. ``target_node`` is from the comment at the top, empty without one."""

    document: MofDocument
    target_node: str


def read_mof(data: bytes, path: str) -> tuple[Reading | None, Diagnostics]:
    """Read the bytes of a document; ``path`` is what positions show.

    Returns:
        The document and its problems; None beside errors.
    """
    problems = Diagnostics()
    text = decode(data, path, problems)
    if text is None:
        return None, problems
    instances = _Parser(text, problems).instances()
    if not instances and not problems.has_errors:
        problems.error("Document is empty", "There is no instance in it.", text.range(0, 0))
    if problems.has_errors:
        return None, problems
    return Reading(MofDocument(tuple(instances)), text.target_node()), problems


class _SyntaxError(Exception):
    """A token is not the one the grammar asks for; recorded already."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """What is known of an alias: where it was declared, and the size of what it stands for."""

    start: int
    depth: int
    size: int


class _Parser:
    """Recursive descent over one text; the grammar nests no deeper than a list."""

    def __init__(self, text: MofText, problems: Diagnostics) -> None:
        self._text = text
        self._lexer = Lexer(text, problems)
        self._token = self._lexer.next()
        self._before = self._token
        self._aliases: dict[str, _Declared] = {}
        self._is_broken = False
        self._depth = 0
        self._size = 0
        self._total = 0

    def instances(self) -> list[MofInstance]:
        found = []
        while self._token.kind is not TokenKind.END:
            start = self._token.start
            try:
                found.append(self._instance())
            except _SyntaxError:
                self._is_broken = True
                self._lexer.skip_to_instance(max(self._token.start, start + 1))
                self._advance()
        return found

    def _instance(self) -> MofInstance:
        start = self._token.start
        if self._token.kind is TokenKind.WORD and self._token.text.casefold() in _DECLARATIONS:
            self._lexer.refuse(
                "Declaration of a class",
                "A document that configures a node holds instances only, and this declares something.",
                (start, self._token.end),
                "Take the document made for the node. 'provision catalog import' reads classes.",
            )
            raise _SyntaxError
        self._word("instance")
        self._word("of")
        class_name = self._take(TokenKind.WORD, "the name of a class")
        alias = self._alias()
        self._sign("{", "the properties")
        self._depth, self._size = 1, 1
        properties = self._properties()
        end = self._sign(";", "the end of the instance")
        if alias:
            # Known only from here on: an instance cannot hold itself.
            self._aliases[alias.text.casefold()] = _Declared(alias.start, self._depth, self._size)
        return MofInstance(
            class_name.text,
            alias.text if alias else "",
            tuple(properties),
            self._text.range(start, end.end),
        )

    def _alias(self) -> Token | None:
        if not self._is_word("as"):
            return None
        self._advance()
        alias = self._take(TokenKind.ALIAS, "an alias like $Name1ref")
        declared = self._aliases.get(alias.text.casefold())
        if declared:
            first = self._text.range(declared.start, declared.start)
            self._lexer.refuse(
                "Alias is declared twice",
                f"{self._lexer.quote(alias)} is declared on line {first.line} already; aliases ignore case.",
                (alias.start, alias.end),
                "Give each instance an alias of its own.",
            )
        return alias

    def _properties(self) -> list[MofProperty]:
        found: list[MofProperty] = []
        seen: dict[str, int] = {}
        while not self._is_sign("}"):
            name = self._take(TokenKind.WORD, "the name of a property or '}'")
            if name.text.casefold() in seen:
                first = self._text.range(seen[name.text.casefold()], name.start)
                self._lexer.refuse(
                    "Property is set twice",
                    f"{self._lexer.quote(name)} is set on line {first.line} of the same "
                    "instance already; names ignore case.",
                    (name.start, name.end),
                    "Keep one of the two.",
                )
            seen.setdefault(name.text.casefold(), name.start)
            self._sign("=", "a value")
            start = self._token.start
            value = self._list() if self._is_sign("{") else self._scalar()
            end = self._sign(";", "the end of the property")
            found.append(MofProperty(name.text, value, self._text.range(start, end.start)))
        self._advance()
        return found

    def _list(self) -> tuple[Any, ...]:
        self._advance()
        items: list[Any] = []
        if self._is_sign("}"):
            self._advance()
            return ()
        while True:
            if items and self._is_sign("}"):
                self._lexer.refuse(
                    "Comma before the end of a list",
                    "No item follows the last comma.",
                    (self._token.start, self._token.end),
                    "Remove the comma.",
                )
                break
            items.append(self._scalar())
            if not self._is_sign(","):
                break
            self._advance()
        self._sign("}", "',' or the end of the list")
        return tuple(items)

    def _scalar(self) -> Any:
        token = self._token
        match token.kind:
            case TokenKind.STRING:
                return self._strings()
            case TokenKind.NUMBER | TokenKind.CHARACTER:
                self._advance()
                return token.value
            case TokenKind.ALIAS:
                self._advance()
                self._refer(token)
                return Alias(token.text)
            case TokenKind.WORD if token.text.casefold() in _WORDS:
                self._advance()
                return _WORDS[token.text.casefold()]
            case _:
                raise self._wrong("a value")

    def _strings(self) -> str:
        """Read one text, or several that stand side by side and count as one."""
        parts: list[str] = []
        while self._token.kind is TokenKind.STRING:
            parts.append(str(self._token.value))
            self._advance()
        return "".join(parts)

    def _refer(self, alias: Token) -> None:
        declared = self._aliases.get(alias.text.casefold())
        if declared is None:
            if self._is_broken:  # its instance may be one of those passed over
                return
            self._lexer.refuse(
                "Unknown alias",
                f"No instance above is declared as {self._lexer.quote(alias)}; an instance stands before the "
                "one that uses it.",
                (alias.start, alias.end),
            )
            return
        self._depth = max(self._depth, declared.depth + 1)
        self._size += declared.size
        self._total += declared.size
        if self._depth > DEEPEST or self._size > LARGEST_TREE or self._total > LARGEST_FOREST:
            self._lexer.refuse(
                "Instances are nested too deeply",
                f"At most {DEEPEST} instances stand inside one another, and {LARGEST_TREE:,} in one, "
                f"{LARGEST_FOREST:,} in all.",
                (alias.start, alias.end),
            )
            raise _SyntaxError

    def _is_word(self, word: str) -> bool:
        return self._token.kind is TokenKind.WORD and self._token.text.casefold() == word

    def _is_sign(self, sign: str) -> bool:
        return self._token.kind is TokenKind.SIGN and self._token.text == sign

    def _word(self, word: str) -> None:
        if not self._is_word(word):
            raise self._wrong(f"'{word}'")
        self._advance()

    def _sign(self, sign: str, before: str) -> Token:
        if not self._is_sign(sign):
            raise self._wrong(f"'{sign}' ({before})" if sign != "}" else before)
        return self._advance()

    def _take(self, kind: TokenKind, wanted: str) -> Token:
        if self._token.kind is not kind:
            raise self._wrong(wanted)
        return self._advance()

    def _advance(self) -> Token:
        self._before = self._token
        self._token = self._lexer.next()
        return self._before

    def _wrong(self, wanted: str) -> _SyntaxError:
        token = self._token
        self._lexer.refuse(
            "Document has another structure",
            f"Here stands {self._lexer.quote(token)}, and {wanted} belongs here.",
            (token.start, max(token.end, token.start + 1)),
            self._open_text(),
        )
        return _SyntaxError()

    def _open_text(self) -> str:
        """Say so when the text before the wrong token spans lines: its own end is missing, most likely."""
        before = self._before
        if before.kind is not TokenKind.STRING or "\n" not in before.text:
            return ""
        where = self._text.range(before.start, before.end)
        return f"The text before it opens on line {where.line}, column {where.column}: is its end missing?"
