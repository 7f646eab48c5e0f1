"""The services' own code as a witness: loads texts into their ConfigOpts, with the packages that were pinned."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from upkeep.options.environments import NoEnvironment, python_of
from upkeep.options.recipes import Recipe

WITNESS = Path(__file__).with_name("witness.py")
PROBE = Path(__file__).resolve().parents[3] / "upkeep/options/probe.py"


class Witness:
    """A process that loads texts into a service's own ConfigOpts."""

    def __init__(self, recipe: Recipe) -> None:
        try:
            python = python_of(recipe)
        except NoEnvironment as error:
            pytest.skip(f"no environment for {recipe.service} {recipe.release}: {error}")
        self._process = subprocess.Popen(
            [python, "-I", WITNESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._ask({"probe": str(PROBE), "recipe": recipe.asked()}) == "ready"

    def judge(self, text: str) -> dict[str, Any]:
        verdict: dict[str, Any] = json.loads(self._ask(text))
        assert "failed" not in verdict, verdict
        return verdict

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, question: object) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()
