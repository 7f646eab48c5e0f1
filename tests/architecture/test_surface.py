"""What the package promises, and what importing it costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import provisioner

HEAVY = ["pypsrp", "paramiko", "rich", "jinja2", "pydantic", "yaml", "sqlite3", "click", "pytest", "asyncio"]


def test_every_promised_name_exists_and_the_list_is_sorted() -> None:
    assert list(provisioner.__all__) == sorted(provisioner.__all__)
    for name in provisioner.__all__:
        assert getattr(provisioner, name) is not None


def test_importing_the_package_loads_no_heavy_library() -> None:
    program = f"import sys, provisioner; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_for_the_version_loads_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "from provisioner.cli.app import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {[h for h in HEAVY if h != 'click']!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_stub_names_exactly_what_is_promised() -> None:
    stub = Path(provisioner.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    assert sorted(re.findall(r"import (\w+) as \1$", stub, re.MULTILINE)) == list(provisioner.__all__)
