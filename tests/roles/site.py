"""A project, its simulated nodes and the controller in one process: whole applies, fast enough for many of them.

What happened is read from the lab: its journals tell which resources were set and how often a node booted, its
machines what came of it. The nodes run in a thread; state is looked at and changed in that thread only.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import yaml

from provisioner.cli.consent import always
from provisioner.cli.lab.nodes import node_specs
from provisioner.cli.lab.secrets import hand_out_certificates, make_secret, secret_files
from provisioner.errors import ProvisionerError
from provisioner.events import CheckFinished, NodeDone, NodeFailed, NodeSkipped, Recorded
from provisioner.inventory.loader import load_inventory
from provisioner.lab.control import ask
from provisioner.lab.hosting.app import Lab, LabSpec, node_folder
from provisioner.lab.machine.machine import Machine
from provisioner.project import ApplyRequest, Project
from tests.networks import own_network
from tests.yaml_files import read_yaml

T = TypeVar("T")

#: Addresses of inventories in cases; each site has a network of its own instead.
NETWORK = "127.20.0"
_WORLD = "world/"


@dataclass
class Applied:
    """What one apply did. ``sets`` and ``boots`` are by node, counted by the lab; ``failures`` are sentences.

    ``leaves`` is what roles that were undone leave, by node: the role and its sentence.
    """

    done: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    sets: dict[str, list[str]] = field(default_factory=dict)
    boots: dict[str, int] = field(default_factory=dict)
    generic: list[str] = field(default_factory=list)
    leaves: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that went wrong, in one text."""
        return "\n".join(self.failures)


class Site:
    """One inventory with running nodes. Use ``running_site``."""

    def __init__(self, folder: Path, inventory: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        self.folder = folder
        self.path = folder / "inventory.yaml"
        self._network = own_network()
        self._lab_folder = folder / "lab"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".secrets").mkdir(mode=0o700, exist_ok=True)
        for name, secret in secrets.items():
            (folder / ".secrets" / name).write_text(secret + "\n", encoding="utf-8")
        self.write(inventory)
        self._lab: Lab | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def write(self, inventory: Mapping[str, Any]) -> None:
        """(Re)write the inventory with addresses of this site's own network."""
        text = yaml.safe_dump(dict(inventory), sort_keys=False, allow_unicode=True)
        self.path.write_text(text.replace(NETWORK, self._network), encoding="utf-8")

    def address(self, text: str) -> str:
        """Give an address of a case as it is in this site."""
        return text.replace(NETWORK, self._network)

    def apply(self, limit: str = "") -> Applied:
        """Compile and apply; what is wrong with the inventory is a failure too."""
        applied = Applied()
        before = {name: len(self.journal(name)) for name in self.machines}
        try:
            compilation = Project(self.folder).compile(self.path, limit)
            Project(self.folder).apply(compilation, ApplyRequest(always), _Listener(applied))
        except ProvisionerError as error:
            applied.failures.append(_all_said(error))
        for name, number in before.items():
            new = self.journal(name)[number:]
            sets = [entry for entry in new if entry["kind"] == "resource-set"]
            applied.sets[name] = [entry["resource"] for entry in sets]
            applied.generic += [entry["resource"] for entry in sets if entry["simulated"] != "specific"]
            applied.boots[name] = sum(entry["kind"] == "boot" for entry in new)
        return applied

    def validate(self) -> list[str]:
        """Give the errors that are told before anything is contacted."""
        try:
            Project(self.folder).validate(self.path, jobs=1)
        except ProvisionerError as error:
            return [_all_said(error)]
        return []

    def console(self, node: str, line: str) -> str:
        """Run a line at the console of a node; it must end well."""
        answer = ask(self._lab_folder, {"op": "run", "node": node, "line": line})
        assert not answer["code"], f"{line}: {answer['err']}"
        return str(answer["out"])

    def fault(self, node: str, fault: Mapping[str, Any]) -> None:
        """Let something go wrong on a node, as ``provision lab fault`` does."""
        ask(self._lab_folder, {"op": "fault", "node": node, "fault": dict(fault)})

    def journal(self, node: str) -> list[dict[str, Any]]:
        """Give what happened on a node by its own record, oldest first."""
        path = node_folder(self._lab_folder, node) / "journal.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def machines(self) -> list[str]:
        """The names of all nodes."""
        return list(read_yaml(self.path)["nodes"])

    def state(self, node: str, name: str) -> Any:
        """Give a part of a machine's state as plain values; see ``change``."""
        return self._on(node, lambda machine: _plain_of(machine, name))

    def change(self, node: str, name: str, values: Any) -> None:
        """Change a part of a machine's state behind everybody's back.

        ``name`` is a ground area (``services``), ``machine.family.module:Kind``, or ``world/...`` for what nodes
        share. Mappings are merged into what is there, null takes a key away, anything else replaces.
        """

        def load(machine: Machine) -> None:
            # A copy: the machine goes on with what it is given, and the case is run on other releases too.
            _area(machine, name).load(deepcopy(_merged(_plain_of(machine, name), values)))

        self._on(node, load)

    def _on(self, node: str, act: Callable[[Machine], T]) -> T:
        """Do something with a machine in the thread that owns it."""
        assert self._lab is not None
        assert self._loop is not None
        machine = next(each.machine for each in self._lab.nodes if each.name == node)

        async def there() -> T:
            return act(machine)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(30)

    @contextmanager
    def up(self) -> Iterator[None]:
        """Have the nodes run."""
        inventory, problems = load_inventory(self.path)
        problems.raise_errors()
        assert inventory is not None
        specs = node_specs(inventory, self.folder, problems)
        for path in secret_files(inventory, self.path):
            make_secret(path)
        hand_out_certificates(inventory, self.folder, self._lab_folder)
        ready = threading.Event()
        failed: list[BaseException] = []

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._lab = Lab(LabSpec("site", specs, self._lab_folder, 0.0))
            await self._lab.run(lambda _status: ready.set())

        def run() -> None:
            try:
                asyncio.run(serve())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                failed.append(error)
            finally:
                ready.set()

        self._lab_folder.mkdir(exist_ok=True)
        thread = threading.Thread(target=run, name="site", daemon=True)
        thread.start()
        assert ready.wait(60), "the lab did not start"
        if failed:
            raise failed[0]
        try:
            yield
        finally:
            ask(self._lab_folder, {"op": "down"})
            thread.join(30)


class _Listener:
    """Keeps how each node ended."""

    def __init__(self, applied: Applied) -> None:
        self._applied = applied

    def handle(self, recorded: Recorded) -> None:
        match recorded.event:
            case NodeDone(node=node, leaves=leaves):
                self._applied.done.add(node)
                self._applied.leaves[node] = [(each.role, each.what) for each in leaves]
            case NodeFailed(node=node, problems=problems):
                for problem in problems:
                    told = f"{problem.resource} {problem.position} {problem.message} {problem.help}"
                    self._applied.failures.append(f"{node}: {told}")
            case NodeSkipped(node=node, because=because):
                self._applied.failures.append(f"{node}: skipped: {because}")
            case CheckFinished(node=node, check=check, outcome=outcome, message=message) if outcome not in {
                "passed",
                "skipped",
            }:
                self._applied.failures.append(f"{node}: {check}: {message}")
            case _:
                pass

    def close(self) -> None:
        """Nothing is left to show."""


def _all_said(error: ProvisionerError) -> str:
    return f"{error} {error.help}"


def _area(machine: Machine, name: str) -> Any:
    if ":" not in name:
        return getattr(machine, name)
    is_shared = name.startswith(_WORLD)
    module, _, kind = name.removeprefix(_WORLD).partition(":")
    of: Any = machine.world if is_shared else machine
    return of.area(getattr(import_module(f"provisioner.lab.{module}"), kind))


def _plain_of(machine: Machine, name: str) -> Any:
    # By way of JSON, as it is kept: tuples become lists.
    return json.loads(json.dumps(_area(machine, name).to_plain()))


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    merged = {key: value for key, value in old.items() if key not in new or new[key] is not None}
    return merged | {key: _merged(old.get(key), value) for key, value in new.items() if value is not None}


@contextmanager
def running_site(
    folder: Path, inventory: Mapping[str, Any], secrets: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Give a site whose nodes run; take them down afterwards."""
    site = Site(folder, inventory, secrets or {})
    with site.up():
        yield site
