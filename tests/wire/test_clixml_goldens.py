"""CLIXML that real PowerShell wrote is read, and written again, as real PowerShell does; what it refuses is refused.

The exceptions stand in tables with their reasons; what stands there and agrees after all fails.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from provisioner.wire.clixml import UnreadableError, read, write
from tests.shared_data import shared
from tests.wire.clixml_described import class_of, disagreement

_CIRCLE = "an object inside itself is null there: nobody here could walk such a circle"
_KEYS = "keys that are objects become their text"
_WRAPPED = "a value that script code touched is wrapped in an object; written bare"
_MADE_AGAIN = "a class that .NET makes again from its parts; here the parts stay"
_EMPTY = "an object of which every member is hidden says so by an empty element; written without"
_NULL = "null is a message without a payload, never an element"

_WRITTEN_OTHERWISE = {
    **dict.fromkeys(["dict-045", "pso-025", "ref-043", "ref-046"], _CIRCLE),
    **dict.fromkeys(["dict-009", "dict-012"], _KEYS),
    **dict.fromkeys(["other-003", "other-013", "other-013", "other-017", "other-020", "other-079"], _WRAPPED),
    **dict.fromkeys(["array-041", "array-042"], _EMPTY),
    "str-char-057": "a character reference that is no XML; escaped here, and read back the same",
}
_NOT_READ = {
    **dict.fromkeys(["basic-003", "other-023", "other-031", "other-060", "other-063"], _NULL),
}
_OF_OTHER_CLASS = {
    **dict.fromkeys(
        [
            "other-005",
            "other-008",
            "other-009",
            "other-010",
            "other-011",
            "other-024",
            "other-025",
            "other-028",
        ],
        _MADE_AGAIN,
    ),
    **dict.fromkeys(
        ["dict-027", "dict-028", "dict-029", "big-003"], "a dict of Python keeps its order anyway"
    ),
    "dict-043": "a dict of Python, whatever it may hold",
}
#: The same classes once more, among the values that have no form of their own for the wire.
_OF_OTHER_CLASS_AGAIN = {"dict-054", "dict-056", "again-006", "again-017", "other-084", "other-085"}
_DESCRIBED_OTHERWISE = {
    "prim-147": "a time of day without a day: the real one takes today's, and there is no clock here",
    **dict.fromkeys(["obj-074", "obj-075"], _CIRCLE),
    **dict.fromkeys(["obj-086", "obj-087", "obj-091"], _MADE_AGAIN),
    "obj-063": "the same key twice: the last value stays, as a Hashtable could not hold both",
    "obj-070": "described by the text of its keys, of which three are 1; all three are there",
    "obj-071": _KEYS,
}


def _lines(*parts: str) -> list[dict[str, Any]]:
    path = shared("powershell-goldens", *parts)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _plain_secret(text: str) -> str:
    """Where there is no key, a secure string of PowerShell on Linux is its UTF-16 in hexadecimal."""
    if not text:
        raise ValueError(text)
    return bytes.fromhex(text).decode("utf-16-le")


def _hidden_secret(text: str) -> str:
    return text.encode("utf-16-le").hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def test_every_value_is_read_and_written_again_as_it_was() -> None:
    not_read, otherwise, same = set(), set(), 0
    for case in _lines("clixml", "values.jsonl"):
        if "psrp" not in case:
            continue
        try:
            value = read(_bytes(case["psrp"]), _plain_secret)
        except UnreadableError:
            not_read.add(case["id"])
            continue
        if write(value, _hidden_secret).decode() == case["psrp"]:
            same += 1
        else:
            otherwise.add(case["id"])
    assert not_read == _NOT_READ.keys()
    assert otherwise == _WRITTEN_OTHERWISE.keys()
    assert same > 600


def test_every_value_is_of_the_class_it_was() -> None:
    otherwise, same = set(), 0
    for case in _lines("clixml", "values.jsonl"):
        if "psrp" not in case or "roundtrip_type" not in case or case["id"] in _NOT_READ:
            continue
        value = read(_bytes(case["psrp"]), _plain_secret)
        # What enumerates lazily comes back as a list that PowerShell shows as an object.
        is_enumerated = "<IE" in case["psrp"] and case["roundtrip_type"].endswith(".PSObject")
        if class_of(value) == case["roundtrip_type"] or is_enumerated:
            same += 1
        else:
            otherwise.add(case["id"])
    assert otherwise == _OF_OTHER_CLASS.keys()
    assert same > 600


def test_the_reader_refuses_what_the_real_one_refuses_and_nothing_else() -> None:
    otherwise, refused, taken = set(), 0, 0
    for case in _lines("decode", "cases.jsonl"):
        if not case.get("wrapped_in_objs"):
            continue  # whole documents, which never come by PSRP
        try:
            read(_bytes(case["xml"]), _plain_secret)
            is_read = True
        except UnreadableError:
            is_read = False
        if is_read != ("psrp" in case):
            otherwise.add(case["id"])
        refused, taken = refused + (not is_read), taken + is_read
    assert otherwise == set()
    assert (refused, taken) > (100, 200)


def test_what_is_read_is_what_was_described() -> None:
    otherwise, same = {}, 0
    for case in _lines("decode", "cases.jsonl"):
        if "psrp" not in case or "results" not in case:
            continue
        found = disagreement(read(_bytes(case["xml"]), _plain_secret), case["results"][0])
        if found:
            otherwise[case["id"]] = found
        else:
            same += 1
    assert otherwise.keys() == _DESCRIBED_OTHERWISE.keys(), otherwise
    assert same > 200


def _in_documents(text: str) -> list[bytes]:
    """Return the values of a whole document as PSRP would send them: without root and name space."""
    root = ET.fromstring(_bytes(text))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = None
    return [ET.tostring(child) for child in root]


def test_every_value_of_a_document_is_read() -> None:
    """Documents are indented and go deeper than messages; reading takes both."""
    not_read, otherwise, same = set(), set(), 0
    for case in _lines("clixml", "values.jsonl"):
        if "clixml" not in case or "roundtrip_type" not in case:
            continue
        try:
            documents = _in_documents(case["clixml"])
        except ET.ParseError:
            continue  # references that are no XML; the wire form of the same value is read above
        for document in documents:
            try:
                value = read(document, _plain_secret)
            except UnreadableError:
                not_read.add(case["id"])
                continue
            is_enumerated = b"<IE" in document and case["roundtrip_type"].endswith(".PSObject")
            if class_of(value) == case["roundtrip_type"] or is_enumerated:
                same += 1
            else:
                otherwise.add(case["id"])
    assert not_read == _NOT_READ.keys()
    assert otherwise == _OF_OTHER_CLASS.keys() | _OF_OTHER_CLASS_AGAIN
    assert same > 700
