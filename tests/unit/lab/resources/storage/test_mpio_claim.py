"""Multipath I/O between its installation and the boot that it needs: the cmdlets are there and do not work."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.storage.multipath import FEATURE
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.storage.mpio_claim import MpioClaim
from tests.unit.lab.machines import REBOOTED, context, machine

_WANTED: dict[str, Any] = {"IsSingleInstance": "Yes", "ClaimIscsi": True}


@pytest.mark.parametrize("function", ["get", "test", "set"])
async def test_the_feature_waits_for_its_boot_and_works_after_it(function: str) -> None:
    made, resource = machine(), MpioClaim()
    made.features.install([FEATURE])
    asked = {"IsSingleInstance": "Yes"} if function == "get" else _WANTED
    with pytest.raises(ResourceError, match="It works after the restart") as failed:
        await getattr(resource, function)(asked, context(made))
    assert failed.value.error_id == "MpioNotReady"
    made.on_boot(REBOOTED)
    await getattr(resource, function)(asked, context(made))
    await resource.set(_WANTED, context(made))
    assert await resource.test(_WANTED, context(made))
