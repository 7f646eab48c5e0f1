"""What has to hold before a node becomes a guarded host."""

from __future__ import annotations

import pytest

from provisioner.transport.base import Pipeline, Record


def test_windows_has_the_feature(host):
    """The edition has Host Guardian Hyper-V Support; Standard has not."""
    assert host.feature("HostGuardian").install_state


def test_the_service_has_an_address(host, variables):
    """DNS knows the Host Guardian Service, where the inventory gives no address."""
    name = variables["guarded_service"]
    if not name or variables["guarded_service_address"]:
        pytest.skip("the inventory gives the address, or there is no service")
    answer = host.ask(Pipeline.of("Resolve-DnsName", Name=name))
    # For a name without an address DNS answers too, with the authority of its zone.
    addresses = [row for row in answer.output if isinstance(row, Record) and row.get("IPAddress")]
    assert addresses, f"the node finds no address for the Host Guardian Service {name}"
