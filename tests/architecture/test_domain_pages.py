"""The pages on the domain stay true: the example cloud as its inventories say, the table of systems as the roles are."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from upkeep import example_cloud
from upkeep.sites import Site

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = (ROOT / "docs/domain.md").read_text(encoding="utf-8")
_ROLES = set(re.findall(r"\[`(\w+)`\]\(\.\./roles/", DOMAIN))


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return example_cloud.sites()


def test_the_page_and_the_picture_of_the_example_cloud_are_those_of_its_inventories(
    sites: list[Site],
) -> None:
    page = example_cloud.PAGE.read_text(encoding="utf-8")
    assert page == example_cloud.page_text(page, sites), "run 'make module'"
    assert example_cloud.PICTURE.read_text(encoding="utf-8") == example_cloud.picture_text(sites)


def test_the_example_cloud_is_of_the_size_it_is_said_to_be(sites: list[Site]) -> None:
    machines = [machine for site in sites for machine in site.machines]
    hosts = [machine for machine in machines if "nova_compute" in machine.all_roles]
    assert (len(sites), len(hosts), len(machines) - len(hosts)) == (2, 12, 4)
    assert sum("failover_cluster" in machine.all_roles for machine in hosts) == 2
    assert {way.kind for site in sites for way in site.ways} == {"iSCSI", "SMB"}
    for site in sites:
        assert site.zones
        assert {network.name for network in site.networks} >= {"management", "tenants", "live migration"}


def test_the_picture_shows_every_node_network_and_way_within_its_bounds(sites: list[Site]) -> None:
    drawing = ET.fromstring(example_cloud.picture_text(sites))
    texts = [text for element in drawing.iter() if element.tag.endswith("}text") and (text := element.text)]
    for site in sites:
        for machine in site.machines:
            assert texts.count(machine.name) == 1
        for network in site.networks:
            assert any(network.what in text for text in texts)
        for way in site.ways:
            assert any(f"{way.kind}: {way.what}" in text for text in texts)
    width, height = (float(drawing.attrib[name]) for name in ("width", "height"))
    for element in drawing.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= most


def test_a_page_without_the_place_for_its_tables_is_told_what_it_needs(sites: list[Site]) -> None:
    with pytest.raises(ValueError, match="from the inventories"):
        example_cloud.page_text("# Nothing\n", sites)


def test_every_role_of_the_table_of_systems_has_runs_and_checks_and_every_service_is_in_it() -> None:
    for role in _ROLES:
        assert (ROOT / f"roles/{role}/checks/test_{role}.py").exists(), role
        assert (ROOT / f"tests/cases/role_runs/{role}.yml").exists(), role
    of_openstack = {"cloudbase_init", "guest_image", "openvswitch"} | {
        path.parent.name
        for path in ROOT.glob("roles/*/role.yaml")
        if re.search(
            r"^  - (openstack_node|openstack_runtime|nova_compute)$", path.read_text("utf-8"), re.MULTILINE
        )
    }
    assert of_openstack - _ROLES == set()
