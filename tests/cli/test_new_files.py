"""What a verb makes is there as a whole or not at all, and a full disk is no bug of ours."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provisioner.cli.app import main
from provisioner.cli.new_files import write_files
from tests.compiling import REPOSITORY


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class Full:
    """Stands in for ``os.fdopen``: from the given file on there is no room."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self._open = os.fdopen
        self._room = room
        monkeypatch.setattr(os, "fdopen", self)

    def __call__(self, *args: Any) -> Any:
        self._room -= 1
        if self._room >= 0:
            return self._open(*args)
        os.close(args[0])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_files_and_their_folders_are_made(tmp_path: Path) -> None:
    write_files({tmp_path / "a" / "b": b"1", tmp_path / ".s" / "c": b"2"}, private=[tmp_path / ".s" / "c"])
    assert tree(tmp_path) == [".s", ".s/c", "a", "a/b"]
    assert (tmp_path / ".s" / "c").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".s").stat().st_mode & 0o777 == 0o700


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_files({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_disk_that_fills_up_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text("old")
    Full(monkeypatch, room=2)
    files = {tmp_path / "old": b"new", tmp_path / "d" / "e" / "f": b"2", tmp_path / "g": b"3"}
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_files(files)
    assert caught.value.filename == str(tmp_path / "g")
    assert tree(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "old"


@pytest.mark.parametrize("verb", [["init", "p"], ["schema", "-o", "p"]])
def test_verbs_say_what_there_is_no_room_for(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Full(monkeypatch, room=1)
    done = CliRunner().invoke(main, verb)
    assert done.exit_code == 1
    assert "No space left on device" in done.stderr
    assert "bug" not in done.stderr
    assert tree(tmp_path) == []


def test_output_nobody_has_room_for_is_no_bug(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "provisioner.cli", "catalog", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: No space left on device\n")
    assert "bug" not in done.stderr
