"""What is to be verified: the nodes, their check files, and the way to ask each node. Values only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provisioner.addresses import NodeName
from provisioner.roles.model import RoleChecks
from provisioner.transport.base import Pipeline, Result


@dataclass(frozen=True, slots=True)
class Target:
    """One node to verify.

    ``run`` runs one pipeline over the session that is open already; it is never called twice at a time.
    ``variables`` are what the node's roles were declared with, so that checks ask for what the inventory wants.
    """

    node: NodeName
    checks: tuple[RoleChecks, ...]
    run: Callable[[Pipeline], Awaitable[Result]]
    variables: Mapping[str, Any] = field(default_factory=dict)
