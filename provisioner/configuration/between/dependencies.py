"""Find what an entry of ``dependsOn`` names among the resources of one node.

In a document an entry is the whole ResourceID of one resource. An author writes less. The first of these that fits
counts, always without regard to case (mof-format, 3.4):

* the whole name, ``[Type]name`` or ``[Type]name::[Composite]outer``;
* a resource of the composite the author's own resource is in, or of one around that;
* a composite: everything within it, however deep;
* a resource of some composite by its name alone, as long as only one composite has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.configuration.model import Resource


class Targets:
    """The resources of one node, by everything an author may call them."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._texts = [str(each.id).casefold() for each in resources]
        self._by_text = {text: index for index, text in enumerate(self._texts)}
        self._has_composites = any(each.id.within for each in resources)

    def find(self, written: str, source: Resource) -> tuple[int, ...]:
        """Return the indexes of what a text means, seen from ``source``; empty when it means nothing here."""
        wanted = written.strip().casefold()
        index = self._by_text.get(wanted)
        if index is not None:
            return (index,)
        if not self._has_composites:
            return ()
        within = source.id.within.casefold()
        while within:
            around = f"{wanted}::{within}"
            index = self._by_text.get(around)
            found = (index,) if index is not None else self._ending(around)
            if found:
                return found
            within = within.partition("::")[2]
        return self._ending(wanted) or self._unqualified(wanted)

    def candidates(self, written: str) -> tuple[int, ...]:
        """Return the indexes of everything a name without its composite could mean; more than one is ambiguous."""
        wanted = written.strip().casefold()
        start, inner = f"{wanted}::[", f"::{wanted}::["
        return tuple(
            index for index, text in enumerate(self._texts) if text.startswith(start) or inner in text
        )

    def _ending(self, wanted: str) -> tuple[int, ...]:
        suffix = f"::{wanted}"
        return tuple(index for index, text in enumerate(self._texts) if text.endswith(suffix))

    def _unqualified(self, wanted: str) -> tuple[int, ...]:
        found = self.candidates(wanted)
        outer = {self._texts[index].partition(f"{wanted}::")[2] for index in found}
        return found if len(outer) == 1 else ()
