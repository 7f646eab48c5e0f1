"""packer's communicator ``winrm``: its check of the connection, and how winrmcp uploads a file.

A file goes up as lines of base64 that ``echo`` appends to a file in %TEMP%; a script then decodes it to its place
and another one removes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

from provisioner.lab.foreign import files
from provisioner.lab.foreign.registry import KnownScript, ScriptContext
from provisioner.lab.foreign.skeleton import DATA, Skeleton
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.files import normal, parent_of
from provisioner.lab.values import ScriptExit

_TEMPORARY: Final = r'"\$env:TEMP\\(?P<source>winrmcp-[0-9A-Za-z-]{1,64}\.tmp)"'
_TARGET: Final = f"\"'?(?P<target>{DATA})'?\""

SCRIPTS: Final = (
    KnownScript(
        "packer",
        "1.6.6",
        "connected",
        "says that the connection works",
        Skeleton(("f27dfa6fdb9f5fae5ce20d65f2c1bee383139f0c0874ecd29fbc818f9d50d0c7",)),
        "packer:connected",
    ),
    KnownScript(
        "packer",
        "1.6.6",
        "restarted",
        "says that the machine is back after windows-restart",
        Skeleton(("f9253ffca5c59cdeb152eabcf708c5613e534f698dce29628a17b19f59ed81fc",)),
        "packer:restarted",
    ),
    KnownScript(
        "packer",
        "1.6.6",
        "restore",
        "decodes an uploaded file to its place",
        Skeleton(
            ("2883dbb4d3d59e762f34da5c0f66e092fb104d44ae959132bdc2ff60cd4c4745",),
            {15: _TEMPORARY, 33: _TARGET},
        ),
        "packer:restore",
    ),
    KnownScript(
        "packer",
        "1.6.6",
        "cleanup",
        "removes the uploaded file in %TEMP%",
        Skeleton(("616014bcead836f4e3f2d7a33e0e472fff722f0376555e54fe0d4aa2921feba7",), {15: _TEMPORARY}),
        "packer:cleanup",
    ),
)


async def connected(data: Mapping[str, str], context: ScriptContext) -> None:
    """Write the sentence packer waits for."""
    del data
    context.output.write("WinRM connected.")


async def restarted(data: Mapping[str, str], context: ScriptContext) -> None:
    """Write the sentence windows-restart waits for."""
    del data
    context.output.write(f"{context.node.computer_name} restarted.")


async def restore(data: Mapping[str, str], context: ScriptContext) -> None:
    """Decode line by line; without a source the target becomes the line end that ``echo $null >`` leaves."""
    tree = context.node.machine.files
    source = _source(data, context)
    target = normal(files.absolute(data["target"].strip("'"), context.user))
    if tree.is_folder(target):
        raise ScriptExit(1)
    tree.remove(target)
    with contextlib.suppress(MachineError):  # -ErrorAction SilentlyContinue; the write says what is wrong
        tree.make_folder(parent_of(target))
    if not tree.is_file(source):
        files.write(context, target, "\ufeff\r\n".encode("utf-16-le"))
        return
    content = b""
    for line in tree.read(source).decode("cp437").splitlines():
        content += files.from_base64(line)
    files.write(context, target, content)


async def cleanup(data: Mapping[str, str], context: ScriptContext) -> None:
    """Remove the source if it is there."""
    context.node.machine.files.remove(_source(data, context))


def _source(data: Mapping[str, str], context: ScriptContext) -> str:
    return files.expand("%TEMP%\\", context.user) + data["source"]
