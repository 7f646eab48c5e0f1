"""Events survive being written down and read back."""

from __future__ import annotations

import json
import typing

import pytest

from provisioner import events
from provisioner.addresses import NodeName
from provisioner.events import NodeFailed, Problem, Recorded, RunStarted, from_plain, to_plain

NODE = NodeName("hv01")


def test_every_event_class_is_part_of_the_union() -> None:
    classes = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.NodeEvent) and kind is not events.NodeEvent
    }
    assert classes <= set(typing.get_args(events.Event))


@pytest.mark.parametrize(
    "event",
    [
        RunStarted("r1", "lab.yaml", "apply", ("hv01", "st01"), 2, {"hv01": "C1", "st01": "C2"}),
        NodeFailed(NODE, "LcmError", (Problem("broken", "[Service]x", "a.yaml:1:2"),), "Idle", 1, 2),
        events.Compared(NODE, ("[A]b",), 3),
        events.JobFinished(NODE, "{J}", 1, "Success", "Idle", False, ("[A]b",), (), 1.5),
        events.NodeSkipped(NODE, "interrupted"),
    ],
)
def test_an_event_is_the_same_after_json(event: events.Event) -> None:
    recorded = Recorded("r1", 7, "2026-01-01T00:00:00+00:00", event)
    assert from_plain(json.loads(json.dumps(to_plain(recorded)))) == recorded


def test_fields_of_a_newer_version_are_ignored() -> None:
    plain = to_plain(Recorded("r1", 1, "t", events.NodeSkipped(NODE, "x"))) | {"later": 1}
    assert from_plain(plain).event == events.NodeSkipped(NODE, "x")


def test_an_unknown_event_type_is_refused() -> None:
    with pytest.raises(KeyError):
        from_plain({"run": "r", "seq": 1, "time": "t", "type": "Nonsense"})
