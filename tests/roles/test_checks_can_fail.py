"""No check passes by silence: each one fails for some answer of a node, and none passes without an answer it needs.

Roles are brought up on simulated nodes; what the nodes answered is kept, spoilt in every way an answer can be wrong,
and given to the same checks again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import NodeName, RoleName
from provisioner.events import CheckFinished
from provisioner.transport.base import ErrorRecord, Pipeline, Record, Result
from provisioner.verify import batch
from provisioner.verify.runner import verify
from provisioner.verify.targets import Target
from tests.roles.runs import case_files, drift, inventory_of
from tests.roles.site import Site, running_site

#: Whoever asks gets no answer; the id is none that a command has for a thing that is missing.
_REFUSED = Result(terminated=ErrorRecord("access was denied", "AccessDenied,Test", "PermissionDenied"))
_FIRST = "2022"
_CASES = case_files()

Check = tuple[str, str]

#: These fail when something is there that no answer of this node speaks of; tests/unit/verify has their bad answers.
_ABOUT_OTHERS = {("cinder_volume", "test_no_service_of_an_older_package_is_left")}
#: A role is brought up, and its checks asked hundreds of times: a role of two nodes takes a minute of a processor.
pytestmark = pytest.mark.timeout(600)


@dataclass
class _Asked:
    """What the checks of one batch asked, and what the nodes said."""

    targets: Mapping[NodeName, Target]
    answers: dict[NodeName, dict[str, Result | Exception]] = field(default_factory=lambda: defaultdict(dict))
    questions: dict[tuple[NodeName, Check], set[str]] = field(default_factory=lambda: defaultdict(set))


class _Recorder(batch.Batch):
    """Keeps which check asked what of which node."""

    seen: list[_Asked]

    def __init__(self, targets: Sequence[Target], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(targets, loop)
        self._asked = _Asked({target.node: target for target in targets})
        self.seen.append(self._asked)

    def ask(self, node: NodeName, role: RoleName, pipeline: Pipeline) -> Result:
        question = repr(batch._key(pipeline))
        self._asked.questions[node, (str(role), _check_of_now(str(node)))].add(question)
        try:
            answer = super().ask(node, role, pipeline)
        except Exception as error:
            self._asked.answers[node][question] = error
            raise
        self._asked.answers[node][question] = answer
        return answer


#: The check at work, as pytest calls it: one session runs at a time.
_AT_WORK: list[str] = [""]


def _note_check(item: Any, _when: str | None) -> None:
    _AT_WORK[0] = item.nodeid


def _check_of_now(node: str) -> str:
    """Give the name of the check as events have it: without the node."""
    name, _, others = _AT_WORK[0].rpartition("::")[2].partition("[")
    others = others.removesuffix("]").removeprefix(node).removeprefix("-")
    return f"{name}[{others}]" if others else name


@pytest.fixture(scope="module", params=[pytest.param(case, id=name) for name, case in _CASES])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[_Asked]:
    """Bring a role up; give what its preflight and its checks asked, batch by batch."""
    case = request.param
    releases = case.get("windows", [_FIRST])
    seen: list[_Asked] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Recorder, "seen", seen, raising=False)
        patch.setattr("provisioner.verify.runner.Batch", _Recorder)
        patch.setattr("provisioner.verify.runner.note_check", _note_check)
        inventory = inventory_of(case, _FIRST if _FIRST in releases else releases[-1])
        with running_site(tmp_path_factory.mktemp("site"), inventory, case.get("secrets")) as site:
            _bring_up_and_mend(site, case)
    assert len(seen) >= 2, "no check or no preflight was asked"
    return seen


def _bring_up_and_mend(site: Site, case: Mapping[str, Any]) -> None:
    """Apply to what is bare, and to what is nearly as wanted: preflight is asked of both."""
    applied = site.apply()
    assert not applied.failures, applied.text
    for step in case.get("drift", ())[:1]:
        drift(site, step)
        applied = site.apply()
        assert not applied.failures, applied.text


# Slow, as the next one: each role is brought up twice before it begins, 2 to 7 seconds of a processor.
@pytest.mark.slow
def test_no_check_passes_when_the_node_refuses_what_it_asks(asked: list[_Asked]) -> None:
    for each in asked:
        for node, answers in each.answers.items():
            spoilt = {question: {**answers, question: _REFUSED} for question in answers}
            outcomes = _checked(each.targets[node], spoilt)
            silent = [
                (question, check)
                for question in answers
                for check, outcome in outcomes[question].items()
                if outcome == "passed" and question in each.questions[node, check]
            ]
            assert silent == []


@pytest.mark.slow
def test_every_check_fails_for_some_answer(asked: list[_Asked]) -> None:
    failed: set[Check] = set()
    all_checks: set[Check] = set()
    for each in asked:
        for node, answers in each.answers.items():
            spoilt = {
                f"{number} of {question}": {**answers, question: other}
                for question, answer in answers.items()
                if isinstance(answer, Result)
                for number, other in enumerate(_spoilt(answer))
            }
            outcomes = _checked(each.targets[node], spoilt)
            for ends in outcomes.values():
                all_checks |= {check for check, outcome in ends.items() if outcome != "skipped"}
                failed |= {check for check, outcome in ends.items() if outcome == "failed"}
    assert all_checks - failed - _ABOUT_OTHERS == set()


def _checked(
    target: Target, answers: Mapping[str, Mapping[str, Result | Exception]]
) -> dict[str, dict[Check, str]]:
    """Run the checks of a node once for each set of answers; give how each check ended."""
    names = {NodeName(f"n{number}"): question for number, question in enumerate(answers)}
    events: list[CheckFinished] = []
    targets = [
        replace(target, node=name, run=_answering(answers[question])) for name, question in names.items()
    ]
    asyncio.run(verify(targets, events.append))
    found: dict[str, dict[Check, str]] = defaultdict(dict)
    for event in events:
        found[names[event.node]][str(event.role), event.check] = event.outcome
    return found


def _answering(answers: Mapping[str, Result | Exception]) -> Callable[[Pipeline], Any]:
    async def run(pipeline: Pipeline) -> Result:
        answer = answers.get(repr(batch._key(pipeline)), _REFUSED)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run


def _spoilt(answer: Result) -> Iterator[Result]:
    """Yield answers that are wrong: nothing, everything twice, and each property with other values."""
    yield Result()
    rows = [row for row in answer.output if isinstance(row, Record)]
    yield replace(answer, output=tuple(_other(value) for value in answer.output))
    for name in sorted({name for row in rows for name in row.properties}):
        for change in (_other, _nothing):
            yield replace(answer, output=tuple(_with(row, name, change) for row in answer.output))


def _with(row: Any, name: str, change: Callable[[Any], Any]) -> Any:
    if not isinstance(row, Record) or name not in row.properties:
        return row
    return replace(row, properties={**row.properties, name: change(row.properties[name])})


def _nothing(value: Any) -> Any:
    return [] if isinstance(value, list | tuple) else None


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value * 2 + 7
        case str():
            return f"not {value}"
        case list() | tuple():
            return [*(_other(item) for item in value), "another"]
        case Record():
            changed = {name: _other(part) for name, part in value.properties.items()}
            return replace(value, text=f"not {value.text}", properties=changed)
        case _:
            return "something"


def test_there_is_a_role_run_for_every_role_with_checks() -> None:
    roles = Path(__file__).parents[2] / "roles"
    covered = {role for _, case in _CASES for role in case.get("roles", [case.get("role")])}
    assert {path.parent.parent.name for path in roles.glob("*/checks/test_*.py")} <= covered
