"""Which reporter a verb uses, and how a run ends as an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from provisioner import __version__
from provisioner.cli.exit_codes import ExitCode
from provisioner.diagnostics import Diagnostics
from provisioner.engine.executor import RunSummary
from provisioner.reports.base import Reporter
from provisioner.reports.jsonl import JsonLinesReporter
from provisioner.reports.terminal import TerminalReporter


@dataclass(frozen=True, slots=True)
class Output:
    """The reporter of a run. ``pause`` keeps a live view off the terminal while inside."""

    reporter: Reporter
    pause: Callable[[], AbstractContextManager[None]]


def output(*, as_json: bool) -> Output:
    """Choose JSON lines or the terminal, both on standard output."""
    if as_json:
        return Output(JsonLinesReporter(sys.stdout, __version__), nullcontext)
    terminal = TerminalReporter(sys.stdout, now=lambda: datetime.now(UTC))
    return Output(terminal, terminal.paused)


def show_warnings(warnings: Diagnostics) -> None:
    """Print what did not stop the work."""
    for warning in warnings:
        click.echo(warning.render(), err=True)


def leave_with(summary: RunSummary) -> None:
    """End the process with the code that fits the run."""
    if summary.interrupted:
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.DONE if summary.is_good else ExitCode.FAILED)
