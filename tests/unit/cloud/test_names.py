"""Nova's spelling of a node's name."""

from __future__ import annotations

import pytest

from provisioner.cloud.names import spellings

CASES = [
    ("hv01", ["HV01", "HV02"], ("HV01",)),
    ("hv01", ["hv01.example.com"], ("hv01.example.com",)),
    ("hv01.example.com", ["HV01"], ("HV01",)),
    ("hv01.berlin.example", ["hv01.paris.example"], ()),
    ("hv01", ["HV01", "hv01.example.com"], ("HV01",)),
    ("hv01", ["hv01.berlin.example", "hv01.paris.example"], ("hv01.berlin.example", "hv01.paris.example")),
    ("compute-berlin1-east", ["COMPUTE-BERLIN1"], ("COMPUTE-BERLIN1",)),
    ("compute-berlin1-east", ["COMPUTE-BERLIN1", "compute-berlin1-west"], ("COMPUTE-BERLIN1",)),
    ("compute-berlin1-east", ["compute-berlin1-west"], ()),
    ("COMPUTE-BERLIN1", ["compute-berlin1-east.example.com"], ("compute-berlin1-east.example.com",)),
    ("hv01", ["hv011", "hv1", "xhv01"], ()),
    ("stor01", ["stor01@winiscsi#pool", "STOR01@winsmb"], ("stor01", "STOR01")),
    ("10.0.0.1", ["10.0.0.2"], ()),
    ("10.0.0.1", ["10.0.0.1"], ("10.0.0.1",)),
    ("hv01", [], ()),
]


@pytest.mark.parametrize(("wanted", "known", "expected"), CASES)
def test_a_node_is_found_under_the_nearest_of_the_names_nova_uses(
    wanted: str, known: list[str], expected: tuple[str, ...]
) -> None:
    assert spellings(wanted, known) == expected
