"""What has to be so before FreeRDP-WebConnect is put on a node."""

from __future__ import annotations

import pytest


def test_the_certificate_is_there(host, variables):
    """A certificate of one's own is on the node, since without it the service does not start."""
    path = variables["freerdp_certificate_file"]
    if not path:
        pytest.skip("the package makes a certificate")
    assert host.file(path).exists, (
        f"{path} is not on {host.node}, and wsgate does not start without its certificate and key: put it there, "
        "or leave freerdp_certificate_file empty for one that the package signs itself"
    )
