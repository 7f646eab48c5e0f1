"""Streams of a command that its client merged into the output: ``2>&1`` and its kin, as fields of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.lab.commands.base import Output
from provisioner.lab.values import ErrorRecord, InformationRecord, TextRecord


def merge(output: Output, streams: frozenset[str]) -> Output:
    """Return where a command writes of which ``streams`` (error, warning, verbose, ...) go among its objects."""
    return _Merged(output, streams) if streams else output


@dataclass(slots=True)
class _Merged:
    """Records of the merged streams become objects; the rest goes where it went."""

    outer: Output
    streams: frozenset[str]

    def write(self, value: Any) -> None:
        self.outer.write(value)

    def error(self, record: ErrorRecord) -> None:
        if "error" in self.streams:
            self.outer.write(record)
        else:
            self.outer.error(record)

    def verbose(self, text: str) -> None:
        if "verbose" in self.streams:
            self.outer.write(TextRecord("Verbose", text))
        else:
            self.outer.verbose(text)

    def warning(self, text: str) -> None:
        if "warning" in self.streams:
            self.outer.write(TextRecord("Warning", text))
        else:
            self.outer.warning(text)

    def debug(self, text: str) -> None:
        if "debug" in self.streams:
            self.outer.write(TextRecord("Debug", text))
        else:
            self.outer.debug(text)

    def information(self, record: InformationRecord) -> None:
        if "information" in self.streams:
            self.outer.write(record)
        else:
            self.outer.information(record)

    def progress(self, activity: str, status: str, percent: int) -> None:
        self.outer.progress(activity, status, percent)
