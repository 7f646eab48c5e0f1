r"""What an LCM keeps across restarts: documents by stage, settings, resting state, status history.

The documents are files below ``C:\Windows\System32\Configuration``, where others can see, remove or replace them.
Those the LCM writes are sealed, as DPAPI would; one that an administrator drops there in clear is taken as it is.
Source: LCM behaviour facts 2.4 and 2.7.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from provisioner.lab.lcm import settings
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.status import StatusRecord
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.files import Files
from provisioner.lab.mof.lexer import decode

FOLDER: Final = r"C:\Windows\System32\Configuration"
META_FILE: Final = rf"{FOLDER}\MetaConfig.mof"
#: Beyond this many records the oldest go, whatever the retention time says.
_HISTORY: Final = 200
#: How every DPAPI blob begins: version 1 and the id of its provider. What follows here is unreadable, not secret.
_SEAL: Final = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")


@dataclass(slots=True)
class Store:
    """``state`` is the LCMState while nothing runs. ``job_id`` is the job the pending document belongs to."""

    files: Files
    state: str = "Idle"
    job_id: str = ""
    #: Values by their names; a change makes another mapping, so that a save sees it.
    settings: Mapping[str, Any] = field(default_factory=settings.defaults)
    history: list[StatusRecord] = field(default_factory=list)
    #: What the LCM last saw in its file of settings; None when there was none.
    seen_meta: bytes | None = None

    @property
    def pending(self) -> bytes | None:
        """The document that waits, or waits again, to be applied."""
        return self._read("Pending")

    @property
    def current(self) -> bytes | None:
        """The document the node was brought to."""
        return self._read("Current")

    @property
    def previous(self) -> bytes | None:
        """The document that was current before."""
        return self._read("Previous")

    @property
    def resting_state(self) -> str:
        """LCMState while nothing runs; a pending document that somebody deleted by hand is pending no more."""
        is_pending = self.state in {"PendingConfiguration", "PendingReboot"}
        return "Idle" if is_pending and not self._is_waiting() else self.state

    def _is_waiting(self) -> bool:
        # A consistency run may have asked for the restart: then Current is all there is.
        return self.files.is_file(_path("Pending")) or (
            self.state == "PendingReboot" and self.files.is_file(_path("Current"))
        )

    @property
    def has_document(self) -> bool:
        """Whether there is anything an LCM would come back to."""
        return any(self.files.is_file(_path(stage)) for stage in ("Pending", "Current"))

    def accept(self, document: bytes, job_id: str) -> None:
        """Make ``document`` the pending one.

        Current becomes Previous now, before the run, as in the open-source LCM; on Windows the moment is not
        known.

        Raises:
            LcmError: the disk does not take it.
        """
        current = self.current
        if current is not None:
            self._write("Previous", current)
            self.remove("Current")
        self.retry(document, job_id)

    def retry(self, document: bytes, job_id: str) -> None:
        """Make ``document`` pending and leave Current where it is.

        Raises:
            LcmError: the disk does not take it.
        """
        self._write("Pending", document)
        self.job_id = job_id

    def settle(self) -> None:
        """Pending was reached: it becomes Current."""
        pending = self.pending
        if pending is not None:
            self._write("Current", pending)
            self.remove("Pending")
        self.job_id = ""
        self.state = "Idle"

    def remove(self, stage: str) -> None:
        """Remove the document of a stage: Pending, Current or Previous."""
        self.files.remove(_path(stage))

    def remember(self, record: StatusRecord, now: datetime) -> None:
        """Put a status record first and drop those that are too old."""
        oldest = now - timedelta(days=int(self.settings["StatusRetentionTimeInDays"]))
        kept = [each for each in self.history if datetime.fromisoformat(each.start) >= oldest]
        self.history = [record, *kept][:_HISTORY]

    def configure(self, document: bytes) -> None:
        """Take over the settings of a meta-configuration and keep it as the LCM's own file, in clear.

        Raises:
            LcmError: the document is none, or the disk does not take it.
        """
        self.settings = settings.from_document(document)
        self.seen_meta = b"\xff\xfe" + decode(document).lstrip("\ufeff").encode("utf-16-le", "surrogatepass")
        self._save(META_FILE, self.seen_meta)

    def look_at_settings(self) -> str:
        """Take note of a file of settings that somebody changed; give the reason when it cannot be read.

        A file that is gone or damaged means the settings of an LCM nobody configured.
        """
        entry = self.files.find(META_FILE)
        content = entry.content if entry else None
        if content == self.seen_meta:
            return ""
        self.seen_meta = content
        self.settings = settings.defaults()
        if content is None:
            return ""
        try:
            self.settings = settings.from_document(content)
        except LcmError as error:
            return error.message.text
        return ""

    def to_plain(self) -> dict[str, Any]:
        """Give what is in no file, as JSON values."""
        return {
            "state": self.state,
            "job_id": self.job_id,
            "settings": self.settings,
            "history": [record.to_plain() for record in self.history],
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take what ``to_plain`` gave."""
        self.state = plain["state"]
        self.job_id = plain["job_id"]
        self.settings = dict(plain["settings"])
        self.history = [StatusRecord.from_plain(each) for each in plain["history"]]
        entry = self.files.find(META_FILE)
        self.seen_meta = entry.content if entry else None

    def _read(self, stage: str) -> bytes | None:
        entry = self.files.find(_path(stage))
        if entry is None or entry.content is None:
            return None
        if not entry.content.startswith(_SEAL):
            return entry.content
        try:
            return zlib.decompress(entry.content[len(_SEAL) :])
        except zlib.error:
            return entry.content  # damaged: no document, as whoever reads it will say

    def _write(self, stage: str, document: bytes) -> None:
        self._save(_path(stage), _SEAL + zlib.compress(document))

    def _save(self, path: str, content: bytes) -> None:
        try:
            self.files.make_folder(FOLDER)
            self.files.write(path, content)
        except MachineError as error:
            raise LcmError.of(f"Failed to save {path}. {error.message}", 1) from error


def _path(stage: str) -> str:
    return rf"{FOLDER}\{stage}.mof"
