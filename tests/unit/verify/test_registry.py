"""Finding checks by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from provisioner.errors import UsageError
from provisioner.verify import registry
from provisioner.verify.checks.service import Service


def test_a_name_leads_to_a_class() -> None:
    assert registry.find("service") is Service
    assert all(callable(registry.find(name)) for name in registry.CHECKS)


def test_an_unknown_name_is_answered_with_the_closest_one() -> None:
    with pytest.raises(UsageError, match="there is no check named 'servise'") as raised:
        registry.find("servise")
    assert raised.value.help == "Did you mean 'service'?"


def test_another_package_adds_checks_but_takes_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints(
        [
            EntryPoint("printer", "collections:OrderedDict", registry.GROUP),
            EntryPoint("service", "collections:OrderedDict", registry.GROUP),
        ]
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert registry.find("printer").__name__ == "OrderedDict"
    assert registry.find("service") is Service
