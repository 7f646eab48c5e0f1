"""Every program a simulated node has: its name, and where its function is.

Functions are imported at first use, so that the table can name what lives on other floors.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from provisioner.lab.processes.base import Program

#: Lower-case names without folder and ``.exe``, to "module:function" below the lab.
PROGRAMS: Final[Mapping[str, str]] = {
    "powershell": "foreign.powershell_exe:run",
}


def find(name: str) -> Program | None:
    r"""Find a program by the name a command line calls it by: ``C:\Windows\System32\HOSTNAME.EXE``, ``hostname``."""
    bare = name.replace("/", "\\").rpartition("\\")[2].casefold().removesuffix(".exe")
    target = PROGRAMS.get(bare)
    if target is None:
        return None
    module, _, function = target.partition(":")
    loaded: Any = getattr(import_module(f"provisioner.lab.{module}"), function)
    return loaded  # type: ignore[no-any-return]  # the string names it; a test resolves every line
