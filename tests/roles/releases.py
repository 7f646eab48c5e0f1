"""What docs/releases.md says of each role, read from the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from upkeep.releases import PAGE, RELEASE, WINDOWS, Pair, Refusal

_ROLE = re.compile(r"\[`(\w+)`\]")


@dataclass(frozen=True)
class Said:
    """Of one pair: the sign of the table, and every refusal below it."""

    sign: str
    refusals: tuple[Refusal, ...]


def said_by_the_page() -> dict[str, dict[Pair, Said]]:
    """Read the page: for each role and pair what is said of it."""
    text = PAGE.read_text(encoding="utf-8")
    refusals: dict[str, dict[Pair, list[Refusal]]] = {}
    for section in text.split("\n### ")[1:]:
        role, _, rest = section.partition("\n")
        for row in _rows(rest):
            releases, windows, by, reason, help_ = row
            for pair in ((each, other) for each in releases.split(", ") for other in windows.split(", ")):
                refusal = Refusal(by.strip("`"), _exact(reason, pair), _exact(help_, pair))
                refusals.setdefault(role, {}).setdefault(pair, []).append(refusal)
    found: dict[str, dict[Pair, Said]] = {}
    titles: list[str] = []
    for row in _rows(text.partition("## What is refused")[0]):
        named = _ROLE.match(row[0])
        if row[0] == "role":
            titles = row[2:]
        elif named:
            for release, sign in zip(titles, row[2:], strict=True):
                for windows in row[1].split(", "):
                    told = refusals.get(named[1], {}).get((release, windows), [])
                    found.setdefault(named[1], {})[release.replace("any", ""), windows] = Said(
                        sign, tuple(told)
                    )
    return found


def _rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| OpenStack"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            yield [cell.strip().replace("\\|", "|") for cell in cells]


def _exact(text: str, pair: Pair) -> str:
    release, windows = pair
    return text.replace(RELEASE, release).replace(WINDOWS, windows)
