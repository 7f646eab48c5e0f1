"""The page of the example cloud: its picture and its tables, from the inventories alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upkeep.drawing import picture
from upkeep.module import ROOT
from upkeep.sites import Machine, Site, read_site

FOLDER = ROOT / "inventories/example-cloud"
PAGE = ROOT / "docs/example-cloud.md"
PICTURE = ROOT / "docs/example-cloud.svg"
_START, _END = "<!-- from the inventories -->", "<!-- end of what is from the inventories -->"
#: What the nodes of all sites reach and nobody here makes.
_OUTSIDE = "controller: Keystone, Nova, Placement, Neutron, Glance, Cinder, message queue"


def sites() -> list[Site]:
    """Read every site.

    Raises:
        InputError: an inventory is wrong.
    """
    return [read_site(path) for path in sorted(FOLDER.glob("*.yaml"))]


def picture_text(read: Sequence[Site]) -> str:
    """Return the picture."""
    domains = dict.fromkeys(site.domain for site in read)
    outside = [_OUTSIDE, *(f"domain {domain}" for domain in domains)]
    return picture(read, outside, f"The example cloud: {_counted(read)}")


def page_text(page: str, read: Sequence[Site]) -> str:
    """Return the page with what follows from the inventories.

    Raises:
        ValueError: The page has no place for it.
    """
    before, start, rest = page.partition(f"{_START}\n")
    _, end, after = rest.partition(_END)
    if not start or not end:
        raise ValueError(f"the page needs the lines '{_START}' and '{_END}', where the tables go")
    tables = "\n".join(_tables(read))
    return f"{before}{start}{tables}\n{end}{after}"


def _counted(read: Sequence[Site]) -> str:
    machines = [machine for site in read for frame in site.frames for machine in frame.machines]
    hosts = [each for each in machines if "nova_compute" in each.all_roles]
    clustered = [each for each in hosts if "failover_cluster" in each.all_roles]
    switched = [each for each in hosts if "openvswitch" in each.all_roles]
    return (
        f"{len(read)} sites, {len(hosts)} compute nodes, "
        f"{len(clustered)} of them in a failover cluster and {len(switched)} with Open vSwitch, "
        f"{len(machines) - len(hosts)} storage nodes"
    )


def _tables(read: Sequence[Site]) -> Iterator[str]:
    yield f"![{_counted(read)}]({PICTURE.name})"
    yield ""
    yield f"{_counted(read)}."
    yield from _head("Sites", "site", "zone", "OpenStack", "domain", "clusters", "networks")
    for site in read:
        networks = "; ".join(f"{each.name}: {each.what}" for each in site.networks)
        clusters = ", ".join(site.clusters) or "none"
        yield _row(site.name, ", ".join(site.zones), site.release, site.domain, clusters, networks)
    yield from _head("Nodes", "site", "group", "nodes", "Windows", "roles, with those they require")
    for site in read:
        for frame in site.frames:
            nodes = ", ".join(f"{each.name} ({each.address})" for each in frame.machines)
            windows = ", ".join(sorted({each.windows for each in frame.machines}))
            yield _row(site.name, frame.name, nodes, windows, _roles(frame.machines))
    yield from _head("Ways to storage", "site", "from", "to", "by", "what")
    for site in read:
        for way in site.ways:
            yield _row(site.name, ", ".join(way.frames), way.machine, way.kind, f"`{way.what}`")


def _head(title: str, *columns: str) -> Iterator[str]:
    yield from ("", f"## {title}", "", _row(*columns), "|---" * len(columns) + "|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _roles(machines: Sequence[Machine]) -> str:
    return ", ".join(
        f"`{role}`" for role in sorted(frozenset().union(*(each.all_roles for each in machines)))
    )
