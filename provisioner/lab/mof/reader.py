"""Reads a MOF document into instances, as the parser inside an LCM does. Knows no classes.

Strict where the real parser is: an alias must be declared before it is used, a property may stand once, no comma
before a closing brace. Nothing here raises anything but ``MofError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, Union

from provisioner.lab.mof.lexer import Kind, MofError, Token, decode, error_at, tokens

Scalar: TypeAlias = Union[bool, int, float, str, "Instance", None]
Value: TypeAlias = "Scalar | list[Scalar]"


@dataclass(slots=True, eq=False)
class Instance:
    """One ``instance of``. Property names keep their spelling; look-ups ignore case."""

    class_name: str
    alias: str = ""
    properties: dict[str, Value] = field(default_factory=dict)
    #: Offset of the end of each property, by lower-case name; of the instance itself under "".
    offsets: dict[str, int] = field(default_factory=dict)

    def get(self, name: str) -> Value:
        """Give the value of a property, None when it is NULL or absent."""
        wanted = name.casefold()
        return next((value for key, value in self.properties.items() if key.casefold() == wanted), None)

    def text(self, name: str) -> str:
        """Give a string property, "" when it is absent or of another type."""
        value = self.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class MofDocument:
    """All instances in document order, and the text they came from (for error positions)."""

    instances: tuple[Instance, ...]
    text: str = field(repr=False)

    def error(self, instance: Instance, property_name: str, message: str) -> MofError:
        """Build the error for a property (the instance itself when the name is "")."""
        place = instance.offsets.get(property_name.casefold(), instance.offsets.get("", 0))
        return error_at(self.text, place, message)


def read(data: bytes) -> MofDocument:
    """Read a document.

    Raises:
        MofError: it is not MOF.
    """
    text = decode(data)
    return MofDocument(tuple(_Parser(text).instances()), text)


class _Parser:
    """Recursive descent over one text; the grammar nests no deeper than an array."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._token = next(self._tokens)
        self._aliases: dict[str, tuple[Instance, int]] = {}

    def instances(self) -> Iterator[Instance]:
        while self._token.kind is not Kind.END:
            if self._is_sign("#"):
                self._pragma()
            else:
                yield self._instance()

    def _instance(self) -> Instance:
        self._word("instance")
        self._word("of")
        class_token = self._take(Kind.WORD)
        instance = Instance(class_token.text)
        instance.offsets[""] = class_token.end
        alias = None
        if self._token.kind is Kind.WORD and self._token.text.casefold() == "as":
            self._advance()
            alias = self._take(Kind.ALIAS)
            instance.alias = alias.text
            self._refuse_second_alias(alias)
        self._sign("{")
        while not self._is_sign("}"):
            self._property(instance)
        self._advance()
        self._sign(";")
        if alias:
            # Known only from here on: an instance cannot hold itself.
            self._aliases[alias.text.casefold()] = (instance, alias.start)
        return instance

    def _refuse_second_alias(self, alias: Token) -> None:
        declared = self._aliases.get(alias.text.casefold())
        if declared:
            line = self._text.count("\n", 0, declared[1]) + 1
            raise error_at(
                self._text, alias.end, f"Instance alias: '{alias.text}' already declared at line {line}"
            )

    def _property(self, instance: Instance) -> None:
        name = self._take(Kind.WORD)
        if name.text.casefold() in instance.offsets:
            raise error_at(self._text, name.end, f"Class feature already defined: {name.text}")
        self._sign("=")
        value = self._array() if self._is_sign("{") else self._scalar()
        end = self._token
        self._sign(";")
        instance.properties[name.text] = value
        instance.offsets[name.text.casefold()] = end.start

    def _array(self) -> list[Scalar]:
        self._advance()
        items: list[Scalar] = []
        if self._is_sign("}"):
            self._advance()
            return items
        while True:
            items.append(self._scalar())
            if not self._is_sign(","):
                break
            self._advance()
        self._sign("}")
        return items

    def _scalar(self) -> Scalar:
        token = self._token
        match token.kind:
            case Kind.ALIAS:
                self._advance()
                if token.text.casefold() not in self._aliases:
                    raise error_at(self._text, token.end, f"Undefined instance alias: {token.text}")
                return self._aliases[token.text.casefold()][0]
            case Kind.WORD:
                words: dict[str, bool | None] = {"true": True, "false": False, "null": None}
                if token.text.casefold() not in words:
                    raise self._syntax_error(token)
                self._advance()
                return words[token.text.casefold()]
            case Kind.VALUE if token.text.startswith('"'):
                return self._strings()
            case Kind.VALUE:
                self._advance()
                return token.value
        raise self._syntax_error(token)

    def _strings(self) -> str:
        """Read one string, or several that stand side by side and count as one."""
        parts: list[str] = []
        while self._token.kind is Kind.VALUE and self._token.text.startswith('"'):
            parts.append(str(self._token.value))
            self._advance()
        return "".join(parts)

    def _pragma(self) -> None:
        self._advance()
        self._word("pragma")
        name = self._take(Kind.WORD)
        self._sign("(")
        self._take(Kind.VALUE)
        self._sign(")")
        if name.text.casefold() == "include":
            raise error_at(self._text, name.end, "Failed to read content from include file")

    def _word(self, word: str) -> None:
        if self._token.kind is not Kind.WORD or self._token.text.casefold() != word:
            raise self._syntax_error(self._token)
        self._advance()

    def _sign(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise self._syntax_error(self._token)
        self._advance()

    def _is_sign(self, sign: str) -> bool:
        return self._token.kind is Kind.SIGN and self._token.text == sign

    def _take(self, kind: Kind) -> Token:
        token = self._token
        if token.kind is not kind:
            raise self._syntax_error(token)
        self._advance()
        return token

    def _advance(self) -> None:
        self._token = next(self._tokens)

    def _syntax_error(self, token: Token) -> MofError:
        return error_at(self._text, token.end, "Syntax error:")
