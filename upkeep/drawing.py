"""Draws sites as one SVG: frames of machines, the networks between them, their ways to storage.

The same sites give the same bytes. Colours are those of the reader's light or dark mode, on a ground of their own,
so that the picture can be read on any page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from upkeep.sites import MANAGEMENT, Frame, Machine, Network, Site, Way

WIDTH = 1000
_MARGIN, _PAD, _GAP = 20, 12, 8
_BOX_WIDTH, _BOX_HEIGHT = 92, 40
_HEAD, _LINE = 24, 15
_TITLE, _BUS, _LANE = 58, 30, 30
#: What one character of a small text takes, more than it does in any usual font.
_CHARACTER = 6.2

_STYLE = """
text { font: 12px "DejaVu Sans", "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 17px; font-weight: bold; }
.name { font-weight: bold; text-anchor: middle; }
.small { font-size: 11px; fill: #57606a; }
.centred { text-anchor: middle; }
.ground { fill: #ffffff; }
.site { fill: #f6f8fa; stroke: #d0d7de; }
.frame { fill: #ffffff; stroke: #8c959f; stroke-dasharray: 4 3; }
.compute { fill: #ddf4ff; stroke: #54aeff; }
.storage { fill: #fff8c5; stroke: #d4a72c; }
.outside { fill: #eaeef2; stroke: #8c959f; }
.halo { fill: none; stroke: #f6f8fa; stroke-width: 6; }
.label { paint-order: stroke; stroke: #f6f8fa; stroke-width: 4; stroke-linejoin: round; }
.last { text-anchor: end; }
.line { fill: none; stroke-width: 2; }
.n0 { stroke: #57606a; } .n1 { stroke: #1a7f37; } .n2 { stroke: #bf3989; } .n3 { stroke: #8250df; }
.iSCSI { stroke: #bc4c00; } .SMB { stroke: #0969da; }
.d0 { fill: #57606a; } .d1 { fill: #1a7f37; } .d2 { fill: #bf3989; } .d3 { fill: #8250df; }
.diSCSI { fill: #bc4c00; } .dSMB { fill: #0969da; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.small { fill: #9198a1; }
.ground { fill: #0d1117; }
.site { fill: #161b22; stroke: #3d444d; }
.frame { fill: #0d1117; stroke: #656c76; }
.compute { fill: #0c2d4d; stroke: #388bfd; }
.storage { fill: #3b2d07; stroke: #bb8009; }
.outside { fill: #262c36; stroke: #656c76; }
.halo, .label { stroke: #161b22; }
.n0 { stroke: #9198a1; } .n1 { stroke: #3fb950; } .n2 { stroke: #f778ba; } .n3 { stroke: #ab7df8; }
.iSCSI { stroke: #f0883e; } .SMB { stroke: #4493f8; }
.d0 { fill: #9198a1; } .d1 { fill: #3fb950; } .d2 { fill: #f778ba; } .d3 { fill: #ab7df8; }
.diSCSI { fill: #f0883e; } .dSMB { fill: #4493f8; }
}
"""
_NETWORKS = ("management", "tenants", "tunnels", "live migration")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame is drawn."""

    frame: Frame
    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height


def picture(sites: Sequence[Site], outside: Sequence[str], title: str) -> str:
    """Return the SVG of sites one below the other.

    Args:
        sites: What is drawn.
        outside: What is not of the inventories but reached by all of their machines.
        title: What the picture is called for those who do not see it.
    """
    edge, bar = WIDTH - _MARGIN, 34
    parts = [_line([(edge, _MARGIN + bar / 2), (WIDTH - 8, _MARGIN + bar / 2)], "n0")]
    parts += [_box(_MARGIN, _MARGIN, edge - _MARGIN, bar, "outside")]
    parts += [_text(WIDTH / 2, _MARGIN + 22, " · ".join(outside), "centred")]
    top = _MARGIN + bar + float(_MARGIN)
    for site in sites:
        drawn, height = _site(site, top)
        # From the services outside, beside all sites, to the management network of this one.
        way_in = [(WIDTH - 8, _MARGIN + bar / 2), (WIDTH - 8, top + _TITLE), (edge, top + _TITLE)]
        parts += [_line(way_in, "n0"), *drawn]
        top += height + _MARGIN
    size = f'viewBox="0 0 {WIDTH} {_number(top)}" width="{WIDTH}" height="{_number(top)}"'
    name = escape(title)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{name}">'
    ground = f'<rect class="ground" width="{WIDTH}" height="{_number(top)}"/>'
    return "\n".join([head, f"<title>{name}</title>", f"<style>{_STYLE}</style>", ground, *parts, "</svg>\n"])


def _site(site: Site, top: float) -> tuple[list[str], float]:
    """Draw one site; return its parts and its height."""
    left, right = float(_MARGIN), float(WIDTH - _MARGIN)
    hosts = [frame for frame in site.frames if frame.is_compute]
    stores = [frame for frame in site.frames if not frame.is_compute]
    said = [f"zone {zone}" for zone in site.zones] + [f"domain {site.domain}", f"OpenStack {site.release}"]
    bus_top = top + _TITLE
    upper = _places(hosts, left + _PAD, right - 30, bus_top + 22)
    under = max(place.bottom for place in upper)
    shared = [network for network in site.networks if network.name != MANAGEMENT]
    lanes_top = under + 14 + len(shared) * _BUS
    lower_top = lanes_top + len(site.ways) * _LANE + 16
    lower = _places(stores, left + _PAD, right - 30, lower_top)
    bottom = max(place.bottom for place in lower) + 22
    height = bottom + 14 - top
    parts = [_box(left, top, right - left, height, "site")]
    parts += [_text(left + _PAD, top + 26, site.name.capitalize(), "title")]
    parts += [_text(left + 130, top + 26, " · ".join(said), "small")]
    for network in site.networks:
        if network.name == MANAGEMENT:
            parts += _ring(network, upper, lower, (bus_top, bottom), right - 14)
    buses, bus_names = _buses(shared, upper, under + 14)
    ways, way_names = _ways(site.ways, upper, lower, lanes_top)
    parts += [*buses, *ways]
    for place in (*upper, *lower):
        parts += _frame(place)
    return [*parts, *bus_names, *way_names], height


def _places(frames: Sequence[Frame], left: float, right: float, top: float) -> list[Place]:
    """Put frames beside each other, with equal room between them."""
    widths = [_width(frame) for frame in frames]
    lines = max(len(_wrapped(frame.roles, _width(frame))) for frame in frames)
    height = _HEAD + _BOX_HEIGHT + _PAD + lines * _LINE + 4
    room = (right - left - sum(widths)) / (len(frames) + 1)
    places, x = [], left
    for frame, width in zip(frames, widths, strict=True):
        x += room
        places.append(Place(frame, x, top, width, height))
        x += width
    return places


def _width(frame: Frame) -> float:
    boxes = len(frame.machines) * (_BOX_WIDTH + _GAP) - _GAP + 2 * _PAD
    return max(float(boxes), 250.0)


def _frame(place: Place) -> Iterator[str]:
    frame = place.frame
    yield _box(place.x, place.y, place.width, place.height, "frame")
    yield _text(place.x + _PAD, place.y + 16, frame.name, "small")
    kind = "compute" if frame.is_compute else "storage"
    x, y = place.x + _PAD, place.y + _HEAD
    for machine in frame.machines:
        yield _box(x, y, _BOX_WIDTH, _BOX_HEIGHT, kind)
        yield _text(x + _BOX_WIDTH / 2, y + 17, machine.name, "name")
        yield _text(x + _BOX_WIDTH / 2, y + 32, _below(machine), "small centred")
        x += _BOX_WIDTH + _GAP
    y += _BOX_HEIGHT + _LINE + 2
    for line in _wrapped(frame.roles, place.width):
        yield _text(place.x + _PAD, y, line, "small")
        y += _LINE


def _below(machine: Machine) -> str:
    return f"Server {machine.windows}" if machine.windows else machine.address


def _wrapped(roles: Iterable[str], width: float) -> list[str]:
    """Break a list of roles into lines."""
    most = int((width - 2 * _PAD) / _CHARACTER)
    lines: list[str] = []
    for role in roles:
        if lines and len(lines[-1]) + len(role) + 3 <= most:
            lines[-1] += f" · {role}"
        else:
            lines.append(role)
    return lines


def _ring(
    network: Network, upper: list[Place], lower: list[Place], ends: tuple[float, float], right: float
) -> Iterator[str]:
    """The network of the addresses goes round: above the hosts, along the edge, below the storage nodes."""
    first, last = upper[0].x + 20, lower[0].x + 20
    top, bottom = ends
    yield _line([(first, top), (right, top), (right, bottom), (last, bottom)], "n0")
    yield _line([(right, top), (WIDTH - _MARGIN, top)], "n0")
    for places, y in ((upper, top), (lower, bottom)):
        for place in places:
            edge = place.y if y < place.y else place.bottom
            yield _line([(place.x + 20, y), (place.x + 20, edge)], "n0")
            yield _dot(place.x + 20, y, "d0")
    yield _text(first + 10, top - 6, f"{network.name} {network.what}", "small")


def _buses(networks: Sequence[Network], upper: list[Place], top: float) -> tuple[list[str], list[str]]:
    """Draw a line for each network that not all machines share; return the lines and their names."""
    lines: list[str] = []
    names: list[str] = []
    for index, network in enumerate(networks):
        style = _NETWORKS.index(network.name)
        y = top + (index + 1) * _BUS - 8
        places = [place for place in upper if place.frame.name in network.frames]
        taps = [place.x + 20 + 14 * index for place in places]
        label = f"{network.name}: {network.what}"
        start = taps[0] + 14 * (len(networks) - index) + 8
        end = max(taps[-1], min(start + len(label) * _CHARACTER, WIDTH - 60.0))
        lines.append(_line([(taps[0], y), (end, y)], f"n{style}"))
        for tap, place in zip(taps, places, strict=True):
            lines.append(_line([(tap, place.bottom), (tap, y)], f"n{style}"))
            lines.append(_dot(tap, y, f"d{style}"))
        names.append(_text(start, y - 5, label, "small label"))
    return lines, names


def _ways(
    ways: Sequence[Way], upper: list[Place], lower: list[Place], top: float
) -> tuple[list[str], list[str]]:
    """Draw each way in a lane of its own, so that no two lie on each other; return the lines and their names."""
    lines: list[str] = []
    names: list[str] = []
    for index, way in enumerate(ways):
        y = top + (index + 1) * _LANE - 6
        end, edge = _end(ways, way, lower)
        drops = [_start(ways, way, place) for place in upper if place.frame.name in way.frames]
        left, right = min([end, *(x for x, _ in drops)]), max([end, *(x for x, _ in drops)])
        strokes = [
            [(left, y), (right, y)],
            [(end, y), (end, edge)],
            *([(x, from_), (x, y)] for x, from_ in drops),
        ]
        lines += [_line(each, "", "halo") for each in strokes]
        lines += [_line(each, way.kind) for each in strokes]
        lines += [_dot(x, y, f"d{way.kind}") for x, _ in drops]
        lines.append(_arrow(end, edge, f"d{way.kind}"))
        names.append(_named(f"{way.kind}: {way.what}", sorted([end, *(x for x, _ in drops)]), y))
    return lines, names


def _named(label: str, corners: Sequence[float], y: float) -> str:
    """Write what a way is above its longest stretch, or before it where no stretch is long enough."""
    room, start = max(((b - a, a) for a, b in pairwise(corners)), default=(0.0, corners[0]))
    if room > len(label) * _CHARACTER + 20:
        return _text(start + 10, y - 5, label, "small label")
    return _text(corners[0] - 8, y + 4, label, "small label last")


def _start(ways: Sequence[Way], way: Way, place: Place) -> tuple[float, float]:
    """Return where a way leaves a frame: ways to the left leave at the left of others, so that fewer cross."""
    same = [each for each in ways if place.frame.name in each.frames]
    return place.x + place.width - 20 - 18 * (len(same) - 1 - same.index(way)), place.bottom


def _end(ways: Sequence[Way], way: Way, lower: list[Place]) -> tuple[float, float]:
    """Return where a way meets the frame of its machine."""
    place, number = next(
        (place, number)
        for place in lower
        for number, machine in enumerate(place.frame.machines)
        if machine.name == way.machine
    )
    same = [each for each in ways if each.machine == way.machine]
    middle = place.x + _PAD + number * (_BOX_WIDTH + _GAP) + _BOX_WIDTH / 2
    return middle + 18 * (same.index(way) - (len(same) - 1) / 2), place.y


def _box(x: float, y: float, width: float, height: float, style: str) -> str:
    return (
        f'<rect class="{style}" x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" '
        f'height="{_number(height)}" rx="5"/>'
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{_number(x)}" y="{_number(y)}">{escape(text)}</text>'


def _line(corners: Sequence[tuple[float, float]], style: str, kind: str = "line") -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)
    return f'<polyline class="{f"{kind} {style}".strip()}" points="{points}"/>'


def _dot(x: float, y: float, style: str) -> str:
    return f'<circle class="{style}" cx="{_number(x)}" cy="{_number(y)}" r="4"/>'


def _arrow(x: float, y: float, style: str) -> str:
    return f'<path class="{style}" d="M{_number(x - 5)} {_number(y - 9)}h10l-5 9z"/>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
