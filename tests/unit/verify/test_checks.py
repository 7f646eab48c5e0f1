"""Every check, by the cases in tests/cases/checks: a node's answers in, properties out. No node needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner import errors
from provisioner.addresses import NodeName
from provisioner.transport.base import ErrorRecord, Pipeline, Record, Result
from provisioner.verify.host import Host
from provisioner.verify.registry import CHECKS

CASES = Path(__file__).parents[2] / "cases" / "checks"
FILES = sorted(CASES.glob("*/*.yml"))


class Loader(yaml.SafeLoader):
    """YAML with the two Python collections that checks return."""


Loader.add_constructor("!set", lambda loader, node: frozenset(loader.construct_sequence(node)))  # type: ignore[arg-type]
Loader.add_constructor("!tuple", lambda loader, node: tuple(loader.construct_sequence(node)))  # type: ignore[arg-type]


def object_of(value: Any) -> Any:
    if isinstance(value, dict):
        return Record(("Some.Type",), {name: object_of(inner) for name, inner in value.items()})
    return [object_of(item) for item in value] if isinstance(value, list) else value


def record_of(error: dict[str, str]) -> ErrorRecord:
    return ErrorRecord(error["message"], error["id"], error["category"])


def result_of(answer: dict[str, Any]) -> Result:
    return Result(
        tuple(object_of(row) for row in answer.get("output", ())),
        tuple(record_of(error) for error in answer.get("errors", ())),
        terminated=record_of(answer["terminated"]) if "terminated" in answer else None,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_check_reads_the_answers_of_a_node(path: Path) -> None:
    case = yaml.load(path.read_text(), Loader)
    assert set(case) <= {"check", "answers", "expect", "raises", "calls"}

    def ask(pipeline: Pipeline) -> Result:
        return result_of(case["answers"][str(pipeline)])

    check = Host(NodeName("n1"), {}, ask).check(path.parent.name, *case["check"])
    seen = {name: getattr(check, name) for name in case.get("expect", {})}
    assert seen == case.get("expect", {})
    assert {name: type(value) for name, value in seen.items()} == {
        name: type(value) for name, value in case.get("expect", {}).items()
    }
    for name, (kind, message) in case.get("raises", {}).items():
        with pytest.raises(getattr(errors, kind)) as raised:
            getattr(check, name)
        assert message in str(raised.value)
    for call in case.get("calls", ()):
        (method, argument), (_, wanted) = call.items()
        answer = getattr(check, method)(argument)
        assert (type(answer), answer) == (type(wanted), wanted)


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_cases_that_read_each_of_its_properties(name: str) -> None:
    cases = [yaml.load(path.read_text(), Loader) for path in FILES if path.parent.name == name]
    read = {prop for case in cases for prop in case.get("expect", {})}
    made = Host(NodeName("n1"), {}, lambda _: Result()).check(name, *cases[0]["check"])
    public = {
        key
        for key, value in vars(type(made)).items()
        if isinstance(value, property) and not key.startswith("_")
    }
    assert read == public


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (lambda host: host, "<host n1>"),
        (lambda host: host.feature("Hyper-V"), "<feature Hyper-V on n1>"),
        (lambda host: host.service("vmms"), "<service vmms on n1>"),
        (lambda host: host.file("C:\\x y.txt"), "<file C:\\x y.txt on n1>"),
        (lambda host: host.vswitch("external"), "<vswitch external on n1>"),
        (lambda host: host.iscsi_target("store"), "<iscsi target store on n1>"),
        (lambda host: host.lcm, "<lcm on n1>"),
        (lambda host: host.addr("mq.example"), "<addr mq.example on n1>"),
        (lambda host: host.addr("mq.example").port(5672), "<port 5672 of mq.example on n1>"),
    ],
)
def test_a_check_shows_itself_with_its_node(made: Any, shown: str) -> None:
    assert repr(made(Host(NodeName("n1"), {}, lambda _: Result()))) == shown


def test_something_else_than_an_object_is_an_error_of_the_node() -> None:
    host = Host(NodeName("n1"), {}, lambda _: Result(("text",)))
    with pytest.raises(
        errors.NodeError,
        match=r"Get-WindowsFeature \| Select-Object gave a value of type str where an object was due",
    ):
        assert host.feature("Hyper-V").is_installed


def test_a_file_is_told_from_a_folder_by_its_type_where_powershell_adds_no_property() -> None:
    host = Host(
        NodeName("n1"), {}, lambda _: Result((Record(("Deserialized.System.IO.DirectoryInfo",), {}),))
    )
    assert host.file("C:\\x").is_directory
    assert not host.file("C:\\x").is_file


@pytest.mark.parametrize("answers", [True, False])
def test_a_port_is_reachable_when_a_connection_can_be_opened(*, answers: bool) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(pipeline: Pipeline) -> Result:
        asked.extend((command.name, dict(command.parameters)) for command in pipeline.commands)
        row = {"ComputerName": "mq.example", "PingSucceeded": True, "TcpTestSucceeded": answers}
        return Result((Record(("TestNetConnectionResult",), row),))

    assert Host(NodeName("n1"), {}, ask).addr("mq.example").port("5671").is_reachable is answers
    assert asked == [("Test-NetConnection", {"ComputerName": "mq.example", "Port": 5671})]


def test_a_port_without_an_answer_is_an_error_and_not_closed() -> None:
    refused = ErrorRecord("The term is not recognized", "CommandNotFoundException", "ObjectNotFound")
    host = Host(NodeName("n1"), {}, lambda _: Result((), (refused,)))
    with pytest.raises(errors.CommandError, match="not recognized"):
        assert host.addr("mq.example").port(5672).is_reachable
    host = Host(NodeName("n1"), {}, lambda _: Result())
    with pytest.raises(errors.NodeError, match="gave no result of a connection"):
        assert host.addr("mq.example").port(5672).is_reachable


@pytest.mark.parametrize("number", [0, 65536, "http"])
def test_there_are_65535_ports(number: Any) -> None:
    with pytest.raises(ValueError, match=str(number)):
        Host(NodeName("n1"), {}, lambda _: Result()).addr("mq.example").port(number)


def test_an_account_that_does_not_exist_has_no_right() -> None:
    """UserRightsAssignment passes over such an account, so whether it finds all in order says nothing."""

    def ask(pipeline: Pipeline) -> Result:
        asked = dict(pipeline.commands[0].parameters)["Property"]
        found = {"BUILTIN\\Administrators"} & set(asked["Identity"])
        row = {"InDesiredState": not found if asked.get("Ensure") == "Absent" else True}
        return Result((Record(("InvokeDscResourceTestResult",), row),))

    right = Host(NodeName("n1"), {}, ask).user_right("Log_on_as_a_service")
    assert right.is_held_by(["BUILTIN\\Administrators"])
    assert not right.is_held_by(["BUILTIN\\Administrators", "EXAMPLE\\nobody"])
