"""The metaconfiguration has the layout Windows writes and the settings our way of working needs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from provisioner.configuration.emit.meta_mof import META_SETTINGS, emit_meta_mof
from provisioner.inventory.model import MofEncoding
from tests.shared_data import shared


@pytest.mark.parametrize(
    ("golden", "settings"),
    [
        (
            "017",
            {
                "RefreshMode": "Push",
                "ConfigurationModeFrequencyMins": 15,
                "ConfigurationMode": "ApplyAndAutoCorrect",
            },
        ),
    ],
)
def test_the_text_is_that_of_windows_without_the_date(golden: str, settings: dict[str, Any]) -> None:
    text = shared("mof-goldens", f"{golden}.mof").read_bytes().decode("utf-16")
    text = re.sub(r"@GenerationDate=.*\r\n| GenerationDate=.*\r\n", "", text)
    text = re.sub(r"(@GeneratedBy|@GenerationHost)=.*?\r\n", r"\1=provisioner\r\n", text)
    text = re.sub(r'(Author|GenerationHost)=".*?"', r'\1="provisioner"', text)
    text = re.sub(r' Name=".*?"', ' Name="ProvisionerSettings"', text)
    assert emit_meta_mof("localhost", settings, MofEncoding.UTF16).content.decode("utf-16") == text


def test_the_lcm_neither_reboots_nor_goes_on_nor_mends_by_itself() -> None:
    assert META_SETTINGS == {
        "RebootNodeIfNeeded": False,
        "ConfigurationMode": "ApplyOnly",
        "ActionAfterReboot": "StopConfiguration",
        "RefreshMode": "Push",
    }


@pytest.mark.parametrize(
    ("settings", "version"),
    [(META_SETTINGS, "1.0.0"), ({"StatusRetentionTimeInDays": 7}, "2.0.0")],
)
def test_a_setting_old_lcms_do_not_know_asks_for_a_newer_one(settings: dict[str, Any], version: str) -> None:
    text = emit_meta_mof("n", settings, MofEncoding.UTF8).content.decode()
    assert f'MinimumCompatibleVersion = "{version}"' in text


def test_the_file_is_named_after_the_node() -> None:
    assert emit_meta_mof("hv01", META_SETTINGS, MofEncoding.UTF8).file_name == "hv01.meta.mof"
