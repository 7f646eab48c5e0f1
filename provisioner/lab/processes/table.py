"""Every program a simulated node has: its name, where it lies, and where its function is.

Functions are imported at first use, so that the table can name what lives on other floors.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from provisioner.lab.machine.ground.files import normal
from provisioner.lab.processes.base import Program

_SYSTEM: Final = "C:\\Windows\\System32"
_POWERSHELL: Final = f"{_SYSTEM}\\WindowsPowerShell\\v1.0"

#: Lower-case names without ``.exe``, to the folder and "module:function" below the lab.
PROGRAMS: Final[Mapping[str, tuple[str, str]]] = {
    "cmd": (_SYSTEM, "processes.cmd:run"),
    "findstr": (_SYSTEM, "processes.findstr:run"),
    "hostname": (_SYSTEM, "processes.hostname:run"),
    "ping": (_SYSTEM, "processes.ping:run"),
    "powershell": (_POWERSHELL, "foreign.powershell_exe:run"),
    "sc": (_SYSTEM, "processes.sc:run"),
    "shutdown": (_SYSTEM, "processes.shutdown:run"),
    "systeminfo": (_SYSTEM, "processes.systeminfo:run"),
    "whoami": (_SYSTEM, "processes.whoami:run"),
}


def find(name: str) -> Program | None:
    r"""Find a program by what a command line calls it: ``hostname``, ``C:\Windows\System32\HOSTNAME.EXE``.

    A name without a folder is looked for in the folders of PATH.
    """
    bare = _bare(name)
    if bare not in PROGRAMS or (_has_folder(name) and not is_program_path(name)):
        return None
    module, _, function = PROGRAMS[bare][1].partition(":")
    loaded: Any = getattr(import_module(f"provisioner.lab.{module}"), function)
    return loaded  # type: ignore[no-any-return]  # the string names it; a test resolves every line


def is_program_path(path: str) -> bool:
    """Tell whether a full path is that of a program."""
    if not _has_folder(path):
        return False
    full = normal(path).casefold()
    entry = PROGRAMS.get(_bare(path))
    return entry is not None and full.removesuffix(".exe") == f"{entry[0]}\\{_bare(path)}".casefold()


def _has_folder(name: str) -> bool:
    return "\\" in name or "/" in name


def _bare(name: str) -> str:
    return name.replace("/", "\\").rpartition("\\")[2].casefold().removesuffix(".exe")
