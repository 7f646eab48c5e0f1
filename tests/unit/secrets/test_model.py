from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback

import pytest

from provisioner.secrets.model import Secret

CANARY = "canary-7c1e"


@dataclasses.dataclass(frozen=True)
class Holder:
    user: str
    password: Secret


def test_a_secret_is_revealed_only_by_name() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        lambda s: f"{s}",
        lambda s: f"{s!r:>20}",
        lambda s: f"{s:>20}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031 - this very operator is under test
        "{}".format,
        lambda s: repr([s, {"a": s}]),
        lambda s: repr(Holder("u", s)),
        lambda s: repr(dataclasses.asdict(Holder("u", s))),
        lambda s: repr(copy.copy(s)) + repr(copy.deepcopy([s])),
        lambda s: repr(dir(s)) + repr(s.__slots__),
        lambda s: repr(ValueError(s)) + str(KeyError(s)),
        lambda s: json.dumps({"a": s}, default=str),
    ],
)
def test_a_secret_is_in_no_printed_form(shown: object) -> None:
    assert callable(shown)
    assert CANARY not in shown(Secret(CANARY))


def test_a_secret_is_not_in_a_traceback_with_local_variables() -> None:
    def fail(secret: Secret) -> None:
        raise ValueError(secret)

    with pytest.raises(ValueError) as caught:
        fail(Secret(CANARY))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "secret = <secret>" in shown
    assert f"'{CANARY}'" not in shown


def test_a_secret_is_not_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").warning("password %s and %r", Secret(CANARY), Secret(CANARY))
    assert CANARY not in caplog.text
    assert "<secret>" in caplog.text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        pickle.dumps(Holder("u", Secret(CANARY)), protocol)


def test_the_state_of_a_secret_cannot_be_taken() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        Secret(CANARY).__getstate__()


def test_a_secret_does_not_become_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"a": Secret(CANARY)})


def test_a_secret_has_no_attributes_to_list() -> None:
    with pytest.raises(TypeError):
        vars(Secret(CANARY))
