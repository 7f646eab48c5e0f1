"""In which order an LCM takes the resources of a document: document order, adjusted by DependsOn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisioner.lab.lcm.errors import LcmError


def in_order(ids: Sequence[str], depends_on: Mapping[str, Sequence[str]]) -> list[str]:
    """Sort ``ids`` so that each follows what it depends on; otherwise as given.

    Ids are compared as they are: fold their case before. Every dependency must be one of ``ids``.

    Raises:
        LcmError: the dependencies form a circle.
    """
    done: dict[str, None] = {}
    for start in ids:
        # Depth first with an own stack: documents may chain thousands of resources.
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            current, index = stack.pop()
            if current in done:
                continue
            if index == 0:
                if current in path:
                    circle = [*path[path.index(current) :], current]
                    raise LcmError.of(
                        "A circular dependency was found in the configuration document. These "
                        "resources depend on "
                        f"each other: {' -> '.join(circle)}.",
                        4,
                    )
                path.append(current)
            wanted = depends_on.get(current, ())
            if index < len(wanted):
                stack.extend([(current, index + 1), (wanted[index], 0)])
            else:
                path.pop()
                done[current] = None
    return list(done)
