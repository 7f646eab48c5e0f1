"""Every resource of our DSC module: schema, script and page agree. None of them has run on Windows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.unit.modules.resource_rules import RULES, Resource, read_resource
from tests.unit.modules.script_rules import RULES as SCRIPT_RULES
from tests.unit.modules.script_rules import Rule
from upkeep.module import resource_names


@cache
def resource(name: str) -> Resource:
    return read_resource(name)


@pytest.mark.parametrize("rule", SCRIPT_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", resource_names())
def test_a_script_obeys_the_rules_for_scripts(name: str, rule: Rule) -> None:
    assert rule(resource(name).script) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", resource_names())
def test_a_resource_agrees_with_its_schema_and_page(name: str, rule: Callable[[Resource], list[str]]) -> None:
    assert rule(resource(name)) == []
