"""--limit: names, globs, groups, exclusions; mistakes are refused with a suggestion."""

from __future__ import annotations

from typing import cast

import pytest

from provisioner.addresses import NodeName
from provisioner.errors import UsageError
from provisioner.inventory.model import Inventory, Node
from provisioner.inventory.selection import select

NAMES = ["hv01", "hv02", "hv03", "st01", "st02"]
INVENTORY = Inventory(
    "lab.yaml",
    "lab",
    {NodeName(name): cast("Node", None) for name in NAMES},
    {"compute": tuple(map(NodeName, NAMES[:3])), "storage": tuple(map(NodeName, NAMES[3:]))},
)


@pytest.mark.parametrize(
    ("limit", "chosen"),
    [
        ("", NAMES),
        ("hv02", ["hv02"]),
        ("st01,hv01", ["hv01", "st01"]),
        ("hv*", ["hv01", "hv02", "hv03"]),
        ("@storage", ["st01", "st02"]),
        ("hv*,@storage,!hv03", ["hv01", "hv02", "st01", "st02"]),
        ("!hv03,hv*", ["hv01", "hv02"]),
        ("!@compute", ["st01", "st02"]),
        (" hv01 , ,st01 ", ["hv01", "st01"]),
    ],
)
def test_a_limit_selects_in_inventory_order(limit: str, chosen: list[str]) -> None:
    assert list(select(INVENTORY, limit)) == chosen


@pytest.mark.parametrize(
    ("limit", "said", "helped"),
    [
        ("hv04", "--limit names 'hv04', and no node of lab.yaml is called so.", "Did you mean 'hv0"),
        ("@compte", "group 'compte'", "Did you mean 'compute'?"),
        ("hv01,!hv01", "leaves no node", ""),
        ("zz*", "'zz*'", "Known here"),
        (",", "names no node", "Leave it out"),
        (" , ", "names no node", "Leave it out"),
    ],
)
def test_a_limit_that_matches_nothing_is_refused(limit: str, said: str, helped: str) -> None:
    with pytest.raises(UsageError) as raised:
        select(INVENTORY, limit)
    assert said in str(raised.value)
    assert helped in raised.value.help
