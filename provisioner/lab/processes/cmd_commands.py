"""The commands that are part of cmd.exe itself: plain functions over the state of one cmd.exe."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.files import normal
from provisioner.lab.processes.base import codec_of

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

Writer: TypeAlias = Callable[[bytes], None]

#: What may stand between the name of such a command and the rest of its line.
_NAME: Final = re.compile(r"([A-Za-z]+)(?=[\s,;=./\\\[\]+:(\"]|$)")
NOT_SIMULATED: Final = frozenset(
    [
        "assoc",
        "break",
        "color",
        "copy",
        "date",
        "dpath",
        "for",
        "ftype",
        "goto",
        "if",
        "label",
        "mklink",
        "move",
        "path",
        "pause",
        "popd",
        "prompt",
        "pushd",
        "rd",
        "ren",
        "rename",
        "rmdir",
        "setlocal",
        "endlocal",
        "shift",
        "start",
        "time",
        "title",
        "verify",
        "vol",
    ]
)


@dataclass(slots=True)
class State:
    """What one cmd.exe remembers. ``folder`` is the current one."""

    environment: dict[str, str]
    folder: str
    codepage: int
    errorlevel: int = 0

    def full_path(self, path: str) -> str:
        """Return the full path of what a command names."""
        bare = path.strip().replace('"', "").replace("/", "\\")
        if bare.startswith("\\") and not bare.startswith("\\\\"):
            bare = ntpath.splitdrive(self.folder)[0] + bare
        return normal(ntpath.join(self.folder, bare)) if bare else self.folder


@dataclass(frozen=True, slots=True)
class Context:
    """One call of such a command."""

    node: SimulatedNode
    state: State
    stdout: Writer
    stderr: Writer
    encode: Callable[[str], bytes]

    def say(self, text: str) -> int:
        """Write to standard output; good."""
        self.stdout(self.encode(text))
        return 0

    def fail(self, text: str) -> int:
        """Write to standard error; bad."""
        self.stderr(self.encode(text))
        return 1


def split_name(text: str) -> tuple[str, str]:
    """Cut a command's text into its folded name and what follows, unless it is a program's path."""
    found = _NAME.match(text)
    if found is None:
        return "", text
    name = found[1].casefold()
    if name not in COMMANDS and name not in NOT_SIMULATED and name not in {"exit", "call"}:
        return "", text
    rest = text[found.end() :]
    return name, rest


def _echo(context: Context, rest: str) -> int:
    if not rest.strip():
        return context.say("ECHO is on.\r\n")
    return context.say(rest[1:] + "\r\n")


def _ver(context: Context, _rest: str) -> int:
    return context.say(f"\r\nMicrosoft Windows [Version 10.0.{context.node.build}]\r\n")


def _rem(_context: Context, _rest: str) -> int:
    return 0


def _cd(context: Context, rest: str) -> int:
    path = re.sub(r"^\s*/d\b", "", rest, flags=re.IGNORECASE).strip()
    if not path:
        return context.say(context.state.folder + "\r\n")
    target = context.state.full_path(path)
    entry = context.node.machine.files.find(target)
    if entry is None:
        return context.fail("The system cannot find the path specified.\r\n")
    if not entry.is_folder:
        return context.fail("The directory name is invalid.\r\n")
    is_other_drive = ntpath.splitdrive(target)[0] != ntpath.splitdrive(context.state.folder)[0]
    if not is_other_drive or "/d" in rest.casefold():
        context.state.folder = entry.path
    return 0


def _set(context: Context, rest: str) -> int:
    text = rest.strip()
    if text.startswith("/"):
        return context.fail("The lab does not simulate SET with options.\r\n")
    if text.startswith('"') and '"' in text[1:]:
        text = text[1 : text.rindex('"')]
    elif "=" in rest:
        text = rest.lstrip()  # blanks at the end belong to the value
    name, equals, value = text.partition("=")
    environment = context.state.environment
    if equals:
        if not name:
            return context.fail("The syntax of the command is incorrect.\r\n")
        for key in [key for key in environment if key.casefold() == name.casefold()]:
            del environment[key]
        if value:
            environment[name] = value
        return 0
    shown = {
        key: item for key, item in environment.items() if key.casefold().startswith(name.strip().casefold())
    }
    if not shown:
        return context.fail(f"Environment variable {name.strip()} not defined\r\n")
    lines = sorted(shown.items(), key=lambda item: item[0].casefold())
    return context.say("".join(f"{key}={item}\r\n" for key, item in lines))


def _type(context: Context, rest: str) -> int:
    if not rest.strip():
        return context.fail("The syntax of the command is incorrect.\r\n")
    path = context.state.full_path(rest)
    files = context.node.machine.files
    if files.is_folder(path):
        return context.fail("Access is denied.\r\n")
    if not files.is_file(path):
        found = files.is_folder(ntpath.dirname(path))
        return context.fail(f"The system cannot find the {'file' if found else 'path'} specified.\r\n")
    context.stdout(files.read(path))
    return 0


def _dir(context: Context, rest: str) -> int:
    words = rest.split()
    options = [word.casefold() for word in words if word.startswith("/")]
    if options != ["/b"]:
        return context.fail("The lab simulates DIR with /B only.\r\n")
    path = context.state.full_path(" ".join(word for word in words if not word.startswith("/")))
    entry = context.node.machine.files.find(path)
    if entry is None:
        return context.fail("File Not Found\r\n")
    found = context.node.machine.files.children(path) if entry.is_folder else [entry]
    return context.say("".join(f"{item.name}\r\n" for item in found))


def _mkdir(context: Context, rest: str) -> int:
    path = context.state.full_path(rest)
    if context.node.machine.files.find(path) is not None:
        return context.fail(f"A subdirectory or file {rest.strip()} already exists.\r\n")
    try:
        context.node.machine.files.make_folder(path)
    except MachineError:
        return context.fail("The system cannot find the drive specified.\r\n")
    return 0


def _del(context: Context, rest: str) -> int:
    if "*" in rest or "?" in rest:
        return context.fail("The lab does not simulate DEL with wildcards.\r\n")
    path = context.state.full_path(re.sub(r"\s*/[fqsa]\b", "", rest, flags=re.IGNORECASE))
    if not context.node.machine.files.is_file(path):
        context.fail(f"Could Not Find {path}\r\n")
        return 0  # DEL of what is not there is no error
    context.node.machine.files.remove(path)
    return 0


def _chcp(context: Context, rest: str) -> int:
    wanted = rest.strip()
    if wanted:
        if not wanted.isascii() or not wanted.isdigit() or not _is_codepage(int(wanted[:6])):
            return context.fail("Invalid code page\r\n")
        context.state.codepage = int(wanted)
    return context.say(f"Active code page: {context.state.codepage}\r\n")


def _is_codepage(number: int) -> bool:
    return codec_of(number) in {"utf-8", f"cp{number}"}


COMMANDS: Final[Mapping[str, Callable[[Context, str], int]]] = {
    "cd": _cd,
    "chcp": _chcp,
    "chdir": _cd,
    "del": _del,
    "dir": _dir,
    "echo": _echo,
    "erase": _del,
    "md": _mkdir,
    "mkdir": _mkdir,
    "rem": _rem,
    "set": _set,
    "type": _type,
    "ver": _ver,
}
