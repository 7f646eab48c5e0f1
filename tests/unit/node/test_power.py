"""Boots, virtual machines and the restart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from provisioner.errors import CommandError, ConnectError, NodeError, TransportTimeout
from provisioner.node import power
from provisioner.node.session import Session
from provisioner.transport.base import SWITCH, Pipeline, Result
from tests.unit.node.nodes import NAME, fails, gives, record, session, transport

BOOT = datetime(2026, 1, 1, 8, tzinfo=UTC)
SYSTEM = gives(record(CSName="HV01", LastBootUpTime=BOOT))
GUID = "0F0F0F0F-0000-4000-8000-00000000000{}"


def by_name(**answers: Result) -> Callable[[Pipeline], Result]:
    return lambda pipeline: answers[pipeline.commands[0].name.replace("-", "_")]


async def test_the_boot_state_has_time_counter_and_name() -> None:
    state = await power.read_boot_state(
        session(by_name(Get_CimInstance=SYSTEM, Get_ItemProperty=gives(record(BootId=7))))
    )
    assert (state.boot_time, state.boot_id, state.computer_name) == (BOOT, 7, "HV01")


@pytest.mark.parametrize("answer", [fails(category="ObjectNotFound"), gives(), gives(record(BootId=None))])
async def test_a_node_that_keeps_no_boot_counter_has_none(answer: Result) -> None:
    state = await power.read_boot_state(session(by_name(Get_CimInstance=SYSTEM, Get_ItemProperty=answer)))
    assert state.boot_id is None


async def test_a_node_that_does_not_tell_its_boot_time_is_an_error() -> None:
    with pytest.raises(NodeError, match="when the node started"):
        await power.read_boot_state(session(by_name(Get_CimInstance=gives(record(CSName="HV01")))))


async def test_running_machines_are_those_neither_off_nor_saved_and_not_the_node_itself() -> None:
    machines = gives(
        record(ElementName="web", Name=GUID.format(1), EnabledState=2),
        record(ElementName="off", Name=GUID.format(2), EnabledState=3),
        record(ElementName="saved", Name=GUID.format(3), EnabledState=32769),
        record(ElementName="db", Name=GUID.format(4).lower(), EnabledState=32768),
        record(ElementName="", Name=GUID.format(5), EnabledState=2),
        record(ElementName="HV01", Name="HV01", EnabledState=2),
    )
    found = await power.read_running_virtual_machines(session(by_name(Get_CimInstance=machines)))
    assert found == (GUID.format(5), "db", "web")


@pytest.mark.parametrize("error_id", ["HRESULT 0x8004100e,Microsoft.X", "HRESULT 0x80041010,Microsoft.X"])
async def test_without_hyper_v_there_are_no_machines(error_id: str) -> None:
    answer = by_name(Get_CimInstance=fails("Invalid namespace", error_id))
    assert await power.read_running_virtual_machines(session(answer)) == ()


async def test_any_other_error_never_passes_for_no_machines() -> None:
    answer = by_name(Get_CimInstance=fails("Access denied", "HRESULT 0x80041003,Microsoft.X"))
    with pytest.raises(CommandError):
        await power.read_running_virtual_machines(session(answer))


class Restarting:
    """A node whose commands end as scripted: a result, or an exception to raise."""

    def __init__(self, *answers: Result | Exception) -> None:
        self.answers = list(answers)
        self.wire = transport(self)
        self.session = Session(NAME, self.wire)

    def __call__(self, _: Pipeline) -> Result:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def commands(self) -> list[str]:
        return [str(pipeline) for pipeline in self.wire.pipelines]


CUT = ConnectError("hv01", "memory", "cut")


async def test_a_restart_asks_something_first() -> None:
    node = Restarting(SYSTEM, gives())
    await power.restart(node.session)
    assert node.commands == ["Get-CimInstance", "Restart-Computer"]
    assert node.wire.pipelines[-1].commands[0].parameters == {"Force": SWITCH}


@pytest.mark.parametrize("ending", [CUT, TransportTimeout("hv01", "memory", "late")])
async def test_an_order_whose_answer_is_lost_does_not_pass_for_accepted(ending: Exception) -> None:
    with pytest.raises(type(ending)):
        await power.restart(Restarting(SYSTEM, ending).session)


async def test_a_connection_that_broke_before_is_not_taken_for_the_restart() -> None:
    node = Restarting(CUT, gives())
    await power.restart(node.session)
    assert node.wire.opened == 1
    assert node.commands == ["Get-CimInstance", "Restart-Computer"]


async def test_a_refused_restart_is_an_error() -> None:
    with pytest.raises(CommandError):
        await power.restart(Restarting(SYSTEM, fails("Access is denied.")).session)
