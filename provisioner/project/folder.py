"""A project folder: where its parts lie, and what can be done with an inventory of it.

The user's own ``roles/`` and ``dsc_configs/`` come before the ones that travel with the package.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.addresses import NodeName
from provisioner.cloud.guest_images import guest_images
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory
from provisioner.inventory.selection import select
from provisioner.project import fleet
from provisioner.project.compiler import NodeCompiler
from provisioner.project.garbage import what_is_here_stays
from provisioner.project.lcm_profiles import LcmDocuments, compile_profile
from provisioner.project.model import (
    ApplyRequest,
    Compilation,
    CompileRequest,
    Validated,
    Written,
)
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.statements.fleet import beside_each_other
from provisioner.roles.variables import unknown_variables, written_secrets
from provisioner.state.sqlite import SqliteStateStore

if TYPE_CHECKING:
    from provisioner.engine.executor import RunSummary
    from provisioner.reports.base import Reporter
    from provisioner.roles.statements.order import Order

_MARKS = ("roles", "dsc_configs", ".provisioner")


def builtin_folder() -> Path:
    """Return the folder that holds the built-in ``roles`` and ``dsc_configs``."""
    package = Path(__file__).parents[1]
    packaged = package / "builtin"
    return packaged if packaged.is_dir() else package.parent


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
    def state_folder(self) -> Path:
        """Where the project keeps what it has to remember."""
        return self.root / ".provisioner"

    @property
    def state_file(self) -> Path:
        """Where runs are recorded."""
        return self.state_folder / "state.db"

    def compile(self, inventory_path: Path, limit: str = "", *, sealed: bool = True) -> Compilation:
        """Load an inventory and compile the selected nodes, in memory.

        Args:
            inventory_path: The file.
            limit: Which nodes; all when it is empty.
            sealed: Whether secrets are resolved; else documents with credentials hold masks, and are of no use
                to a node.

        Raises:
            InputError: anything the user wrote is wrong; all problems at once.
            UsageError: ``limit`` names what is not there.
        """
        compiler, selected, problems = self._loaded(inventory_path, limit)
        order = _beside_each_other(compiler, selected, problems)
        nodes = {}
        for name in selected:
            compiled, found = compiler.compile(name, sealed=sealed)
            problems.extend(found)
            if compiled is not None:
                nodes[name] = compiled
        problems.raise_errors()
        after = order.among(nodes)
        nodes = {name: replace(each, after=after.get(name, ())) for name, each in nodes.items()}
        return Compilation(compiler.inventory, nodes, problems)

    def write(self, inventory_path: Path, request: CompileRequest) -> Written:
        """Compile the selected nodes into a folder; a fleet of any size, and only what is not there already.

        Raises:
            InputError: anything the user wrote is wrong; all problems at once, nothing was replaced.
            UsageError: the limit names what is not there, or the folder cannot be written.
            WorkerLost: a process that shared the work was lost; nothing was replaced.
        """
        compiler, selected, problems = self._loaded(inventory_path, request.limit)
        _beside_each_other(compiler, selected, problems)
        with what_is_here_stays():
            return fleet.write(compiler, selected, request, self.state_folder / "cache", problems)

    def validate(self, inventory_path: Path, limit: str = "", jobs: int = 0) -> Validated:
        """Check everything that needs neither a node nor a secret. Nothing is written.

        Raises:
            InputError: anything the user wrote is wrong; all problems at once.
            UsageError: ``limit`` names what is not there.
        """
        compiler, selected, problems = self._loaded(inventory_path, limit)
        _beside_each_other(compiler, selected, problems)
        with what_is_here_stays():
            return fleet.validate(compiler, selected, jobs, problems)

    def lcm_documents(self, inventory_path: Path, profile: Path, limit: str = "") -> LcmDocuments:
        """Compile an LCM profile for the selected nodes: their names, encodings and certificates count.

        Raises:
            InputError: anything the user wrote is wrong, or a secret cannot be resolved.
            UsageError: ``limit`` names what is not there.
        """
        compiler, selected, problems = self._loaded(inventory_path, limit)
        problems.raise_errors()
        nodes = [compiler.inventory.nodes[name] for name in selected]
        return compile_profile(profile, nodes, inventory_path.parent, compiler.registry, compiler.sealers)

    def apply(self, compilation: Compilation, request: ApplyRequest, reporter: Reporter) -> RunSummary:
        """Make the nodes what the inventory says, then verify them.

        ``reporter`` hears every event and is closed at the end; give a ``FanOut`` for several, or for one that may
        break without ending the run. A run of this inventory that was killed is taken up again under its own id.

        Raises:
            InputError: a secret cannot be resolved; nothing was contacted.
            StateError: the journal is locked or cannot be written.
        """
        # The engine and its transports take longer to load than a small project to compile.
        import asyncio  # noqa: PLC0415

        from provisioner.project import runs  # noqa: PLC0415

        passwords = runs.passwords_of(compilation)
        store = SqliteStateStore(self.state_file)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            with store.lock(f"{getpass.getuser()}, process {os.getpid()}", since):
                inventory = self._name_of(compilation.inventory)
                return asyncio.run(runs.apply(compilation, inventory, request, passwords, store, reporter))
        finally:
            store.close()

    def taken_roles(self, compilation: Compilation) -> Diagnostics:
        """Warn of roles that were taken from nodes since these were last done, without being undone.

        Raises:
            StateError: the journal cannot be read.
        """
        from provisioner.project import runs  # noqa: PLC0415 - see above

        if not self.state_file.exists():
            return Diagnostics()  # opening makes it, and a run that is refused leaves nothing
        store = SqliteStateStore(self.state_file)
        try:
            return runs.taken_roles(compilation, store.roles(self._name_of(compilation.inventory)))
        finally:
            store.close()

    def verify(self, compilation: Compilation, reporter: Reporter, parallel: int = 10) -> RunSummary:
        """Run the roles' checks against the nodes; nothing is changed and nothing is recorded.

        Raises:
            InputError: a secret cannot be resolved; nothing was contacted.
        """
        import asyncio  # noqa: PLC0415 - see above

        from provisioner.project import runs  # noqa: PLC0415

        passwords = runs.passwords_of(compilation)
        inventory = self._name_of(compilation.inventory)
        return asyncio.run(runs.verify(compilation, inventory, passwords, parallel, reporter))

    def _loaded(
        self, inventory_path: Path, limit: str
    ) -> tuple[NodeCompiler, tuple[NodeName, ...], Diagnostics]:
        """Load an inventory with its roles; the problems hold no error of the inventory itself."""
        inventory, problems = load_inventory(inventory_path)
        library = RoleLibrary([self.root, builtin_folder()])
        hidden = written_secrets(inventory, library) if inventory else []
        if hidden:
            inventory, problems = load_inventory(inventory_path, hidden)
        if inventory is None:
            problems.raise_errors()
            raise AssertionError("an inventory is missing without an error")
        selected = select(inventory, limit)
        compiler = NodeCompiler(self.root, builtin_folder(), inventory, library)
        problems.extend(unknown_variables(inventory, compiler.library))
        return compiler, tuple(selected), problems

    def _name_of(self, inventory: Inventory) -> str:
        """Name an inventory the same from every working directory: by its path below the project."""
        path = Path(inventory.path).resolve()
        root = self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _beside_each_other(
    compiler: NodeCompiler, selected: tuple[NodeName, ...], problems: Diagnostics
) -> Order:
    """Hold all nodes of the inventory against each other, and return the order they come in."""
    order, found = beside_each_other(compiler.inventory, selected, compiler.library, compiler.memo)
    problems.extend(found)
    if compiler.inventory.cloud is not None:
        problems.extend(guest_images(compiler.inventory, compiler.library).conflicts)
    return order
