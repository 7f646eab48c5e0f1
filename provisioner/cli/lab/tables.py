"""The nodes of a lab as a table for people. Values in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

#: What ``--state`` takes. A node may be in several.
STATES: Final = ("up", "restarting", "cut", "busy", "pending", "fault")
#: A larger lab is listed in part: so many rows fit a screen that can be scrolled.
_LISTED: Final = 50
_HEADER: Final = (
    "NODE",
    "ADDRESS",
    "STATE",
    "LCM",
    "SPECIFIC",
    "GENERIC",
    "SHELLS",
    "LOGONS",
    "BOOTED",
    "FAULTS",
)
_NUMBERS: Final = frozenset({"SPECIFIC", "GENERIC", "SHELLS", "LOGONS"})
_SECONDS: Final = 19
_FAULT_WIDTH: Final = 40

Node = Mapping[str, Any]


def state_of(node: Node) -> str:
    """Say how a node stands to whoever wants to reach it; a node may run while its network is cut."""
    return "cut" if node["cut"] else str(node["state"])


def is_in_state(node: Node, state: str) -> bool:
    """Whether a node belongs into the list of a state."""
    match state:
        case "busy":
            return bool(node["lcm"] == "Busy")
        case "pending":
            return str(node["lcm"]).startswith("Pending")
        case "fault":
            return bool(node["faults"])
    return state_of(node) == state


def overview(lab: Mapping[str, Any], nodes: Sequence[Node], *, is_whole: bool) -> Iterator[str]:
    """Yield the lines about a lab: what it is, its nodes counted, then ``nodes`` as a table.

    Of a large lab only nodes that are not at rest are rows, unless the whole is asked for.
    """
    yield f"Lab {lab['lab']}: process {lab['pid']}, up since {_time(lab['started'])} UTC, {lab['folder']}"
    yield f"  {_counts(lab['nodes'])}"
    rows = list(nodes)
    if not is_whole and len(rows) > _LISTED:
        rows = [node for node in rows if not _is_at_rest(node)]
    shown = rows if is_whole else rows[:_LISTED]
    if shown:
        yield from _table(shown)
    elif is_whole:
        yield "  No node is in this state."
    if len(shown) < len(nodes):
        rest = len(nodes) - len(shown)
        what = "more" if len(rows) > len(shown) else "at rest"
        yield f"  and {rest} {what}: --all lists them, --limit and --state some."


def _counts(nodes: Sequence[Node]) -> str:
    total = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    states = Counter(state_of(node) for node in nodes)
    lcm = Counter(str(node["lcm"]) for node in nodes)
    parts = [f"{total}: {_listed(states)}", f"LCM: {_listed(lcm)}"]
    if faulty := sum(bool(node["faults"]) for node in nodes):
        parts.append(f"with faults: {faulty}")
    return "; ".join(parts)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())


def _is_at_rest(node: Node) -> bool:
    return state_of(node) == "up" and node["lcm"] == "Idle" and not node["faults"] and not node["shells_open"]


def _table(nodes: Sequence[Node]) -> Iterator[str]:
    rows = [_HEADER, *(_row(node) for node in nodes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    for row in rows:
        cells = (
            cell.rjust(width) if title in _NUMBERS else cell.ljust(width)
            for title, cell, width in zip(_HEADER, row, widths, strict=True)
        )
        yield f"  {'  '.join(cells)}".rstrip()


def _row(node: Node) -> tuple[str, ...]:
    has_document = node["specific"] or node["generic"] or node["unsimulated"]
    faults = "; ".join(node["faults"])
    return (
        str(node["name"]),
        f"{node['address']}:{node['port']}",
        state_of(node),
        str(node["lcm"]),
        str(node["specific"]) if has_document else "-",
        str(node["generic"]) if has_document else "-",
        str(node["shells_open"]),
        str(node["logons"]),
        _time(node["boot_time"]),
        faults if len(faults) <= _FAULT_WIDTH else f"{faults[: _FAULT_WIDTH - 1]}…",
    )


def _time(text: str) -> str:
    return text[:_SECONDS].replace("T", " ")
