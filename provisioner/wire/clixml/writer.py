"""Writes neutral values as the serializer of Windows PowerShell lays them out: no blanks, no line breaks."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from provisioner.wire.clixml.scalars import (
    PROGRESS_PARTS,
    escape_text,
    write_duration,
    write_instant,
    write_number,
    write_single,
)
from provisioner.wire.clixml.values import MAX_DEPTH, Primitive, Structure

_ARRAY_TYPES: Final = ("System.Object[]", "System.Array", "System.Object")
_HASHTABLE_TYPES: Final = ("System.Collections.Hashtable", "System.Object")


class UnserializableError(Exception):
    """The value cannot be written as CLIXML."""


def write(value: Any, encrypt: Callable[[str], str] | None = None) -> bytes:
    """Serialise one neutral value as the payload of a PSRP message, without byte order mark.

    ``encrypt`` turns plain text into the text of a secure string; without it secure strings are refused.

    Raises:
        UnserializableError: Not a neutral value, or nested too deep.
    """
    parts: list[str] = []
    _Writer(parts, encrypt).write(value, "", 0)
    return "".join(parts).encode("utf-8")


def _name_attribute(name: str) -> str:
    return f' N="{escape_text(name).replace(chr(34), "&quot;")}"'


class _Writer:
    """One run over one message: numbers objects and type-name lists."""

    def __init__(self, parts: list[str], encrypt: Callable[[str], str] | None) -> None:
        self._out = parts.append
        self._encrypt = encrypt
        self._objects = 0
        self._written: dict[int, int] = {}
        self._type_names: dict[tuple[str, ...], int] = {}

    def write(self, value: Any, name: str, depth: int) -> None:  # noqa: C901, PLR0912 - one case per kind
        """Write ``value``; ``name`` is the ready ``N`` attribute with a blank before it, or empty."""
        match value:
            case Structure(tag="MS"):
                self._member_set(value, name, depth)
            case Primitive("PR", tuple() as parts):
                self._progress(parts, name, depth)
            case None:
                self._out(f"<Nil{name} />")
            case bool():
                self._out(f"<B{name}>{'true' if value else 'false'}</B>")
            case str():
                self._out(f"<S{name}>{escape_text(value)}</S>")
            case int():
                self._integer(value, name)
            case float():
                self._out(f"<Db{name}>{write_number(value)}</Db>")
            case bytes():
                text = base64.b64encode(value).decode()
                self._out(f"<BA{name}>{text}</BA>" if text else f"<BA{name} />")
            case datetime():
                self._out(f"<DT{name}>{write_instant(value)}</DT>")
            case timedelta():
                self._out(f"<TS{name}>{write_duration(value)}</TS>")
            case uuid.UUID():
                self._out(f"<G{name}>{value}</G>")
            case Primitive(tag, inner):
                self._out(f"<{tag}{name}>{self._primitive(tag, inner)}</{tag}>")
            case Structure():
                self._structure(value, name, depth)
            case list() | tuple():
                self._container_of(_ARRAY_TYPES, value, name, depth)
            case dict():
                self._container_of(_HASHTABLE_TYPES, value, name, depth)
            case _:
                raise UnserializableError(f"a value of type {type(value).__name__}")

    def _integer(self, value: int, name: str) -> None:
        if -(2**31) <= value < 2**31:
            self._out(f"<I32{name}>{int(value)}</I32>")
        elif -(2**63) <= value < 2**63:
            self._out(f"<I64{name}>{int(value)}</I64>")
        else:
            self._out(f"<D{name}>{int(value)}</D>")

    def _primitive(self, tag: str, value: Any) -> str:
        if tag == "SS":
            if self._encrypt is None:
                raise UnserializableError("a secure string without a key")
            return self._encrypt(value)
        if isinstance(value, float):
            return write_single(value) if tag == "Sg" else write_number(value)
        return format(value, "f") if isinstance(value, Decimal) else escape_text(str(value))

    def _member_set(self, value: Structure, name: str, depth: int) -> None:
        if not value.extended:
            self._out(f"<MS{name} />")
            return
        self._out(f"<MS{name}>")
        for key, member in value.extended.items():
            self.write(member, _name_attribute(key), depth + 1)
        self._out("</MS>")

    def _progress(self, parts: tuple[Any, ...], name: str, depth: int) -> None:
        self._out(f"<PR{name}>")
        for tag, part in zip(PROGRESS_PARTS, parts, strict=True):
            if tag:
                self._out(f"<{tag}>{escape_text(str(part))}</{tag}>")
            else:
                self.write(part, "", depth + 1)
        self._out("</PR>")

    def _structure(self, value: Structure, name: str, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise UnserializableError(f"objects nested deeper than {MAX_DEPTH}")
        known = self._written.get(id(value))
        if known is not None:
            self._out(f'<Ref{name} RefId="{known}" />')
            return
        self._written[id(value)] = self._objects
        self._out(f'<Obj{name} RefId="{self._objects}">')
        self._objects += 1
        self._types(value.type_names)
        if value.text is not None:
            self._out(f"<ToString>{escape_text(value.text)}</ToString>" if value.text else "<ToString />")
        if isinstance(value.value, Mapping | list | tuple):
            self._container(value, depth)
            self._members(value, depth)
        else:
            if value.value is not None:
                self.write(value.value, "", depth + 1)
            self._members(value, depth)
        self._out("</Obj>")

    def _container_of(self, types: tuple[str, ...], value: Any, name: str, depth: int) -> None:
        wrapper = Structure(types, value=value)
        self._structure(wrapper, name, depth)
        del self._written[id(wrapper)]  # its id is free again

    def _types(self, names: tuple[str, ...]) -> None:
        if not names:
            return
        known = self._type_names.get(names)
        if known is not None:
            self._out(f'<TNRef RefId="{known}" />')
            return
        number = self._type_names[names] = len(self._type_names)
        listed = "".join(f"<T>{escape_text(name)}</T>" for name in names)
        self._out(f'<TN RefId="{number}">{listed}</TN>')

    def _members(self, value: Structure, depth: int) -> None:
        for tag, members in (("Props", value.properties), ("MS", value.extended)):
            if members:
                self._out(f"<{tag}>")
                for key, member in members.items():
                    self.write(member, _name_attribute(key), depth + 1)
                self._out(f"</{tag}>")

    def _container(self, value: Structure, depth: int) -> None:
        items: Mapping[Any, Any] | Iterable[Any] = value.value
        tag = "DCT" if isinstance(items, Mapping) else value.tag
        if not items:
            self._out(f"<{tag} />")
            return
        self._out(f"<{tag}>")
        if isinstance(items, Mapping):
            for key, item in items.items():
                self._out("<En>")
                self.write(key, ' N="Key"', depth + 1)
                self.write(item, ' N="Value"', depth + 1)
                self._out("</En>")
        else:
            for item in items:
                self.write(item, "", depth + 1)
        self._out(f"</{tag}>")
