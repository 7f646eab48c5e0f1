"""WindowsFeatures says what is wrong in words, and asks for a boot when only a boot is left to do."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.basics.windows_features import WindowsFeatures
from tests.unit.lab.machines import REBOOTED, context, machine


def properties(**lists: Any) -> dict[str, Any]:
    return {"IsSingleInstance": "Yes", **lists}


async def test_features_that_wait_for_a_boot_need_no_second_call_but_the_boot() -> None:
    made = machine()
    made.features.install(["Hyper-V"])
    doing = context(made)
    made.ledger.failing["Add-WindowsFeature"] = AssertionError("installed again")  # type: ignore[assignment]
    await WindowsFeatures().set(properties(Present=["Hyper-V"]), doing)
    assert doing.reboot_requested
    made.on_boot(REBOOTED)
    assert await WindowsFeatures().test(properties(Present=["Hyper-V"]), context(made))


async def test_several_features_are_one_call() -> None:
    made = machine()
    calls: list[list[str]] = []
    install = made.features.install
    made.features.install = lambda names, **options: (  # type: ignore[method-assign]
        calls.append(list(names)) or install(names, **options)  # type: ignore[func-returns-value]
    )
    await WindowsFeatures().set(properties(Present=["Hyper-V", "hyper-v", "Multipath-IO"]), context(made))
    assert calls == [["Hyper-V", "Multipath-IO"]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FailoverClustering", "'FailoverClustering' (near: Failover-Clustering)"),
        ("Hyper-V-Power", "no feature named 'Hyper-V-Power'"),
        ("Nothing-Like-It", "no feature named 'Nothing-Like-It'."),
        ("Hyper-V-Powershel", "(near: Hyper-V-PowerShell)"),
    ],
)
async def test_an_unknown_feature_is_told_with_the_names_near_to_it(name: str, said: str) -> None:
    with pytest.raises(ResourceError) as caught:
        await WindowsFeatures().test(properties(Present=["Hyper-V", name]), context(machine(windows="2019")))
    assert said in caught.value.message
    assert "Windows Server 2019" in caught.value.message


async def test_all_unknown_features_are_told_at_once() -> None:
    with pytest.raises(ResourceError, match="'No-Such', 'Nor-This-One'"):
        await WindowsFeatures().test(
            properties(Present=["No-Such"], Absent=["Nor-This-One"]), context(machine())
        )


async def test_get_lists_what_is_installed_and_not_what_waits() -> None:
    made = machine()
    before = (await WindowsFeatures().get(properties(), context(made)))["Present"]
    made.features.install(["Hyper-V"])
    assert (await WindowsFeatures().get(properties(), context(made)))["Present"] == before
