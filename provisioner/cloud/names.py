"""Which of the names a controller uses means a node of the inventory.

A Windows node registers under the name Windows gives it: often in upper case, cut to 15 characters (NetBIOS), and
without a domain, or with one where nova.conf says so. Nova's own spelling is what every call wants. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from provisioner.addresses import NodeName, is_ip_address
from provisioner.cloud.model import Seen
from provisioner.inventory.openstack import NETBIOS_LENGTH, host_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

_SAME: Final = 3
_SAME_LABEL: Final = 2
_CUT: Final = 1


def host_of(name: str) -> str:
    """Return the host of a service's name: Cinder adds ``@BACKEND`` and ``#POOL``."""
    return name.partition("@")[0].partition("#")[0]


def spellings(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names that mean the wanted host: one, none, or several that nobody can tell apart.

    The nearest count: the same but for case, then the same without domains, then one of the two cut.
    """
    ranked: dict[int, dict[str, None]] = {}
    for name in known:
        ranked.setdefault(_rank(wanted, host_of(name)), {})[host_of(name)] = None
    ranked.pop(0, None)
    return tuple(ranked[max(ranked)]) if ranked else ()


def claimants(host: str, wanted: Mapping[NodeName, str]) -> list[NodeName]:
    """Return the nodes a host means, by what each is called: one, or several that nobody can tell apart."""
    ranked: dict[int, list[NodeName]] = {}
    for node, name in wanted.items():
        ranked.setdefault(_rank(name, host_of(host)), []).append(node)
    ranked.pop(0, None)
    return ranked[max(ranked)] if ranked else []


def not_of_others(known: Iterable[str], ours: Iterable[str], computes: Iterable[str]) -> list[str]:
    """Return names of other services that may be a host's: none is the name of another nova-compute."""
    others = {name.casefold() for name in computes} - {name.casefold() for name in ours}
    return [name for name in known if host_of(name).casefold() not in others]


def is_same_host(one: str, other: str) -> bool:
    """Whether two names a controller uses are one host: it compares without case."""
    return host_of(one).casefold() == host_of(other).casefold()


def narrowing(seen: Seen) -> Callable[[str], Seen]:
    """Return what gives the part of a controller's answer that may be about one host: of thousands, a few.

    An aggregate in it has only those of its hosts; flavors and images are left out.
    """
    services = _bucketed((each.host, each) for each in seen.services)
    hypervisors = _bucketed((each.host, each) for each in seen.hypervisors)
    agents = _bucketed((each.host, each) for each in seen.agents or ())
    volumes = _bucketed((each.host, each) for each in seen.volumes or ())
    inside = _bucketed(
        (host, (index, host)) for index, each in enumerate(seen.aggregates) for host in each.hosts
    )

    def narrowed(wanted: str) -> Seen:
        key = host_key(wanted)
        hosts: dict[int, list[str]] = {}
        for index, host in inside.get(key, ()):
            hosts.setdefault(index, []).append(host)
        return Seen(
            services=tuple(services.get(key, ())),
            aggregates=tuple(
                replace(seen.aggregates[index], hosts=tuple(hosts[index])) for index in sorted(hosts)
            ),
            hypervisors=tuple(hypervisors.get(key, ())),
            agents=None if seen.agents is None else tuple(agents.get(key, ())),
            volumes=None if seen.volumes is None else tuple(volumes.get(key, ())),
        )

    return narrowed


def _bucketed(items: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Put things together whose hosts are the same, or are cut to the same."""
    found: dict[str, list[T]] = {}
    for host, item in items:
        found.setdefault(host_key(host_of(host)), []).append(item)
    return found


def _rank(wanted: str, seen: str) -> int:
    if wanted.casefold() == seen.casefold():
        return _SAME
    one, other = _label(wanted), _label(seen)
    if one == other:
        # Two whole names of different domains are two machines.
        return _SAME_LABEL if one in {wanted.casefold(), seen.casefold()} else 0
    is_cut = NETBIOS_LENGTH in {len(one), len(other)} and host_key(wanted) == host_key(seen)
    return _CUT if is_cut else 0


def _label(name: str) -> str:
    return (name if is_ip_address(name) else name.partition(".")[0]).casefold()
