"""The examples of docs/lab-in-tests.md are tests, and they pass in a project that only installed the package."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "lab-in-tests.md"
_EXAMPLES = re.findall(r"^```python\n(.*?)^```", _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_an_example_with_pypsrp_and_one_with_ansible() -> None:
    assert ["pypsrp" in text for text in _EXAMPLES] == [True, False]
    assert "ansible" in _EXAMPLES[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(_EXAMPLES)))
def test_an_example_passes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    text = _EXAMPLES[number]
    if "ansible" in text:
        pytest.importorskip("ansible")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ANSIBLE_HOME", str(pytester.path / "ansible"))
    pytester.makepyfile(text)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", "-q")
    result.assert_outcomes(passed=text.count("def test_"))
