"""Regular expressions of resources mean what they mean to .NET, or are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.files.patterns import parse
from tests.yaml_files import read_yaml

_FILE = Path(__file__).parents[4] / "cases" / "patterns_of_dotnet.yml"
_CASES: list[dict[str, Any]] = read_yaml(_FILE)


@pytest.mark.parametrize("case", _CASES, ids=[case["pattern"] for case in _CASES])
def test_a_pattern_finds_what_it_finds_in_dotnet(case: dict[str, Any]) -> None:
    if case.get("error"):
        with pytest.raises(re.error):
            parse(case["pattern"])
        return
    if case.get("refused"):
        with pytest.raises(ResourceError, match="The lab cannot"):
            parse(case["pattern"])
        return
    pattern = parse(case["pattern"], ignores_case=case.get("ignores_case", False))
    if "out" in case:
        assert pattern.replace(case["text"], case["replacement"]) == case["out"]
    else:
        assert [found[0] for found in pattern.matches(case["text"])] == case["found"]
