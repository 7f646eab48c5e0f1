"""Parameter binding: the rules of PowerShell and its error records."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.binding import bind
from provisioner.lab.values import CommandCall, EnumValue, PsObject, TerminatingError

SPEC = CommandSpec(
    "Get-Thing",
    "x:y",
    "Things",
    (
        Parameter("Name", "string", 0, aliases=("Title",)),
        Parameter("Nested", "any"),
        Parameter("Count", "int", 1),
        Parameter("Path", "array"),
        Parameter("Force", "switch"),
    ),
    type_name="Things.GetThingCommand",
)
DEMANDING = CommandSpec(
    "Do-It", "x:y", "Things", (Parameter("Must", mandatory=True), Parameter("Also", mandatory=True))
)


def bound(*parameters: tuple[str | None, Any]) -> dict[str, Any]:
    return bind(CommandCall("Get-Thing", parameters), SPEC).parameters


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ((("Name", "a"),), {"Name": "a"}),
        ((("NAME", "a"),), {"Name": "a"}),
        ((("-na", "a"),), {"Name": "a"}),
        ((("title", "a"),), {"Name": "a"}),
        ((("Ti", "a"),), {"Name": "a"}),
        (((None, "a"), (None, 2)), {"Name": "a", "Count": 2}),
        ((("Name", "a"), (None, 3)), {"Name": "a", "Count": 3}),
        ((("Name", 5),), {"Name": "5"}),
        ((("Name", None),), {"Name": None}),
        ((("Name", PsObject(("X",), text="told")),), {"Name": "told"}),
        ((("Name", EnumValue("X", "Running", 4)),), {"Name": "Running"}),
        ((("Count", "12"),), {"Count": 12}),
        ((("Count", "0x10"),), {"Count": 16}),
        ((("Count", 2.5),), {"Count": 2}),
        ((("Path", "a"),), {"Path": ["a"]}),
        ((("Path", ["a", "b"]),), {"Path": ["a", "b"]}),
        ((("Path", None),), {"Path": None}),
        ((("Force", True),), {"Force": True}),
        ((("Force", None),), {"Force": True}),
        ((("Force", False),), {"Force": False}),
        ((("Force", 0),), {"Force": False}),
        ((("Force", PsObject(("X",), {"IsPresent": True})),), {"Force": True}),
    ],
)
def test_values_reach_the_parameter_that_is_meant(parameters: Any, values: dict[str, Any]) -> None:
    assert bound(*parameters) == values


@pytest.mark.parametrize(
    ("parameters", "error_id", "text"),
    [
        ((("Nope", 1),), "NamedParameterNotFound", "matches parameter name 'Nope'"),
        ((("N", 1),), "AmbiguousParameter", "Possible matches include: -Name -Nested."),
        ((("Name", "a"), ("Title", "b")), "ParameterAlreadyBound", "'Name' is specified more than once"),
        (((None, "a"), (None, 1), (None, "c")), "PositionalParameterNotFound", "accepts argument 'c'"),
        (
            (("Count", "many"),),
            "CannotConvertArgumentNoMessage",
            'Cannot convert value "many" to type "System.Int32"',
        ),
        ((("Count", 2**31),), "CannotConvertArgumentNoMessage", "too large or too small for an Int32"),
        (
            (("Name", ["a"]),),
            "CannotConvertArgument",
            "Cannot convert 'System.Object[]' to the type 'System.String'",
        ),
        ((("Name", {}),), "CannotConvertArgument", "Cannot convert 'System.Collections.Hashtable'"),
        (
            (("Force", "yes"),),
            "CannotConvertArgumentNoMessage",
            "Boolean parameters accept only Boolean values",
        ),
        (
            (("ErrorAction", "Maybe"),),
            "CannotConvertArgumentNoMessage",
            "Unable to match the identifier name Maybe",
        ),
    ],
)
def test_what_cannot_be_bound_ends_the_pipeline(parameters: Any, error_id: str, text: str) -> None:
    with pytest.raises(TerminatingError) as caught:
        bound(*parameters)

    record = caught.value.record
    assert record.error_id == f"{error_id},Things.GetThingCommand"
    assert record.category == "InvalidArgument"
    assert record.reason == "ParameterBindingException"
    assert text in record.message


def test_missing_mandatory_parameters_are_named_together() -> None:
    with pytest.raises(TerminatingError) as caught:
        bind(CommandCall("Do-It"), DEMANDING)

    assert caught.value.record.message.endswith("missing mandatory parameters: Must Also.")
    assert caught.value.record.error_id == "MissingMandatoryParameter,Do-It"


@pytest.mark.parametrize(
    ("value", "action"),
    [("stop", "Stop"), (0, "SilentlyContinue"), (EnumValue("ActionPreference", "Ignore", 4), "Ignore")],
)
def test_common_parameters_are_kept_apart(value: Any, action: str) -> None:
    found = bind(CommandCall("Get-Thing", (("EA", value), ("WarningAction", value), ("vb", True))), SPEC)

    assert found.parameters == {}
    assert (found.error_action, found.warning_action, found.is_verbose) == (action, action, True)
