"""A configuration is named after its content and nothing else."""

from __future__ import annotations

import re

from provisioner.configuration.digest import digest, document_name
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
