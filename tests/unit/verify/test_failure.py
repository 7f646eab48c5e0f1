"""The one line that says why a check ended badly."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import CommandError, ConnectError
from provisioner.verify.failure import MESSAGE_LIMIT, describe, describe_assertion

FILE = Path(__file__)


ASSERTIONS = {
    "assert False\n +  where False = <service vmms on hv01>.is_running": "service vmms is_running: False",
    """assert False
 +  where False = <service vmms on hv01>.is_running
 +    where <service vmms on hv01> = service('vmms')
 +      where service = <host hv01>.service""": "service vmms is_running: False",
    """assert 'Manual' == 'Auto'

  - Auto
  + Manual
 +  where 'Manual' = <service vmms on hv01>.start_mode""": (
        "service vmms start_mode: 'Manual' (assert 'Manual' == 'Auto')"
    ),
    """assert False
 +  where False = contains('^x = 1$')
 +    where contains = <file C:\\x.conf on hv01>.contains""": "file C:\\x.conf contains('^x = 1$'): False",
    "assert not True\n +  where True = <lcm on hv01>.is_idle": "lcm is_idle: True",
    """the agent must run
assert False
 +  where False = <service a on n>.is_running""": "the agent must run; service a is_running: False",
    "only words": "only words",
    "assert 1 == 2": "assert 1 == 2",
    "": "",
    """assert ('a' == 'b')
 +  where 'a' = <vswitch on call on hv01>.type
 +  and   'b' = <vswitch two on hv01>.type""": (
        "vswitch on call type: 'a', vswitch two type: 'b' (assert ('a' == 'b'))"
    ),
}


@pytest.mark.parametrize(("text", "line"), ASSERTIONS.items())
def test_an_assertion_becomes_a_line_that_names_thing_property_and_value(text: str, line: str) -> None:
    assert describe_assertion(text) == line


def test_an_error_of_a_node_says_its_own_sentence_without_the_node() -> None:
    error = CommandError(
        "hv01", "Get-VMSwitch", "not recognized", "CommandNotFoundException", "ObjectNotFound"
    )
    assert (
        describe(error, FILE)
        == "Get-VMSwitch failed: not recognized [CommandNotFoundException, ObjectNotFound]"
    )
    assert describe(ConnectError("hv01", "http://x", "nothing answers"), FILE) == "nothing answers"


def test_a_bare_assertion_and_any_other_error_name_the_line() -> None:
    for error, text in (
        (AssertionError(), "the assertion does not hold"),
        (ValueError("x\n y"), "ValueError: x y"),
    ):
        with pytest.raises(type(error)) as raised:
            raise error
        assert describe(raised.value, FILE).startswith(f"{text} ({FILE}:")
    assert describe(ValueError("never raised"), FILE) == "ValueError: never raised"


def test_a_long_message_is_cut() -> None:
    assert len(describe(pytest.fail.Exception("x" * 5000), FILE)) == MESSAGE_LIMIT
