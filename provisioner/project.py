"""A directory with inventories, roles and configurations as one object: compile, apply, verify.

The user's own ``roles/`` and ``dsc_configs/`` come before the ones that travel with the package.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.configuration.emit.meta_mof import META_SETTINGS, emit_meta_mof
from provisioner.configuration.emit.mof import emit_mof, size_problems
from provisioner.configuration.model import Artifact, Configuration
from provisioner.diagnostics import Diagnostics
from provisioner.engine.executor import RunSummary
from provisioner.engine.link import run_again
from provisioner.engine.local import LocalExecutor
from provisioner.engine.resume import adopt
from provisioner.engine.verify_run import VerifyWork, run_checks
from provisioner.engine.work import (
    AllowReboot,
    ApplyOptions,
    Limits,
    LoopClock,
    NodeWork,
    PollPolicy,
    Verifier,
)
from provisioner.errors import SecretError
from provisioner.events import CheckFinished, Event, RunStarted
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory, Node
from provisioner.inventory.selection import select
from provisioner.node.base import NodeApi
from provisioner.node.managed import ManagedNode
from provisioner.reports.base import Reporter
from provisioner.reports.recorder import Recorder
from provisioner.roles.expand import Expansion, expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.variables import unknown_variables
from provisioner.secrets.model import Secret
from provisioner.secrets.redact import Redactor
from provisioner.secrets.stores import resolve
from provisioner.state.base import StateStore
from provisioner.state.memory import MemoryStateStore
from provisioner.state.sqlite import SqliteStateStore
from provisioner.transport.registry import create
from provisioner.verify.targets import Target

_MARKS = ("roles", "dsc_configs", ".provisioner")


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """One node with everything made for it."""

    node: Node
    expansion: Expansion
    configuration: Configuration
    document: Artifact
    meta_document: Artifact


@dataclass(frozen=True, slots=True)
class Compilation:
    """The selected nodes of an inventory, compiled. ``warnings`` did not stop the work."""

    inventory: Inventory
    nodes: Mapping[NodeName, CompiledNode]
    warnings: Diagnostics


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """How an apply may go about it. ``parallel`` is the number of nodes at work at once, 0 for all."""

    allow_reboot: AllowReboot
    parallel: int = 10
    reboot_running_vms: bool = False


def builtin_folder() -> Path:
    """Return the folder that holds the built-in ``roles`` and ``dsc_configs``."""
    packaged = Path(__file__).parent / "builtin"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent


class Project:
    """A project folder. ``root`` is where ``roles/``, ``dsc_configs/`` and the state folder lie."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of(cls, inventory: Path) -> Project:
        """Find the project an inventory belongs to: the nearest folder above it with roles or configurations.

        An inventory that stands alone makes its own folder the project.
        """
        folder = inventory.resolve().parent
        for candidate in (folder, *folder.parents):
            if any((candidate / mark).is_dir() for mark in _MARKS):
                return cls(candidate)
        return cls(folder)

    @property
    def state_file(self) -> Path:
        """Where runs are recorded."""
        return self.root / ".provisioner" / "state.db"

    def compile(self, inventory_path: Path, limit: str = "") -> Compilation:
        """Load an inventory and compile the selected nodes.

        Raises:
            InputError: anything the user wrote is wrong; all problems at once.
            UsageError: ``limit`` names what is not there.
        """
        inventory, problems = load_inventory(inventory_path)
        if inventory is None:
            problems.raise_errors()
            raise AssertionError("an inventory is missing without an error")
        selected = select(inventory, limit)
        library = RoleLibrary([self.root, builtin_folder()])
        registry = Registry.builtin()
        problems.extend(unknown_variables(inventory, library))
        nodes = {}
        for name in selected:
            compiled = _compile_node(inventory, name, library, registry, problems)
            if compiled is not None:
                nodes[name] = compiled
        problems.raise_errors()
        return Compilation(inventory, nodes, problems)

    def apply(self, compilation: Compilation, request: ApplyRequest, reporter: Reporter) -> RunSummary:
        """Make the nodes what the inventory says, then verify them.

        ``reporter`` hears every event and is closed at the end; give a ``FanOut`` for several, or for one that may
        break without ending the run. A run of this inventory that was killed is taken up again under its own id.

        Raises:
            InputError: a secret cannot be resolved; nothing was contacted.
            StateError: the journal is locked or cannot be written.
        """
        passwords = _passwords(compilation)
        store = SqliteStateStore(self.state_file)
        try:
            with store.lock(
                f"{getpass.getuser()}, process {os.getpid()}", _now().isoformat(timespec="seconds")
            ):
                inventory = self._name_of(compilation.inventory)
                return asyncio.run(_apply(compilation, inventory, request, passwords, store, reporter))
        finally:
            store.close()

    def verify(self, compilation: Compilation, reporter: Reporter, parallel: int = 10) -> RunSummary:
        """Run the roles' checks against the nodes; nothing is changed and nothing is recorded.

        Raises:
            InputError: a secret cannot be resolved; nothing was contacted.
        """
        passwords = _passwords(compilation)
        inventory = self._name_of(compilation.inventory)
        return asyncio.run(_verify(compilation, inventory, passwords, parallel, reporter))

    def _name_of(self, inventory: Inventory) -> str:
        """Name an inventory the same from every working directory: by its path below the project."""
        path = Path(inventory.path).resolve()
        root = self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _compile_node(
    inventory: Inventory, name: NodeName, library: RoleLibrary, registry: Registry, problems: Diagnostics
) -> CompiledNode | None:
    node = inventory.nodes[name]
    if not node.roles:
        return None  # the loader has warned of it
    expansion, found = expand(node, library, registry, site=inventory.site)
    problems.extend(found)
    if found.has_errors:
        return None
    configuration, found = build(node, expansion, registry)
    problems.extend(found)
    if configuration is None:
        return None
    encoding = node.connection.encoding
    document = emit_mof(configuration, encoding, registry)
    problems.extend(size_problems(document, node.where))
    meta_document = emit_meta_mof(node.name, META_SETTINGS, encoding)
    return CompiledNode(node, expansion, configuration, document, meta_document)


async def _apply(  # noqa: PLR0913, PLR0917 - what a run is made of
    compilation: Compilation,
    inventory: str,
    request: ApplyRequest,
    passwords: Mapping[NodeName, Secret],
    store: StateStore,
    reporter: Reporter,
) -> RunSummary:
    digests = {name: node.configuration.name for name, node in compilation.nodes.items()}
    adopted = adopt(store, inventory, digests)
    run_id = adopted.run_id if adopted else _new_run_id()
    record = Recorder(
        run_id,
        store,
        reporter,
        now=_now,
        next_sequence=adopted.next_sequence if adopted else 1,
        redact=_redactor(passwords),
    )
    options = ApplyOptions(
        parallel=request.parallel,
        allow_reboot=request.allow_reboot,
        reboot_running_vms=request.reboot_running_vms,
    )
    works = [_work(node, passwords[name]) for name, node in compilation.nodes.items()]
    try:
        record(_started(run_id, inventory, compilation, "apply", resumed=adopted is not None))
        return await LocalExecutor().run(
            run_id,
            works,
            options,
            verifier=_verifier(compilation),
            record=record,
            past=adopted.past if adopted else None,
        )
    finally:
        reporter.close()


async def _verify(
    compilation: Compilation,
    inventory: str,
    passwords: Mapping[NodeName, Secret],
    parallel: int,
    reporter: Reporter,
) -> RunSummary:
    run_id = _new_run_id()
    record = Recorder(run_id, MemoryStateStore(), reporter, now=_now, redact=_redactor(passwords))
    works = [
        VerifyWork(name, lambda node=node, name=name: _connect(node.node, passwords[name]))  # type: ignore[misc]
        for name, node in compilation.nodes.items()
    ]
    try:
        record(_started(run_id, inventory, compilation, "verify"))
        return await run_checks(run_id, works, _verifier(compilation), record, parallel)
    finally:
        reporter.close()


def _work(compiled: CompiledNode, password: Secret) -> NodeWork:
    resources = compiled.configuration.resources
    connection = compiled.node.connection
    return NodeWork(
        name=compiled.node.name,
        document=compiled.document.content,
        digest=compiled.configuration.name,
        meta_document=compiled.meta_document.content,
        meta_settings=META_SETTINGS,
        connect=lambda: _connect(compiled.node, password),
        resources=tuple(str(resource.id) for resource in resources),
        positions={str(resource.id).casefold(): str(resource.where) for resource in resources},
        limits=Limits(
            connect_timeout_s=connection.connect_timeout_s,
            reconnect_timeout_s=connection.reconnect_timeout_s,
            reboot_timeout_s=connection.reboot_timeout_s,
            job_timeout_s=connection.job_timeout_s,
        ),
    )


def _connect(node: Node, password: Secret) -> NodeApi:
    connection = node.connection
    transport = create(
        connection.transport,
        node.name,
        connection.endpoint,
        connection.user,
        password,
        connect_timeout_s=connection.connect_timeout_s,
    )
    return ManagedNode(node.name, transport, connection.framing)


def _verifier(compilation: Compilation) -> Verifier:
    """Bring the checks of each node's roles together with its open session."""
    # pytest takes half a second to load, which validate and compile need not wait for.
    from provisioner.verify.runner import verify  # noqa: PLC0415

    async def check(nodes: Mapping[NodeName, NodeApi], report: Callable[[CheckFinished], None]) -> None:
        targets = []
        for name, api in nodes.items():
            expansion = compilation.nodes[name].expansion
            ask = partial(run_again, api, clock=LoopClock(), poll=PollPolicy())
            targets.append(Target(name, expansion.checks, ask, expansion.variables))
        await verify(targets, report)

    return check


def _passwords(compilation: Compilation) -> dict[NodeName, Secret]:
    """Resolve every node's password before anything is contacted; all failures at once."""
    problems = Diagnostics()
    found = {}
    base = Path(compilation.inventory.path).parent
    for name, compiled in compilation.nodes.items():
        connection = compiled.node.connection
        try:
            found[name] = resolve(connection.password, base)
        except SecretError as error:
            problems.error(
                "Secret cannot be resolved",
                f"The password of node '{name}' is {error.reference}: {error.reason}.",
                connection.where,
                error.help,
            )
    problems.raise_errors()
    return found


def _redactor(passwords: Mapping[NodeName, Secret]) -> Redactor:
    redactor = Redactor()
    for password in passwords.values():
        redactor.add(password)
    return redactor


def _started(
    run_id: str, inventory: str, compilation: Compilation, operation: str, *, resumed: bool = False
) -> Event:
    return RunStarted(
        run_id=run_id,
        inventory=inventory,
        operation=operation,
        nodes=tuple(compilation.nodes),
        total=len(compilation.inventory.nodes),
        digests={name: node.configuration.name for name, node in compilation.nodes.items()},
        resumed=resumed,
    )


def _new_run_id() -> str:
    return f"{_now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _now() -> datetime:
    return datetime.now(UTC)
