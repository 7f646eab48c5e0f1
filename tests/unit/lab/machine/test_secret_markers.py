"""Markers of secrets: what ProvisionerDsc.Common writes is read, and what it would not write tells nothing."""

from __future__ import annotations

import re

import pytest

from provisioner.lab.machine.security import secret_markers
from tests.unit.lab.machines import machine
from upkeep.pages import SHARED

_KEY = r"SOFTWARE\provisioner\Markers\ServiceAccount"


def test_a_secret_is_known_by_its_marker_until_it_is_forgotten() -> None:
    registry = machine().registry
    secret_markers.mark(registry, "ServiceAccount", "Svc", "first")
    assert secret_markers.is_marked(registry, "ServiceAccount", "svc", "first")
    assert not secret_markers.is_marked(registry, "ServiceAccount", "Svc", "second")
    secret_markers.forget(registry, "ServiceAccount", "Svc")
    assert not secret_markers.is_marked(registry, "ServiceAccount", "Svc", "first")


@pytest.mark.parametrize(
    "text",
    ["", "first", "pbkdf2-sha1$100000$no base64$first", "pbkdf2-sha1$0$AAAAAAAAAAAAAAAAAAAAAA==$AAAA", "$$$"],
)
def test_a_text_that_is_no_marker_tells_nothing(text: str) -> None:
    registry = machine().registry
    registry.set(_KEY, "Svc", text)
    assert not secret_markers.is_marked(registry, "ServiceAccount", "Svc", "first")


def test_what_the_lab_writes_has_the_form_that_the_script_reads() -> None:
    registry = machine().registry
    secret_markers.mark(registry, "ServiceAccount", "Svc", "first")
    written = re.search(r"(?m)^\$script:markerForm = '([^']+)'", SHARED.read_text("utf-8"))
    assert written is not None
    # \z of .NET is \Z of Python.
    form = written[1].replace(r"\z", r"\Z")
    assert re.search(form, str(registry.get(_KEY, "Svc")))
