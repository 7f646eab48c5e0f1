"""What a simulated node is, in files: one for each part of its state, written only when that part changed.

A reader, or whoever comes after a crash, sees each part as it was before a change or after it. ``before/`` is what
the parts were when the lab came up: what ``provision lab diff`` compares with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provisioner.lab.control import LabError

_STATE = "state"
_BEFORE = "before"
_SUFFIX = ".json"


class NodeState:
    """The files of one node below ``folder``. A part has a name such as ``services`` and is any JSON value."""

    __slots__ = ("_folder", "_node", "_seen", "_written")

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node
        #: Fingerprint of what stands in a file, so that an equal value is not written again.
        self._written: dict[str, int] = {}
        #: Parts whose state of the lab's start is kept already.
        self._seen: set[str] = set()

    def read(self) -> dict[str, Any]:
        """Read all parts; none when the node is new.

        Raises:
            LabError: a file is no JSON.
        """
        return {name: self._load(path) for name, path in _parts(self._folder / _STATE)}

    def read_before(self) -> dict[str, Any]:
        """Read the parts that changed since ``begin``, as they were then; None for those that were not there.

        Raises:
            LabError: a file is no JSON.
        """
        return {name: self._load(path) for name, path in _parts(self._folder / _BEFORE)}

    def begin(self) -> None:
        """From now on changes count as changes since the start."""
        self._seen.clear()
        for _, path in _parts(self._folder / _BEFORE):
            path.unlink()

    def write(self, parts: Mapping[str, Any]) -> None:
        """Write those of the parts that are not what the files hold."""
        for name, value in parts.items():
            text = json.dumps(value)
            fingerprint = hash(text)
            if self._written.get(name) == fingerprint:
                continue
            target = self._folder / _STATE / f"{name}{_SUFFIX}"
            self._keep(name, target)
            temporary = target.with_suffix(".tmp")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
            self._written[name] = fingerprint

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
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self.damaged(f"{path.name}: {error}") from error


def _parts(folder: Path) -> list[tuple[str, Path]]:
    return [(path.name.removesuffix(_SUFFIX), path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
