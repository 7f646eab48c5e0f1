"""The blocking half: what the start of one conversation does to the messages of others."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from pypsrp.wsman import NAMESPACES

from provisioner.addresses import Endpoint, Logon
from provisioner.transport.logon import Way
from provisioner.transport.psrp_conversation import Conversation


class Watched(dict[str, str]):
    """The prefixes every thread writes its messages with; knows which were taken away, and be it for a moment."""

    taken: list[str]

    def __delitem__(self, uri: str) -> None:
        self.taken.append(uri)
        super().__delitem__(uri)


def test_the_start_of_a_conversation_takes_no_prefix_from_messages_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prefixes = Watched(ET._namespace_map)  # type: ignore[attr-defined]
    prefixes.taken = []
    monkeypatch.setattr(ET, "_namespace_map", prefixes)
    Conversation(Endpoint("127.0.0.1", 5985), Way("ntlm", "admin"), "x", Logon(), 1.0)
    assert not prefixes.taken
    assert prefixes.items() >= {uri: prefix for prefix, uri in NAMESPACES.items()}.items()
