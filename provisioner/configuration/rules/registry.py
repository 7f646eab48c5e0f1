"""All rules between resources. One more is a module beside this one and a line in ``RULES``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.configuration.rules import management_network, remoting, switches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.configuration.model import Resource
    from provisioner.configuration.rules.base import Rule
    from provisioner.diagnostics import Diagnostics
    from provisioner.inventory.model import Node

RULES: tuple[Rule, ...] = (*switches.RULES, *management_network.RULES, *remoting.RULES)

_BY_KEYWORD: dict[str, tuple[Rule, ...]] = {
    keyword: tuple(rule for rule in RULES if keyword in rule.keywords)
    for keyword in sorted(frozenset().union(*(rule.keywords for rule in RULES)))
}


def apply_rules(node: Node, resources: Iterable[Resource], problems: Diagnostics) -> None:
    """Judge the resources of one node by every rule."""
    for resource in resources:
        for rule in _BY_KEYWORD.get(resource.type.name.casefold(), ()):
            rule.judge(resource, node, problems)
