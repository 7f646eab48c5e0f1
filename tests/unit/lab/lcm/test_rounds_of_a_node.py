"""A whole node looks after itself by its own clock, which the lab may let run faster."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.lcm.building import FakeResource, document, fake, meta
from tests.unit.lab.machines import node_spec
from tests.unit.lab.waiting import until

#: A quarter of an hour in a hundredth of a second.
FAST = 0.01 / 900


async def test_what_drifts_is_mended_again_and_again(tmp_path: Path) -> None:
    resource = FakeResource()
    node = SimulatedNode(
        node_spec(modules={"Fake": ("1.0",)}),
        tmp_path,
        time_scale=FAST,
        find_resource=lambda name, _module: resource if name == "Fake" else None,
    )
    await node.start()
    mode = meta('ConfigurationMode = "ApplyAndAutoCorrect";')
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": mode})
    await node.lcm.invoke("SendConfigurationApply", {"ConfigurationData": document(fake("S"))})
    begun = node.now()
    for expected in (2, 3):
        resource.settled.clear()
        await until(lambda count=expected: resource.calls.count("set S") == count)  # type: ignore[misc]  # a bound default

    assert (node.now() - begun).total_seconds() > 2 * 900
    await node.stop()
    done = resource.calls.count("test S")
    await asyncio.sleep(0.1)
    assert resource.calls.count("test S") == done


@pytest.mark.parametrize("mode", ["ApplyOnly", "ApplyAndAutoCorrect"])
async def test_a_node_that_is_started_again_goes_on_with_its_rounds(tmp_path: Path, mode: str) -> None:
    resource = FakeResource()

    def made(time_scale: float) -> SimulatedNode:
        return SimulatedNode(
            node_spec(modules={"Fake": ("1.0",)}),
            tmp_path,
            time_scale=time_scale,
            find_resource=lambda name, _module: resource if name == "Fake" else None,
        )

    first = made(1.0)
    await first.start()
    await first.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta(f'ConfigurationMode = "{mode}";')}
    )
    await first.lcm.invoke("SendConfigurationApply", {"ConfigurationData": document(fake("S"))})
    await first.stop()
    resource.calls.clear()
    again = made(FAST)
    await again.start()
    await asyncio.sleep(0.2)
    await again.stop()

    assert bool(resource.calls) is (mode != "ApplyOnly")
