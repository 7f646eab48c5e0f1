"""PowerShell source as a syntax tree, enough of it to hold a module against its schema."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def parse(path: Path) -> Node:
    return _parser().parse(path.read_bytes()).root_node


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    return (node.text or b"").decode()


def faults(root: Node) -> list[str]:
    return [
        f"{node.start_point.row + 1}:{node.start_point.column + 1} {node.type}"
        for node in walk(root)
        if node.is_error or node.is_missing
    ]


def functions(root: Node) -> dict[str, Node]:
    return {
        text(next(child for child in node.children if child.type == "function_name")): node
        for node in walk(root)
        if node.type == "function_statement"
    }


def parameters(function: Node) -> dict[str, Node]:
    """Parameters of the function's own param block, by name without the dollar sign."""
    block = next(node for node in walk(function) if node.type == "param_block")
    found = {}
    for node in walk(block):
        if node.type == "script_parameter":
            name = next(child for child in node.children if child.type == "variable")
            found[text(name).removeprefix("$")] = node
    return found


def commands(node: Node) -> list[str]:
    return [text(each) for each in walk(node) if each.type == "command_name"]
