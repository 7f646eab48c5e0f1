"""What a simulated node is, in files: one for each part of its state, written only when that part changed.

A reader, or whoever comes after a crash, sees each part as it was before a change or after it. ``before/`` is what
the parts were when the lab came up: what ``provision lab diff`` compares with.

Long texts of a part lie beside it in ``pieces/``, each piece under the hash of its text: an LCM appends to its
logs after each resource, and to write all of them again each time makes a job cost the square of its resources.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioner.lab.control import LabError

_STATE = "state"
_BEFORE = "before"
_PIECES = "pieces"
_SUFFIX = ".json"
#: Characters of a piece; a text of more than one piece is kept apart.
_PIECE = 16_384
#: The only key of what stands in a part in the place of a long text.
_MARK = "$pieces"


class NodeState:
    """The files of one node below ``folder``. A part has a name such as ``services`` and is any JSON value."""

    __slots__ = ("_folder", "_is_read", "_kept", "_node", "_pieces", "_seen", "_written")

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node
        #: Whether it is known which pieces the files name.
        self._is_read = False
        #: Fingerprint of what stands in a file, so that an equal value is not written again.
        self._written: dict[str, int] = {}
        #: Parts whose state of the lab's start is kept already.
        self._seen: set[str] = set()
        #: Names of the pieces by long text, for each part.
        self._pieces: dict[str, dict[str, list[str]]] = {}
        #: Pieces that somebody read, among them those of the lab's start: they stay until the next one.
        self._kept: frozenset[str] = frozenset()

    def read(self) -> dict[str, Any]:
        """Read all parts; none when the node is new.

        Raises:
            LabError: a file is no JSON.
        """
        self._is_read = True
        return {name: self._load(path) for name, path in _parts(self._folder / _STATE)}

    def read_before(self) -> dict[str, Any]:
        """Read the parts that changed since ``begin``, as they were then; None for those that were not there.

        Raises:
            LabError: a file is no JSON.
        """
        return {name: self._load(path) for name, path in _parts(self._folder / _BEFORE)}

    def begin(self) -> None:
        """From now on changes count as changes since the start, which is what was read or written so far.

        Raises:
            LabError: what the node was was not read yet, and a file is no JSON.
        """
        if not self._is_read:
            self.read()
        self._seen.clear()
        for _, path in _parts(self._folder / _BEFORE):
            path.unlink()
        self._kept |= self._used()
        pieces = self._folder / _PIECES
        for path in pieces.iterdir() if pieces.is_dir() else ():
            if path.name not in self._kept:
                path.unlink()

    def write(self, parts: Mapping[str, Any], *, is_start: bool = False) -> None:
        """Write those of the parts that are not what the files hold.

        What is written at the start is no change since then: an idle node keeps nothing of before.
        """
        for name, value in parts.items():
            old = self._pieces.get(name, {})
            new: dict[str, list[str]] = {}
            text = json.dumps(self._apart(value, old, new))
            fingerprint = hash(text)
            if self._written.get(name) == fingerprint:
                continue
            target = self._folder / _STATE / f"{name}{_SUFFIX}"
            if is_start:
                target.parent.mkdir(exist_ok=True)
            else:
                self._keep(name, target)
            temporary = target.with_suffix(".tmp")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
            self._written[name] = fingerprint
            if old or new:
                self._pieces[name] = new
                self._drop({piece for pieces in old.values() for piece in pieces})

    def _apart(self, value: Any, old: Mapping[str, list[str]], new: dict[str, list[str]]) -> Any:
        """Give ``value`` with the names of pieces for its long texts; those that nobody has are written."""
        if isinstance(value, str):
            if len(value) <= _PIECE:
                return value
            new[value] = old.get(value) or self._cut(value)
            return {_MARK: new[value]}
        if isinstance(value, dict):
            return {key: self._apart(item, old, new) for key, item in value.items()}
        return [self._apart(item, old, new) for item in value] if isinstance(value, list | tuple) else value

    def _cut(self, text: str) -> list[str]:
        there = self._used() | self._kept
        names = []
        for begin in range(0, len(text), _PIECE):
            piece = text[begin : begin + _PIECE].encode("utf-8", "surrogatepass")
            names.append(hashlib.blake2b(piece, digest_size=16).hexdigest())
            if names[-1] not in there:
                target = self._folder / _PIECES / names[-1]
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(piece)
        return names

    def _used(self) -> set[str]:
        return {piece for part in self._pieces.values() for pieces in part.values() for piece in pieces}

    def _drop(self, pieces: set[str]) -> None:
        """Remove those of the pieces that no part needs any more, nor the state of the lab's start."""
        for name in pieces - self._used() - self._kept:
            (self._folder / _PIECES / name).unlink(missing_ok=True)

    def _keep(self, name: str, target: Path) -> None:
        if name in self._seen:
            return
        self._seen.add(name)
        kept = self._folder / _BEFORE / target.name
        for folder in (target.parent, kept.parent):
            folder.mkdir(exist_ok=True)
        try:
            os.link(target, kept)
        except FileNotFoundError:
            kept.write_text("null", encoding="utf-8")

    def damaged(self, why: str) -> LabError:
        """Make the error of a state that cannot be used."""
        return LabError(
            f"the state of node '{self._node}' in {self._folder} is damaged ({why})",
            "Forget what the nodes were with 'provision lab up --fresh', or remove the node's folder.",
        )

    def _load(self, path: Path) -> Any:
        try:
            return self._whole(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise self.damaged(f"{path.name}: {error}") from error
        except FileNotFoundError as error:
            raise self.damaged(f"{path.name}: there is no {error.filename}") from error

    def _whole(self, value: Any) -> Any:
        """Undo ``_apart``."""
        if isinstance(value, list):
            return [self._whole(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {_MARK}:
            pieces = [(self._folder / _PIECES / name).read_bytes() for name in value[_MARK]]
            self._kept |= set(value[_MARK])
            return b"".join(pieces).decode("utf-8", "surrogatepass")
        return {key: self._whole(item) for key, item in value.items()}


def _parts(folder: Path) -> list[tuple[str, Path]]:
    return [(path.name.removesuffix(_SUFFIX), path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
