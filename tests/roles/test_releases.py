"""Which release of OpenStack goes with which Windows: what docs/releases.md says is what the roles do.

The last releases stand here once more, by hand, from the packages themselves: nova 28 and compute-hyperv 16,
networking-hyperv 14, neutron 24, ceilometer 22, cinder 27 and os-brick 6 are the last that have code for Windows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.options.catalogue import releases
from provisioner.roles.loader import RoleLibrary
from tests.roles.releases import Said, said_by_the_page
from tests.roles.runs import case_of, inventory_of
from tests.roles.site import running_site
from upkeep.module import ROOT
from upkeep.releases import Pair, Verdict, asked_roles, pairs, roles_without_release, verdicts

LIBRARY = RoleLibrary([ROOT])
ROLES = asked_roles(LIBRARY)
WITHOUT = roles_without_release(LIBRARY)
SAID = said_by_the_page()

#: The last release a role is for, by the packages; what needs Nova's driver on the node ends with it.
LAST = {
    "nova_compute": "2023.2",
    "neutron_hyperv_agent": "2023.1",
    "neutron_ovs_agent": "2024.1",
    "ceilometer_agent": "2023.2",
    "cinder_volume": "2025.2",
    "freerdp_webconnect": "2023.2",
}
#: The service whose options a role's file is held against.
SERVICE = {
    "nova_compute": "nova",
    "neutron_hyperv_agent": "neutron-hyperv-agent",
    "neutron_ovs_agent": "neutron-ovs-agent",
    "ceilometer_agent": "ceilometer",
    "cinder_volume": "cinder",
}


def agrees(said: Said, verdict: Verdict) -> bool:
    """Whether the page says of a pair what the roles say."""
    sign = "no" if verdict.refusals else {True: "✓", False: "○", None: "+"}[verdict.is_checked]
    return (said.sign, said.refusals) == (sign, verdict.refusals)


def test_the_page_speaks_of_every_role_and_pair() -> None:
    assert set(SAID) == {*ROLES, *WITHOUT}
    assert set(ROLES) <= set(LAST)
    for role in ROLES:
        assert sorted(SAID[role]) == sorted(pairs(LIBRARY))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_ends_with_the_last_packages_that_have_its_code(role: str) -> None:
    for (release, windows), said in SAID[role].items():
        assert (said.sign == "no") == (release > LAST[role]), (release, windows)
        if said.sign == "no":
            assert said.refusals
            assert all(each.help for each in said.refusals)
        elif role in SERVICE:
            assert (said.sign == "✓") == (release in releases()[SERVICE[role]])


@pytest.mark.parametrize("role", ROLES)
def test_the_page_is_current_at_the_end_of_each_role(role: str) -> None:
    """A sample that is quick; all pairs are a slow test."""
    order = [release for release, windows in pairs(LIBRARY) if windows == "2022"]
    last = LAST[role]
    asked = [(last, "2022"), (order[order.index(last) + 1], "2025")]
    found = verdicts(role, asked, LIBRARY)
    assert [pair for pair in asked if not agrees(SAID[role][pair], found[pair])] == []


@pytest.mark.slow
@pytest.mark.parametrize("role", [*ROLES, *WITHOUT])
def test_every_pair_compiles_or_is_refused_in_the_words_of_the_page(role: str) -> None:
    found = verdicts(role, SAID[role], LIBRARY)
    assert [(pair, found[pair]) for pair, said in SAID[role].items() if not agrees(said, found[pair])] == []


def of_every_pair(role: str) -> dict[str, Any]:
    """Give an inventory with a node of its own for each pair that a role is for."""
    case = case_of(role)
    base = inventory_of(case, "2022")
    ((_, model),) = base["nodes"].items()
    allowed = [pair for pair, said in SAID[role].items() if said.sign != "no"]
    base["nodes"] = {f"n{number}": _node(model, number, pair) for number, pair in enumerate(allowed, start=1)}
    return base


def _node(model: dict[str, Any], number: int, pair: Pair) -> dict[str, Any]:
    release, windows = pair
    # What the runs say of the address of their node is said of this one's.
    own = re.sub(rf"{re.escape(model['address'])}(?!\d)", f"127.20.0.{number}", json.dumps(model))
    node: dict[str, Any] = json.loads(own)
    node["variables"] |= {"openstack_release": release, "windows_version": windows}
    node["lab"] = node.get("lab", {}) | {"windows": windows}
    return node


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", ROLES)
def test_every_pair_that_can_be_comes_up_from_bare_and_stays(role: str, tmp_path: Path) -> None:
    with running_site(tmp_path, of_every_pair(role), case_of(role).get("secrets")) as site:
        first = site.apply()
        assert not first.failures, first.text
        assert first.done == set(site.machines)
        assert [node for node, sets in first.sets.items() if not sets] == []
        assert first.generic == []
        again = site.apply()
        assert not again.failures, again.text
        assert not any(again.sets.values()), again.sets
        assert not any(again.boots.values()), again.boots
