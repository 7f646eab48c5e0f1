"""What a node shall have before its document: copied once, whole, and only where it is not there."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest

from provisioner.engine import uploads
from provisioner.engine.apply import NodeFlow
from provisioner.engine.machine import NodeState
from provisioner.engine.work import NodeWork
from provisioner.errors import CommandError, ConnectError
from provisioner.events import FileUploaded, NodeFailed, Problem, Pushing, Uploading
from provisioner.roles.model import Upload
from tests.unit.engine.driving import Log, apply, options
from tests.unit.engine.model_node import KilledError, ModelNode, Trap, World, resources, work_for

CONTENT = b"an installer" * 1000
PLACE = r"C:\Setup\nova.msi"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PART = f"{PLACE}.{SHA256[:12]}.part"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "nova.msi"
    path.write_bytes(CONTENT)
    return path


def needing(world: World, source: Path, trap: Trap | None = None, sha256: str = SHA256) -> NodeWork:
    work = work_for(ModelNode("hv01", world, trap))
    return dataclasses.replace(work, uploads=(Upload(source, PLACE, sha256),))


def applied(world: World, source: Path, **changes: Any) -> tuple[Log, NodeFlow]:
    return apply(world, work=needing(world, source, **changes))


def problem(world: World, source: Path, **changes: Any) -> Problem:
    log, flow = applied(world, source, **changes)
    assert flow.machine.state is NodeState.FAILED
    assert world.pushes == 0
    return log.one(NodeFailed).problems[0]


def test_a_file_is_there_before_the_document_and_nothing_else_is_left(source: Path) -> None:
    world = World(resources=resources("[Package]nova"))
    log, flow = applied(world, source)
    assert flow.machine.state is NodeState.DONE
    assert world.files == {PLACE.casefold(): CONTENT}
    assert log.one(FileUploaded) == FileUploaded(flow.name, PLACE, len(CONTENT))
    names = log.names()
    assert names.index("Compared") < names.index("Uploading") < names.index("FileUploaded")
    assert names.index("FileUploaded") < names.index("Pushing")


def test_a_file_that_is_there_is_not_sent_again(source: Path) -> None:
    world = World(resources=resources("[Package]nova"), files={PLACE.casefold(): CONTENT})
    log, _ = applied(world, source, sha256=SHA256.upper())
    assert world.copies == 0
    assert not log.of(Uploading) + log.of(FileUploaded)


def test_another_file_in_its_place_is_replaced(source: Path) -> None:
    world = World(resources=resources("[Package]nova"), files={PLACE.casefold(): b"an older one"})
    applied(world, source)
    assert world.files == {PLACE.casefold(): CONTENT}


def test_what_an_earlier_try_left_beside_it_is_used_or_replaced(source: Path) -> None:
    world = World(resources=resources("[Package]nova"), files={PART.casefold(): CONTENT})
    applied(world, source)
    assert (world.copies, world.files) == (0, {PLACE.casefold(): CONTENT})
    world = World(resources=resources("[Package]nova"), files={PART.casefold(): b"half"})
    applied(world, source)
    assert (world.copies, world.files) == (1, {PLACE.casefold(): CONTENT})


def test_nothing_is_sent_to_a_node_in_desired_state(source: Path) -> None:
    world = World(resources=resources("[Package]nova", is_done=True))
    applied(world, source)
    assert world.files == {}


def test_a_file_that_arrives_as_another_one_never_gets_to_its_place(source: Path) -> None:
    world = World(resources=resources("[Package]nova"), files={PLACE.casefold(): b"old"}, spoils_copies=True)
    told = problem(world, source)
    assert "the node computes another hash" in told.message
    assert world.files == {PLACE.casefold(): b"old"}


def test_a_file_here_that_is_not_what_was_declared_is_not_sent(source: Path) -> None:
    world = World(resources=resources("[Package]nova"))
    told = problem(world, source, sha256="ab" * 32)
    assert f"has the SHA-256 {SHA256}" in told.message
    assert "abab" in told.message
    assert world.copies == 0


def test_a_file_that_is_not_here_is_named(tmp_path: Path) -> None:
    told = problem(World(resources=resources("[Package]nova")), tmp_path / "none.msi")
    assert told.message.endswith("none.msi' cannot be read: No such file or directory")
    assert told.help


def test_what_the_node_refuses_is_told_in_its_words(source: Path) -> None:
    world = World(resources=resources("[Package]nova"))
    work = needing(world, source)
    node: Any = work.connect()

    async def copy_file(*_: object, **__: object) -> None:
        what = f"Copying a file to '{PART}'"
        raise CommandError("hv01", what, "There is not enough space on the disk.", "", "WriteError")

    node.copy_file = copy_file
    log, _ = apply(world, work=work)
    [told] = log.one(NodeFailed).problems
    assert told.message == f"Copying a file to '{PART}' failed: There is not enough space on the disk."
    assert world.pushes == 0


def test_progress_of_a_large_file_is_told_now_and_then(tmp_path: Path) -> None:
    large = tmp_path / "large.iso"
    large.write_bytes(bytes(8 << 20))
    world = World(resources=resources("[Package]nova"))
    digest = hashlib.sha256(large.read_bytes()).hexdigest()
    log, flow = applied(world, large, sha256=digest)
    told = [(event.sent, event.size) for event in log.of(Uploading)]
    assert told == [(0, 8 << 20), (4 << 20, 8 << 20), (8 << 20, 8 << 20)]
    assert flow.machine.state is NodeState.DONE


def test_a_move_whose_answer_was_lost_is_no_failure(source: Path) -> None:
    world = World(resources=resources("[Package]nova"))
    work = needing(world, source)
    node: Any = work.connect()
    run = node.run
    lost: list[object] = []

    async def losing(pipeline: Any, *, timeout_s: float = 60.0) -> Any:
        result = await run(pipeline, timeout_s=timeout_s)
        if str(pipeline) == "Move-Item" and not lost:
            lost.append(pipeline)
            node.is_open = False
            raise ConnectError("hv01", "http://node", "the connection broke")
        return result

    node.run = losing
    log, flow = apply(world, work=work)
    assert lost
    assert flow.machine.state is NodeState.DONE, log.of(NodeFailed)
    assert world.files == {PLACE.casefold(): CONTENT}


def test_a_connection_that_breaks_in_the_middle_starts_the_file_again(source: Path) -> None:
    for hundredth in range(4, 60):  # the first questions are those of first contact, which has its own rule
        begin = hundredth / 100
        world = World(resources=resources("[Package]nova"), cuts=[(begin, begin + 5)])
        log, flow = applied(world, source)
        assert flow.machine.state is NodeState.DONE, log.of(NodeFailed)
        assert world.files == {PLACE.casefold(): CONTENT}
        assert len(log.of(FileUploaded)) <= 1


def test_a_controller_killed_anywhere_leaves_the_place_old_or_new_and_the_next_one_mends_the_rest(
    source: Path,
) -> None:
    point = 0
    pushed = False
    while not pushed:
        world = World(resources=resources("[Package]nova"), files={PLACE.casefold(): b"old"})
        log = Log()
        work = needing(world, source, Trap(point))
        flow = NodeFlow("run-1", work, options(world), log.append)
        with pytest.raises(KilledError):
            asyncio.run(flow.run())
        pushed = bool(log.of(Pushing))
        assert world.files[PLACE.casefold()] in {b"old", CONTENT}
        assert not pushed or world.files[PLACE.casefold()] == CONTENT
        world.open_sessions = 0
        applied(world, source)
        assert world.files == {PLACE.casefold(): CONTENT}
        point += 1
    assert point > 10


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_PIECE_BYTES", 5000)


@pytest.mark.usefixtures("small_pieces")
def test_a_file_larger_than_a_command_may_take_goes_in_pieces(source: Path) -> None:
    world = World(resources=resources("[Package]nova"))
    log, flow = applied(world, source)
    assert flow.machine.state is NodeState.DONE, log.of(NodeFailed)
    assert world.copies == 3
    assert world.files == {PLACE.casefold(): CONTENT}, "nothing else is left"


@pytest.mark.usefixtures("small_pieces")
def test_pieces_that_came_before_a_kill_are_not_sent_again(source: Path) -> None:
    copies = set()
    for point in range(200):
        world = World(resources=resources("[Package]nova"))
        flow = NodeFlow("run-1", needing(world, source, Trap(point)), options(world), Log().append)
        try:
            asyncio.run(flow.run())
        except KilledError:
            world.open_sessions = 0
        else:
            break
        applied(world, source)
        assert world.files == {PLACE.casefold(): CONTENT}
        copies.add(world.copies)
    assert copies == {3}


@pytest.mark.parametrize(("place", "made"), [(PLACE, [r"C:\Setup"]), (r"D:\nova.msi", [])])
def test_the_folder_is_made_but_no_drive(source: Path, place: str, made: list[str]) -> None:
    world = World(resources=resources("[Package]nova"))
    work = needing(world, source)
    work = dataclasses.replace(work, uploads=(Upload(source, place, SHA256),))
    node: Any = work.connect()
    run = node.run
    asked: list[Any] = []

    async def listening(pipeline: Any, *, timeout_s: float = 60.0) -> Any:
        asked.append(pipeline)
        return await run(pipeline, timeout_s=timeout_s)

    node.run = listening
    _, flow = apply(world, work=work)
    assert flow.machine.state is NodeState.DONE
    found = [each.commands[0].parameters["Path"] for each in asked if str(each) == "New-Item"]
    assert found == made
