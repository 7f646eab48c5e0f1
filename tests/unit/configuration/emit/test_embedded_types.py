"""Values inside embedded instances are spelled by the type their class gives them, in every format."""

from __future__ import annotations

import json
from typing import Any

from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.formats import EMITTERS, Emission
from provisioner.configuration.model import Instance
from provisioner.inventory.model import MofEncoding
from tests.unit.configuration.builders import configuration, resource

FACTS = {
    "module": "M",
    "version": "1.0",
    "source": "made up",
    "licence": "MIT",
    "resources": [
        {
            "name": "R",
            "class": "R",
            "properties": [
                {"name": "Name", "qualifier": "Key"},
                {"name": "Inner", "array": True, "embedded_class": "Inner"},
            ],
        }
    ],
    "classes": [
        {
            "name": "Inner",
            "properties": [
                {"name": "Letter", "type": "char16"},
                {"name": "Moment", "type": "datetime"},
                {"name": "Text"},
                {"name": "Deeper", "embedded_class": "Inner"},
            ],
        }
    ],
}


def written(name: str) -> str:
    registry = Registry({("M", "1.0"): lambda: json.dumps(FACTS)}, lambda: "[]")
    kind = registry.resource_type("M", "R")
    assert kind is not None
    values: dict[str, Any] = {"Letter": "c", "Moment": "20250131120000.000000+060", "Text": "c"}
    inner = Instance("Inner", {**values, "Deeper": Instance("Inner", values)})
    found = configuration(resource(kind, "r", {"Name": "r", "Inner": (inner,)}))
    artifact, problems = EMITTERS[name](found, Emission(registry, MofEncoding.UTF8))
    assert not problems.has_errors
    return artifact.content.decode("utf-8-sig")


def test_mof_has_single_quotes_for_characters() -> None:
    text = written("mof")
    assert text.count("Letter = 'c';") == 2
    assert text.count('Text = "c";') == 2
    assert text.count('Moment = "20250131120000.000000+060";') == 2


def test_a_script_casts() -> None:
    text = written("ps1")
    assert text.count("Letter = [char]'c'\n") == 2
    assert text.count("Text = 'c'\n") == 2
    assert text.count("Moment = [datetime]'2025-01-31T12:00:00.000000+01:00'\n") == 2


def test_dsc_v3_has_dates_in_iso_form() -> None:
    found = json.loads(written("dsc3-json"))
    [inner] = found["resources"][0]["properties"]["resources"][0]["properties"]["Inner"]
    assert inner["Moment"] == inner["Deeper"]["Moment"] == "2025-01-31T12:00:00.000000+01:00"
    assert inner["Letter"] == "c"
