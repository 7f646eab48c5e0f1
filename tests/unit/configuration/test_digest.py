"""A configuration is named after its content and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

from provisioner.addresses import ResourceId, SecretRef
from provisioner.configuration.digest import ResourceDigests, digest, document_name
from provisioner.configuration.model import Credential, Instance
from tests.unit.configuration.builders import at, resource

SERVICE = "PSDscResources/Service"


def test_the_name_is_a_letter_and_hexadecimal_digits() -> None:
    assert re.fullmatch(r"C[0-9a-f]{24}", document_name([resource(SERVICE, "a", {"Name": "a"})]))


def test_the_same_content_has_the_same_digest_wherever_it_was_written() -> None:
    one = resource(SERVICE, "a", {"Name": "a", "State": "Running"}, where=at(1))
    two = resource(SERVICE, "a", {"State": "Running", "Name": "a"}, where=at(90))
    assert digest([one]) == digest([two])


def test_every_part_of_the_content_counts() -> None:
    variants = [
        [resource(SERVICE, "a", {"Name": "a"})],
        [resource(SERVICE, "b", {"Name": "a"})],
        [resource(SERVICE, "a", {"Name": "b"})],
        [resource(SERVICE, "a", {"Name": "a", "State": "Running"})],
        [resource(SERVICE, "a", {"Name": "a"}, ("[Service]b",))],
        [resource("PSDscResources/WindowsFeature", "a", {"Name": "a"})],
        [resource(SERVICE, "a", {"Name": "a"}), resource(SERVICE, "b", {"Name": "b"})],
        [resource(SERVICE, "b", {"Name": "b"}), resource(SERVICE, "a", {"Name": "a"})],
        [resource(SERVICE, "a", {"Name": "1"})],
        [resource(SERVICE, "a", {"Name": 1})],
    ]
    assert len({digest(each) for each in variants}) == len(variants)


CARRIER = {"a": SecretRef("env", "A"), "b": SecretRef("env", "B")}


def test_embedded_values_and_credentials_count() -> None:
    def entry(principal: str) -> tuple[Instance, ...]:
        inner = Instance("NTFSAccessControlEntry", {"FileSystemRights": ("Read",)})
        return (Instance("NTFSAccessControlList", {"Principal": principal, "AccessControlEntry": (inner,)}),)

    user = Credential("user", SecretRef("env", "A"), at(1))
    variants: list[dict[str, object]] = [
        {"Name": entry("a")},
        {"Name": entry("b")},
        {"Name": user},
        {"Name": Credential("other", SecretRef("env", "A"), at(1))},
        {"Name": Credential("user", SecretRef("env", "B"), at(1))},
        {"Name": Credential("user", SecretRef("env", "A", ("url",)), at(1))},
        {"Name": Credential("user", None, at(1), CARRIER)},
        {"Name": Credential("user", None, at(1), {"a": SecretRef("env", "A")})},
        {"Name": "a", "PsDscRunAsCredential": user},
    ]
    assert len({digest([resource(SERVICE, "a", each)]) for each in variants}) == len(variants)


def test_where_a_credential_stands_and_the_order_of_named_secrets_do_not_count() -> None:
    one = Credential("user", None, at(1), CARRIER)
    two = Credential("user", None, at(9), dict(reversed(CARRIER.items())))
    assert digest([resource(SERVICE, "a", {"Name": one})]) == digest([resource(SERVICE, "a", {"Name": two})])


def test_line_ends_that_no_document_keeps_do_not_count() -> None:
    def name(text: str) -> str:
        inner = Instance("X", {"Text": text, "Lines": (text,)})
        return document_name([resource(SERVICE, "a", {"Name": text, "Inner": (inner,)})])

    assert name("a\r\nb") == name("a\nb") != name("a\rb")


def test_a_digest_that_was_kept_is_the_same_and_belongs_to_the_same_parts() -> None:
    known = ResourceDigests(limit=2)
    first = resource(SERVICE, "a", {"Name": "a"})
    again = replace(first, where=at(7))
    dependent = replace(first, depends_on=(ResourceId("Service", "b"),))
    respelled = replace(first, module="psdscresources")
    others = [resource(SERVICE, name, {"Name": name}) for name in "bcd"]
    for each in [first, again, dependent, respelled, first, *others, first]:
        assert digest([each], known) == digest([each])
    assert len(known._known) == 2
    assert digest([respelled]) != digest([first])
