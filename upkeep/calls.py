"""What a script of our module calls: cmdlets with their parameters, methods, classes of CIM and COM, programs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tree_sitter import Node

from upkeep.powershell import (
    argument,
    command_name,
    passed_parameters,
    splatted,
    text,
    walk,
)

_PROGRAM = re.compile(r"(?i)[\w.-]+\.(?:exe|cmd)")


@dataclass(frozen=True, slots=True)
class Calls:
    """Everything a piece of a script calls that is not a function of its own.

    ``cmdlets`` maps a name to the parameters passed to it. ``methods`` are static methods and constructors,
    ``Type::Method`` or ``Type::new``; ``instance_methods`` are names alone, since a script does not say of what
    type a variable is. ``cim`` are ``Class`` or ``Class.Method``, ``com`` names of COM classes.
    ``unknown`` are calls nobody can tell.
    """

    cmdlets: dict[str, set[str]] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)
    instance_methods: set[str] = field(default_factory=set)
    cim: set[str] = field(default_factory=set)
    com: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def merge(self, other: Calls) -> None:
        """Add the calls of another piece."""
        for name, passed in other.cmdlets.items():
            self.cmdlets.setdefault(name, set()).update(passed)
        for kind in ("methods", "instance_methods", "cim", "com", "programs", "unknown"):
            getattr(self, kind).update(getattr(other, kind))


def calls_of(scope: Node, root: Node, own: frozenset[str]) -> Calls:
    """Collect what a function of a script (or all of it) calls; ``own`` are functions that are not told of."""
    found = Calls()
    for node in walk(scope):
        if node.type == "command":
            _add_command(node, root, own, found)
        elif node.type == "invokation_expression":
            _add_method(node, found)
    return found


def _add_command(command: Node, root: Node, own: frozenset[str], found: Calls) -> None:
    name = command_name(command)
    passed: set[str] = set()
    for each in passed_parameters(command):
        keys = splatted(command, each[1:], root) if each.startswith("@") else {each}
        if keys is None:
            if name in own:
                continue
            found.unknown.add(f"{name} {each}")
        else:
            passed.update(keys)
    if name in own:
        return
    if _PROGRAM.fullmatch(name):
        found.programs.add(name)
    elif name[:1].isdigit():
        return  # a range such as 0..$last, which the parser takes for a command
    elif not re.fullmatch(r"[A-Za-z]+-\w+", name):
        found.unknown.add(name)
    else:
        found.cmdlets.setdefault(name, set()).update(passed)
        _add_named(command, name, found)


def _add_named(command: Node, name: str, found: Calls) -> None:
    """Add what a cmdlet reaches by a name it is given: a type of .NET or COM, a CIM class and its method."""
    if name == "New-Object":
        kind = _literal(argument(command, "TypeName"))
        com = _literal(argument(command, "ComObject"))
        if kind:
            found.methods.add(f"{_type_name(kind)}::new")
        elif com:
            found.com.add(com)
        else:
            found.unknown.add(text(command).partition("\n")[0])
    class_name = _literal(argument(command, "ClassName"))
    method = _literal(argument(command, "MethodName"))
    if class_name:
        found.cim.add(class_name)
    if method:
        found.cim.add(f"{class_name or '*'}.{method}")


def _literal(source: str) -> str:
    match = re.fullmatch(r"'([^']*)'", source)
    return match[1] if match else ""


def _add_method(node: Node, found: Calls) -> None:
    target, operator, member, *_ = node.children
    if text(operator) != "::":
        found.instance_methods.add(text(member))
    elif target.type == "type_literal":
        found.methods.add(f"{_type_name(text(target)[1:-1])}::{text(member)}")
    else:
        found.unknown.add(text(node).partition("(")[0])


def _type_name(written: str) -> str:
    """Name a generic type as its documentation does: ``Dictionary[K, V]`` is ``Dictionary-2``."""
    name, bracket, arguments = written.partition("[")
    return f"{name}-{arguments.count(',') + 1}" if bracket else name
