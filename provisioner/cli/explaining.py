"""How the explanation of a node's values looks: text for people, one object per line for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from provisioner import documents
from provisioner.diagnostics import did_you_mean
from provisioner.inventory.explanation import Explained, Given, Part, Path, explain_settings
from provisioner.inventory.model import Inventory, Node
from provisioner.roles.explanation import SECTION, explain_variables
from provisioner.roles.model import Role

#: Sections that are lists of names.
NAMES: Final = frozenset({"groups", "roles", "decommission", "after", "aggregates"})


def as_text(explained: Iterable[Explained]) -> Iterator[str]:
    """Yield lines: each value, below it where it is from and what that overrode."""
    section = ""
    for each in explained:
        if each.section != section:
            if section:
                yield ""
            section = each.section
            yield section
        yield from _value(each)


def as_objects(node: str, explained: Iterable[Explained]) -> Iterator[str]:
    """Yield one JSON object for each value."""
    for each in explained:
        found: dict[str, Any] = {"node": node, "section": each.section, "path": dotted(each.path)}
        found |= _object(each.given) | {"over": [_object(given) for given in each.over]}
        if each.role:
            found["role"] = each.role
        if each.is_reference:
            found["reference"] = True
        if each.merged:
            found |= {"merged": each.merged, "parts": [_part(part) for part in each.parts]}
        yield json.dumps(found, ensure_ascii=False)


def dotted(path: Path) -> str:
    """Return ``name.key[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _value(each: Explained) -> Iterator[str]:
    name = dotted(each.path)
    if each.section in NAMES:
        yield f"  {name}"
    else:
        equals = f"{name} = " if name else ""
        notes = [f"seen by role {each.role}"] if each.role else []
        notes += ["a reference to a secret"] if each.is_reference else []
        yield f"  {equals}{_shown(each.given.value)}" + (f"  ({', '.join(notes)})" if notes else "")
    if not each.merged:
        yield f"      from {_origin(each.given)}"
        yield from (f"      over {_other(given)}" for given in each.over)
        return
    yield f"      merged ({each.merged})"
    for part in each.parts:
        yield from _of_part(part)


def _of_part(part: Part) -> Iterator[str]:
    name = dotted(part.path)
    if part.taken_by:
        # The number of an item meant something in its own layer only.
        name = "" if any(isinstance(step, int) for step in part.path) else name
    yield f"        {name}{' = ' if name else ''}{_shown(part.given.value)}"
    yield f"            from {_origin(part.given)}"
    if part.taken_by:
        yield f"            taken away by {_origin(part.taken_by)}"
    yield from (f"            over {_other(given)}" for given in part.over)


def _origin(given: Given) -> str:
    return f"{given.layer}, {given.where}" if given.where else given.layer


def _other(given: Given) -> str:
    return f"{given.layer}: {_shown(given.value)}" + (f", {given.where}" if given.where else "")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list) or (isinstance(value, str) and not value.isprintable()):
        return json.dumps(value, ensure_ascii=False)
    return documents.dump(value).rstrip("\n")


def _object(given: Given) -> dict[str, Any]:
    where = given.where
    place = {"file": where.source.path, "line": where.line, "column": where.column} if where else None
    return {"value": given.value, "layer": given.layer, "where": place}


def _part(part: Part) -> dict[str, Any]:
    found = {
        "path": dotted(part.path),
        **_object(part.given),
        "over": [_object(given) for given in part.over],
    }
    if part.taken_by:
        taker = _object(part.taken_by)
        found["taken_by"] = {"layer": taker["layer"], "where": taker["where"]}
    return found


def suggestion(
    node: Node, inventory: Inventory, roles: Mapping[str, Role], steps: tuple[str | int, ...]
) -> str:
    """Suggest for the first step that leads nowhere what stands beside it."""
    settings = list(explain_settings(node, inventory))
    below = steps[1:] if steps[:1] == (SECTION,) else steps
    for last in range(len(below) - 1, 0, -1):
        above = next(iter(explain_variables(node, roles, below[:last])), None)
        if above and isinstance(above.given.value, Mapping):
            return did_you_mean(str(below[last]), map(str, above.given.value))
    parts = {str(each.path[0]) for each in settings if each.section == steps[0] and each.path}
    if parts and len(steps) > 1:
        return did_you_mean(str(steps[1]), parts)
    known = {str(each.path[0]) for each in explain_variables(node, roles)}
    return did_you_mean(str((below or steps)[0]), known | {each.section for each in settings})
