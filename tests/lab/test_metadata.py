"""Command metadata is what Windows PowerShell 5.1 was recorded to send, to the byte."""

from __future__ import annotations

import base64
import re

import yaml

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.server.metadata import command_metadata, metadata_count
from provisioner.wire import clixml
from provisioner.wire.fragments import Defragmenter
from provisioner.wire.psrp.message_types import MessageType
from tests.shared_data import shared


def _recorded() -> list[str]:
    path = shared("wire-traces", "psrp_get_command_metadata.yml")
    exchanges = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["messages"]
    found = []
    for exchange in exchanges:
        stream = Defragmenter()
        for text in re.findall(r"<rsp:Stream[^>]*>([^<]+)<", exchange.get("response") or ""):
            found += [
                message.data.decode()
                for message in stream.feed(base64.b64decode(text))
                if message.type == MessageType.PIPELINE_OUTPUT
            ]
    return found


def _untold(text: str) -> str:
    """Leave out what the lab does not tell: where help is, and what comes out."""
    text = re.sub(r'<S N="HelpUri">[^<]*</S>', '<S N="HelpUri"></S>', text)
    return re.sub(
        r'(N="OutputType" RefId="2"><TN RefId="2">(?:<T>[^<]*</T>)*</TN>)<LST>.*?</LST>', r"\1<LST />", text
    )


def test_the_metadata_of_commands_is_the_recorded_one() -> None:
    recorded = {
        name[1]: _untold(text)
        for text in _recorded()
        if (name := re.search(r'<S N="Name">([\w-]+)</S>', text))
    }
    cmdlet = CommandSpec("Get-WSManCredSSP", "", "Microsoft.WSMan.Management", type_name="X")
    function = CommandSpec("New-Guid", "", "Microsoft.PowerShell.Utility")
    for command in (cmdlet, function):
        assert clixml.write(command_metadata(command)).decode() == recorded[command.name]


def test_the_number_of_commands_comes_first() -> None:
    assert clixml.write(metadata_count(3)).decode() == _recorded()[0]


def test_parameters_of_a_command_stand_before_those_that_all_have() -> None:
    parameter = Parameter("Path", "string", aliases=("LiteralPath", "PSPath"))
    written = clixml.write(command_metadata(CommandSpec("Get-X", "", "M", (parameter,)))).decode()
    assert "<LST><S>LiteralPath</S><S>PSPath</S></LST>" in written
    assert written.index('"Key">Path<') < written.index('"Key">Verbose<')
