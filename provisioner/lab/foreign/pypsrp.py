"""pypsrp's Client: its scripts ``copy`` and ``fetch``. What ``execute_ps`` sends are commands."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Final

from provisioner.lab.foreign import files
from provisioner.lab.foreign.registry import KnownScript, ScriptContext
from provisioner.lab.foreign.skeleton import Skeleton
from provisioner.lab.machine.ground.files import normal

SCRIPTS: Final = (
    KnownScript(
        "pypsrp",
        "0.6 to 0.9",
        "copy",
        "writes a file from chunks in base64; the last one is its SHA-1",
        Skeleton(("53379cb4d343d8b4b1a45de99e8c02902dca069e4e0d851c01d3803d61e8e342",)),
        "pypsrp:copy",
    ),
    KnownScript(
        "pypsrp",
        "0.6 to 0.9",
        "fetch",
        "gives a file in base64, then its SHA-1",
        Skeleton(("7cb23fb49b00e533f3ff70710063ab8c7728e44883df8a4aa84f38a8e36b3ded",)),
        "pypsrp:fetch",
    ),
)
_RUNTIME: Final = "System.Management.Automation.RuntimeException"


async def copy(data: Mapping[str, str], context: ScriptContext) -> None:
    """Write the file and give its path; a wrong SHA-1 throws and leaves nothing."""
    del data
    path = _path(context)
    chunks: list[bytes] = []
    async for item in context.input:
        chunks.append(files.from_base64(str(item)))
    *parts, expected = chunks or [b""]
    content = b"".join(parts)
    actual = hashlib.sha1(content).hexdigest()  # noqa: S324 - the client's choice
    wanted = expected.decode("utf-8", "replace")
    if actual != wanted:
        message = f"Transport failure, hash mismatch\r\nActual: {actual}\r\nExpected: {wanted}"
        files.refuse(message, message, _RUNTIME)
    files.write(context, path, content)
    context.output.write(path)


async def fetch(data: Mapping[str, str], context: ScriptContext) -> None:
    """Write the contents and the SHA-1; a missing file or a folder throws."""
    del data
    path = _path(context)
    entry = context.node.machine.files.find(path)
    if entry is None or entry.content is None:
        what = "does not exist" if entry is None else "is a directory, src must be a file"
        message = f"The path at '{path}' {what}"
        files.refuse(message, message, _RUNTIME)
    if entry.content:
        context.output.write(base64.b64encode(entry.content).decode("ascii"))
    context.output.write(hashlib.sha1(entry.content).hexdigest())  # noqa: S324 - the client's choice


def _path(context: ScriptContext) -> str:
    path, expands = (*context.arguments, "", False)[:2]
    text = str(path)
    return normal(files.absolute(files.expand(text, context.user) if expands is True else text, context.user))
