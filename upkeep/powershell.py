"""PowerShell source as a syntax tree, enough of it to see what a script declares and calls. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def parse(path: Path) -> Node:
    """Return the tree of a file; what cannot be parsed stands in it as faults."""
    return _parser().parse(path.read_bytes()).root_node


def parse_text(source: str) -> Node:
    """Return the tree of a text."""
    return _parser().parse(source.encode()).root_node


def walk(node: Node) -> Iterator[Node]:
    """Hand out a node and all below it, in the order of the source."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """Return the source of a node."""
    return (node.text or b"").decode()


def faults(root: Node) -> list[str]:
    """Return where the source is no PowerShell, as ``line:column kind``."""
    return [
        f"{node.start_point.row + 1}:{node.start_point.column + 1} {node.type}"
        for node in walk(root)
        if node.is_error or node.is_missing
    ]


def functions(root: Node) -> dict[str, Node]:
    """Return the functions a source declares, by name, in order."""
    return {
        text(next(child for child in node.children if child.type == "function_name")): node
        for node in walk(root)
        if node.type == "function_statement"
    }


def parameters(function: Node) -> dict[str, Node]:
    """Return the parameters of a function's own param block, by name without the dollar sign."""
    block = next((node for node in walk(function) if node.type == "param_block"), None)
    found = {}
    for node in walk(block) if block else ():
        if node.type == "script_parameter":
            name = next(child for child in node.children if child.type == "variable")
            found[text(name).removeprefix("$")] = node
    return found


def commands(node: Node) -> list[str]:
    """Return the names of the commands a source calls by name, in order."""
    return [text(each) for each in walk(node) if each.type == "command_name"]


def command_name(command: Node) -> str:
    """Return what a command calls: a name, or the expression behind ``&``."""
    for child in command.children:
        if child.type in {"command_name", "command_name_expr"}:
            return text(child).strip("'\"")
    return text(command)


def passed_parameters(command: Node) -> list[str]:
    """Return the parameters a command passes by name, as written, without the dash; ``@name`` for splatting."""
    found = []
    for element in command.children:
        for child in element.children if element.type == "command_elements" else ():
            if child.type == "command_parameter":
                found.append(text(child).lstrip("-").rstrip(":"))
            elif re.fullmatch(r"@\w+", text(child)):
                found.append(text(child))
    return found


def argument(command: Node, parameter: str) -> str:
    """Return the source of the value that stands behind a parameter; empty when the parameter is not passed."""
    for element in command.children:
        children = [child for child in element.children if child.type != "command_argument_sep"]
        for at, child in enumerate(children[:-1]):
            if child.type == "command_parameter" and text(child).lstrip("-").rstrip(":") == parameter:
                return text(children[at + 1])
    return ""


def enclosing_function(node: Node) -> Node | None:
    """Return the function a node stands in."""
    found = node.parent
    while found is not None and found.type != "function_statement":
        found = found.parent
    return found


def splatted(command: Node, name: str, root: Node) -> set[str] | None:
    """Return the keys of the table that a command splats; None when the source does not say them.

    A table of the function itself is looked up there; one that is a parameter, by its name in the whole script,
    since callers are asked to name it alike. One that a function of the script returns has the keys written there.
    """
    function = enclosing_function(command)
    is_passed = function is not None and name.casefold() in map(str.casefold, parameters(function))
    scope = root if function is None or is_passed else function
    found: set[str] = set()
    for node in walk(scope):
        if node.type != "assignment_expression":
            continue
        target, _, value = (text(child) for child in node.children[:3])
        if target.casefold() == f"${name.casefold()}":
            maker = functions(root).get(value.lstrip("(").split()[0])
            if maker is None and not value.startswith("@{"):
                return None
            found |= _written_keys(maker or node)
        elif key := re.fullmatch(rf"(?i)\${name}(?:\['(\w+)'\]|\.(\w+))", target):
            found.add(key[1] or key[2])
    return found or None


def _written_keys(scope: Node) -> set[str]:
    """Return the keys of the tables in a piece of source, those set one by one too."""
    literal = {text(node) for node in walk(scope) if node.type == "key_expression"}
    return literal | set(re.findall(r"\$\w+\['(\w+)'\] =", text(scope)))
