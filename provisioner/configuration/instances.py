"""A MOF document as instances: what the reader finds in one and what the writer prints.

The rule of the room: nothing here knows what a class means; names and values are as they stand in the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provisioner.diagnostics import SourceRange


@dataclass(frozen=True, slots=True)
class Alias:
    """A reference to another instance, ``$MSFT_Credential1ref``; ``name`` includes the ``$``."""

    name: str


@dataclass(frozen=True, slots=True)
class MofProperty:
    """One property. The value is str, bool, int, float, None (``NULL``), ``Alias`` or a tuple of these."""

    name: str
    value: Any
    where: SourceRange | None = None


@dataclass(frozen=True, slots=True)
class MofInstance:
    """One ``instance of``. ``alias`` includes the ``$``; it is empty when there is none."""

    class_name: str
    alias: str
    properties: tuple[MofProperty, ...]
    where: SourceRange | None = None

    def get(self, name: str) -> Any:
        """Return the value of a property, found without regard to case; None when it is absent or NULL."""
        wanted = name.casefold()
        return next((each.value for each in self.properties if each.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class MofDocument:
    """All instances in file order, embedded ones before those that use them."""

    instances: tuple[MofInstance, ...]
