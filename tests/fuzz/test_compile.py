"""Ten thousand broken projects: each compiles or says what is wrong; none shows a traceback or hangs."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ProvisionerError
from provisioner.project import Project
from tests.fuzz.mutations import mutate
from tests.fuzz.project import ENVIRONMENT, FILES

CASES = 10_000
CHUNKS = 25
#: Far beyond what a case needs (milliseconds), also on a busy machine.
LONGEST_S = 20.0
#: Of each chunk; a fuzzer that breaks every file before the compiler sees it proves nothing about the compiler.
LEAST_COMPILED = CASES // CHUNKS * 35 // 100


def test_the_project_that_is_broken_is_right_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    _write({name: text.encode() for name, text in FILES.items()})
    compilation = Project.of(Path("inventory.yaml")).compile(Path("inventory.yaml"))
    assert {warning.summary for warning in compilation.warnings} == {
        "Passwords stand in documents as they are"
    }
    first, second = compilation.nodes.values()
    assert len(first.configuration.resources) > 10
    assert len(second.configuration.resources) == 2


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_broken_project_compiles_or_is_refused_with_reasons(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _count_compiles(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    size = CASES // CHUNKS
    for seed in range(chunk * size, (chunk + 1) * size):
        _write(mutate(FILES, seed))
        started = time.monotonic()
        try:
            Project.of(Path("inventory.yaml")).compile(Path("inventory.yaml"))
            seen["compiled"] += 1
        except ProvisionerError as error:
            seen["refused" if str(error).strip() else "refused without a word"] += 1
        except Exception as error:
            raise AssertionError(f"case {seed} ends in {type(error).__name__}: {error}") from error
        took = time.monotonic() - started
        assert took < LONGEST_S, f"case {seed} took {took:.1f} s"
    assert seen["reached the compiler"] >= LEAST_COMPILED, seen
    assert seen["refused"] > size // 4, seen
    assert not seen["refused without a word"], seen


def _write(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _count_compiles(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the nodes whose declarations come as far as the compile step, wherever the project calls it."""
    seen: Counter[str] = Counter()
    from provisioner.configuration import build as module  # noqa: PLC0415

    real = module.build

    def counted(*args: Any, **kwargs: Any) -> Any:
        seen["reached the compiler"] += 1
        return real(*args, **kwargs)

    for name, loaded in list(sys.modules.items()):
        if name.startswith("provisioner") and getattr(loaded, "build", None) is real:
            monkeypatch.setattr(loaded, "build", counted)
    return seen
