from __future__ import annotations

import pytest

from provisioner.engine.failure import Failures, NodeFailure
from provisioner.errors import (
    AuthenticationError,
    CommandError,
    LcmError,
    LocalProtocolError,
    RebootRefused,
    SecretError,
)
from provisioner.events import Problem
from provisioner.node.base import ResourceState
from tests.unit.engine.model_node import ModelNode, World, resources, work_for

WORLD = World(resources=resources("[Service]nova", "[Service]nova-compute", "[WindowsFeature]Hyper-V"))
WORK = work_for(ModelNode("hv01", WORLD))
FAILURES = Failures(WORK.positions, WORK.resources)


@pytest.mark.parametrize(
    ("error", "kind", "problem"),
    [
        (
            AuthenticationError("n", "http://e", "no", "h"),
            "AuthenticationError",
            Problem("http://e: no", help="h"),
        ),
        (RebootRefused("n", "why", "h"), "RebootRefused", Problem("why", help="h")),
        (LcmError("n", "why", "MI RESULT 1"), "LcmError", Problem("why", error_id="MI RESULT 1")),
        (
            CommandError("n", "Get-X", "gone", "Id", "ObjectNotFound"),
            "CommandError",
            Problem("Get-X failed: gone", error_id="Id", category="ObjectNotFound"),
        ),
        (SecretError("env:X", "is not set"), "SecretError", Problem("secret env:X: is not set")),
        (NodeFailure([Problem("p")], "CheckFailed"), "CheckFailed", Problem("p")),
        (
            LocalProtocolError("n", "e", "broke it"),
            "LocalProtocolError",
            Problem("This is a bug in provisioner: broke it"),
        ),
    ],
)
def test_every_kind_of_error_keeps_its_name_its_reason_and_its_help(
    error: Exception, kind: str, problem: Problem
) -> None:
    assert FAILURES.of_error(error) == (kind, (problem,))


def test_anything_else_is_a_bug_of_ours() -> None:
    kind, (problem,) = FAILURES.of_error(ZeroDivisionError("x"))
    assert kind == "ZeroDivisionError"
    assert problem.message == "This is a bug in provisioner: ZeroDivisionError: x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("about [service]NOVA-compute only", ("[Service]nova-compute",)),
        ("about [Service]nova and [WindowsFeature]Hyper-V", ("[WindowsFeature]Hyper-V", "[Service]nova")),
        (
            "The PowerShell DSC resource WindowsFeature from module <A,1> does not exist",
            ("[WindowsFeature]Hyper-V",),
        ),
        ("The PowerShell DSC resource MSFT_WindowsFeature failed", ("[WindowsFeature]Hyper-V",)),
        ("The PowerShell DSC resource Other from module <A,1>", ()),
        ("nothing in particular", ()),
    ],
)
def test_messages_are_about_the_resources_they_name(text: str, expected: tuple[str, ...]) -> None:
    assert FAILURES.mentioned(text) == expected


def test_the_position_comes_from_our_document_else_from_the_node() -> None:
    known = FAILURES.of_resource(
        ResourceState("[service]NOVA", False, "m", source_info="x::1::2::Service"), "-"
    )
    assert (known.resource, known.position) == ("[Service]nova", "roles/r/role.yaml:10:3")
    other = FAILURES.of_resource(
        ResourceState("[a]b", False, source_info="roles/x.yaml::7::5::a"), "no message"
    )
    assert (other.resource, other.position, other.message) == ("[a]b", "roles/x.yaml:7:5", "no message")
    assert FAILURES.of_resource(ResourceState("[a]b", False, source_info="odd"), "-").position == ""
