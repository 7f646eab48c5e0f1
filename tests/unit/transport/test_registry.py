"""Transports by scheme."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from provisioner.addresses import Endpoint, NodeName
from provisioner.errors import UsageError
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from provisioner.transport.base import Transport


def make(scheme: str) -> Transport:
    return registry.create(
        scheme, NodeName("n1"), Endpoint("127.0.0.1", 5985), "admin", Secret("x"), connect_timeout_s=1
    )


def test_psrp_is_built_in() -> None:
    assert repr(make("psrp")) == "PsrpTransport('n1', 'http://127.0.0.1:5985/wsman')"


def test_an_unknown_scheme_is_refused_with_the_closest_one() -> None:
    with pytest.raises(UsageError, match="no transport 'prsp'") as raised:
        make("prsp")
    assert raised.value.help == "Did you mean 'psrp'?"


def test_another_package_can_add_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    added = EntryPoint("echo", "tests.unit.transport.test_registry:Echo", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints([added]))
    assert type(make("echo")).__name__ == "Echo"


class Echo:
    """Stands for a transport of another package."""

    def __init__(self, *_: object, **__: object) -> None: ...


def test_the_libraries_are_imported_only_when_a_transport_is_made() -> None:
    code = "import sys, provisioner.transport.registry; sys.exit(bool({'pypsrp', 'spnego', 'requests'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
