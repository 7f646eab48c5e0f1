"""Hold the configuration files that roles write against the options their services have.

The rule of the room: the text decides what is wrong, and is looked at once wherever it comes again; where it
came from decides the place that is told. A value may be a secret that stands there by mistake, so no line of a
source is quoted with its value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import Severity, SourceRange, did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.expressions import ExpressionError, literal_arguments, names_in
from provisioner.options.catalogue import folded, is_known, releases
from provisioner.options.check import check_text
from provisioner.options.reading import read_lines
from provisioner.roles.checking.services import PROPERTY, check_service
from provisioner.roles.masking import starred

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import Diagnostics
    from provisioner.documents import Tree
    from provisioner.options.faults import Fault
    from provisioner.options.reading import Assignment
    from provisioner.roles.memo import Memo
    from provisioner.roles.model import Declaration, DeclaredOptions, Role
    from provisioner.roles.statements.binding import RolesOfNode

#: A place for a secret in the text: its value is seen by nobody before the node.
PLACEHOLDER: Final = re.compile(r"@\{secret:[^}\r\n]*\}")
#: A series of OpenStack, or the version of a package.
_RELEASE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
#: Faults that are told of one file of one node.
_MOST_TOLD: Final = 20
#: What a line says that is no secret: an expression without a text in it.
_EXPRESSION: Final = re.compile(r"\{\{[^'\"{}]*\}\}")


def check_options(
    declaration: Declaration, role: Role, of_node: RolesOfNode, memo: Memo, problems: Diagnostics
) -> None:
    """Report every option in a resource's text that its service does not take as it stands there."""
    options = declaration.options
    contents = next(
        (each.value for each in declaration.properties if each.name.name.casefold() == PROPERTY.casefold()),
        None,
    )
    if options is None or contents is None or not isinstance(contents.data, str):
        return
    _check_secrets(declaration, contents.data, role, of_node, problems)
    if options.service not in releases():
        check_service(options.service, options.service_where, problems)
        return
    if not is_known(options.service, options.release):
        _report_unlisted(options, problems)
        return
    key = contents.data, options.service, options.release
    faults = memo.faults.get(key)
    if faults is None:
        faults = tuple(check_text(*key, placeholder=PLACEHOLDER))
        memo.faults.put(key, faults)
    if not faults:
        return
    origins = _Origins(contents.data, options, role, of_node, memo)
    name = f"'[{declaration.type_name}]{declaration.name}' on node '{of_node.node.name}'"
    for fault in faults[:_MOST_TOLD]:
        place = " ".join(filter(None, [f"[{fault.section}]" if fault.section else "", fault.option]))
        add = problems.error if fault.severity is Severity.ERROR else problems.warning
        add(
            "Configuration file is not what its service reads",
            f"{name}, line {fault.line} of its text{f', {place}' if place else ''}: {fault.message}",
            origins.of(fault) or contents.where,
            fault.help,
        )
    if len(faults) > _MOST_TOLD:
        problems.error(
            "Configuration file has more faults",
            f"Of {name} the first {_MOST_TOLD} faults are told, and there are more.",
            contents.where,
            "Correct these, and ask again.",
        )


def _check_secrets(
    declaration: Declaration, text: str, role: Role, of_node: RolesOfNode, problems: Diagnostics
) -> None:
    """Report a placeholder in a variable's option that stands for no secret, where the option is given."""
    written = declaration.options.contents if declaration.options else None
    given = (each for each in declaration.properties if each.name.name.casefold() == "secrets")
    secrets = next((each.value.data for each in given), None)
    if written is None or PLACEHOLDER.search(text) is None:
        return
    names = [name for name, kept in secrets.items() if kept] if isinstance(secrets, dict) else []
    for each in read_lines(text).assignments:
        value = "\n".join([each.value, *(more for _, more in each.more)])
        for name in (found[0][len("@{secret:") : -1] for found in PLACEHOLDER.finditer(value)):
            where = None
            if name not in names:
                where = option_of_variable(written.text, (each.section, each.name), role, of_node)
            if where is not None:
                problems.error(
                    "Unknown secret",
                    f"Option '{each.name}' of [{each.section}] on node '{of_node.node.name}' asks for "
                    f"'@{{secret:{name}}}', and there is no secret of this name.",
                    where,
                    did_you_mean(name, names)
                    or "Name it, with a reference to where it is kept, in the role's variable for such secrets.",
                )


def _report_unlisted(options: DeclaredOptions, problems: Diagnostics) -> None:
    """Say that a text cannot be looked at: nobody listed the options of this release, or it is none."""
    if not _RELEASE.fullmatch(options.release):
        problems.error(
            "Unknown release",
            f"'{options.release}' is no release of {options.service}: numbers with dots between them.",
            options.release_where,
            did_you_mean(options.release, releases()[options.service]),
        )
        return
    problems.warning(
        "Options are not checked",
        f"Nobody listed the options of {options.service} {options.release}, so its configuration file is not "
        "held against them.",
        options.release_where,
        f"Listed are the releases {', '.join(releases()[options.service])}.",
    )


def option_of_variable(
    text: str, path: tuple[str, ...], role: Role, of_node: RolesOfNode, index: int | None = None
) -> SourceRange | None:
    """Return where a variable that an expression reads has an option; None when none has it.

    Args:
        text: The expression; what stands last in it lies on top.
        path: A section and an option, or only a section.
        role: Whose expression it is.
        of_node: The values.
        index: Which of the values of an option that is given several times is meant.
    """
    for name in sorted(names_in(text) or (), key=text.rfind, reverse=True):
        variable = of_node.variable(role, name)
        given = of_node.given(role, name)
        tree = given[1].tree if given else variable.default_tree if variable else None
        found = _entry(tree, path) if isinstance(tree, Mapping) else None
        if found is not None and tree is not None:
            key, value = found
            if isinstance(value, Sequence) and index is not None and index < len(value.items):
                key = value.items[index].where
            hidden = tuple(_scalars(tree))
            return starred(key, *hidden) if hidden else key
    return None


def _entry(tree: Mapping, path: tuple[str, ...]) -> tuple[SourceRange, Tree] | None:
    # The very name first: two spellings of one section may stand there.
    for section in sorted(tree.entries, key=lambda each: each.name != path[0]):
        if folded(section.name) != folded(path[0]):
            continue
        if len(path) == 1:
            return section.key.where, section.value
        entry = section.value.entry(path[1]) if isinstance(section.value, Mapping) else None
        if entry:
            return entry.key.where, entry.value
    return None


def _scalars(tree: Tree) -> Iterator[SourceRange]:
    """Yield where single values stand, however deep; names of sections and options are no secrets."""
    if isinstance(tree, Scalar):
        yield tree.where
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from _scalars(item)
    else:
        for entry in tree.entries:
            yield from _scalars(entry.value)


class _Origins:
    """Finds where a line of a text came from: a variable, a text file, or the configuration itself."""

    def __init__(
        self, contents: str, options: DeclaredOptions, role: Role, of_node: RolesOfNode, memo: Memo
    ) -> None:
        self._lines = read_lines(contents)
        self._written = options.contents
        self._role = role
        self._of_node = of_node
        self._memo = memo

    def of(self, fault: Fault) -> SourceRange | None:
        """Return the place to blame; None when only the whole text can be blamed."""
        text = self._written.text if self._written else ""
        # The option whose value goes on in the line, not one that is lost in it.
        blamed = next((each for each in self._lines.assignments if fault.line in _numbers(each)), None)
        if blamed is None:
            return None
        same = [
            each.line
            for each in self._lines.assignments
            if each.name == blamed.name and folded(each.section) == folded(blamed.section)
        ]
        index = same.index(blamed.line) if len(same) > 1 else None
        path = (blamed.section, blamed.name)
        return option_of_variable(text, path, self._role, self._of_node, index) or self._in_texts(blamed)

    def _in_texts(self, blamed: Assignment) -> SourceRange | None:
        """Look for the option in the text files, the one on top first, then in the configuration itself."""
        written = self._written
        if written is None:
            return None
        required = self._of_node.required(self._role)
        for name in reversed(literal_arguments(written.text, "template") or ()):
            try:
                text, source, _ = self._memo.texts.read(self._role.folder, name, required)
            except ExpressionError:
                continue
            line = _line_of(blamed, text or "")
            if line:
                return _without_value(SourceRange(source, line, 1, line, len(source.line(line)) + 1))
        where = written.where
        below = [where.source.line(number) for number in range(where.line + 1, where.end_line + 1)]
        indent = min((len(each) - len(each.lstrip()) for each in below if each.strip()), default=0)
        line = _line_of(blamed, "\n".join(each[indent:] for each in below))
        if not line:
            return None
        line += where.line
        return _without_value(
            SourceRange(where.source, line, indent + 1, line, len(where.source.line(line)) + 1)
        )


def _numbers(assignment: Assignment) -> list[int]:
    return [assignment.line, *(number for number, _ in assignment.more)]


def _line_of(blamed: Assignment, text: str) -> int:
    """Return the line of a text that is not yet evaluated where an option is given; 0 when it cannot be told."""
    named = [each for each in read_lines(text).assignments if each.name == blamed.name]
    own = [each.line for each in named if folded(each.section) == folded(blamed.section)]
    return own[-1] if own else named[0].line if len(named) == 1 else 0


def _without_value(where: SourceRange) -> SourceRange:
    """Return a position in a line ``name = value`` whose value is starred out, unless it says nothing."""
    line = where.source.line(where.line)
    marks = [at for at in (line.find("="), line.find(":")) if at >= 0]
    if not marks or _EXPRESSION.fullmatch(line[min(marks) + 1 :].strip()):
        return where
    value = SourceRange(where.source, where.line, min(marks) + 2, where.line, len(line) + 1)
    return starred(where, value)
