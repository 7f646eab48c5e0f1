"""What has to hold before a driver is installed that Windows does not know the signature of."""

from __future__ import annotations

import pytest

from provisioner.transport.base import Pipeline

OPTIONS = Pipeline.of("Get-ItemProperty", LiteralPath=r"HKLM:\SYSTEM\CurrentControlSet\Control")


def test_windows_started_with_test_signing(host, variables):
    """A driver whose signature Windows does not take is loaded only where Windows started with TESTSIGNING."""
    if variables["ovs_driver_signed"]:
        pytest.skip("ovs_driver_signed is true")
    (control,) = host.ask(OPTIONS).output
    started_with = str(control.get("SystemStartOptions", ""))
    assert "TESTSIGNING" in started_with.upper(), (
        "run 'bcdedit /set TESTSIGNING ON' on the node, and restart it"
    )
