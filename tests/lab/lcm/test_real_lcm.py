"""The lab's LCM gives the outcome a real one gave, row by row, to unmodified pypsrp.

The rows stand in ``tests/cases/lab/lcm/real_lcm.yml``. One outcome of that LCM is not the lab's: a value outside its
ValueMap was a false success there; on Windows the function of the module refuses to bind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.lcm.nodes import Answer, Bench, running_bench

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "lab" / "lcm" / "real_lcm.yml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("node")) as made:
        yield made


def joined(parts: Sequence[str], newline: str = "\n") -> str:
    return "".join(CASES["parts"].get(part, part) for part in parts).replace("\n", newline)


def sent(case: dict[str, Any], bench: Bench) -> None:
    bench.forget()
    for earlier in case.get("before", ()):
        with pytest.raises(Answer):
            bench.invoke("SendConfigurationApply", ConfigurationData=joined(earlier).encode(), force=True)
    method = case.get("method", "SendConfigurationApply")
    if method != "SendConfigurationApply":
        bench.invoke(method)
        return
    data = joined(case["send"], case.get("newline", "\n")).encode(case.get("encoding", "utf-8"))
    bench.invoke(method, ConfigurationData=data, force=case.get("force", True))


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["row"])
def test_what_a_real_lcm_refuses_is_refused(bench: Bench, case: dict[str, Any]) -> None:
    with pytest.raises(Answer) as refused:
        sent(case, bench)

    text, error_id = refused.value.last
    assert error_id == case["id"]
    assert case["text"] in text
    assert case.get("first", "") in refused.value.errors[0][0]
    if "send" in case:
        assert bench.idle() == "PendingConfiguration"


@pytest.mark.parametrize("case", CASES["taken"], ids=lambda case: case["row"])
def test_what_a_real_lcm_takes_is_taken(bench: Bench, case: dict[str, Any]) -> None:
    sent(case, bench)

    assert bench.idle() == "Idle"
    assert any(call.startswith("set S1") for call in bench.resource.calls)
    assert bench.invoke("TestConfiguration")["InDesiredState"] is True


def test_a_value_outside_its_map_is_taken_as_a_document_and_refused_by_the_resource(bench: Bench) -> None:
    case = {"send": ["service", 'Ensure = "maybe"; };', "header"]}
    with pytest.raises(Answer) as refused:
        sent(case, bench)

    assert (
        "failed to execute Test-TargetResource functionality with error message" in refused.value.errors[0][0]
    )
    assert 'The argument "maybe" does not belong to the set' in refused.value.errors[0][0]
