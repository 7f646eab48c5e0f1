"""A real keystone, placement and nova on loopback, started from the scripts beside the checkout.

They are installed once into a folder of the user's cache (``PROVISIONER_OPENSTACK_API`` names another), which takes
minutes and 500 MB; a start takes about ten seconds. The ports are the scripts' own, so one runs at a time.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.shared_data import shared

URL = "http://127.0.0.1:5000/v3"
PASSWORD = "adm"
_PORTS = (5000, 8774, 8778)
_NAMED = "PROVISIONER_OPENSTACK_API"


class RealController:
    """A running control plane; its databases may be written to, as nova-manage does."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def nova(self, *statements: str) -> None:
        """Write into the database of the cell."""
        self._write("nova.db", statements)

    def nova_api(self, *statements: str) -> None:
        """Write into the database of the API."""
        self._write("nova_api.db", statements)

    def mapped(self) -> set[str]:
        """Return the hosts that have a cell mapping."""
        with closing(sqlite3.connect(self._root / "db" / "nova_api.db", timeout=60)) as database:
            return {host for (host,) in database.execute("select host from host_mappings")}

    def _write(self, name: str, statements: tuple[str, ...]) -> None:
        with closing(sqlite3.connect(self._root / "db" / name, timeout=60)) as database, database:
            for statement in statements:
                assert database.execute(statement).rowcount > 0, statement


@contextmanager
def real_controller(*hosts: str) -> Iterator[RealController]:
    """Start a control plane with a nova-compute for each host; the test is skipped where that cannot be."""
    script = shared("tools", "openstack-api", "run.sh")
    root = Path(os.environ.get(_NAMED) or Path.home() / ".cache" / "provisioner-tests" / "openstack-api")
    root.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "ROOT": str(root)}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        # Into a file: what is started keeps the ends of pipes open.
        with (root / "run.log").open("w+", encoding="utf-8") as log:
            done = subprocess.run(
                ["bash", str(script), *arguments], env=environment, stdout=log, stderr=log, check=False
            )
            log.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, log.read())

    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for port in _PORTS:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    pytest.skip(f"something else listens on port {port}, which the real controller needs")
        if not (root / "snap").is_dir():
            made = run("setup")
            if made.returncode or not (root / "snap").is_dir():
                pytest.skip(f"a real controller cannot be installed here: {made.stdout[-300:]}")
        try:
            started = run("up", ",".join(hosts))
            assert "serving nova-api" in started.stdout, started.stdout[-2000:]
            yield RealController(root)
        finally:
            run("down")
