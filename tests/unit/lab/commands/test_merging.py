"""Streams that a client merged into the output are among its objects, in the form of Windows PowerShell 5.1."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from provisioner.lab.commands.merging import merge
from provisioner.lab.server import clixml as lab_clixml
from provisioner.lab.values import ErrorRecord, InformationRecord, TextRecord
from provisioner.wire import clixml
from provisioner.wire.fragments import Defragmenter
from provisioner.wire.psrp.message_types import MessageType
from tests.shared_data import shared
from tests.unit.lab.commands.recording import Recorded

_ERROR = ErrorRecord("oh", "Oh,Complain", "InvalidData", activity="Complain")
_INFORMATION = InformationRecord(
    "information stream", "Tell", datetime(2024, 5, 17, tzinfo=UTC), "HOST\\user", "HOST"
)


def _written(*streams: str) -> Recorded:
    recorded = Recorded()
    output = merge(recorded, frozenset(streams))
    output.error(_ERROR)
    output.warning("careful")
    output.verbose("chatter")
    output.debug("detail")
    output.information(_INFORMATION)
    output.write("done")
    return recorded


@pytest.mark.parametrize(
    ("streams", "values", "counts"),
    [
        ((), ["done"], (1, 1, 1)),
        (("error",), [_ERROR, "done"], (0, 1, 1)),
        (
            ("warning", "verbose"),
            [TextRecord("Warning", "careful"), TextRecord("Verbose", "chatter"), "done"],
            (1, 0, 0),
        ),
        (("information", "debug"), [TextRecord("Debug", "detail"), _INFORMATION, "done"], (1, 1, 1)),
    ],
)
def test_merged_streams_are_among_the_objects(
    streams: tuple[str, ...], values: list[Any], counts: tuple[int, int, int]
) -> None:
    recorded = _written(*streams)
    assert recorded.values == values
    assert (len(recorded.errors), len(recorded.warnings), len(recorded.verboses)) == counts
    is_merged = "debug" in streams
    assert (recorded.debugs, recorded.informations) == ([], []) if is_merged else (["detail"], [_INFORMATION])


def _recorded_outputs() -> list[str]:
    path = shared("wire-traces", "psrp_merge_commands.yml")
    found = []
    stream = Defragmenter()
    for exchange in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["messages"]:
        for text in re.findall(r"<rsp:Stream[^>]*>([^<]+)<", exchange.get("response") or ""):
            found += [
                message.data.decode()
                for message in stream.feed(base64.b64decode(text))
                if message.type == MessageType.PIPELINE_OUTPUT
            ]
    return found


def _shape(text: str) -> Any:
    def walk(element: ET.Element) -> Any:
        # How many classes an exception is derived from is its own affair.
        return element.tag, element.get("N"), [walk(part) for part in element if part.tag != "T"]

    return walk(ET.fromstring(text))


def test_merged_records_have_the_recorded_elements() -> None:
    debug, verbose, error, _output, warning, information, *_ = _recorded_outputs()
    ours = {
        debug: TextRecord("Debug", "debug stream"),
        verbose: TextRecord("Verbose", "verbose stream"),
        warning: TextRecord("Warning", "warning stream"),
    }
    for text, record in ours.items():
        assert clixml.write(lab_clixml.to_wire(record)).decode() == text
    told = clixml.write(lab_clixml.to_wire(_INFORMATION)).decode()
    assert _shape(told) == _shape(information)
    written = clixml.write(lab_clixml.to_wire(_ERROR)).decode()
    # What a script had written where is told of scripts only.
    assert _shape(written) == _shape(re.sub(r'<S N="ErrorDetails_ScriptStackTrace">[^<]*</S>', "", error))
