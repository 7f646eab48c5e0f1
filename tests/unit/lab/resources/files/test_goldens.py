"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.basics.text_cmdlets import TextCmdlets
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.files.ini_settings_file import IniSettingsFile
from provisioner.lab.resources.files.key_value_pair_file import KeyValuePairFile
from provisioner.lab.resources.files.replace_text import ReplaceText
from tests.unit.lab.machines import machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases

_FOLDER = "C:\\w"
_PATH = "C:\\w\\file.txt"
_TEMPORARY = "<TMP>/"


def _files(state: dict[str, Any]) -> Machine:
    made = machine()
    made.area(TextCmdlets).is_core = state["mode"] == "ps7"
    made.files.make_folder(_FOLDER)
    if state["bytes"] is not None:
        made.files.write(_PATH, bytes.fromhex(state["bytes"]))
    return made


def _read(made: Machine, _before: dict[str, Any]) -> bytes | None:
    return made.files.read(_PATH) if made.files.is_file(_PATH) else None


def _expected(state: dict[str, Any]) -> bytes | None:
    return None if state["bytes"] is None else bytes.fromhex(state["bytes"])


def _given(properties: dict[str, Any]) -> dict[str, Any]:
    path = properties["Path"].replace(_TEMPORARY, "C:\\").replace("/", "\\")
    return {**properties, "Path": path}


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return _given(values)


SCENARIOS = {
    ("FileContentDsc", name): Scenario(kind, _files, _read, _expected, given=_given, shown=_shown)
    for name, kind in (
        ("IniSettingsFile", IniSettingsFile()),
        ("KeyValuePairFile", KeyValuePairFile()),
        ("ReplaceText", ReplaceText()),
    )
}

DIFFERING: dict[tuple[str, str], Different] = {
    ("IniSettingsFile", "write_fails_silently"): Different(
        "the recorded state does not say that the function fails", "state_after", "test_after", "get_after"
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
