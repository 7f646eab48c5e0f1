from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import NodeError
from provisioner.secrets.certificates import parse
from provisioner.secrets.pinning import Pinned, pin
from tests.unit.secrets.certificate_files import make_certificate

FIRST, SECOND = (parse(make_certificate().encoded) for _ in range(2))


def test_the_first_certificate_is_kept_as_der(tmp_path: Path) -> None:
    path = tmp_path / "certificates" / "hv01.cer"
    assert pin("hv01", path, FIRST, replace=False) is Pinned.NEW
    assert path.read_bytes() == FIRST.encoded
    assert [each.name for each in path.parent.iterdir()] == ["hv01.cer"]
    assert pin("hv01", path, FIRST, replace=False) is Pinned.SAME


@pytest.mark.parametrize("kept", [FIRST.encoded, b"no certificate"], ids=["another", "none"])
def test_another_one_is_refused_and_named_until_somebody_says_replace(tmp_path: Path, kept: bytes) -> None:
    path = tmp_path / "hv01.cer"
    path.write_bytes(kept)
    with pytest.raises(NodeError) as caught:
        pin("hv01", path, SECOND, replace=False)
    assert path.read_bytes() == kept
    assert "--replace" in caught.value.help
    assert "in the place of the node" in caught.value.help
    assert str(path) in str(caught.value)
    assert pin("hv01", path, SECOND, replace=True) is Pinned.REPLACED
    assert path.read_bytes() == SECOND.encoded


def test_the_refusal_names_both_thumbprints(tmp_path: Path) -> None:
    pin("hv01", tmp_path / "a.cer", FIRST, replace=False)
    with pytest.raises(NodeError, match=f"{SECOND.thumbprint}.*{FIRST.thumbprint}"):
        pin("hv01", tmp_path / "a.cer", SECOND, replace=False)
