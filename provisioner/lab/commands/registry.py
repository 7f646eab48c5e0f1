"""Every command a simulated node may have, and whether a node has it now.

A command is one line in a table: its name, where its function is, the parameters it takes and the Windows
feature that brings it. Functions are imported at first use, so a table can name what has not been loaded.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.commands.aliases import ALIASES
from provisioner.lab.commands.base import CommandSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from provisioner.lab.commands.base import Invocation
    from provisioner.lab.simulated_node import SimulatedNode

_HERE: Final = "provisioner.lab.commands"
#: Packages of commands; the ``table.py`` of each lists its own.
_FAMILIES: Final = (
    "basics",
    "cluster",
    "computer",
    "console",
    "directory",
    "hyperv",
    "iscsi",
    "items",
    "network",
    "node",
    "security",
    "storage",
)


@cache
def table() -> Mapping[str, CommandSpec]:
    """Give all commands by lower-case name."""
    tables = [import_module(f"{_HERE}.{family}.table").COMMANDS for family in _FAMILIES]
    return {spec.name.casefold(): spec for commands in tables for spec in commands}


def find(node: SimulatedNode, name: str) -> CommandSpec | None:
    r"""Find the command ``name``; None also while the feature that brings it is not installed.

    ``name`` may carry the module: ``CimCmdlets\\Get-CimInstance``.
    """
    module, _, bare = name.rpartition("\\")
    folded = bare.casefold()
    spec = table().get(folded) or table().get(ALIASES.get(folded, folded).casefold())
    if spec is None or (module and module.casefold() != spec.module.casefold()):
        return None
    return spec if node.has_feature(spec.feature) else None


def available(node: SimulatedNode, visible: Collection[str] | None = None) -> list[CommandSpec]:
    """List the commands the node has now, by name; only those ``visible`` (lower case) if that is given."""
    return sorted(
        (
            spec
            for name, spec in table().items()
            if node.has_feature(spec.feature) and (visible is None or name in visible)
        ),
        key=lambda spec: spec.name,
    )


def function(spec: CommandSpec) -> Callable[[Invocation], Awaitable[None]]:
    """Import the function of a command."""
    module, _, name = spec.function.partition(":")
    loaded: Any = getattr(import_module(module), name)
    return loaded  # type: ignore[no-any-return]  # the string names it; a test resolves every line
