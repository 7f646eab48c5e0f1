"""Files a node shall have before it gets the document that speaks of them.

The node is asked first: what it has already is not sent again, so a run that is taken up goes on where it was. A
file is copied under another name beside its place and moved there only when the node computes the right hash; who
looks at the place finds the old file, none, or the whole new one.
"""

from __future__ import annotations

import asyncio
import hashlib
import ntpath
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provisioner.engine.failure import NodeFailure
from provisioner.errors import NodeError
from provisioner.events import FileUploaded, Problem, Uploading
from provisioner.transport.base import SWITCH, Command, Pipeline
from provisioner.transport.base import Record as Row

if TYPE_CHECKING:
    from provisioner.engine.link import Link
    from provisioner.engine.work import NodeWork, Record
    from provisioner.roles.model import Upload

_PART_BYTES = 1 << 20
#: One command of PowerShell remoting takes 50 MB of input, in which a file is a third larger than it is.
#: Source: PSMaximumReceivedDataSizePerCommandMB in about_Remote_FAQ.
_PIECE_BYTES = 24 << 20
#: Bytes that Get-Content hands on in one array.
_AT_ONCE = 1 << 16
#: A hash of a large file takes the node a while, and so does moving it to another volume.
_HASH_LIMIT_S = 1800.0
#: A copy may take so long at least, and is given so many seconds for each byte: a slow line does 100 kB/s.
_COPY_LIMIT_S = 600.0
_SLOW_BYTES_S = 100_000
#: Progress is told when so much more is sent, and at most so often in one file.
_STEP_BYTES = 1 << 20
_STEPS = 20


async def upload(link: Link, work: NodeWork, record: Record) -> None:
    """Give the node the files it does not have, in their order.

    Raises:
        NodeFailure: A file here is not what it was declared to be, or arrived as something else.
        NodeError, TransportError: The node refused a file, or cannot be reached.
    """
    for file in work.uploads:
        if not await _has(link, file.destination, file.sha256):
            size = await asyncio.to_thread(_checked_size, file)
            await _send(link, work, file, size, record)
            record(FileUploaded(work.name, file.destination, size))


async def _send(link: Link, work: NodeWork, file: Upload, size: int, record: Record) -> None:
    record(Uploading(work.name, file.destination, size))
    # The same names at each try: what an earlier one left is used, or replaced.
    beside = f"{file.destination}.{file.sha256[:12].lower()}.part"
    if not await _has(link, beside, file.sha256):
        folder = ntpath.dirname(file.destination)
        if ntpath.splitdrive(folder)[1].strip("\\/"):  # the root of a drive is there, or nobody can make it
            await _tell(link, Pipeline.of("New-Item", Path=folder, ItemType="Directory", Force=SWITCH))
        progress = _Progress(work, file, size, record)
        try:
            await _copy(link, file.source, beside, size, progress)
        finally:
            progress.is_over = True
        if not await _has(link, beside, file.sha256):
            await _tell(link, Pipeline.of("Remove-Item", LiteralPath=beside, Force=SWITCH))
            raise _failure(
                f"the file '{file.source}' did not arrive as '{file.destination}': the node computes another hash",
                "Run the same command again; look what changes files on the node, as a virus scanner does.",
            )
    if pieces := _pieces(beside, size):
        # Before the move: once the file is in its place, nobody looks for them again. Some may be gone already.
        clear = Pipeline.of("Remove-Item", LiteralPath=pieces, Force=SWITCH)
        await link.ask(lambda api: api.run(clear, timeout_s=_HASH_LIMIT_S))
    move = Pipeline.of("Move-Item", LiteralPath=beside, Destination=file.destination, Force=SWITCH)
    try:
        await _tell(link, move)
    except NodeError:
        # The connection may have been lost behind the order: then the second one finds nothing to move.
        if not await _has(link, file.destination, file.sha256):
            raise


async def _copy(link: Link, source: Path, target: str, size: int, progress: _Progress) -> None:
    """Copy a file in pieces that one command may take, and put them together on the node."""
    if size <= _PIECE_BYTES:
        await _copy_piece(link, source, target, size, progress)
        return
    pieces = _pieces(target, size)
    with tempfile.TemporaryDirectory(prefix="provisioner-") as folder:
        piece = Path(folder, "piece")
        for number, name in enumerate(pieces):
            progress.before = number * _PIECE_BYTES
            digest, length = await asyncio.to_thread(_cut, source, progress.before, piece)
            if not await _has(link, name, digest):
                await _copy_piece(link, piece, name, length, progress)
    read = Command("Get-Content", {"LiteralPath": pieces, "Encoding": "Byte", "ReadCount": _AT_ONCE})
    write = Command("Set-Content", {"LiteralPath": target, "Encoding": "Byte", "Force": SWITCH})
    await _tell(link, Pipeline((read, write)))


def _pieces(target: str, size: int) -> list[str]:
    """Name the pieces of a file on the node; none for one that goes in one piece."""
    count = -(-size // _PIECE_BYTES) if size > _PIECE_BYTES else 0
    return [f"{target}.{number:05}" for number in range(1, count + 1)]


async def _copy_piece(link: Link, source: Path, target: str, size: int, progress: _Progress) -> None:
    limit = _COPY_LIMIT_S + size / _SLOW_BYTES_S
    await link.ask(lambda api: api.copy_file(source, target, timeout_s=limit, sent=progress))


def _cut(source: Path, start: int, piece: Path) -> tuple[str, int]:
    """Write a piece of a file to a file of its own; return its hash and length."""
    digest = hashlib.sha256()
    left = _PIECE_BYTES
    with source.open("rb") as opened, piece.open("wb") as written:
        opened.seek(start)
        while part := opened.read(min(_PART_BYTES, left)):
            digest.update(part)
            written.write(part)
            left -= len(part)
    return digest.hexdigest(), _PIECE_BYTES - left


async def _has(link: Link, path: str, sha256: str) -> bool:
    """Ask whether a file is there with this hash; one that cannot be read is not."""
    question = Pipeline.of("Get-FileHash", LiteralPath=path, Algorithm="SHA256")
    try:
        result = await link.ask(lambda api: api.run(question, timeout_s=_HASH_LIMIT_S))
    except NodeError:
        return False
    return any(
        str(row.get("Hash") or "").casefold() == sha256.casefold()
        for row in result.output
        if isinstance(row, Row)
    )


async def _tell(link: Link, pipeline: Pipeline) -> None:
    """Run a pipeline that may run twice, and take its errors seriously."""
    result = await link.ask(lambda api: api.run(pipeline, timeout_s=_HASH_LIMIT_S))
    if result.errors:
        error = result.errors[0]
        raise NodeError(link.api.name, f"{pipeline} failed: {error.message}")


def _checked_size(file: Upload) -> int:
    """Read a file here once, in parts, and return its size.

    Raises:
        NodeFailure: It cannot be read, or has another hash than declared.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with file.source.open("rb") as opened:
            while part := opened.read(_PART_BYTES):
                digest.update(part)
                size += len(part)
    except OSError as error:
        reason = f"the file '{file.source}' cannot be read: {error.strerror or error}"
        raise _failure(reason, "Put it there, or correct its path.") from error
    if digest.hexdigest() != file.sha256.casefold():
        raise _failure(
            f"the file '{file.source}' has the SHA-256 {digest.hexdigest()}, "
            f"and {file.sha256.lower()} was declared",
            "Put the right file there, or declare the hash of this one.",
        )
    return size


class _Progress:
    """Takes the number of bytes sent, and tells a few of them while the copy lasts."""

    def __init__(self, work: NodeWork, file: Upload, size: int, record: Record) -> None:
        self.is_over = False
        #: What came before the piece that is being copied, in bytes.
        self.before = 0
        self._record = record
        self._event = Uploading(work.name, file.destination, size)
        self._size = size
        self._step = max(_STEP_BYTES, size // _STEPS)
        self._told = 0

    def __call__(self, sent: int) -> None:
        sent = min(self.before + sent, self._size)
        # What a copy that was broken off still has to say comes too late.
        if not self.is_over and sent - self._told >= self._step:
            self._told = sent
            self._record(replace(self._event, sent=sent))


def _failure(reason: str, help: str) -> NodeFailure:
    return NodeFailure([Problem(reason, help=help)], NodeError.__name__)
