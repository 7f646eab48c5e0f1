"""A run on the terminal: one live line per node, then a summary. Without a terminal: one line per event.

The only reporter that knows rich. Everything shown is a `Text`, so markup in a node's message stays text.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from provisioner.events import NodeEvent, RunStarted
from provisioner.reports.board import Board, Standing
from provisioner.reports.wording import clean, count, duration, is_important, listed, problem_lines, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from rich.console import RenderableType

    from provisioner.events import Recorded
    from provisioner.reports.board import Cause, Line
    from provisioner.roles.model import Leftover

#: Symbol and style of each standing.
_LOOKS = {
    Standing.WAITING: ("·", "dim"),
    Standing.RUNNING: ("▸", "cyan"),
    Standing.DONE: ("✓", "green"),
    Standing.FAILED: ("✗", "bold red"),
    Standing.SKIPPED: ("-", "yellow"),
}
#: Rows the live view leaves free: header, footer, the line of hidden nodes, and the prompt.
_SPARE_ROWS = 4
_REFRESH_S = 0.125
#: Names of nodes that share a cause; the rest is counted.
_NODES_LISTED = 8


class TerminalReporter:
    """Shows a run on ``stream``.

    Args:
        stream: Where to write, usually the standard output.
        now: The time in UTC, for the seconds that pass between events.
        is_terminal: Force or forbid the live view; by default the stream is asked.
        colour: False for none; the environment variable NO_COLOR has the same effect.
        width: Columns; by default those of the terminal.
        height: Rows, as above.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of the command line or of a test
        self,
        stream: TextIO,
        *,
        now: Callable[[], datetime],
        is_terminal: bool | None = None,
        colour: bool = True,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        self._console = _Console(
            file=stream,
            force_terminal=is_terminal,
            no_color=None if colour else True,
            width=width,
            height=height,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=False,
        )
        self._now = now
        self._board = Board()
        self._live: _LiveView | None = None
        # The live view draws from a thread of its own.
        self._lock = Lock()

    def handle(self, recorded: Recorded) -> None:
        """Show one event."""
        with self._lock:
            self._board.take(recorded)
        if isinstance(recorded.event, RunStarted):
            self._begin(recorded.event)
        elif self._live is None and isinstance(recorded.event, NodeEvent):
            self._write_line(recorded, recorded.event)

    def close(self) -> None:
        """End the live view, then print failures and the summary."""
        self._stop()
        if self._board.started is None:
            return
        for cause in self._board.causes():
            self._print(_failure(cause))
        for leftovers, nodes in self._board.leftovers().items():
            self._print(_left(nodes, leftovers))
        self._print(Text())
        for row in self._summary():
            self._print(row)
        self._print(self._totals())

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Clear the live view away while inside, for a question to the user."""
        live = self._live
        if live is not None:
            live.stop()
        try:
            yield
        finally:
            if live is not None:
                live.start()

    def _begin(self, event: RunStarted) -> None:
        again = ", going on from where it was cut off" if event.resumed else ""
        selected = f"{len(event.nodes)} of {count(event.total, 'node')}"
        head = (
            f"{clean(event.operation)} {clean(event.inventory)}: {selected}, run {clean(event.run_id)}{again}"
        )
        self._print(Text(head, style="bold"))
        if self._console.is_terminal and self._live is None:
            self._live = _LiveView(self._console, self._frame)
            self._live.start()

    def _stop(self) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _print(self, text: Text) -> None:
        # A long line is broken by the terminal, not by us: it stays one line when it is copied or piped.
        self._console.print(text, soft_wrap=True)

    def _write_line(self, recorded: Recorded, event: NodeEvent) -> None:
        if not is_important(event):
            return
        line = self._board.lines[event.node]
        time = datetime.fromisoformat(recorded.time).strftime("%H:%M:%S")
        self._print(Text(f"{time}  {line.name}  {step(event)}"))

    def _frame(self) -> RenderableType:
        """Draw the live view: all nodes when they fit, else those at work first."""
        with self._lock:
            now = self._now()
            lines = list(self._board.lines.values())
            room = max(1, self._console.height - _SPARE_ROWS)
            shown = lines
            if len(lines) > room:
                # Those at work first, then what the reader may have to act on; never an empty view.
                order = (Standing.RUNNING, Standing.FAILED, Standing.WAITING, Standing.DONE, Standing.SKIPPED)
                shown = [line for standing in order for line in self._board.standing(standing)][:room]
            rows = _aligned([_live_cells(line, now) for line in shown], right=frozenset({2}))
            for row in rows:
                row.truncate(self._console.width - 1, overflow="ellipsis")
            parts = [*rows]
            if len(shown) < len(lines):
                parts.append(
                    Text(f"   … and {count(len(lines) - len(shown), 'node')} not shown", style="dim")
                )
            began = self._board.began or now
            parts.append(
                Text(f"{self._board.counts()} · {duration((now - began).total_seconds())}", style="bold")
            )
            return Group(*parts)

    def _summary(self) -> list[Text]:
        now = self._now()
        rows = []
        for line in self._board.lines.values():
            cells = [Text(cell) for cell in line.cells(now)]
            cells[1].stylize(_LOOKS[line.standing][1])
            if not (line.changed or line.is_only_checked):
                cells[2].stylize("dim")  # no change is good news, but no news
            rows.append(cells)
        # Between the words and the remark stand numbers.
        return _aligned(rows, right=frozenset(range(2, len(rows[0]) - 1)) if rows else frozenset())

    def _totals(self) -> Text:
        finished = self._board.finished
        lines = self._board.lines.values()
        parts = [self._board.counts()]
        if finished and not any(line.is_only_checked for line in lines):
            parts.append(f"{finished.changed} with changes")
            parts.append(count(finished.reboots, "reboot"))
        ended = max((line.ended for line in lines if line.ended), default=self._now())
        began = self._board.began or ended
        parts.append(duration((ended - began).total_seconds()))
        if finished is None or finished.interrupted:
            resumes = self._board.started is not None and self._board.started.operation == "apply"
            parts.append("interrupted; the same command goes on from here" if resumes else "interrupted")
        bad = any(line.standing in {Standing.FAILED, Standing.SKIPPED} for line in lines)
        return Text(f"{count(len(lines), 'node')}: {' · '.join(parts)}", style="bold red" if bad else "bold")


class _Console(Console):
    """rich's console ends the process when its reader has gone (``| head``); the nodes have not gone."""

    def on_broken_pipe(self) -> None:
        """Say nothing more, and let what is buffered go nowhere."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


class _LiveView:
    """rich's live display with a thread of our own: rich does not wait for the end of its one."""

    def __init__(self, console: Console, draw: Callable[[], RenderableType]) -> None:
        self._console = console
        self._draw = draw
        self._ended = Event()
        self._live: Live | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Draw, and draw again from time to time."""
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start(refresh=True)
        self._ended.clear()
        self._thread = Thread(target=self._refresh, args=(self._live,), name="terminal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Clear the view away and wait for the thread."""
        live, self._live = self._live, None
        thread, self._thread = self._thread, None
        self._ended.set()
        if thread is not None:
            thread.join()
        if live is not None:
            live.stop()

    def _refresh(self, live: Live) -> None:
        while not self._ended.wait(_REFRESH_S):
            live.refresh()


def _aligned(rows: Sequence[Sequence[Text]], right: frozenset[int] = frozenset()) -> list[Text]:
    """Join cells to lines with aligned columns, two blanks apart; empty ones go, ``right`` are those of numbers.

    rich's own table gives up narrow columns to fit a wide one, and the wide one here is the least important.
    """
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line = Text()
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            if not width:
                continue
            cell.align("right" if number in right else "left", width)
            line.append_text(cell).append("  ")
        line.rstrip()
        lines.append(line)
    return lines


def _live_cells(line: Line, now: datetime) -> tuple[Text, ...]:
    symbol, style = _LOOKS[line.standing]
    elapsed = duration(line.elapsed_s(now)) if line.began else ""
    said = ", ".join(filter(None, line.cells(now)[1:-2])) if line.standing is Standing.DONE else line.step
    quiet = "dim" if line.standing is Standing.DONE and not line.changed else ""
    return Text(symbol, style=style), Text(line.name), Text(elapsed, style="dim"), Text(said, style=quiet)


def _left(nodes: Sequence[str], leftovers: Sequence[Leftover]) -> Text:
    """Word what roles that were undone leave on nodes."""
    text = Text("\n")
    text.append(f"{listed(nodes, _NODES_LISTED)}: left where roles were undone", style="bold yellow")
    for each in leftovers:
        text.append(f"\n  {clean(each.role)}: {clean(each.what)}")
    return text


def _failure(cause: Cause) -> Text:
    """Word one cause and the nodes it struck."""
    text = Text("\n")
    text.append(f"{listed(cause.nodes, _NODES_LISTED)}: {clean(cause.kind)}", style="bold red")
    if cause.last_lcm_state:
        text.append(f" (last known LCM state: {clean(cause.last_lcm_state)})")
    for problem in cause.problems:
        for number, line in enumerate(problem_lines(problem)):
            indent = "  " if number == 0 else "    "
            text.append(f"\n{indent}{line}", style="bold" if number == 0 and problem.resource else "")
    return text
