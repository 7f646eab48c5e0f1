"""Run the checks of many nodes: pytest in a thread of its own, the nodes asked on the event loop.

pytest keeps much of its state per process (import hooks, assertion helpers), so the sessions of one process run
one after the other, one for each role.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

import pytest
from _pytest import runner as pytest_runner

from provisioner.events import CheckFinished
from provisioner.verify.batch import Batch
from provisioner.verify.plugin import RolePlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from provisioner.roles.model import RoleChecks
    from provisioner.verify.targets import Target

#: One pytest session at a time in this process: see the module's first lines.
_PYTEST_LOCK = Lock()
_LOCK_POLL_S = 0.05

#: Plugins of pytest that would write to the terminal, keep files, or change state of the whole process
#: (warning filters, log handlers, exception hooks) while the event loop runs in another thread.
_LEFT_OUT = (
    "terminal",
    "cacheprovider",
    "faulthandler",
    "logging",
    "warnings",
    "unraisableexception",
    "threadexception",
)


async def verify(targets: Sequence[Target], report: Callable[[CheckFinished], None]) -> None:
    """Run every check of every target; each ends in exactly one report per node, also when it cannot run.

    ``report`` is called on the event loop, in the order in which checks end. Checks of one role run over all its
    nodes together, so that each question is put to all of them at once. Cancelling ends the checks at their
    next question, leaves no thread and reports nothing more.
    """
    loop = asyncio.get_running_loop()
    batch = Batch(targets, loop)
    ended: asyncio.Future[None] = loop.create_future()

    def post(event: CheckFinished) -> None:
        loop.call_soon_threadsafe(report, event)

    def work() -> None:
        try:
            for checks in _distinct(targets):
                _run_role(checks, targets, batch, post)
        except BaseException as error:  # noqa: BLE001 - carried to the event loop, where it is raised
            loop.call_soon_threadsafe(ended.set_exception, error)
        else:
            loop.call_soon_threadsafe(ended.set_result, None)

    # Not the loop's executor: its threads stay for as long as the loop lives. A daemon, so that a check that
    # hangs in itself cannot keep the process alive after a second interruption.
    thread = Thread(target=work, name="provisioner-verify", daemon=True)
    thread.start()
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        batch.stop()
        with contextlib.suppress(Exception):
            await ended
        raise
    finally:
        if ended.done():
            thread.join()


def _distinct(targets: Sequence[Target]) -> list[RoleChecks]:
    """Return the roles' checks without repetition, in the order in which the nodes name them."""
    return list(dict.fromkeys(checks for target in targets for checks in target.checks))


def _run_role(
    checks: RoleChecks, targets: Sequence[Target], batch: Batch, report: Callable[[CheckFinished], None]
) -> None:
    plugin = RolePlugin(checks.role, [target for target in targets if checks in target.checks], batch, report)
    if not checks.path.exists():
        _report_rest(plugin, f"there is no check file at {checks.path}")
        return
    while not _PYTEST_LOCK.acquire(timeout=_LOCK_POLL_S):
        if batch.is_stopped:
            return
    try:
        if batch.is_stopped:
            return
        with _fresh_modules(checks.path), _environment_left_alone():
            exit_code = pytest.main(_arguments(checks.path.resolve()), plugins=[plugin])
    finally:
        _PYTEST_LOCK.release()
    why = plugin.trouble or {
        pytest.ExitCode.NO_TESTS_COLLECTED: f"{checks.path} holds no checks",
        pytest.ExitCode.USAGE_ERROR: "pytest refused its options; PYTEST_ADDOPTS may be the cause",
    }.get(pytest.ExitCode(exit_code), "pytest ended before any check ran")
    _report_rest(plugin, why)


def _report_rest(plugin: RolePlugin, why: str) -> None:
    """Report the nodes that no check spoke of: silence must never pass for success."""
    for target in plugin.targets:
        if target.node not in plugin.reported and not plugin.batch.is_stopped:
            plugin.report(CheckFinished(target.node, plugin.role, str(plugin.role), "error", why))


def _arguments(path: Path) -> list[str]:
    return [
        str(path),
        # The files decide alone: no configuration file, no conftest.py, no plugin that happens to be installed.
        f"--config-file={os.devnull}",
        "--noconftest",
        "--disable-plugin-autoload",
        f"--confcutdir={path if path.is_dir() else path.parent}",
        # Module names are made from the path below this folder; from the top they are unique.
        f"--rootdir={path.anchor}",
        "--import-mode=importlib",
        "--capture=no",
        "--continue-on-collection-errors",
        *(f"-pno:{name}" for name in _LEFT_OUT),
    ]


@contextlib.contextmanager
def _environment_left_alone() -> Generator[None]:
    """Keep pytest from taking variables away from os.environ: the current check's name, and its own version.

    On the event loop, in another thread, whoever looks at all variables meanwhile (requests does for proxies)
    meets one that is gone: KeyError. pytest has no option for it; it leaves a version alone that was there before.
    """
    os.environ.setdefault("PYTEST_VERSION", pytest.__version__)
    theirs = pytest_runner._update_current_test_var  # noqa: SLF001 - see above
    pytest_runner._update_current_test_var = note_check  # noqa: SLF001
    try:
        yield
    finally:
        pytest_runner._update_current_test_var = theirs  # noqa: SLF001


def note_check(item: pytest.Item, when: str | None) -> None:
    """Hear which check is at work: nobody has to know."""


@contextlib.contextmanager
def _fresh_modules(path: Path) -> Generator[None]:
    """Forget the modules of check files afterwards, so that another run in this process reads them anew."""
    before = set(sys.modules)
    try:
        yield
    finally:
        root = path.resolve()
        added = {name: module for name, module in sys.modules.copy().items() if name not in before}
        for name, module in added.items():
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(root):
                # pytest makes an empty module of every folder above the file.
                parts = name.split(".")
                for length in range(1, len(parts) + 1):
                    if ".".join(parts[:length]) in added:
                        sys.modules.pop(".".join(parts[:length]), None)
