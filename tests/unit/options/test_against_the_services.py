"""What we say of a file is what the service's own ConfigOpts make of it, with the packages that were pinned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from provisioner.options.catalogue import catalogue, folded
from provisioner.options.check import check_text
from provisioner.options.contents import Contents
from provisioner.options.faults import Fault, Kind
from provisioner.options.reading import read_lines
from provisioner.options.values import UNKNOWN, Values
from tests.shared_data import shared
from tests.unit.options.services import Witness
from tests.unit.options.texts import texts
from upkeep.options.recipes import RECIPES, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_UNKNOWN = {Kind.UNKNOWN_OPTION, Kind.UNKNOWN_SECTION, Kind.WRONG_SECTION}


@pytest.fixture(scope="module", params=RECIPES, ids=lambda recipe: f"{recipe.service}-{recipe.release}")
def judged_by(request: pytest.FixtureRequest) -> Iterator[tuple[Recipe, Witness]]:
    witness = Witness(request.param)
    yield request.param, witness
    witness.close()


def names(faults: list[Fault], kinds: set[Kind]) -> set[tuple[str, str]]:
    return {(folded(each.section), each.option) for each in faults if each.kind in kinds}


def differences(text: str, recipe: Recipe, witness: Witness) -> list[str]:
    """Return where we and the service disagree about a file."""
    ours, theirs = check_text(text, recipe.service, recipe.release), witness.judge(text)
    broken = [
        each for each in ours if each.severity.value == "error" and each.kind in {Kind.SYNTAX, Kind.ENCODING}
    ]
    if bool(broken) == theirs["parsed"]:
        return [f"parsed: {theirs}, and we say {[each.message for each in broken]}"]
    if broken:
        return []
    said = []
    unknown = {(section, name) for section, name in theirs["unknown"]} - set(recipe.tolerated)
    if names(ours, _UNKNOWN) != unknown:
        said.append(f"unknown: theirs {sorted(unknown)}, ours {sorted(names(ours, _UNKNOWN))}")
    bad = [{(section, name) for section, name in each} for each in theirs["bad"]]
    wrong = names(ours, {Kind.VALUE, Kind.REFERENCE})
    unheard = [each for each in bad if not each & wrong and not _hangs_on_the_machine(each, text, recipe)]
    said += [f"taken by us, not by them: {each}" for each in unheard]
    said += [f"taken by them, not by us: {each}" for each in wrong - set().union(*bad)]
    return said


def _hangs_on_the_machine(written: set[tuple[str, str]], text: str, recipe: Recipe) -> bool:
    """Whether a value refers to a default that is another one on each machine: the one thing we let pass."""
    contents = Contents(catalogue(recipe.service, recipe.release), read_lines(text))
    values = Values(contents)
    for section, name in written:
        present = contents.option(section, name)
        for option in [present] if present else contents.formerly(section, name):
            if any(values.convert(option, each.value) is UNKNOWN for each in contents.effective(option)):
                return True
    return False


def test_broken_files_are_judged_as_the_service_judges_them(judged_by: tuple[Recipe, Witness]) -> None:
    recipe, witness = judged_by

    @settings(
        max_examples=500,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=texts(catalogue(recipe.service, recipe.release)))
    def judge(text: str) -> None:
        assert differences(text, recipe, witness) == []

    judge()


def test_every_option_is_registered_and_takes_its_default(judged_by: tuple[Recipe, Witness]) -> None:
    recipe, witness = judged_by
    lines = []
    for section, options in catalogue(recipe.service, recipe.release).sections.items():
        lines.append(f"[{section}]")
        for name, option in options.items():
            default = option.facts.get("default")
            if isinstance(default, str | int | float) and name not in {
                "config_source",
                "auth_type",
                "auth_section",
            }:
                lines.append(f"{name} = {default}")
    text = "\n".join(lines)
    verdict = witness.judge(text)
    assert (verdict["parsed"], verdict["unknown"]) == (True, [])
    assert differences(text, recipe, witness) == []


SAMPLES = {
    "nova": ["nova-ok.conf", "nova-bad.conf"],
    "neutron-hyperv-agent": ["neutron_hyperv_agent.conf", "neutron_hyperv_agent.bad.conf"],
    "neutron-ovs-agent": ["neutron_ovs_agent.conf"],
    "cinder": ["cinder.conf", "cinder.bad.conf"],
    "cloudbase-init": ["cloudbase-init.conf", "cloudbase-init.bad.conf"],
    "ceilometer": [],
}


def test_the_samples_are_judged_as_the_service_judges_them(judged_by: tuple[Recipe, Witness]) -> None:
    recipe, witness = judged_by
    for name in SAMPLES[recipe.service]:
        text = shared("facts/openstack/conf", name).read_text(encoding="utf-8")
        verdict = witness.judge(text)
        unknown = {tuple(each) for each in verdict["unknown"]} - set(recipe.tolerated)
        assert bool(verdict["bad"] or unknown) == ("bad" in name)
        assert differences(text, recipe, witness) == []


def test_the_witness_sees_what_a_service_sees(judged_by: tuple[Recipe, Witness]) -> None:
    _, witness = judged_by
    verdict = witness.judge("[DEFAULT]\ndebug = maybe\nno_such_option = 1\n")
    assert verdict == {
        "parsed": True,
        "bad": [[["DEFAULT", "debug"]]],
        "unknown": [["DEFAULT", "no_such_option"]],
    }
    assert not witness.judge("debug = true\n")["parsed"]
