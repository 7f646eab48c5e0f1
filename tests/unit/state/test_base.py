from __future__ import annotations

from typing import Any

import pytest

from provisioner import events
from provisioner.state.base import must_be_durable

LOOKS = {
    "CheckFinished",
    "Connected",
    "Connecting",
    "ConnectionLost",
    "FileUploaded",
    "LcmBusy",
    "NodeSkipped",
    "ResourceProgress",
    "Uploading",
    "Waiting",
}


@pytest.mark.parametrize("kind", events.Event.__args__)
def test_everything_but_looks_is_on_the_disk_at_once(kind: Any) -> None:
    assert must_be_durable(object.__new__(kind)) is (kind.__name__ not in LOOKS)
