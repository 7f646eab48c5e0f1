"""Fixtures of simulated Windows nodes for anybody's tests: ``lab_node`` and ``lab_fleet``.

Installed with the package, so that a test only has to name them. The lab runs in a thread of the test process; its
nodes are new for each test and listen on loopback addresses that nobody else has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from provisioner.lab.hosting.running import RunningLab, RunningNode

#: Starts a lab: ``lab_fleet(3, windows="2019")``; settings are those of ``lab.spec.NodeSpec``.
StartFleet = Callable[..., "RunningLab"]


@pytest.fixture
def lab_fleet(tmp_path: Path) -> Iterator[StartFleet]:
    """Give a function that starts so many simulated nodes; they end with the test."""
    # Imported here: every pytest run of every project that has the package installed loads this module.
    from provisioner.lab.hosting.running import RunningLab  # noqa: PLC0415

    started: list[RunningLab] = []

    def start(count: int = 1, **settings: object) -> RunningLab:
        lab = RunningLab(tmp_path / f"lab{len(started) + 1}", count, settings)
        started.append(lab)
        return lab

    yield start
    for lab in started:
        lab.stop()


@pytest.fixture
def lab_node(lab_fleet: StartFleet) -> RunningNode:
    """Give one simulated Windows Server 2022."""
    node: RunningNode = next(iter(lab_fleet(1)))
    return node
