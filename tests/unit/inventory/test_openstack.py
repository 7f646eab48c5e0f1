"""What an inventory says of its cloud, as values."""

from __future__ import annotations

from provisioner.addresses import NodeName, SecretRef
from provisioner.diagnostics import SourceFile
from provisioner.inventory.explanation import explain_settings
from provisioner.inventory.loader import read_inventory
from provisioner.inventory.model import Inventory

SITE = """\
site: berlin
connection: {user: provisioner, password: env:WINRM}
openstack:
  auth_url: https://keystone.example:5000/v3
  user: admin
  project: admin
  password: env:OS_PASSWORD
  aggregates:
    windows: {zone: windows, properties: {hypervisor: hyperv, old: null}}
    gpu:
variables: {windows_computer_name: null}
groups:
  all_compute: {roles: [hyperv_host], openstack: {aggregates: [windows]}, children: [gpu_compute]}
  gpu_compute: {openstack: {aggregates: [gpu, windows]}}
nodes:
  hv01: {groups: [all_compute]}
  hv02: {groups: [gpu_compute], variables: {windows_computer_name: HVTWO}}
  hv03: {groups: [all_compute], openstack: {host: HV-THREE, aggregates: [gpu]}}
  dc01: {roles: [windows_base]}
"""


def read(text: str = SITE) -> Inventory:
    inventory, problems = read_inventory(text, SourceFile("inventory.yaml", text))
    assert inventory is not None, problems.rendered()
    return inventory


def test_aggregates_of_all_layers_add_up_the_widest_first() -> None:
    nodes = read().nodes
    listed = {str(name): [use.name for use in node.aggregates] for name, node in nodes.items()}
    assert listed == {"hv01": ["windows"], "hv02": ["windows", "gpu"], "hv03": ["windows", "gpu"], "dc01": []}


def test_the_name_nova_is_expected_to_use_is_said_or_the_computer_name_or_the_node_s() -> None:
    nodes = read().nodes
    assert [node.nova_host for node in nodes.values()] == ["hv01", "HVTWO", "HV-THREE", "dc01"]


def test_a_cloud_is_read_with_a_reference_in_place_of_its_password() -> None:
    cloud = read().cloud
    assert cloud is not None
    assert cloud.password == SecretRef("env", "OS_PASSWORD")
    assert (cloud.user_domain, cloud.interface, cloud.name) == ("Default", "public", "")
    assert cloud.aggregates["gpu"].zone == ""
    said = [(each.name, each.value) for each in cloud.aggregates["windows"].properties]
    assert said == [("hypervisor", "hyperv"), ("old", None)]


def test_an_inventory_without_the_section_has_no_cloud() -> None:
    text = "site: x\nconnection: {user: u, password: env:X}\nnodes: {hv01: {roles: [hyperv_host]}}\n"
    assert read(text).cloud is None


def test_each_aggregate_of_a_node_is_explained_by_the_layer_that_names_it_first() -> None:
    inventory = read()
    node = inventory.nodes[NodeName("hv03")]
    explained = [each for each in explain_settings(node, inventory) if each.section == "aggregates"]
    assert [(each.path, each.given.layer) for each in explained] == [
        (("windows",), "group all_compute"),
        (("gpu",), "node hv03"),
    ]
