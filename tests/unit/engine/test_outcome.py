from __future__ import annotations

from typing import Any

import pytest

from provisioner.engine.lcm import JobEnd
from provisioner.engine.outcome import differing_settings, judge
from provisioner.node.base import ConfigurationStatus, MetaConfiguration, ResourceState


def end(
    lcm: str,
    status: str,
    reboot: bool,  # noqa: FBT001 - a row of a table
    good: str,
    bad: str,
    *,
    errors: tuple[ResourceState, ...] = (),
) -> JobEnd:
    """A job's end from the letters of Microsoft's table: S ok, F failed, r asked for a reboot."""
    record = ConfigurationStatus(
        "{J}",
        "Initial",
        status,
        reboot,
        None,
        1.0,
        3,
        tuple(ResourceState(name, True) for name in good.split()),
        tuple(
            ResourceState(name, False, "it broke" if name[0] == "F" else "", reboot_requested=name[0] == "r")
            for name in bad.split()
        ),
    )
    return JobEnd(record, MetaConfiguration(lcm, "", {}), errors)


#: LCM behaviour facts, 2.5.
TABLE = [
    ("S", "Idle", "Success", False, "S", ""),
    ("F", "PendingConfiguration", "Failure", False, "", "F"),
    ("S,F", "PendingConfiguration", "Failure", False, "S", "F"),
    ("S1,F,S2", "PendingConfiguration", "Failure", False, "S1 S2", "F"),
    ("F1,S,F2", "PendingConfiguration", "Failure", False, "S", "F1 F2"),
    ("S,r", "PendingReboot", "Success", True, "S", "r"),
    ("F,r", "PendingReboot", "Failure", True, "", "F r"),
    ("r,S", "PendingReboot", "Success", True, "", "r"),
]


@pytest.mark.parametrize(
    ("sequence", "lcm", "status", "reboot", "good", "bad"), TABLE, ids=[row[0] for row in TABLE]
)
def test_every_row_of_the_table_of_results_is_judged_right(  # noqa: PLR0917 - a row of a table
    sequence: str,
    lcm: str,
    status: str,
    reboot: bool,  # noqa: FBT001 - a row of a table
    good: str,
    bad: str,
) -> None:
    outcome = judge(end(lcm, status, reboot, good, bad), [*good.split(), *bad.split()])
    assert outcome.has_failed is ("F" in sequence)
    assert {state.resource_id for state in outcome.failed} == {name for name in bad.split() if name[0] == "F"}
    assert outcome.needs_reboot is ("r" in sequence)
    assert outcome.asking == (("r",) if "r" in sequence else ())
    assert set(outcome.changed) == {name for name in [*good.split(), *bad.split()] if name[0] != "F"}


def test_what_did_not_differ_before_has_not_changed() -> None:
    assert judge(end("Idle", "Success", False, "S1 S2", ""), ["s2"]).changed == ("S2",)


def test_the_node_knows_better_what_changed() -> None:
    job = end("Idle", "Success", False, "S1 S2", "")
    assert job.status
    state = ResourceState("S1", True, changed=True)
    other = ResourceState("S2", True, changed=False)
    told = ConfigurationStatus("{J}", "Initial", "Success", False, None, 1.0, 2, (state, other))
    assert judge(JobEnd(told, job.meta, ()), ["S1", "S2"]).changed == ("S1",)
    told = ConfigurationStatus("{J}", "Initial", "Success", False, None, 1.0, 2, (other,), changed=("S9",))
    assert judge(JobEnd(told, job.meta, ()), []).changed == ("S9",)


def test_the_error_in_the_output_adds_id_and_category_to_the_record() -> None:
    error = ResourceState("f", False, "", "Id", "InvalidOperation")
    (failed,) = judge(end("PendingConfiguration", "Failure", False, "", "F", errors=(error,)), []).failed
    assert (failed.error, failed.error_id, failed.category) == ("it broke", "Id", "InvalidOperation")


def test_what_a_resource_wrote_before_it_failed_is_told_with_it() -> None:
    wrote, broke, job = (
        ResourceState("", False, text, name, "NotSpecified")
        for text, name in (("no such disk", "NoDisk"), ("it broke", "Broken"), ("the job failed", "Job"))
    )
    ended = end("PendingConfiguration", "Failure", False, "S", "F", errors=(wrote, broke, job))
    about_f, about_job = judge(ended, ["S", "F"]).failed
    assert (about_f.resource_id, about_f.error, about_f.error_id) == ("F", "no such disk\nit broke", "Broken")
    assert about_job == job


def test_a_failure_without_messages_names_what_is_not_in_desired_state() -> None:
    record = ConfigurationStatus(
        "{J}", "Initial", "Failure", False, None, 1.0, 1, (), (ResourceState("x", False),)
    )
    outcome = judge(JobEnd(record, MetaConfiguration("Idle", "", {}), ()), [])
    assert [state.resource_id for state in outcome.failed] == ["x"]


def test_a_job_without_a_record_is_lost() -> None:
    outcome = judge(JobEnd(None, MetaConfiguration("PendingReboot", "", {}), ()), ["a"])
    assert outcome.is_lost
    assert outcome.needs_reboot
    assert not outcome.has_failed
    assert outcome.changed == ()


@pytest.mark.parametrize(
    ("wanted", "actual", "expected"),
    [
        ({"RefreshMode": "Push"}, {"refreshmode": "PUSH"}, ()),
        ({"RebootNodeIfNeeded": False}, {"RebootNodeIfNeeded": False}, ()),
        ({"RebootNodeIfNeeded": False}, {"RebootNodeIfNeeded": 0}, ("RebootNodeIfNeeded",)),
        ({"RebootNodeIfNeeded": False}, {}, ("RebootNodeIfNeeded",)),
        ({"B": 15, "A": "x"}, {"A": "y", "B": 30}, ("A", "B")),
        ({"DebugMode": ("NONE",)}, {"DebugMode": ["None"]}, ()),
        ({"DebugMode": ("NONE",)}, {"DebugMode": ["None", "All"]}, ("DebugMode",)),
        ({}, {"Anything": 1}, ()),
    ],
)
def test_settings_are_compared_as_the_lcm_takes_them(
    wanted: dict[str, Any], actual: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert differing_settings(wanted, actual) == expected
