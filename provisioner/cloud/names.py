"""Which of the names a controller uses means a node of the inventory.

A Windows node registers under the name Windows gives it: often in upper case, cut to 15 characters (NetBIOS), and
without a domain, or with one where nova.conf says so. Nova's own spelling is what every call wants. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.addresses import is_ip_address
from provisioner.inventory.openstack import NETBIOS_LENGTH, host_key

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def is_same_host(one: str, other: str) -> bool:
    """Whether two names a controller uses are one host: it compares without case."""
    return host_of(one).casefold() == host_of(other).casefold()


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
