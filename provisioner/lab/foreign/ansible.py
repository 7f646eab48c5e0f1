"""ansible-core's connections ``winrm`` and ``psrp``: the bootstrap wrapper and the scripts of the plugins.

Everything but ``raw`` travels so: a small wrapper is the script, and what is to be done comes in as input. That is
a line of JSON with the real wrapper, a line of four NUL, a line of JSON with scripts and actions, and for some a
second line of NUL and data. A node carries out the actions of the connection plugins (put and fetch a file, make a
temporary folder, expand a path); modules are programs in PowerShell and are refused by name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.lab.foreign import files
from provisioner.lab.foreign.registry import KnownScript, ScriptContext
from provisioner.lab.foreign.skeleton import Skeleton, digest_of, tokens_of
from provisioner.lab.machine.ground.files import normal
from provisioner.lab.values import ErrorRecord, ScriptExit, TerminatingError

SCRIPTS: Final = (
    KnownScript(
        "ansible-core",
        "2.19",
        "bootstrap",
        "reads what to do from its input and does it",
        Skeleton(
            (
                "3f8411ba9fc9bb85e7d07b26c6ea31ece3c6bb2a9fde08c55bbcf58bbd59b815",
                "40dd5ac6b65dd9e7a183573355a3bacf2fd8304321eaed6b8660ffbaa80b833d",
                "617b94e7418f9c0835449c2b703da3410839501e91d201a84ed582f17aa27b0f",
                "145a038da87b787cfe1ba85d4961fab382fb2ecac75c3a55205fd2204c6a1275",
            )
        ),
        "ansible:bootstrap",
    ),
)
_EXEC_WRAPPER: Final = "1397fe4ebcfef4d6e65e95bc0d8cb9bc2c73a477c448269cde1f834c4c8bdc9f"
_SEPARATOR: Final = "\0\0\0\0"
_LONGEST: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class _Action:
    """One action of a connection plugin: the digest of its script and what does it here."""

    digest: str
    run: Callable[[Mapping[str, Any], AsyncIterator[str], ScriptContext], Awaitable[None]]


async def bootstrap(data: Mapping[str, str], context: ScriptContext) -> None:
    """Read the input and carry out the one action in it.

    Raises:
        TerminatingError: It is a module, or no action of a known plugin.
    """
    del data
    lines = _lines(context)
    wrapper = _document(await _block(lines))
    if digest_of(tokens_of(str(wrapper.get("script", "")))) != _EXEC_WRAPPER:
        raise _refused("a wrapper that is not that of ansible-core 2.19")
    manifest = _document(await _block(lines))
    action, parameters = _action_of(manifest)
    await action.run(parameters, lines, context)


def _action_of(manifest: Mapping[str, Any]) -> tuple[_Action, Mapping[str, Any]]:
    match manifest:
        case {"actions": [{"name": str(name), "params": dict(parameters)}], "scripts": dict(scripts)}:
            pass
        case _:
            raise _refused("a manifest of another form")
    if name not in _ACTIONS:
        wanted = parameters.get("Script", name)
        raise _refused(f"the module or script '{str(wanted).rpartition('.')[0] or wanted}'")
    match scripts.get(name):
        case {"script": str(encoded)}:
            try:
                text = base64.b64decode(encoded, validate=True).decode("utf-8-sig")
            except ValueError:
                raise _refused("a script that is not in base64") from None
        case _:
            raise _refused("an action without its script")
    if digest_of(tokens_of(text)) != _ACTIONS[name].digest:
        raise _refused(f"a changed '{name}'")
    return _ACTIONS[name], parameters


async def _lines(context: ScriptContext) -> AsyncIterator[str]:
    async for item in context.input:
        if not isinstance(item, str):
            raise _refused("input that is not text")
        yield item


async def _block(lines: AsyncIterator[str]) -> str:
    """Take the lines up to the next line of NUL, or to the end."""
    text = ""
    async for line in lines:
        if line == _SEPARATOR:
            break
        text += line
        if len(text) > _LONGEST:
            raise _refused("input of that length")
    return text


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _refused("input that is no JSON") from None
    if not isinstance(found, dict):
        raise _refused("input that is no JSON object")
    return found


def _refused(what: str) -> TerminatingError:
    return TerminatingError(
        ErrorRecord(
            f"This node is simulated. Of ansible it runs 'raw' and the transfer of files; it does not run {what}.",
            "ScriptsNotAllowed",
            "ParserError",
            "System.Management.Automation.ParseException",
        )
    )


# -- actions -------------------------------------------------------------------------------------------------


async def _put(parameters: Mapping[str, Any], lines: AsyncIterator[str], context: ScriptContext) -> None:
    path = _path(parameters, context)
    content = b""
    async for line in lines:
        content += files.from_base64(line)
    files.write(context, path, content)
    digest = hashlib.sha1(content).hexdigest()  # noqa: S324 - the client's choice
    context.output.write(f'{{"sha1":"{digest}"}}')


async def _fetch_by_offset(
    parameters: Mapping[str, Any], lines: AsyncIterator[str], context: ScriptContext
) -> None:
    del lines
    offset, size = _number(parameters, "Offset"), _number(parameters, "BufferSize")
    content = _content(parameters, context)
    if content is None:
        context.output.error(_missing(parameters))  # the script writes it as text and exits
        raise ScriptExit(1)
    part = content[offset : offset + size]
    if part:
        context.output.write(base64.b64encode(part).decode("ascii"))


async def _fetch_whole(
    parameters: Mapping[str, Any], lines: AsyncIterator[str], context: ScriptContext
) -> None:
    del lines
    size = _number(parameters, "BufferSize") or 1
    content = _content(parameters, context, heading="[FILE]")
    if content is None:
        raise TerminatingError(_missing(parameters))  # the wrapper's $ErrorActionPreference is Stop
    for start in range(0, len(content), size):
        context.output.write(base64.b64encode(content[start : start + size]).decode("ascii"))


def _content(parameters: Mapping[str, Any], context: ScriptContext, heading: str = "") -> bytes | None:
    """Give the bytes of a file after ``heading``; of a folder say so and give none; None when nothing is there."""
    entry = context.node.machine.files.find(_path(parameters, context))
    if entry is None:
        return None
    if entry.content is None:
        context.output.write("[DIR]")
        return b""
    if heading:
        context.output.write(heading)
    return entry.content


def _missing(parameters: Mapping[str, Any]) -> ErrorRecord:
    name = "Microsoft.PowerShell.Commands.WriteErrorException"
    return ErrorRecord(f"{parameters['Path']} does not exist", name, "NotSpecified", name)


async def _make_folder(
    parameters: Mapping[str, Any], lines: AsyncIterator[str], context: ScriptContext
) -> None:
    del lines
    files.prepare_home(context)
    folder = files.expand(_text(parameters, "Directory"), context.user)
    path = normal(files.absolute(f"{folder}\\{_text(parameters, 'Name')}", context.user))
    context.output.write(context.node.machine.files.make_folder(path).path)


async def _expand_user(
    parameters: Mapping[str, Any], lines: AsyncIterator[str], context: ScriptContext
) -> None:
    del lines
    path = _text(parameters, "Path")
    profile = files.profile_of(context.user)
    if path == "~":
        context.output.write(profile)
    elif path.startswith("~\\"):
        context.output.write(f"{profile}\\{path[2:]}")
    else:
        context.output.write(path)


def _path(parameters: Mapping[str, Any], context: ScriptContext) -> str:
    return normal(files.absolute(_text(parameters, "Path"), context.user))


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise _refused(f"an action without '{name}'")
    return value


def _number(parameters: Mapping[str, Any], name: str) -> int:
    value = parameters.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refused(f"an action without '{name}'")
    return value


_ACTIONS: Final[Mapping[str, _Action]] = {
    "winrm_put_file.ps1": _Action("573bcd49c9cbe23d0353bad26bc47c288a7c912885039ed8439e0c46ce6beb52", _put),
    "psrp_put_file.ps1": _Action("ab5b77dd45a62a2056d3b166fbb8a336e3a860b3e64f69415f18ec8490a028ee", _put),
    "winrm_fetch_file.ps1": _Action(
        "09405dc9253c00fcf997f96afd0ed490ab046ba4454aa94560519a43eec8d476", _fetch_by_offset
    ),
    "psrp_fetch_file.ps1": _Action(
        "9ebf4091ea812aa269313359618f0f6ba6e7c775f87a902dd9321e2ee6709b46", _fetch_whole
    ),
    "powershell_mkdtemp.ps1": _Action(
        "12388979b352e6d53d2d73c8f1f1c804dbeac4e8d478d0f14659c84488a8e7a5", _make_folder
    ),
    "powershell_expand_user.ps1": _Action(
        "47559b170e6422c840c3699ba0024a7c3e447db29f35c555a30880b752693bac", _expand_user
    ),
}
