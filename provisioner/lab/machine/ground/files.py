"""Files and folders of a machine: case-insensitive Windows paths, bytes, attributes and access rights.

Paths are stored as first spelled. Entries are frozen values; nothing is shared with the real file system.
"""

from __future__ import annotations

import base64
import ntpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from provisioner.lab.machine.area import Ledger, MachineError
from provisioner.lab.machine.ground.accounts import ADMINISTRATORS, SYSTEM

FULL_CONTROL = "FullControl"
READ = "ReadAndExecute, Synchronize"
_INVOCATION = "System.Management.Automation.MethodInvocationException"


@dataclass(frozen=True, slots=True)
class Rule:
    """One allow entry. ``sid`` is the account, ``rights`` the text of FileSystemRights."""

    sid: str
    rights: str
    is_inherited: bool = False


@dataclass(frozen=True, slots=True)
class Acl:
    """Owner and rules. A protected list takes nothing from the folder above."""

    owner: str
    is_protected: bool
    rules: tuple[Rule, ...]


_ROOT_ACL = Acl(
    SYSTEM,
    is_protected=True,
    rules=(
        Rule(SYSTEM, FULL_CONTROL),
        Rule(ADMINISTRATORS, FULL_CONTROL),
        Rule("S-1-5-32-545", READ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder. ``content`` is None for folders; ``acl`` None means all rights are inherited.

    ``written`` is the ISO time of the last write.
    """

    path: str
    content: bytes | None = None
    attributes: str = "Archive"
    acl: Acl | None = None
    written: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.content is None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return ntpath.basename(self.path) or self.path


def normal(path: str) -> str:
    r"""Give the full path with backslashes, without ``.`` and ``..`` and without a trailing backslash."""
    cleaned = ntpath.normpath(path.replace("/", "\\"))
    drive, rest = ntpath.splitdrive(cleaned)
    if len(drive) == 2:  # noqa: PLR2004 - a drive letter and its colon
        drive = drive.upper()
    return drive + ("\\" if rest in {"", "\\", "."} else rest.rstrip("\\"))


def parent_of(path: str) -> str:
    """Give the folder a path lies in; a drive's root is its own parent."""
    return ntpath.dirname(normal(path))


_WINDOWS_FOLDERS = (
    r"Program Files",
    r"Program Files (x86)",
    r"ProgramData",
    r"Users\Public",
    r"Windows\System32\config\systemprofile",
    r"Windows\Temp",
)


class Files:
    """The volumes of a machine and what lies on them."""

    def __init__(self, ledger: Ledger, volumes: Mapping[str, int]) -> None:
        self._ledger = ledger
        #: Drive letter to size in GiB.
        self.volumes = {letter.upper(): size for letter, size in volumes.items()}
        self._first_volumes = dict(self.volumes)
        #: Letters of the volumes that take nothing more, which is a fault and no state: whoever set it keeps it.
        self.full: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._seeded: dict[str, Entry] = {}
        #: Entries with their plain form: a save asks for all of them and few have changed since the last one.
        self._plain: dict[str, tuple[Entry, dict[str, Any]]] = {}
        self.clock = "2024-01-01T00:00:00+00:00"
        for letter in self.volumes:
            self._entries[f"{letter}:\\".casefold()] = Entry(f"{letter}:\\", None, "Directory", _ROOT_ACL)
        if "C" in self.volumes:
            for folder in _WINDOWS_FOLDERS:
                self.make_folder(f"C:\\{folder}")

    def attempt(self, cmdlet: str) -> None:
        """Raise the injected error of ``cmdlet``, if there is one."""
        self._ledger.attempt(cmdlet)

    def seed(self, path: str, content: bytes) -> None:
        """Put a file there as part of the machine's first state, with the folders it needs."""
        self.make_folder(parent_of(path))
        self.write(path, content)

    def share(self, entries: Mapping[str, Entry]) -> None:
        """Take entries by their folded paths as part of the first state; machines may have the very same ones."""
        self._entries.update(entries)

    def entries(self) -> dict[str, Entry]:
        """Give all entries by their folded paths."""
        return dict(self._entries)

    def mount(self, letter: str, gib: int) -> None:
        """Let a volume appear; one that is there only gets its size."""
        root = f"{letter.upper()}:\\"
        self.volumes[letter.upper()] = gib
        if root.casefold() not in self._entries:
            self._store(Entry(root, None, "Directory", _ROOT_ACL, self.clock), "mounted")

    def unmount(self, letter: str) -> None:
        """Let a volume disappear with all that lies on it."""
        self.volumes.pop(letter.upper(), None)
        self.remove(f"{letter}:\\")

    def settle(self) -> None:
        """Remember the present state as the first one; ``to_plain`` gives only what differs from it."""
        self._seeded = dict(self._entries)

    def find(self, path: str) -> Entry | None:
        """Look up a file or folder."""
        return self._entries.get(normal(path).casefold())

    def is_file(self, path: str) -> bool:
        """Whether there is a file of this path."""
        entry = self.find(path)
        return entry is not None and not entry.is_folder

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder of this path."""
        entry = self.find(path)
        return entry is not None and entry.is_folder

    def read(self, path: str) -> bytes:
        """Content of a file.

        Raises:
            MachineError: DirectoryNotFoundException or FileNotFoundException.
        """
        entry = self.find(path)
        if entry is None or entry.content is None:
            self._demand_folder(parent_of(path), path)
            raise MachineError(
                f"Could not find file '{normal(path)}'.", "FileNotFoundException", "NotSpecified", _INVOCATION
            )
        return entry.content

    def write(self, path: str, content: bytes, acl: Acl | None = None) -> Entry:
        """Write a whole file; an existing one keeps its rights unless ``acl`` is given.

        Raises:
            MachineError: DirectoryNotFoundException when the folder is missing, UnauthorizedAccessException
                when the path is a folder, IOException when the volume is full.
        """
        self._ledger.attempt("WriteFile")
        target = normal(path)
        self.demand_space(target)
        self._demand_folder(parent_of(path), path)
        old = self.find(path)
        if old is not None and old.is_folder:
            raise MachineError(
                f"Access to the path '{target}' is denied.",
                "UnauthorizedAccessException",
                "NotSpecified",
                _INVOCATION,
            )
        entry = Entry(
            old.path if old else target,
            content,
            "Archive",
            acl if acl is not None or old is None else old.acl,
            self.clock,
        )
        return self._store(entry, "written")

    def touch(self, path: str, written: str) -> None:
        """Give an existing file another time of its last write, in ISO form."""
        self._store(replace(self._entries[normal(path).casefold()], written=written), "time changed")

    def set_attributes(self, path: str, attributes: str) -> None:
        """Give an existing file or folder other attributes, as the text of FileAttributes."""
        self._store(
            replace(self._entries[normal(path).casefold()], attributes=attributes), "attributes changed"
        )

    def make_folder(self, path: str) -> Entry:
        """Make a folder and those above it; one that is there stays as it is.

        Raises:
            MachineError: the drive does not exist.
        """
        target = normal(path)
        there = self._entries.get(target.casefold())
        if there is not None:
            return there
        if parent_of(target) == target:
            raise _no_path(target)
        self.demand_space(target)
        self.make_folder(parent_of(target))
        return self._store(Entry(target, None, "Directory", None, self.clock), "made")

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that lies in it; a missing one is no matter."""
        target = normal(path).casefold()
        below = target.rstrip("\\") + "\\"
        gone = [key for key in self._entries if key == target or key.startswith(below)]
        for key in gone:
            del self._entries[key]
        if gone:
            self._ledger.changed("files", f"{normal(path)} removed")

    def replace(self, source: str, target: str) -> None:
        """Put ``source`` in the place of ``target`` in one step, with the rights of ``source``."""
        entry = self._entries.pop(normal(source).casefold())
        old = self.find(target)
        self._store(replace(entry, path=old.path if old else normal(target)), "replaced")

    def set_acl(self, path: str, acl: Acl | None) -> None:
        """Change the rights of an existing file or folder."""
        self._store(replace(self._entries[normal(path).casefold()], acl=acl), "rights changed")

    def acl(self, path: str) -> Acl:
        """Rights in force: own rules and, unless protected, those of the folders above."""
        entry = self.find(path)
        own = entry.acl if entry else None
        if own is not None and own.is_protected:
            return own
        above = self.acl(parent_of(path)) if parent_of(path) != normal(path) else _ROOT_ACL
        inherited = tuple(replace(rule, is_inherited=True) for rule in above.rules)
        owner = own.owner if own else above.owner
        return Acl(owner, is_protected=False, rules=(*(own.rules if own else ()), *inherited))

    def children(self, path: str) -> list[Entry]:
        """What lies directly in a folder: folders first, each by name."""
        target = normal(path).casefold()
        found = [
            item
            for key, item in self._entries.items()
            if key != target and parent_of(item.path).casefold() == target
        ]
        return sorted(found, key=lambda item: (not item.is_folder, item.name.casefold()))

    def paths(self) -> Iterable[str]:
        """All paths, as spelled."""
        return [entry.path for entry in self._entries.values()]

    def demand_space(self, path: str) -> None:
        """Refuse to put more on a full volume.

        Raises:
            MachineError: IOException.
        """
        if self.full and normal(path)[:1] in self.full:
            raise MachineError(
                "There is not enough space on the disk.", "IOException", "NotSpecified", _INVOCATION
            )

    def _demand_folder(self, folder: str, path: str) -> None:
        if not self.is_folder(folder):
            raise _no_path(normal(path))

    def _store(self, entry: Entry, what: str) -> Entry:
        self._entries[entry.path.casefold()] = entry
        self._ledger.changed("files", f"{entry.path} {what}")
        return entry

    def to_plain(self) -> dict[str, Any]:
        """Give what differs from the first state; contents in base64."""
        known = self._plain
        self._plain = {}
        for key, item in self._entries.items():
            if key in known and known[key][0] is item:
                self._plain[key] = known[key]
            elif self._seeded.get(key) != item:
                self._plain[key] = (item, _entry_to_plain(item))
        changed = [plain for _, plain in self._plain.values()]
        gone = sorted(self._seeded.keys() - self._entries.keys())
        plain: dict[str, Any] = {"changed": changed, "gone": gone} if changed or gone else {}
        return plain | ({"volumes": self.volumes} if self.volumes != self._first_volumes else {})

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take over what ``to_plain`` gave."""
        self.volumes = dict(plain.get("volumes", self.volumes))
        for key in plain.get("gone", ()):
            self._entries.pop(key, None)
        for item in plain.get("changed", ()):
            entry = _entry_from_plain(item)
            self._entries[entry.path.casefold()] = entry


def _no_path(path: str) -> MachineError:
    return MachineError(
        f"Could not find a part of the path '{path}'.",
        "DirectoryNotFoundException",
        "NotSpecified",
        _INVOCATION,
    )


def _entry_to_plain(entry: Entry) -> dict[str, Any]:
    plain: dict[str, Any] = {"path": entry.path, "attributes": entry.attributes, "written": entry.written}
    if entry.content is not None:
        plain["content"] = base64.b64encode(entry.content).decode("ascii")
    if entry.acl is not None:
        rules = [[rule.sid, rule.rights] for rule in entry.acl.rules]
        plain["acl"] = [entry.acl.owner, entry.acl.is_protected, rules]
    return plain


def _entry_from_plain(plain: Mapping[str, Any]) -> Entry:
    content = base64.b64decode(plain["content"]) if "content" in plain else None
    acl = None
    if "acl" in plain:
        owner, is_protected, rules = plain["acl"]
        acl = Acl(owner, is_protected=is_protected, rules=tuple(Rule(sid, rights) for sid, rights in rules))
    return Entry(plain["path"], content, plain["attributes"], acl, plain["written"])
