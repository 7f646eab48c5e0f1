"""What a role says of itself, for people and machines: one set of facts, written as text, Markdown or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioner.documents import Tree, plain, scalars
from provisioner.roles.model import Role, Variable

Facts = Mapping[str, Any]

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_NAMES = re.compile(r"(?<![.\w'\"])[a-z]\w+(?![\w'\"(])")


def facts(role: Role) -> Facts:
    """Return what a role says of itself as plain data; keys come in the order they are shown in."""
    undone = role.decommission
    return {
        "role": str(role.name),
        "description": role.description,
        "requires": [each.name for each in role.requires],
        "modules": {name: use.version for name, use in role.modules.items()},
        "variables": [_variable(each) for each in role.variables.values()],
        "refuses": [_sentence(each.reason.value) for each in role.refuse],
        "unique": [each.what for each in role.unique],
        "after": [
            {"nodes": _read_names(each.nodes), "reason": _sentence(each.reason.value)} for each in role.after
        ],
        "preflight": [path.name for path in role.preflight],
        "checks": [path.name for path in role.checks],
        "decommission": None if undone is None else {"leaves": list(undone.leaves)},
    }


def _variable(variable: Variable) -> Facts:
    kind = variable.type.value
    found: dict[str, Any] = {
        "name": variable.name,
        "type": f"{kind} of {variable.items.value}" if variable.items else kind,
        "required": variable.is_required,
        "description": variable.description,
    }
    if not variable.is_required:
        # As it is written: fields that nobody gave have become their own defaults in the other.
        found["default"] = plain(variable.default_tree) if variable.default_tree else variable.default
    limits = {
        "choices": list(variable.choices),
        "form": variable.form,
        "minimum": variable.minimum,
        "maximum": variable.maximum,
        "merge": variable.merge.mode.value if variable.merge else "",
    }
    found |= {key: value for key, value in limits.items() if value not in ([], "", None)}
    if variable.fields is not None:
        found["fields"] = [_variable(each) for each in variable.fields.values()]
    return found


def _sentence(written: Any) -> str:
    """Return a sentence as it is written, with dots where a value will stand."""
    return _EXPRESSION.sub("...", str(written))


def _read_names(nodes: Tree) -> list[str]:
    """Return the names of the variables an expression reads, or the names that are written out."""
    found: list[str] = []
    for each in scalars(nodes):
        expressions = _EXPRESSION.findall(str(each.value))
        found += (
            [name for text in expressions for name in _NAMES.findall(text)]
            if expressions
            else [str(each.value)]
        )
    return list(dict.fromkeys(found))


def as_text(role: Facts) -> Iterator[str]:
    """Yield lines about one role."""
    yield f"{role['role']}: {role['description']}"
    if role["requires"]:
        yield f"  requires {', '.join(role['requires'])}"
    for each in role["after"]:
        yield f"  waits for {', '.join(each['nodes'])}: {each['reason']}"
    yield from _section("variables", _variable_lines(role["variables"], "    "))
    yield from _section("refuses", (f"    {each}" for each in role["refuses"]))
    yield from _section("of one node only", (f"    {each}" for each in role["unique"]))
    yield from _section("looks before anything is changed", (f"    {each}" for each in role["preflight"]))
    if role["decommission"] is None:
        yield "  decommission: nobody has said how this role is undone"
    else:
        yield "  decommission: can be undone; what stays:"
        yield from (f"    {each}" for each in role["decommission"]["leaves"])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"  {title}:"
        yield from found


def _variable_lines(variables: Iterable[Facts], indent: str) -> Iterator[str]:
    for each in variables:
        yield f"{indent}{each['name']} ({each['type']}, {_use(each)}): {each['description']}{_limits(each)}"
        yield from _variable_lines(each.get("fields", ()), f"{indent}  ")


def _use(variable: Facts) -> str:
    if variable["required"]:
        return "needed"
    return f"default {json.dumps(variable['default'], ensure_ascii=False, default=str)}"


def _limits(variable: Facts) -> str:
    parts = []
    if "choices" in variable:
        parts.append(f"one of {', '.join(map(str, variable['choices']))}")
    if "form" in variable:
        parts.append(variable["form"])
    low, high = variable.get("minimum"), variable.get("maximum")
    if low is not None or high is not None:
        parts.append(f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}")
    return f" [{'; '.join(parts)}]" if parts else ""


def as_markdown(role: Facts) -> Iterator[str]:
    """Yield the lines of a section about one role."""
    yield f"## {role['role']}"
    yield ""
    yield role["description"]
    if role["requires"]:
        yield ""
        yield f"Requires {', '.join(f'`{each}`' for each in role['requires'])}."
    rows = list(_rows(role["variables"], ""))
    if rows:
        yield ""
        yield "| variable | type | default | meaning |"
        yield "|---|---|---|---|"
        yield from rows
    for title, key in (("Refused:", "refuses"), ("Of one node only:", "unique")):
        yield from _list(title, role[key])
    waits = [
        f"{', '.join(f'`{name}`' for name in each['nodes'])}: {each['reason']}" for each in role["after"]
    ]
    yield from _list("Waits for the nodes of:", waits)
    undone = role["decommission"]
    if undone is None:
        yield ""
        yield "Decommission: nobody has said how this role is undone."
    else:
        yield from _list("Decommission undoes the role. What stays:", undone["leaves"] or ["Nothing."])
    yield ""


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if found:
        yield ""
        yield title
        yield ""
        yield from (f"* {_cell(each)}" for each in found)


def _rows(variables: Iterable[Facts], within: str) -> Iterator[str]:
    for each in variables:
        name = f"{within}{each['name']}"
        default = (
            "needed"
            if each["required"]
            else f"`{json.dumps(each['default'], ensure_ascii=False, default=str)}`"
        )
        meaning = f"{each['description']}{_limits(each)}"
        yield f"| `{name}` | {each['type']} | {_cell(default)} | {_cell(meaning)} |"
        yield from _rows(each.get("fields", ()), f"{name}.")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def markdown_page(roles: Iterable[Facts]) -> str:
    """Return the page of all roles, docs/roles.md."""
    found = list(roles)
    lines = [
        "# Roles",
        "",
        "What the shipped roles make of a node. `make module` writes this page, as `provision roles` says.",
        "How roles are written: [writing-roles.md](writing-roles.md). The page of each role has an example.",
        "",
        "| role | what a node with it is |",
        "|---|---|",
        *(
            f"| [`{each['role']}`](../roles/{each['role']}/README.md) | {_cell(each['description'])} |"
            for each in found
        ),
        "",
    ]
    for each in found:
        lines += as_markdown(each)
    return "\n".join(lines)
