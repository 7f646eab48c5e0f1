"""The result rules of Microsoft's state table (LCM facts 2.5), one case per row.

S does its work, F fails, r asks for a restart.
"""

from __future__ import annotations

import pytest

from tests.unit.lab.lcm.building import FakeNode, depends_on, document, fake, names

TABLE = {
    "S": ("Idle", "Success", False, ["S"], []),
    "F": ("PendingConfiguration", "Failure", False, [], ["F"]),
    "S,F": ("PendingConfiguration", "Failure", False, ["S"], ["F"]),
    "F,S": ("PendingConfiguration", "Failure", False, ["S"], ["F"]),
    "S1,F,S2": ("PendingConfiguration", "Failure", False, ["S1", "S2"], ["F"]),
    "F1,S,F2": ("PendingConfiguration", "Failure", False, ["S"], ["F1", "F2"]),
    "S,r": ("PendingReboot", "Success", True, ["S"], ["r"]),
    "F,r": ("PendingReboot", "Failure", True, [], ["F", "r"]),
    "r,S": ("PendingReboot", "Success", True, [], ["r"]),
    "r,F": ("PendingReboot", "Success", True, [], ["r"]),
}


@pytest.mark.parametrize("sequence", TABLE)
async def test_the_outcome_is_that_of_the_table(sequence: str) -> None:
    state, status, reboot, in_state, not_in_state = TABLE[sequence]
    node = FakeNode()
    resources = sequence.split(",")

    await node.apply(document(*(fake(name) for name in resources)))

    record = (await node.statuses())[0]
    assert node.lcm.state == state
    assert record["Status"] == status
    assert record["RebootRequested"] is reboot
    assert names(record["ResourcesInDesiredState"]) == in_state
    assert names(record["ResourcesNotInDesiredState"]) == not_in_state
    assert record["NumberOfResources"] == len(resources)


async def test_dependants_of_a_failed_resource_are_left_out_all_the_way_down() -> None:
    node = FakeNode()
    await node.apply(
        document(fake("F"), fake("S1", depends_on("F")), fake("S2", depends_on("S1")), fake("S3"))
    )

    record = (await node.statuses())[0]
    assert node.resource.calls == ["test F", "set F", "test S3", "set S3"]
    assert names(record["ResourcesInDesiredState"]) == ["S3"]
    assert names(record["ResourcesNotInDesiredState"]) == ["F"]
    assert record["NumberOfResources"] == 4


async def test_nothing_runs_after_the_resource_that_asks_for_a_restart() -> None:
    node = FakeNode()
    await node.apply(document(fake("r"), fake("S")))

    assert node.resource.calls == ["test r", "set r"]


async def test_a_resource_that_throws_and_asks_for_a_restart_counts_as_both() -> None:
    node = FakeNode()
    await node.apply(document(fake("Fr"), fake("S")))

    record = (await node.statuses())[0]
    failed = record["ResourcesNotInDesiredState"][0].properties
    assert (node.lcm.state, record["Status"], record["RebootRequested"]) == ("PendingReboot", "Failure", True)
    assert (failed["RebootRequested"], bool(failed["Error"])) == (True, True)


async def test_a_restart_flag_set_while_testing_means_nothing() -> None:
    node = FakeNode()
    await node.apply(document(fake("flag"), fake("okflag")))

    assert node.lcm.state == "Idle"


async def test_there_is_no_second_test_after_set() -> None:
    node = FakeNode()
    await node.apply(document(fake("never")))

    assert node.resource.calls == ["test never", "set never"]
    assert node.lcm.state == "Idle"


async def test_what_is_in_its_desired_state_is_not_set() -> None:
    node = FakeNode()
    await node.apply(document(fake("ok")))

    record = (await node.statuses())[0]
    assert node.resource.calls == ["test ok"]
    assert record["ResourcesChanged"] is None
