"""What a guarded host must answer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("feature", ["HostGuardian", "RSAT-Shielded-VM-Tools", "FabricShieldedTools"])
def test_feature_is_installed(host, feature):
    """The features of the role are installed, and none waits for a reboot."""
    assert host.feature(feature).is_installed


def test_the_host_proves_itself_as_wanted(host, variables):
    """The mode is that of the inventory, and both addresses are those of its service."""
    guardian = host.host_guardian
    assert guardian.mode == variables["guarded_mode"]
    if variables["guarded_mode"] == "HostGuardianService":
        service = f"{'https' if variables['guarded_https'] else 'http'}://{variables['guarded_service']}"
        assert guardian.attestation_url.casefold().rstrip("/") == f"{service}/Attestation".casefold()
        assert guardian.key_protection_url.casefold().rstrip("/") == f"{service}/KeyProtection".casefold()


def test_the_host_was_attested_where_that_is_wanted(host, variables):
    """The service believes the host, so it may run shielded virtual machines."""
    if not variables["guarded_attested"]:
        pytest.skip("the inventory does not demand it")
    guardian = host.host_guardian
    assert guardian.is_guarded, f"attestation ended with {guardian.attestation_status}"
