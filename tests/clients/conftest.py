"""What the tests of foreign clients share: one node per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.site import Site, running_site
from tests.clients.ways import version_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running node."""
    with running_site(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture
def _packer() -> None:
    if not version_of("packer"):
        pytest.skip("packer is not installed")
