"""Mappings become embedded instances, pairs and credentials; every part is judged where it stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.addresses import SecretRef
from provisioner.catalogue.schema import CREDENTIAL_CLASS, PAIR_CLASS, CimType, Property
from provisioner.configuration.embedded import Surroundings, convert
from provisioner.configuration.model import Credential, Instance
from provisioner.configuration.shapes import Shapes, Slot
from provisioner.diagnostics import Diagnostics
from provisioner.roles.model import Value
from tests.unit.configuration.builders import at
from tests.unit.configuration.converting import KIND, converted, quoted, registry, value

KNOWN = registry(
    classes=[
        {
            "name": "C_Outer",
            "properties": [
                {"name": "Name", "type": "string", "qualifier": "Key"},
                {"name": "Inner", "type": "string", "array": True, "embedded_class": "C_Inner"},
                {"name": "Seen", "type": "string", "qualifier": "Read"},
            ],
        },
        {
            "name": "C_Inner",
            "base": "C_Base",
            "properties": [
                {"name": "Size", "type": "uint8"},
                {"name": "Tags", "type": "string", "array": True},
            ],
        },
        {"name": "C_Base", "properties": [{"name": "Id", "type": "string", "qualifier": "Required"}]},
    ]
)
OUTER = Property("Outer", CimType.STRING, embedded_class="C_Outer")
OUTERS = Property("Outers", CimType.STRING, is_array=True, embedded_class="c_outer")
PAIRS = Property("Pairs", CimType.STRING, is_array=True, embedded_class=PAIR_CLASS)
CREDENTIAL = Property("Credential", CimType.STRING, embedded_class=CREDENTIAL_CLASS)
SECRETS = Property("Secrets", CimType.STRING, embedded_class=CREDENTIAL_CLASS, is_secret_lines=True)


def problems_of(prop: Property, given_value: Any) -> list[tuple[str, int]]:
    """Return what is said about a value, with the line it is said of; the value itself is line 1."""
    problems = Diagnostics()
    around = Surroundings(Shapes(KNOWN), KIND, problems)
    convert(Slot.of(prop), value(given_value), around)
    return [(problem.summary, problem.where.line if problem.where else 0) for problem in problems]


def test_a_mapping_becomes_an_instance_in_schema_order_and_spelling() -> None:
    made, said = converted(OUTER, {"inner": [{"SIZE": 5, "id": "x"}], "NAME": "n"}, KNOWN)
    assert said == []
    assert made == Instance("C_Outer", {"Name": "n", "Inner": (Instance("C_Inner", {"Id": "x", "Size": 5}),)})
    assert list(made.properties) == ["Name", "Inner"]
    assert list(made.properties["Inner"][0].properties) == ["Id", "Size"]


def test_one_mapping_for_an_array_is_an_array_of_one() -> None:
    made, said = converted(OUTERS, {"Name": "n"}, KNOWN)
    assert (made, said) == ((Instance("c_outer", {"Name": "n"}),), [])


def test_a_mapping_out_of_an_expression_becomes_the_same_instance() -> None:
    whole = Value({"Name": "n", "Inner": [{"Id": "x", "Size": 5}]}, at())
    assert converted(OUTER, whole, KNOWN) == converted(OUTER, whole.data, KNOWN)


def test_null_is_not_set_inside_an_instance_too() -> None:
    assert converted(OUTER, {"Name": "n", "Inner": None}, KNOWN) == (Instance("C_Outer", {"Name": "n"}), [])
    assert converted(OUTER, {"Name": None}, KNOWN) == (None, ["Missing property"])


def test_each_part_is_judged_at_its_own_place() -> None:
    nested = {"Nam": "n", "Inner": [{"Size": 256}, {"Id": "x", "Size": "5"}], "Seen": "x"}
    assert problems_of(OUTER, nested) == [
        ("Missing property", 1),
        ("Unknown property", 2),
        ("Missing property", 6),
        ("Number is out of range", 8),
        ("Property has the wrong type", 13),
        ("Property cannot be set", 14),
    ]


def test_a_class_nobody_knows_is_named() -> None:
    prop = Property("P", CimType.STRING, embedded_class="C_Nothing")
    assert converted(prop, {"a": "b"}, KNOWN) == (None, ["Class is not in the catalogue"])


@pytest.mark.parametrize("wrong", ["text", 5, True, ["text"]])
def test_what_is_no_mapping_is_no_instance(wrong: Any) -> None:
    assert converted(OUTER, wrong, KNOWN) == (None, ["Property takes a mapping"])
    assert converted(OUTERS, wrong, KNOWN) == (None, ["Property takes a mapping"])


def test_a_mapping_becomes_pairs_and_numbers_are_written_as_the_author_wrote_them() -> None:
    numbers = value({"b": "x", "A": 1})
    kept = Value(
        numbers.data,
        numbers.where,
        entries=(numbers.entries[0], (numbers.entries[1][0], Value(1.1, at(), text="1.10"))),
    )
    assert converted(PAIRS, kept) == (
        (
            Instance(PAIR_CLASS, {"Key": "b", "Value": "x"}),
            Instance(PAIR_CLASS, {"Key": "A", "Value": "1.10"}),
        ),
        [],
    )


def test_pairs_without_a_value_are_left_out_and_no_pairs_are_an_empty_list() -> None:
    assert converted(PAIRS, {"a": None}) == ((), [])
    assert converted(PAIRS, {}) == ((), [])


def test_pairs_are_judged_one_by_one() -> None:
    wrong = {"a": ["x"], "A": "again", "": "x", "b": True, "c": {"d": "e"}, "d": "\x01"}
    assert problems_of(PAIRS, wrong) == [
        ("Property has the wrong type", 3),
        ("Property is set twice", 5),
        ("Name is empty", 7),
        ("Property has the wrong type", 10),
        ("Property has the wrong type", 12),
        ("Character cannot be part of a document", 16),
    ]


def test_a_single_pair_property_takes_one_name() -> None:
    prop = Property("Pair", CimType.STRING, embedded_class=PAIR_CLASS)
    assert converted(prop, {"a": "b"}) == (Instance(PAIR_CLASS, {"Key": "a", "Value": "b"}), [])
    assert converted(prop, {"a": "b", "c": "d"}) == (None, ["Property takes one pair"])


def test_a_credential_is_a_user_and_a_reference() -> None:
    made, said = converted(CREDENTIAL, {"password": "env:X|url", "user": "DOM\\svc"})
    assert said == []
    assert made == Credential("DOM\\svc", SecretRef("env", "X", ("url",)), at(1))


def test_named_secrets_keep_their_order() -> None:
    made, said = converted(SECRETS, {"b": "env:B", "a": "file:a.txt|url|oslo"})
    assert said == []
    assert made.user == "secrets"
    assert made.password is None
    assert list(made.secrets.items()) == [
        ("b", SecretRef("env", "B")),
        ("a", SecretRef("file", "a.txt", ("url", "oslo"))),
    ]


@given(st.text(min_size=4).filter(lambda text: text.strip() == text and "\n" not in text))
def test_no_password_is_ever_repeated(password: str) -> None:
    if password.startswith(("env:", "file:")):
        return
    problems = Diagnostics()
    around = Surroundings(Shapes(KNOWN), KIND, problems)
    hidden = f"<{password}>"
    whole = Value({"user": "u", "password": hidden}, quoted(f"{{user: u, password: {hidden}}}"))
    made = convert(Slot.of(CREDENTIAL), whole, around)
    assert made is None
    for problem in problems:
        assert hidden not in problem.render()
        assert hidden.replace(" ", "") not in problem.render()


@pytest.mark.parametrize("store", ["vault:a", "env:1", "env:", "hunter:2", "env", ""])
def test_only_known_stores_make_a_reference(store: str) -> None:
    assert converted(CREDENTIAL, {"user": "u", "password": store}) == (
        None,
        ["Secret is written in the configuration"],
    )
