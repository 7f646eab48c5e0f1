from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.errors import LockHeld, SchemaTooNew, StateError
from provisioner.events import Pushing, Recorded, ResourceProgress, RunStarted
from provisioner.state.sqlite import MIGRATIONS, SqliteStateStore

HV = NodeName("hv01")

#: Writes events until it is killed; tells the number of each event that `append` called durable.
WRITER = """
import sys
from pathlib import Path
from provisioner.addresses import NodeName
from provisioner.events import Pushing, Recorded, ResourceProgress, RunStarted
from provisioner.state.sqlite import SqliteStateStore

store = SqliteStateStore(Path(sys.argv[1]))
with store.lock("writer", "now"):
    store.append(Recorded("r", 1, "t", RunStarted("r", "inv", "apply", ("hv01",), 1, {})))
    number = 2
    while True:
        store.append(Recorded("r", number, "t", ResourceProgress(NodeName("hv01"), "[a]b", "Set")))
        store.append(Recorded("r", number + 1, "t", Pushing(NodeName("hv01"), "{J}", number)))
        print(number + 1, flush=True)
        number += 2
"""


@pytest.fixture
def path(tmp_path: Any) -> Any:
    return tmp_path / "state" / "journal.db"


def start(store: SqliteStateStore) -> None:
    store.append(Recorded("r", 1, "t", RunStarted("r", "inv", "apply", ("hv01",), 1, {})))


def test_a_killed_writer_loses_nothing_that_was_called_durable_and_frees_its_lock(path: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        for line in writer.stdout:
            told = int(line)
            if told >= 51:
                break
        other = SqliteStateStore(path)
        with pytest.raises(LockHeld, match="writer"), other.lock("me", "later"):
            pass
        other.close()
        os.kill(writer.pid, signal.SIGKILL)
        last = [int(line) for line in writer.stdout] or [told]
    store = SqliteStateStore(path)
    events = store.events("r")
    assert [recorded.sequence for recorded in events] == list(range(1, len(events) + 1))
    assert len(events) >= last[-1]
    assert store.unfinished("inv") == "r"
    with store.lock("me", "later"):
        store.append(Recorded("r", len(events) + 1, "t", Pushing(HV, "{J}", 1)))
    store.close()


def test_what_only_looks_waits_for_the_next_durable_event_and_is_written_at_the_end(path: Any) -> None:
    store, reader = SqliteStateStore(path), SqliteStateStore(path)
    start(store)
    store.append(Recorded("r", 2, "t", ResourceProgress(HV, "[a]b", "Set")))
    assert len(reader.events("r")) == 1
    assert len(store.events("r")) == 2
    store.append(Recorded("r", 3, "t", Pushing(HV, "{J}", 1)))
    assert len(reader.events("r")) == 3
    store.append(Recorded("r", 4, "t", ResourceProgress(HV, "[a]b", "Set")))
    store.close()
    assert len(reader.events("r")) == 4
    reader.close()


def test_only_the_owner_may_read_it(path: Any) -> None:
    old = os.umask(0)
    try:
        store = SqliteStateStore(path)
        start(store)
        with store.lock("a", "b"):
            modes = {item.name: item.stat().st_mode & 0o777 for item in path.parent.iterdir()}
    finally:
        os.umask(old)
    store.close()
    assert set(modes.values()) == {0o600}
    assert "journal.db-wal" in modes
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_each_durable_event_is_flushed_to_the_disk(path: Any) -> None:
    store = SqliteStateStore(path)
    assert store._execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_a_newer_file_is_refused_by_name(path: Any) -> None:
    SqliteStateStore(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    raw.close()
    with pytest.raises(SchemaTooNew, match="newer provisioner"):
        SqliteStateStore(path)


def test_a_file_of_an_earlier_version_is_lifted_and_keeps_its_runs(path: Any) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as raw:
        for statement in filter(str.strip, MIGRATIONS[0].split(";")):
            raw.execute(statement)
        raw.execute("INSERT INTO run VALUES (1, 'old', 'inv', 'apply', 'then', '', 0)")
        raw.execute("PRAGMA user_version=1")
    raw.close()
    store = SqliteStateStore(path)
    assert store.unfinished("inv") == "old"
    assert store.roles("inv") == {}, "nobody knows what was recorded by nobody"
    store.close()


def spoil(path: Path) -> None:
    path.write_bytes(b"this is no database, but it is long enough to be looked at as one" * 20)


def spoil_the_middle(path: Path) -> None:
    store = SqliteStateStore(path)
    start(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[200:] = b"\xff" * (len(content) - 200)
    path.write_bytes(content)


def make_it_a_folder(path: Path) -> None:
    path.mkdir()


def put_a_file_where_its_folder_belongs(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize(
    "damage", [spoil, spoil_the_middle, make_it_a_folder, put_a_file_where_its_folder_belongs]
)
def test_a_file_that_cannot_be_used_is_a_sentence_with_its_name(path: Any, damage: Any) -> None:
    path.parent.mkdir()
    damage(path)
    with pytest.raises(StateError, match=r"the journal .*journal\.db cannot be used: \w+") as caught:
        SqliteStateStore(path).runs()
    assert caught.value.help


def test_an_event_of_an_unknown_kind_is_a_sentence_too(path: Any) -> None:
    store = SqliteStateStore(path)
    start(store)
    store._execute("UPDATE event SET data = replace(data, 'RunStarted', 'Unheard')")
    with pytest.raises(StateError, match="cannot be used"):
        store.events("r")
    store.close()


def test_a_file_that_may_not_be_written_is_a_sentence(path: Any, monkeypatch: Any) -> None:
    store = SqliteStateStore(path)
    store._execute("PRAGMA query_only=ON")
    with pytest.raises(StateError, match="cannot be used"):
        start(store)
    store.close()


def test_a_closed_journal_refuses_events(path: Any) -> None:
    store = SqliteStateStore(path)
    store.close()
    with pytest.raises(StateError, match="closed"):
        start(store)


def test_a_full_disk_is_told_as_one_and_what_was_durable_stays(path: Any) -> None:
    store = SqliteStateStore(path)
    start(store)
    store._execute("PRAGMA max_page_count=1")  # no more pages than there are
    written = [1]

    def fill() -> None:
        for number in range(2, 1000):
            store.append(Recorded("r", number, "t", Pushing(HV, "{J}" * 100, number)))
            written.append(number)

    with pytest.raises(StateError, match="full") as full:
        fill()
    assert "Make room" in full.value.help
    store.close()
    assert [recorded.sequence for recorded in SqliteStateStore(path).events("r")] == written
