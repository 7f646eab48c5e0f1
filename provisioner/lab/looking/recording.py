"""Recordings of what was said on the wire, and playing one to a node again.

A recording is JSON lines, one exchange each: who asked, the request and the response as SOAP without encryption,
and their places in the order of all that began and ended, so that a request which waited is sent in time again. It
holds whatever the clients sent, so its file is its owner's alone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from provisioner.lab.control import LabError
from provisioner.wire import namespaces as ns
from provisioner.wire.contents import Caller
from provisioner.wire.envelope import MalformedEnvelope, parse_document
from provisioner.wire.fragments import Defragmenter, MalformedFragment
from provisioner.wire.service import Answer

_OWNER_ONLY: Final = 0o600
Ask = Callable[[bytes, Caller], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response. ``began`` and ``ended`` count what happened on the node's listener."""

    user: str
    began: int
    ended: int
    status: int
    request: str
    response: str


class Recorder:
    """Appends the exchanges of one node to a file.

    Raises:
        LabError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._order = itertools.count(1)
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
            # A file that was there keeps its mode when it is opened.
            os.fchmod(self._file, _OWNER_ONLY)
        except OSError as error:
            raise LabError(f"{path} cannot be written: {error.strerror}") from error

    async def around(self, ask: Ask, message: bytes, caller: Caller) -> Answer:
        """Have a request answered by ``ask`` and write both down."""
        began = next(self._order)
        answer = await ask(message, caller)
        line = {
            "user": caller.user,
            "began": began,
            "ended": next(self._order),
            "status": int(answer.status),
            "request": message.decode("utf-8", "replace"),
            "response": answer.body.decode("utf-8", "replace"),
        }
        os.write(self._file, json.dumps(line).encode() + b"\n")
        return answer

    def close(self) -> None:
        """End the recording."""
        os.close(self._file)


def read_recording(path: Path) -> list[Exchange]:
    """Read a recording.

    Raises:
        LabError: the file cannot be read or is none; the text names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(Exchange(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise LabError(
                f"{path}, line {number}, is no exchange of a recording: {error}",
                "Recordings are made by 'provision lab record'.",
            ) from error
    return found


async def replay(exchanges: Sequence[Exchange], ask: Ask, address: str) -> list[dict[str, Any]]:
    """Send the recorded requests again, each when it was its turn, and return what is answered differently.

    Ids, times and the cut of output into responses do not count: of the PowerShell messages the order in which
    their kinds came counts, for the recording as a whole.
    """
    running: dict[int, asyncio.Task[Answer]] = {}
    for exchange in exchanges:
        before = [running[other.began] for other in exchanges if other.ended < exchange.began]
        if before:
            await asyncio.wait(before)
        work = ask(exchange.request.encode(), Caller(exchange.user, address))
        running[exchange.began] = asyncio.ensure_future(work)
    answers = await asyncio.gather(*running.values())
    found = [
        {"exchange": number, "recorded": recorded, "now": now}
        for number, (exchange, answer) in enumerate(zip(exchanges, answers, strict=True), 1)
        for recorded, now in [
            (_outline(exchange.status, exchange.response), _outline(int(answer.status), answer.body.decode()))
        ]
        if recorded != now
    ]
    kinds = _kinds(exchange.response for exchange in exchanges)
    kinds_now = _kinds(answer.body.decode() for answer in answers)
    if kinds != kinds_now:
        found.append({"exchange": 0, "recorded": " ".join(kinds), "now": " ".join(kinds_now)})
    return found


def _outline(status: int, response: str) -> str:
    """Say in a line what kind of answer this is."""
    root = _parsed(response)
    if root is None:
        return str(status)
    action = root.findtext(f".//{{{ns.ADDRESSING}}}Action") or ""
    fault = next((item.get("Code", "") for item in root.iter() if item.tag.endswith("}WSManFault")), "")
    return f"{status} {action.rpartition('/')[2]} {fault}".rstrip()


def _kinds(responses: Iterator[str]) -> list[str]:
    """Name the kinds of PowerShell messages in all responses, in order; bytes of other streams only by stream."""
    cutters: dict[str, Defragmenter] = {}
    found = []
    for response in responses:
        root = _parsed(response)
        for stream in [] if root is None else root.iter(f"{{{ns.SHELL}}}Stream"):
            name = stream.get("Name", "")
            place = f"{name} {stream.get('CommandId', '')}"
            try:
                data = base64.b64decode(stream.text or "")
                messages = list(cutters.setdefault(place, Defragmenter()).feed(data))
            except (MalformedFragment, binascii.Error):
                messages = []
            found += [f"{message.type:#x}" for message in messages]
    return found


def _parsed(text: str) -> ET.Element | None:
    try:
        return parse_document(text.encode())
    except MalformedEnvelope:
        return None
