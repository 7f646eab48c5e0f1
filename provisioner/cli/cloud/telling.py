"""How a run on the controller's side looks: JSON lines, or one line for each thing that happens."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from provisioner import __version__
from provisioner.cli.context import counted, say
from provisioner.cloud.happenings import (
    Changed,
    Done,
    Failed,
    Finished,
    Happening,
    Planned,
    Waits,
    Warned,
    as_json,
)

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

#: As the other verbs say it, see docs/json-lines.md.
_FORMAT = "1.1"


def clean(text: str) -> str:
    """Return a text without what a terminal would obey: much of it is the cloud's."""
    return "".join(character for character in text if character.isprintable())


def begin_json() -> None:
    """Write the first line."""
    say(json.dumps({"type": "version", "provisioner": __version__, "format": _FORMAT}))


def _line(text: str, *, err: bool = False) -> None:
    click.echo(clean(text), err=err)


class Telling:
    """Shows happenings as they come; on a terminal also a line of what is waited for, which goes away."""

    def __init__(self, *, as_json: bool, is_plan: bool = False) -> None:
        self._as_json = as_json
        self._is_plan = is_plan
        self._bar: Bar | None = None
        self._waiting: dict[str, str] = {}
        if as_json:
            begin_json()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._still()

    def tell(self, happening: Happening) -> None:
        """Show one."""
        if self._as_json:
            say(json.dumps(as_json(happening)))
            sys.stdout.flush()
        else:
            self._write(happening)

    def _write(self, happening: Happening) -> None:
        self._still()
        match happening:
            case Planned(change):
                _line(f"would {change}")
            case Changed(change):
                _line(f"{change}: done")
                self._waiting.pop(change.node, None)
            case Done(node, step):
                self._waiting.pop(node, None)
                _line(f"{node}: would {step}" if self._is_plan else f"{node}: {step}: done")
            case Waits(node, _, reason, help_):
                _line(f"{node}: {'would wait' if self._is_plan else 'waiting'}: {reason}")
                if help_:
                    _line(f"  {help_}")
                self._waiting[node] = reason
            case Warned(reason):
                _line(f"warning: {reason}", err=True)
            case Failed(about, reason, help_):
                self._waiting.pop(about, None)
                _line(f"error: {about}: {reason}", err=True)
                if help_:
                    _line(f"  {help_}", err=True)
            case Finished(changes, failed):
                self._waiting.clear()
                _line(_end(changes, failed, is_plan=self._is_plan))
        self._show()

    def _show(self) -> None:
        """Show whom is waited for, on a terminal."""
        if not self._waiting or self._is_plan or not sys.stderr.isatty():
            return
        # rich takes longer to load than most answers take.
        from rich import progress  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415

        columns = (
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.TimeElapsedColumn(),
        )
        self._bar = progress.Progress(*columns, console=Console(stderr=True, markup=False), transient=True)
        self._bar.add_task("waiting for " + ", ".join(self._waiting), total=None)
        self._bar.start()

    def _still(self) -> None:
        """Take the line of those that are waited for away, before another line is written."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _end(changes: int, failed: int, *, is_plan: bool) -> str:
    said = "would be made" if is_plan else "made"
    ended = f"{counted(changes, 'change')} {said}" if changes else "nothing to change"
    return f"{ended}; {failed} failed" if failed else ended
