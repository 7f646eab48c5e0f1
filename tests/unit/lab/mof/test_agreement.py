"""The lab's MOF reader and pywbem's compiler, which knows nothing of it, judge the same documents.

What pywbem lets through although no LCM does, and where it fails itself, is listed; each list is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from pywbem import MOFCompileError, MOFCompiler
from pywbem._mof_compiler import MOFWBEMConnection  # the only repository of pywbem that needs no server

from provisioner.catalogue.schema import CimType, Property
from provisioner.lab.lcm.documents.document import check_instance
from provisioner.lab.lcm.documents.schema import BASE_PROPERTIES, ClassSchema, NodeClasses
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.mof.lexer import MofError
from provisioner.lab.mof.reader import Instance, MofDocument, read
from tests.unit.lab.mof.documents import MISTAKES, bad, good, types

GOOD, BAD = 500, 500
#: Mistakes pywbem does not see. It converts what it can and takes the last of two aliases.
UNSEEN = {
    "a word as value",
    "alias twice",
    "number for text",
    "boolean for text",
    "text for a number",
    "boolean for a number",
    "real for a number",
    "text for a boolean",
    "words for a boolean",
    "number for a boolean",
    "numbers for texts",
}
#: Good documents pywbem refuses or fails over.
BEYOND = {
    "an alias in an array": 'instance of MSFT_Credential as $A { UserName = "u"; };\n'
    "instance of MSFT_Credential as $B { UserName = {$A}; };\n",
    "a short escape at the end of a text": 'instance of MSFT_Credential { UserName = "\\x41"; };\n',
}
#: Line ends pywbem counts wrongly or not at all; it takes the documents.
LONE_CR = 'instance of MSFT_Credential\r{\r// comment\r UserName = "u";\r};\r'

CLASSES = NodeClasses(lambda _name, _version: True)


@cache
def known() -> list[Any]:
    return types()


@dataclass
class Witness:
    """One compiler with all classes; ``judge`` gives the instances of a document, or why it refuses it."""

    compiler: Any
    repository: Any

    def judge(self, text: str) -> list[Any] | str:
        for found in self.repository.instances.values():
            found.clear()
        self.compiler.parser.aliases = {}
        try:
            self.compiler.compile_string(text, "root/x")
        except MOFCompileError as error:
            return str(error) or type(error).__name__
        return [each for found in self.repository.instances.values() for each in found]


@pytest.fixture(scope="module")
def witness() -> Witness:
    make: Any = MOFWBEMConnection
    compiler: Any = MOFCompiler
    repository = make()
    made = Witness(compiler(repository, log_func=None), repository)
    made.compiler.compile_string("".join(_declarations()), "root/x")
    return made


def _declarations() -> Iterator[str]:
    schemas: list[tuple[str, Any]] = [
        (each.class_name, (*BASE_PROPERTIES, *each.properties)) for each in known()
    ]
    for name in ("OMI_ConfigurationDocument", "MSFT_Credential"):
        schema: ClassSchema | None = CLASSES.find(name, "", "")
        assert schema is not None
        assert schema.properties is not None
        schemas.append((name, tuple(schema.properties.values())))
    for name, properties in schemas:
        yield f"class {name} {{ {' '.join(map(_declared, properties))} }};\n"


def _declared(prop: Property) -> str:
    kind = CimType.STRING if prop.embedded_class else prop.type
    return f"{kind.value} {prop.name}{'[]' if prop.is_array else ''};"


def judge(text: str) -> MofDocument | str:
    """Read a document and check every instance against its class."""
    try:
        document = read(text.encode())
        for instance in document.instances:
            check_instance(document, instance, CLASSES)
    except MofError as error:
        return error.message
    except LcmError as error:
        return error.message.text
    return document


def test_five_hundred_good_documents_have_the_same_classes_properties_and_values(witness: Witness) -> None:
    seen = 0
    for seed in range(GOOD):
        text = good(seed, known())
        ours, theirs = judge(text), witness.judge(text)
        assert isinstance(ours, MofDocument), (seed, ours, text)
        assert isinstance(theirs, list), (seed, theirs, text)
        assert [each.class_name for each in ours.instances] == [each.classname for each in theirs], seed
        for mine, other in zip(ours.instances, theirs, strict=True):
            values = {name.casefold(): prop.value for name, prop in other.properties.items()}
            for name, value in mine.properties.items():
                if not isinstance(value, Instance):
                    assert _plain(values[name.casefold()]) == value, (seed, name)
                    seen += 1
    assert seen > 10 * GOOD


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def test_five_hundred_bad_documents_are_refused_by_both_but_for_what_pywbem_does_not_see(
    witness: Witness,
) -> None:
    taken_by_us: list[tuple[str, int]] = []
    verdicts: dict[str, set[bool]] = {}
    for seed in range(BAD):
        kind, text = bad(seed, known())
        if isinstance(judge(text), MofDocument):
            taken_by_us.append((kind, seed))
        verdicts.setdefault(kind, set()).add(isinstance(witness.judge(text), str))

    assert taken_by_us == []
    assert verdicts.keys() == MISTAKES.keys()
    assert {kind: found for kind, found in verdicts.items() if len(found) > 1} == {}, (
        "neither seen nor unseen"
    )
    assert {kind for kind, found in verdicts.items() if found == {False}} == UNSEEN


@pytest.mark.parametrize("case", BEYOND)
def test_what_pywbem_cannot_do_is_still_what_it_cannot_do(witness: Witness, case: str) -> None:
    assert isinstance(read(BEYOND[case].encode()), MofDocument)
    with pytest.raises((IndexError, AssertionError)):
        assert isinstance(witness.judge(BEYOND[case]), list)


def test_a_lone_carriage_return_ends_a_line_for_neither(witness: Witness) -> None:
    """Both take it for a blank, so that a comment swallows the rest of such a document."""
    assert isinstance(judge(LONE_CR), str)
    assert isinstance(witness.judge(LONE_CR), str)


def test_the_same_seed_gives_the_same_document() -> None:
    assert good(7, known()) == good(7, known())
    assert bad(7, known()) == bad(7, known())
    assert len({good(seed, known()) for seed in range(50)}) == 50
