"""Reads the CLIXML of one message as the deserializer of PowerShell does.

An object keeps all that was said of it. One object met twice is one Structure; an object inside itself becomes
None there, because nobody here could walk such a circle. What is refused is refused as a whole: unknown
elements, stray text, a reference to nothing, too deep nesting, and objects that unfold to many times the size of
the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from provisioner.wire.clixml.scalars import (
    PROGRESS_NUMBERS,
    PROGRESS_PARTS,
    READERS,
    check_progress,
    unescape_text,
)
from provisioner.wire.clixml.values import MAX_DEPTH, Primitive, Structure

#: References may unfold to this many values besides those that are written out.
_MOST_UNFOLDED: Final = 100_000
# XML 1.0 has no place for these references; PowerShell sends and takes them.
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9a-fA-F]{1,4})|([0-9]{1,5}));")
_LISTS: Final = frozenset({"LST", "IE", "QUE", "STK"})
_BLANKS: Final = " \t\r\n"
#: Elements whose text is read by their name and an empty name space; of all others only the name counts.
_NAMED: Final = frozenset({"S", "T", "ToString", "URI", "SBK", "XD"})
#: Elements of which nothing is looked at but their attributes.
_SKIPPED: Final = frozenset({"Nil", "Ref", "TNRef"})
_CONTAINERS: Final = frozenset({"Obj", "MS", "Props", "TN", "DCT", "En", *_LISTS})
_DECLARATION: Final = re.compile(rb"<\?xml[ \t\r\n]")
_PASSED_OVER: Final = ((b"<!--", b"-->"), (b"<?", b"?>"))
_PREFIX: Final = re.compile(rb"<[^\s<>/!?]+:")
_FIRST_XML_CHARACTER: Final = 0x20
_LAST_XML_CHARACTER: Final = 0xFFFD
_SURROGATES: Final = range(0xD800, 0xE000)


class UnreadableError(Exception):
    """Real PowerShell refuses it too."""


def read(data: bytes, decrypt: Callable[[str], str] | None = None) -> Any:
    """Read the payload of a message.

    ``decrypt`` turns the text of a secure string into plain text; without it secure strings are refused.

    Raises:
        UnreadableError: It is no CLIXML, or what cannot be read as such.
    """
    # A declaration and blanks are nodes of their own before the first element; comments are none.
    if b"\0" in data or _begins_otherwise(data):
        raise UnreadableError("something before the first element")
    if b"&#" in data:
        data = _REFERENCE.sub(_as_escape, data)
    try:
        if b"<!DOCTYPE" in data:
            _check_type(data)
        root = ET.fromstring(data)  # noqa: S314 - without a DOCTYPE there are no entities
        if b"xmlns" in data:
            _forget_name_spaces(root, data)
        if b"<![CDATA[" in data:
            _check_sections(data)
        return _Reader(decrypt).top(root)
    except UnreadableError:
        raise
    # A decrypting callable may fail with what its library raises; lookups of refused texts raise KeyError.
    except (ET.ParseError, expat.ExpatError, ValueError, ArithmeticError, LookupError) as problem:
        raise UnreadableError(type(problem).__name__) from problem


def _as_escape(found: re.Match[bytes]) -> bytes:
    number = int(found[1], 16) if found[1] else int(found[2])
    is_xml = _FIRST_XML_CHARACTER <= number <= _LAST_XML_CHARACTER and number not in _SURROGATES
    return found[0] if is_xml or number > 0xFFFF else b"_x%04X_" % number  # noqa: PLR2004 - one UTF-16 unit


def _begins_otherwise(data: bytes) -> bool:
    """Tell whether anything but comments and instructions stands before the first element."""
    at = 0
    while True:
        ends = next((end for begin, end in _PASSED_OVER if data.startswith(begin, at)), None)
        if ends is None or _DECLARATION.match(data, at):
            return data[at : at + 1] != b"<" or ends is not None
        end = data.find(ends, at)
        if end < 0:
            return True
        at = end + len(ends)


def _forget_name_spaces(root: ET.Element, data: bytes) -> None:
    if _PREFIX.search(data):
        raise UnreadableError("a prefix")
    for element in root.iter():
        local = element.tag.rpartition("}")[2]
        if local not in _NAMED:
            element.tag = local


def _check_type(data: bytes) -> None:
    """Refuse a document type before anything of it is looked at; in a text it is a text."""
    parser = expat.ParserCreate()

    def declared(*_: Any) -> None:
        raise UnreadableError("a document type")

    parser.StartDoctypeDeclHandler = declared
    parser.Parse(data, True)


def _check_sections(data: bytes) -> None:
    """Refuse CDATA where only elements may stand; an element tree cannot tell it from blanks."""
    parser, path = expat.ParserCreate(), list[str]()

    def section() -> None:
        if path[-1] in _CONTAINERS and _SKIPPED.isdisjoint(path):
            raise UnreadableError("CDATA among elements")

    parser.StartElementHandler = lambda tag, _: path.append(tag)
    parser.EndElementHandler = lambda _: path.pop()
    parser.StartCdataSectionHandler = section
    parser.Parse(data, True)


class _Reader:
    """One run over one message."""

    def __init__(self, decrypt: Callable[[str], str] | None) -> None:
        self._decrypt = decrypt
        self._types: dict[str | None, tuple[str, ...]] = {}
        self._objects: dict[str, tuple[Any, int]] = {}
        self._weight = 0
        self._unfolded = 0

    def top(self, element: ET.Element) -> Any:
        if element.tag == "Nil":
            raise UnreadableError("null is an empty message")
        return self.value(element, 0)

    def value(self, element: ET.Element, depth: int) -> Any:
        self._weight += 1
        if depth > MAX_DEPTH:
            raise UnreadableError("nested too deep")
        tag = element.tag
        if tag == "Obj":
            return self._object(element, depth)
        if tag == "Nil":
            return None
        if tag == "Ref":
            return self._referred(element)
        if tag == "PR":
            return self._progress(element, depth)
        if len(element):
            raise UnreadableError(f"elements inside {tag}")
        text = element.text or ""
        if tag == "SS":
            return self._secure(text)
        return READERS[tag](text)

    def _secure(self, text: str) -> Any:
        if self._decrypt is None:
            raise UnreadableError("a secure string without a key")
        return Primitive("SS", self._decrypt(text))

    def _referred(self, element: ET.Element) -> Any:
        value, weight = self._objects[element.attrib["RefId"]]
        self._unfolded += weight
        self._weight += weight
        if self._unfolded > _MOST_UNFOLDED:
            raise UnreadableError("references that unfold to too much")
        return value

    def _object(self, element: ET.Element, depth: int) -> Any:
        _only_blanks(element)
        reference = element.get("RefId")
        if reference is not None:
            self._objects[reference] = (None, 1)
        before = self._weight
        found = Structure(())
        for part in element:
            self._part(found, part, depth)
        result: Any = found
        if found == Structure((), value=found.value) and not isinstance(found.value, list | dict | NoneType):
            result = found.value  # an object that is nothing but its value
        if reference is not None:
            self._objects[reference] = (result, self._weight - before)
        return result

    def _part(self, found: Structure, part: ET.Element, depth: int) -> None:
        tag = part.tag
        if tag == "MS":
            found.extended = self._members(part, depth + 1, found.extended)
        elif tag == "Props":
            found.properties = self._members(part, depth + 1)
        elif tag == "TN":
            found.type_names = self._types[part.get("RefId")] = self._names(part)
        elif tag == "TNRef":
            found.type_names = self._types[part.attrib["RefId"]]
        elif tag == "ToString":
            found.text = _leaf_text(part)
        elif tag == "DCT":
            found.value = self._dictionary(part, depth + 1)
        elif tag in _LISTS:
            _only_blanks(part)
            found.tag, found.value = tag, [self.value(item, depth + 1) for item in part]
        elif tag in {"Nil", "Ref"}:
            raise UnreadableError(f"{tag} as the value of an object")
        else:
            found.value = self.value(part, depth + 1)

    @staticmethod
    def _names(element: ET.Element) -> tuple[str, ...]:
        _only_blanks(element)
        if any(name.tag != "T" for name in element):
            raise UnreadableError("type names")
        return tuple(text for name in element if (text := _leaf_text(name)))

    def _progress(self, element: ET.Element, depth: int) -> Primitive:
        """Read a progress record; its parts have an order."""
        _only_blanks(element)
        if len(element) != len(PROGRESS_PARTS):
            raise UnreadableError("a progress record of other parts")
        found: list[Any] = []
        for name, part in zip(PROGRESS_PARTS, element, strict=True):
            if not name:
                found.append(self.value(part, depth + 1))
            elif part.tag == name:
                found.append(
                    READERS["I32"](_leaf_text(part)) if name in PROGRESS_NUMBERS else _leaf_text(part)
                )
            else:
                raise UnreadableError(f"{part.tag} in a progress record")
        check_progress(found)
        return Primitive("PR", tuple(found))

    def _members(
        self, element: ET.Element, depth: int, known: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        _only_blanks(element)
        found: dict[str, Any] = dict(known or {})
        folded: dict[str, str] = {name.casefold(): name for name in found}
        for item in element:
            name = unescape_text(item.attrib["N"])
            if not name:
                raise UnreadableError("a member without a name")
            found.pop(folded.get(name.casefold(), name), None)  # names differ in more than case
            folded[name.casefold()] = name
            if item.tag == "MS" and element.tag == "MS":
                if depth > MAX_DEPTH:
                    raise UnreadableError("nested too deep")
                found[name] = Structure((), extended=self._members(item, depth + 1), tag="MS")
            else:
                found[name] = self.value(item, depth)
        return found

    def _dictionary(self, element: ET.Element, depth: int) -> dict[Any, Any]:
        _only_blanks(element)
        found: dict[Any, Any] = {}
        for entry in element:
            if entry.tag != "En" or [item.get("N", "").casefold() for item in entry] != ["key", "value"]:
                raise UnreadableError("an entry without key and value")
            _only_blanks(entry)
            key = self.value(entry[0], depth)
            if key is None:
                raise UnreadableError("a key that is null")
            found[_hashable(key)] = self.value(entry[1], depth)
        return found


def _hashable(key: Any) -> Any:
    """Make a key usable in a dict: objects become their text."""
    if not isinstance(key, Structure):
        return key
    return key.text or next(iter(key.type_names), "")


def _leaf_text(element: ET.Element) -> str:
    if len(element):
        raise UnreadableError(f"elements inside {element.tag}")
    return unescape_text(element.text or "")


def _only_blanks(element: ET.Element) -> None:
    pieces: Iterable[str | None] = (element.text, *(item.tail for item in element))
    if any(piece and piece.strip(_BLANKS) for piece in pieces):
        raise UnreadableError(f"text inside {element.tag}")
