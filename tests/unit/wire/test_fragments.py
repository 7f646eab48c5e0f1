"""PSRP messages survive being cut into fragments, and broken fragments are told apart."""

from __future__ import annotations

import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.wire import fragments
from provisioner.wire.fragments import Defragmenter, MalformedFragment, Message, Outgoing

_POOL = uuid.UUID(int=1)
_PIPELINE = uuid.UUID(int=2)


def _fragment(object_id: int, fragment_id: int, flags: int, blob: bytes) -> bytes:
    return struct.pack(">QQBI", object_id, fragment_id, flags, len(blob)) + blob


@given(st.binary(max_size=200_000), st.integers(22, 40_000))
def test_a_message_is_cut_and_put_together_again(payload: bytes, limit: int) -> None:
    message = Message(0x41004, _POOL, _PIPELINE, payload)
    outgoing = Outgoing(7, fragments.encode_message(message))
    stream = b""
    while not outgoing.is_sent:
        assert outgoing.next_size() <= fragments.MAX_FRAGMENT_BYTES
        part = outgoing.take(limit)
        assert len(part) <= min(limit, fragments.MAX_FRAGMENT_BYTES)
        stream += part
    assert list(Defragmenter().feed(stream)) == [Message(0x41004, _POOL, _PIPELINE, payload, destination=1)]


def test_a_stream_may_be_cut_anywhere() -> None:
    blob = fragments.encode_message(Message(1, _POOL, None, b"abc"))
    stream = _fragment(3, 0, 1, blob[:20]) + _fragment(3, 1, 2, blob[20:])
    defragmenter = Defragmenter()
    found = [message for byte in stream for message in defragmenter.feed(bytes([byte]))]
    assert [message.data for message in found] == [b"abc"]


def test_after_an_error_a_new_message_may_begin() -> None:
    defragmenter = Defragmenter()
    with pytest.raises(MalformedFragment):
        list(defragmenter.feed(_fragment(1, 0, 1, bytes(20)) + _fragment(1, 5, 2, bytes(20))))
    assert len(list(defragmenter.feed(_fragment(2, 0, 3, bytes(40))))) == 1


def test_what_stands_behind_an_error_waits_for_more_data() -> None:
    """As ReceiveDataCollection of PowerShell: the rest stays in its buffer when an exception ends its loop."""
    defragmenter = Defragmenter()
    lost = _fragment(1, 0, 1, bytes(20)) + _fragment(1, 5, 2, bytes(20))
    with pytest.raises(MalformedFragment):
        list(defragmenter.feed(lost + _fragment(2, 0, 3, bytes(41)) + _fragment(3, 0, 3, bytes(42))))
    assert [len(message.data) for message in defragmenter.feed(b"")] == [1, 2]


def test_a_message_is_gone_on_behind_when_more_data_comes() -> None:
    """Whoever cannot make sense of a message stops there; what came with it is looked at with the next data."""
    defragmenter = Defragmenter()
    first = next(defragmenter.feed(_fragment(1, 0, 3, bytes(41)) + _fragment(2, 0, 3, bytes(42))))
    assert len(first.data) == 1
    assert [len(message.data) for message in defragmenter.feed(b"")] == [2]


@pytest.mark.parametrize("header", [struct.pack(">QQBI", 0, 0, 3, 40), struct.pack(">QQBI", 1, 0, 3, 2**31)])
def test_a_header_that_can_be_none_is_never_passed(header: bytes) -> None:
    """As ReceiveDataCollection of PowerShell: ids below 1 and sizes over the limit are thrown at before they are read."""
    defragmenter = Defragmenter()
    for data in (header + bytes(40), _fragment(2, 0, 3, bytes(40)), b""):
        with pytest.raises(MalformedFragment):
            list(defragmenter.feed(data))


def test_an_empty_fragment_waits_for_what_follows_it() -> None:
    """As ReceiveDataCollection of PowerShell: it asks for more bytes than a header has."""
    defragmenter = Defragmenter()
    begun = _fragment(1, 0, 1, bytes(40)) + _fragment(1, 1, 2, b"")
    assert list(defragmenter.feed(begun)) == []
    assert len(list(defragmenter.feed(b"\0"))) == 1


def test_a_start_begins_anew_whatever_was_there() -> None:
    defragmenter = Defragmenter()
    stream = _fragment(1, 0, 1, bytes(90)) + _fragment(1, 7, 1, bytes(40)) + _fragment(1, 8, 2, b"ab")
    assert [message.data for message in defragmenter.feed(stream)] == [b"ab"]


def test_a_command_has_a_largest_size() -> None:
    defragmenter = Defragmenter(total_limit=150)
    assert len(list(defragmenter.feed(_fragment(1, 0, 3, bytes(40))))) == 1
    with pytest.raises(MalformedFragment, match="total data"):
        list(defragmenter.feed(_fragment(2, 0, 3, bytes(100))))


def test_a_payload_starts_with_a_byte_order_mark_and_an_empty_one_stays_empty() -> None:
    assert fragments.encode_message(Message(1, _POOL, None, b"<x/>"))[40:] == b"\xef\xbb\xbf<x/>"
    assert len(fragments.encode_message(Message(1, _POOL, None, b""))) == 40


def test_the_largest_blob_is_that_of_real_ends() -> None:
    part = Outgoing(1, bytes(100_000)).take(1_000_000)
    assert len(part) - fragments.FRAGMENT_HEADER_BYTES == 32747


def test_a_first_fragment_may_have_the_id_one() -> None:
    blob = fragments.encode_message(Message(1, _POOL, None, b"abc"))
    stream = _fragment(3, 1, 1, blob[:20]) + _fragment(3, 2, 2, blob[20:])
    assert [message.data for message in Defragmenter().feed(stream)] == [b"abc"]


@pytest.mark.parametrize(
    "stream",
    [
        _fragment(1, 0, 3, b"too short for a message"),
        _fragment(0, 0, 3, bytes(40)),
        _fragment(1, 1, 2, bytes(40)),
        _fragment(1, 0, 1, bytes(20)) + _fragment(1, 2, 2, bytes(20)),
        _fragment(1, 0, 1, bytes(20)) + _fragment(2, 1, 2, bytes(20)),
        _fragment(2**63, 0, 3, bytes(40)),
        struct.pack(">QQBI", 1, 0, 3, 2**32 - 1) + b"a",
    ],
)
def test_what_cannot_be_followed_is_refused(stream: bytes) -> None:
    with pytest.raises(MalformedFragment):
        list(Defragmenter().feed(stream))


def test_a_message_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_MESSAGE_BYTES", 1000)
    with pytest.raises(MalformedFragment, match="a fragment of"):
        list(Defragmenter().feed(_fragment(1, 0, 1, bytes(1001))))
    with pytest.raises(MalformedFragment, match="object size"):
        list(Defragmenter().feed(_fragment(1, 0, 1, bytes(900)) + _fragment(1, 1, 2, bytes(101))))
