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
from provisioner.reports.base import FanOut
from provisioner.reports.jsonl import JsonLinesReporter
from provisioner.reports.terminal import TerminalReporter


@dataclass(frozen=True, slots=True)
class Output:
    """The reporter of a run; one that breaks does not end it. ``pause`` keeps a live view off the terminal."""

    reporter: FanOut
    pause: Callable[[], AbstractContextManager[None]]


def output(*, as_json: bool) -> Output:
    """Choose JSON lines or the terminal, both on standard output."""
    if as_json:
        return Output(FanOut([JsonLinesReporter(sys.stdout, __version__)]), nullcontext)
    terminal = TerminalReporter(sys.stdout, now=lambda: datetime.now(UTC))
    return Output(FanOut([terminal]), terminal.paused)


def show_warnings(warnings: Diagnostics) -> None:
    """Print what did not stop the work."""
    for warning in warnings.rendered():
        click.echo(warning, err=True)


def leave_with(summary: RunSummary, shown: Output) -> None:
    """Say what could not be shown, and end the process with the code that fits the run."""
    for sentence in shown.reporter.dropped:
        click.echo(sentence, err=True)
    if summary.interrupted:
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.DONE if summary.is_good else ExitCode.FAILED)
