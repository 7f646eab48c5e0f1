"""Read ``inventory.yaml``: one file in, an inventory or all of its problems out.

The rule of the room: nothing here asks the network or resolves a secret, and no message prints a password
that stands in the file by mistake.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner import documents
from provisioner.addresses import NodeName
from provisioner.diagnostics import Diagnostics, SourceFile, did_you_mean
from provisioner.documents import Mapping, Scalar, Tree, scalars
from provisioner.inventory import logons, masking, openstack, schema
from provisioner.inventory.groups import MAX_GROUPS, Groups
from provisioner.inventory.ladder import Ladder, NodeSource, text, texts
from provisioner.inventory.model import RESERVED_VARIABLES, Inventory
from provisioner.inventory.rules import read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.diagnostics import SourceRange

#: Names of nodes: host names and Windows computer names alike (RFC 1123, section 2.1).
_NODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
#: What stands between the name of a node and ``.mof`` in the file of its LCM settings.
_META: Final = ".meta"
_GROUP: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

_LISTED: Final = 8


def load_inventory(path: Path, hidden: Iterable[SourceRange] = ()) -> tuple[Inventory | None, Diagnostics]:
    """Read an inventory.

    Args:
        path: The file, or the folder that holds ``inventory.yaml``.
        hidden: Places no message may quote, beyond those that look like passwords by themselves.

    Returns:
        The inventory and all problems. None exactly when there is at least one error.
    """
    if path.is_dir():
        path = path / "inventory.yaml"
    written, source, problems = documents.read_text(path, limits=documents.WHOLE_SITE)
    if written is None:
        return None, problems
    return read_inventory(written, masking.mask_places(source, hidden))


def read_inventory(written: str, source: SourceFile) -> tuple[Inventory | None, Diagnostics]:
    """Read an inventory from its text; ``source`` names it and is what messages quote, masked."""
    with documents.uncollected():
        return _read(written, source)


def _read(written: str, source: SourceFile) -> tuple[Inventory | None, Diagnostics]:
    quoted = masking.mask_lines(source)
    tree, problems = documents.parse(written, quoted, documents.WHOLE_SITE)
    if tree is None:
        return None, problems
    masked = masking.mask_connections(tree, quoted)
    if masked.text != quoted.text:
        tree, problems = documents.parse(written, masked, documents.WHOLE_SITE)
        assert tree is not None
    problems.extend(schema.check(tree))
    file = _File(tree, problems)
    file.check()
    if problems.has_errors:
        return None, problems
    return file.inventory(source.path), problems


class _File:
    """The checks that need more than one place of the file. Ill-formed parts are the schema's to report."""

    def __init__(self, tree: Tree, problems: Diagnostics) -> None:
        self._tree = tree if isinstance(tree, Mapping) else Mapping((), tree.where)
        self._problems = problems
        self._groups = Groups(self._tree.get("groups"))
        self._rules, self._ruled = read_rules(self._tree.get("merge"), problems)
        ladder = Ladder(self._tree, self._groups, self._rules)
        self._nodes = [ladder.node(key, value) for key, value in _section(self._tree, "nodes")]

    def check(self) -> None:
        self._check_names()
        named: set[str] = set()
        for place in self._places():
            self._check_variables(place, named)
        self._check_rules(named)
        self._groups.check(self._problems)
        self._check_group_lists()
        self._check_after()
        self._check_undone()
        self._check_endpoints()
        self._check_complete("user", "user: NAME")
        form = "password: env:NAME' or 'password: file:PATH"
        self._check_complete("password", form)
        logons.check(self._nodes, self._problems)
        openstack.check(self._tree, self._places(), self._nodes, self._problems)
        nodes = self._tree.get("nodes")
        is_empty = isinstance(nodes, Mapping) or (isinstance(nodes, Scalar) and nodes.value is None)
        if is_empty and not self._nodes:
            entry = self._tree.entry("nodes")
            where = entry.key.where if entry else self._tree.where
            help_ = "Write one key for each machine below 'nodes:'."
            self._problems.error("Inventory is empty", "There is no node in it.", where, help_)

    def inventory(self, path: str) -> Inventory:
        nodes = {NodeName(source.name): source.node() for source in self._nodes}
        members: dict[str, list[NodeName]] = {group: [] for group in self._groups.places}
        for name, node in nodes.items():
            for group in node.groups:
                members[group].append(name)
        return Inventory(
            path=path,
            site=text(self._tree.get("site")) or "",
            nodes=nodes,
            groups={group: tuple(names) for group, names in members.items()},
            children=self._groups.children,
            cloud=openstack.read_cloud(self._tree),
        )

    def _places(self) -> Iterator[Mapping]:
        yield self._tree
        for place in (*self._groups.places.values(), *(node.own for node in self._nodes)):
            if isinstance(place, Mapping):
                yield place

    def _check_names(self) -> None:
        written = [key for key, _ in _section(self._tree, "groups")]
        groups = {key.text.casefold(): key for key in written}
        for key in written:
            if not _GROUP.fullmatch(key.text):
                detail = "A group starts with a letter; letters, digits, '_' and '-' follow, up to 63 in all."
                self._problems.error("Group name has a wrong form", detail, key.where)
        seen: dict[str, Scalar] = {}
        for node in self._nodes:
            folded = node.name.casefold()
            if not _NODE.fullmatch(node.name):
                detail = (
                    "A node name has up to 63 letters, digits, '-' and '.', neither first nor last a sign."
                )
                help_ = "What it is reached by goes under 'address:', which may be longer."
                self._problems.error("Node name has a wrong form", detail, node.key.where, help_)
            if folded in seen:
                line = seen[folded].where.line
                detail = f"Windows does not tell '{node.name}' from '{seen[folded].text}' in line {line}."
                self._problems.error("Node appears twice", detail, node.key.where)
            if folded in groups:
                detail = f"'{node.name}' is the name of a group too (line {groups[folded].where.line})."
                help_ = "Rename one of them: --limit takes both kinds of names."
                self._problems.error("Name is used twice", detail, node.key.where, help_)
            seen.setdefault(folded, node.key)
        for folded, key in seen.items():
            other = seen.get(folded.removesuffix(_META))
            if other is not None and other is not key:
                self._problems.error(
                    "Two nodes share a file",
                    f"The settings of '{other.text}' (line {other.where.line}) and the document of '{key.text}' "
                    "would be one file.",
                    key.where,
                    "Rename one of them.",
                )

    def _check_variables(self, place: Mapping, named: set[str]) -> None:
        """Check names and values; ``named`` holds the names seen so far, which are checked once."""
        variables = place.get("variables")
        if not isinstance(variables, Mapping):
            return
        for entry in variables.entries:
            if entry.name not in named and self._is_good_name(entry.key):
                named.add(entry.name)
            for scalar in scalars(entry.value):
                if "{" in scalar.text and ("{{" in scalar.text or "{%" in scalar.text):
                    self._problems.warning(
                        "Expression is not evaluated here",
                        "Variables are data; the braces will reach the node as they stand.",
                        scalar.where,
                        "Write expressions in roles and configurations.",
                    )

    def _is_good_name(self, key: Scalar) -> bool:
        if not _VARIABLE.fullmatch(key.text):
            detail = "A variable starts with a letter and goes on with letters, digits and '_'."
            self._problems.error("Variable name has a wrong form", detail, key.where)
            return False
        if key.text.casefold() in RESERVED_VARIABLES:
            detail = f"'{key.text}' has a meaning of its own inside expressions."
            self._problems.error("Variable name is taken", detail, key.where, "Choose another name.")
            return False
        return True

    def _check_rules(self, named: set[str]) -> None:
        for name, where in self._ruled.items():
            if name not in named:
                detail = f"No node, no group and not the site gives a variable '{name}'."
                self._problems.warning("Merge rule is never used", detail, where, did_you_mean(name, named))

    def _check_group_lists(self) -> None:
        known = self._groups.places
        for node in self._nodes:
            if len(node.shared.groups) > MAX_GROUPS:
                detail = f"With all groups around its own, '{node.name}' is in more than {MAX_GROUPS}."
                self._problems.error("Node is in too many groups", detail, node.key.where)
            seen: set[str] = set()
            for item in texts(node.own.get("groups") if node.own else None):
                if item.text not in known:
                    detail = f"There is no group '{item.text}' under 'groups:'."
                    help_ = did_you_mean(item.text, known) or "Write it under 'groups:' first."
                    self._problems.error("Unknown group", detail, item.where, help_)
                elif item.text in seen:
                    detail = f"'{item.text}' is in this list already, and only its first place counts."
                    self._problems.warning("Group is listed twice", detail, item.where)
                seen.add(item.text)
            if not node.has_roles():
                detail = (
                    f"Neither '{node.name}' nor any of its groups names a role, so nothing is done to it."
                )
                help_ = "Write 'roles: [NAME]' in the node or in one of its groups."
                self._problems.warning("Node has no role", detail, node.key.where, help_)

    def _check_after(self) -> None:
        """Report what nobody can wait for: names of nothing."""
        known = {*self._groups.places, *(node.name for node in self._nodes)}
        for place in self._places():
            for item in texts(place.get("after")):
                if item.text not in known:
                    detail = f"There is no node and no group '{item.text}' to come after."
                    self._problems.error(
                        "Unknown node or group", detail, item.where, did_you_mean(item.text, known)
                    )

    def _check_undone(self) -> None:
        """Report roles a node has and that are to be undone on it; once for each pair of entries."""
        told: set[tuple[SourceRange, SourceRange]] = set()
        for node in self._nodes:
            undone = node.decommission
            roles = node.roles if undone else {}
            for name, use in undone.items():
                if name in roles and (use.where, roles[name].where) not in told:
                    told.add((use.where, roles[name].where))
                    self._problems.error(
                        "Role is needed and undone",
                        f"Node '{node.name}' has the role '{name}' (line {roles[name].where.line}), and it is to "
                        "be undone there.",
                        use.where,
                        "Keep one of the two entries.",
                    )

    def _check_endpoints(self) -> None:
        seen: dict[tuple[str, int], NodeSource] = {}
        for node in self._nodes:
            endpoint = (node.address.casefold(), node.port)
            other = seen.setdefault(endpoint, node)
            if other is not node:
                address = node.own.get("address") if node.own else None
                self._problems.error(
                    "Two nodes at one address",
                    f"'{node.name}' and '{other.name}' (line {other.key.where.line}) share"
                    f" {node.address} port {node.port}.",
                    address.where if address else node.key.where,
                    "Give each its own 'address:', or its own 'port:' under 'connection:'.",
                )

    def _check_complete(self, key: str, form: str) -> None:
        """Report the nodes that lack a setting: once, however many they are."""
        lacking = [node for node in self._nodes if key not in node.connection and logons.needs_account(node)]
        if not lacking:
            return
        names = ", ".join(f"'{node.name}'" for node in lacking[:_LISTED])
        more = f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else ""
        self._problems.error(
            f"Node has no {key}",
            f"No {key} is given for {names}{more}.",
            lacking[0].key.where,
            f"Write '{form}' under 'connection:' of the node, of one of its groups or of the whole inventory.",
        )


def _section(tree: Mapping, name: str) -> list[tuple[Scalar, Tree]]:
    section = tree.get(name)
    return [(entry.key, entry.value) for entry in section.entries] if isinstance(section, Mapping) else []
