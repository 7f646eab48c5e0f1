"""What generic resources remember: an instance per class and key values, with the properties last set.

Nothing else on the machine reads or changes it; that is what makes such a resource prove nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


class GenericState(Area["Machine"]):
    """Instances by class and keys; texts of keys are found without regard to case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._instances: dict[str, dict[str, Any]] = {}

    def find(self, class_name: str, keys: Sequence[Any]) -> Mapping[str, Any] | None:
        """Give the properties of an instance."""
        return self._instances.get(_identity(class_name, keys))

    def keep(self, class_name: str, keys: Sequence[Any], properties: Mapping[str, Any]) -> None:
        """Remember properties; those an earlier call set and this one does not name stay."""
        identity = _identity(class_name, keys)
        self._instances[identity] = {**self._instances.get(identity, {}), **properties}
        self.owner.ledger.changed("generic", f"{class_name} {_shown(keys)} set")

    def forget(self, class_name: str, keys: Sequence[Any]) -> None:
        """Remove an instance; one that is not there is no matter."""
        if self._instances.pop(_identity(class_name, keys), None) is not None:
            self.owner.ledger.changed("generic", f"{class_name} {_shown(keys)} removed")

    def to_plain(self) -> dict[str, Any]:
        """Give all instances."""
        return {identity: dict(properties) for identity, properties in self._instances.items()}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take what ``to_plain`` gave."""
        self._instances = {identity: dict(properties) for identity, properties in plain.items()}


def _identity(class_name: str, keys: Sequence[Any]) -> str:
    return json.dumps([class_name, *keys], default=str).casefold()


def _shown(keys: Sequence[Any]) -> str:
    return ", ".join(str(key) for key in keys)
