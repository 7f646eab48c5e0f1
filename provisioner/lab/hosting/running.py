"""A lab in a thread of somebody's process: for tests, notebooks and scripts that want nodes for a while."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from provisioner.lab.control import LabError, ask
from provisioner.lab.hosting.app import Lab, LabSpec, node_folder
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.spec import NodeSpec

_USER: Final = "provisioner"
_PORT: Final = 5985
_ATTEMPTS: Final = 20
_START_S: Final = 60.0


class RunningNode:
    """One node of a running lab: where and as whom to reach it, and what happened on it.

    ``password`` is that of ``user``, a local administrator; the connection is WinRM over http with message
    encryption on ``address`` and ``port``.
    """

    def __init__(self, lab: RunningLab, spec: NodeSpec, password: str) -> None:
        self._lab = lab
        self.name = spec.name
        self.address = spec.address
        self.port = spec.port
        self.user = spec.user
        self.password = password

    def __repr__(self) -> str:
        return f"RunningNode({self.name!r}, {self.address}:{self.port})"

    def journal(self, *kinds: str) -> list[dict[str, Any]]:
        """Give what happened on the node, oldest first; only entries of these kinds if given."""
        path = node_folder(self._lab.folder, self.name) / "journal.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [entry for entry in entries if not kinds or entry["kind"] in kinds]

    def show(self) -> dict[str, Any]:
        """Give what the node is, as ``provision lab show --json`` does."""
        return self._lab.ask({"op": "show", "node": self.name})

    def changes(self) -> list[dict[str, str]]:
        """Give what changed since the start: ``path``, ``before`` and ``after`` of each value."""
        found: list[dict[str, str]] = self._lab.ask({"op": "diff", "node": self.name})["changes"]
        return found

    def run(self, line: str) -> str:
        """Run one line at the node's console and return what it printed.

        Raises:
            LabError: it failed; the text is what it wrote to standard error.
        """
        answer = self._lab.ask({"op": "run", "node": self.name, "line": line})
        if answer["code"]:
            raise LabError(f"'{line}' ended with {answer['code']}: {answer['err'].strip()}")
        return str(answer["out"])

    def cut(self, seconds: float | None = None) -> None:
        """Cut the node's network, for so many seconds or until ``restore``."""
        self._lab.ask({"op": "cut", "node": self.name, "seconds": seconds})

    def restore(self) -> None:
        """Mend the node's network."""
        self._lab.ask({"op": "restore", "node": self.name})

    def fault(self, kind: str, **parameters: Any) -> None:
        """Let something go wrong, as ``provision lab fault`` does.

        ``after`` is a mapping with ``messages`` and ``seconds``; ``for`` needs a mapping too: ``**{"for": 5}``.

        Raises:
            LabError: it is no fault, or none the node can have.
        """
        self._lab.ask({"op": "fault", "node": self.name, "fault": {"kind": kind, **parameters}})

    def clear(self, kind: str | None = None) -> None:
        """End the node's faults, or those of a kind."""
        self._lab.ask({"op": "clear", "node": self.name, "kind": kind})


class RunningLab:
    """So many nodes in a thread; iterate over them, and ``stop`` when done.

    ``settings`` are fields of ``NodeSpec`` that all nodes get (``windows``, ``modules``, ``files`` ...). Simulated
    work takes no time, though the nodes' clocks show that it did. ``folder`` holds what the nodes are.

    Raises:
        LabError: the lab did not start.
    """

    def __init__(self, folder: Path, count: int, settings: Mapping[str, Any]) -> None:
        self.folder = folder
        self._ready = threading.Event()
        self._problem: BaseException | None = None
        password = secrets.token_urlsafe(12)
        for left in reversed(range(_ATTEMPTS)):
            specs = _specs(count, password, settings)
            if self._start(specs, is_last=not left):
                break
        self._nodes = [RunningNode(self, spec, password) for spec in specs]

    def _start(self, specs: list[NodeSpec], *, is_last: bool) -> bool:
        """Start the thread; return False when the addresses were taken and others may be free."""
        self._ready.clear()
        self._problem = None
        name = f"lab {self.folder.name}"
        self._thread = threading.Thread(target=self._serve, args=[specs], name=name, daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise LabError(f"the lab in {self.folder} did not start within {_START_S:g} s")
        if self._problem is None:
            return True
        if is_last or not isinstance(self._problem, LabError):
            raise self._problem
        return False

    def __iter__(self) -> Iterator[RunningNode]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, name: str) -> RunningNode:
        """Find a node by its name.

        Raises:
            KeyError: there is no such node.
        """
        return {node.name: node for node in self._nodes}[name]

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request to the lab, as the command line does.

        Raises:
            LabError: the lab refused it, or has stopped.
        """
        return ask(self.folder, request)

    def stop(self) -> None:
        """End the lab and its thread."""
        if self._thread.is_alive():
            self.ask({"op": "down"})
            self._thread.join()

    def _serve(self, specs: list[NodeSpec]) -> None:
        def ready(_status: dict[str, Any]) -> None:
            self._ready.set()

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            asyncio.run(Lab(LabSpec(self.folder.name, specs, self.folder, 0.0)).run(ready))
        except BaseException as problem:  # noqa: BLE001 - handed to the thread that waits
            self._problem = problem
        finally:
            self._ready.set()


def _specs(count: int, password: str, settings: Mapping[str, Any]) -> list[NodeSpec]:
    """Describe the nodes in a network that is likely to be free; binding tells."""
    first = secrets.randbelow(200)
    second = 64 + secrets.randbelow(180)
    hashed = nt_hash(password)
    return [
        NodeSpec(
            f"node{number + 1:02}",
            f"127.{second}.{first + number // 250}.{number % 250 + 1}",
            _PORT,
            _USER,
            hashed,
            **settings,
        )
        for number in range(count)
    ]
