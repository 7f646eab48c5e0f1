"""A controller for each test that asks for its address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud.controller import World, serving


@pytest.fixture
def url(world: World) -> Iterator[str]:
    """Serve the world of the test module; give the address of Keystone."""
    with serving(world) as address:
        yield address
