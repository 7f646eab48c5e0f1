"""The MOF reader against arbitrary and damaged documents: an answer or diagnostics, never an exception."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.configuration.reading.parser import read_mof

MUTATIONS_PER_DOCUMENT = 150
PIECES = [
    b"instance of ", b"A", b" as $a", b"{", b"}", b";", b"=", b",", b'"', b"'", b"\\", b"\\n", b"\\x41", b"/*",
    b"*/", b"//", b"\n", b"\r\r\n", b"#pragma", b"12", b"0x", b"1.5", b"True", b"NULL", b"$a", b"V", b"Password",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\xd8", b"\xc3\xa9",
]  # fmt: skip


def answers(data: bytes) -> None:
    reading, problems = read_mof(data, "x.mof")

    assert (reading is None) == problems.has_errors
    for problem in problems:
        assert problem.detail
        assert problem.render()
        assert problem.where is not None


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    answers(data)


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_any_mixture_of_pieces_of_mof_is_answered(data: bytes) -> None:
    answers(data)


def small_goldens() -> list[Path]:
    folder = Path(__file__).resolve().parents[4].parent / "shared" / "mof-goldens"
    return [path for path in sorted(folder.glob("*.mof")) if path.stat().st_size < 16_000]


@pytest.mark.parametrize("path", small_goldens(), ids=lambda path: path.name)
def test_real_documents_with_damaged_bytes_are_answered(path: Path) -> None:
    original = path.read_bytes()
    dice = random.Random(path.name)
    begin = time.process_time()
    for _ in range(MUTATIONS_PER_DOCUMENT):
        data = bytearray(original)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(data))
            match dice.randrange(4):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    del data[at : at + dice.randint(1, 30)]
                case 2:
                    data[at:at] = dice.choice(PIECES)
                case _:
                    start = dice.randrange(len(data))
                    data[at:at] = data[start : start + dice.randint(1, 60)]
        answers(bytes(data))
    assert time.process_time() - begin < 60
