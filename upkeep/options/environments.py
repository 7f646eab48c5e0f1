"""Virtual environments with the pinned packages, made once and kept below .provisioner."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from upkeep.options.recipes import Recipe

_KEPT = Path(__file__).resolve().parents[2] / ".provisioner/options"
_PROBE = Path(__file__).with_name("probe.py")


class NoEnvironment(Exception):
    """The environment of a catalogue cannot be made here; the text says why."""


def python_of(recipe: Recipe) -> Path:
    """Return the Python of the environment that a recipe's pins make.

    Raises:
        NoEnvironment: uv is missing, or the packages cannot be installed.
    """
    pins = recipe.requirements.read_bytes()
    folder = _KEPT / f"{recipe.pins}-{hashlib.sha256(pins).hexdigest()[:12]}"
    python, complete = folder / "bin/python", folder / ".complete"
    if complete.exists():
        return python
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise NoEnvironment("this needs uv: pip install uv in the virtual environment")
    _run(uv, "venv", "--quiet", "--clear", "--python", "3.11", str(folder))
    _run(uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(recipe.requirements))
    complete.touch()
    return python


def registered_options(recipe: Recipe) -> dict[str, Any]:
    """Return what the probe finds in the environment of a recipe.

    Raises:
        NoEnvironment: the environment cannot be made, or the probe fails in it.
    """
    # Modules beside the probe must not hide the environment's (-P).
    told = _run(str(python_of(recipe)), "-P", "-s", str(_PROBE), asked=json.dumps(recipe.asked()))
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def _run(*command: str, asked: str = "") -> str:
    # Some defaults are made of sets, whose order would be another one each time. Compiled files keep the order of
    # constants from when they were compiled, so none is read.
    ordered = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(_KEPT / "never-written"),
    }
    done = subprocess.run(command, input=asked, env=ordered, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NoEnvironment(f"{' '.join(command[:3])}: {done.stderr.strip()[-2000:]}")
    return done.stdout
