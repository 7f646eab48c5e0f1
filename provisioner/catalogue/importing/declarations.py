"""What a PowerShell script declares: classes, enumerations, functions and configurations with parameters.

Nothing is run. Method bodies and everything between declarations are skipped by their brackets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner.catalogue.importing.cursor import Cursor, Static
from provisioner.catalogue.importing.tokens import Script, ScriptProblem, Token, TokenKind
from provisioner.diagnostics import SourceRange

#: Attributes whose arguments are names alone mean true: ``DscProperty(Key)``.
_MODIFIERS = ("hidden", "static")


@dataclass(frozen=True, slots=True)
class Attribute:
    """``[Name(value, Name = value)]``. ``is_whole`` is False when an argument would have to be run."""

    name: str
    values: tuple[Static, ...]
    named: Mapping[str, Static]
    where: SourceRange
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Variable:
    """A class property or a parameter. ``default`` is None too where the default would have to be run."""

    name: str
    type_name: str
    attributes: tuple[Attribute, ...]
    default: Static
    where: SourceRange
    is_static: bool = False

    def attribute(self, name: str) -> Attribute | None:
        """Return the first attribute of this name, given in lower case."""
        return next((each for each in self.attributes if each.name == name), None)


@dataclass(frozen=True, slots=True)
class ClassDeclaration:
    """``class Name : Base``, with its properties in the order they are written."""

    name: str
    bases: tuple[str, ...]
    properties: tuple[Variable, ...]
    attributes: tuple[Attribute, ...]
    where: SourceRange

    @property
    def is_resource(self) -> bool:
        """Whether it carries ``[DscResource()]``."""
        return any(each.name == "dscresource" for each in self.attributes)


@dataclass(frozen=True, slots=True)
class EnumDeclaration:
    """``enum Name``, with the names of its values."""

    name: str
    values: tuple[str, ...]
    where: SourceRange


@dataclass(frozen=True, slots=True)
class CommandDeclaration:
    """``function Name`` or ``Configuration Name``. ``tables`` are the hashtables its body writes out."""

    name: str
    is_configuration: bool
    parameters: tuple[Variable, ...]
    tables: tuple[dict[str, Static], ...]
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Declarations:
    """All declarations of a script, and what could not be read in it."""

    classes: list[ClassDeclaration] = field(default_factory=list)
    enums: list[EnumDeclaration] = field(default_factory=list)
    commands: list[CommandDeclaration] = field(default_factory=list)
    problems: list[tuple[str, SourceRange]] = field(default_factory=list)


def read_declarations(script: Script) -> Declarations:
    """Read the declarations at the top level of a script.

    A declaration that cannot be read is left out and told of; reading goes on behind it.
    """
    found = Declarations()
    try:
        cursor = Cursor(script)
        attributes: list[Attribute] = []
        is_start = True
        while cursor.token is not None:
            is_start = _statement(cursor, found, attributes, is_start=is_start)
    except ScriptProblem as problem:
        found.problems.append((problem.message, script.where(problem.start, problem.end)))
    return found


def _statement(cursor: Cursor, found: Declarations, attributes: list[Attribute], *, is_start: bool) -> bool:
    """Step over a token or a declaration; return whether a statement may start behind it."""
    token = cursor.token
    assert token is not None
    if token.kind is TokenKind.NEW_LINE or token.is_symbol(";"):
        cursor.take()
        return True
    if is_start and token.is_symbol("["):
        bracket = read_bracket(cursor)
        if isinstance(bracket, Attribute):
            attributes.append(bracket)
        return True
    readers = {
        "class": _class,
        "enum": _enum,
        "function": _command,
        "filter": _command,
        "configuration": _command,
    }
    reader = readers.get(token.text.casefold()) if is_start and token.kind is TokenKind.WORD else None
    taken = tuple(attributes)
    attributes.clear()
    if reader is not None:
        start = cursor.position
        try:
            reader(cursor, found, taken)
        except ScriptProblem as problem:
            where = cursor.script.where(problem.start, problem.end)
            found.problems.append((problem.message, where))
            cursor.position = start
            _skip_declaration(cursor)
        return True
    if token.is_symbol("{", "(", "[", "@{", "@(", "$("):
        cursor.skip_group()
        return token.is_symbol("{")
    cursor.take()
    return False


def _skip_declaration(cursor: Cursor) -> None:
    while cursor.token is not None and not cursor.at_symbol("{"):
        cursor.take()
    if cursor.token is not None:
        cursor.skip_group()


def read_bracket(cursor: Cursor) -> Attribute | str:
    """Read ``[...]``: an attribute when it has arguments, else the name of a type."""
    opening = cursor.expect("[")
    pieces: list[str] = []
    depth = 1
    while True:
        token = cursor.take()
        if token.is_symbol("["):
            depth += 1
        elif token.is_symbol("]"):
            depth -= 1
            if not depth:
                return "".join(pieces)
        elif token.is_symbol("(") and depth == 1:
            cursor.position -= 1
            return _attribute(cursor, "".join(pieces), opening)
        elif token.kind is not TokenKind.WORD and not token.is_symbol(","):
            if token.kind is TokenKind.NEW_LINE:
                continue
            raise ScriptProblem(
                "The name of a type or an attribute is expected here.", token.start, token.end
            )
        pieces.append(token.text)


def _attribute(cursor: Cursor, name: str, opening: Token) -> Attribute:
    start, end = cursor.skip_group()
    arguments = cursor.inside(start, end)
    values: list[Static] = []
    named: dict[str, Static] = {}
    is_whole = True
    while True:
        _skip_lines(arguments)
        if arguments.token is None:
            break
        is_whole &= _argument(arguments, values, named)
        if arguments.token is not None:
            arguments.expect(",")
    _skip_lines(cursor)
    closing = cursor.expect("]")
    short = name.strip().casefold().rpartition(".")[2].removesuffix("attribute")
    where = cursor.script.where(opening.start, closing.end)
    return Attribute(short, tuple(values), named, where, is_whole)


def _argument(arguments: Cursor, values: list[Static], named: dict[str, Static]) -> bool:
    """Read one argument; return whether it is written out."""
    start = arguments.position
    first = arguments.take()
    is_named = first.kind is TokenKind.WORD and arguments.at_symbol("=")
    if first.kind is TokenKind.WORD and (arguments.token is None or arguments.at_symbol(",")):
        if not first.text[:1].isdigit() and first.text[:1] not in "+-":
            named[first.text.casefold()] = True
            return True
    elif is_named:
        arguments.take()
        start = arguments.position
    arguments.position = start
    # A comma separates arguments here, so each is read as one item of a list of its own.
    stop = arguments.inside(start, _argument_end(arguments))
    try:
        found = stop.value()
        _skip_lines(stop)
        is_whole = stop.token is None
    except ScriptProblem:
        is_whole = False
    if is_whole and is_named:
        named[first.text.casefold()] = found
    elif is_whole:
        values.append(found)
    return is_whole


def _argument_end(arguments: Cursor) -> int:
    arguments.skip_expression(",")
    return arguments.position


def _class(cursor: Cursor, found: Declarations, attributes: tuple[Attribute, ...]) -> None:
    cursor.take()
    name = _name(cursor)
    bases: list[str] = []
    _skip_lines(cursor)
    if cursor.at_symbol(":"):
        cursor.take()
        while not cursor.at_symbol("{"):
            token = cursor.take()
            if token.is_symbol("["):
                cursor.position -= 1
                cursor.skip_group()
            elif token.kind is TokenKind.WORD:
                bases.append(token.text)
    start, end = _block(cursor)
    body = cursor.inside(start, end)
    properties: list[Variable] = []
    while True:
        body.skip_breaks()
        if body.token is None:
            break
        member = _member(body)
        if member:
            properties.append(member)
    where = cursor.script.where(name.start, name.end)
    found.classes.append(ClassDeclaration(name.text, tuple(bases), tuple(properties), attributes, where))


def _member(body: Cursor) -> Variable | None:
    """Read one member of a class; None for a method."""
    attributes: list[Attribute] = []
    type_name, is_static = "", False
    while True:
        _skip_lines(body)
        if body.at_symbol("["):
            bracket = read_bracket(body)
            if isinstance(bracket, Attribute):
                attributes.append(bracket)
            else:
                type_name = bracket
        elif body.at_word(*_MODIFIERS):
            is_static |= body.take().is_word("static")
        else:
            break
    if body.at_kind(TokenKind.VARIABLE):
        name = body.take()
        default = _default(body, ";", "\n")
        where = body.script.where(name.start, name.end)
        return Variable(name.text, type_name, tuple(attributes), default, where, is_static)
    _method(body)
    return None


def _method(body: Cursor) -> None:
    _name(body)
    if not body.at_symbol("("):
        raise body.problem("This is no property and no method of a class.")
    body.skip_group()
    _skip_lines(body)
    if body.at_symbol(":"):  # a constructor that hands on to its base
        body.take()
        body.take()
        _skip_lines(body)
        body.skip_group()
    _block(body)


def _enum(cursor: Cursor, found: Declarations, _: tuple[Attribute, ...]) -> None:
    cursor.take()
    name = _name(cursor)
    while cursor.token is not None and not cursor.at_symbol("{"):
        cursor.take()
    start, end = _block(cursor)
    body = cursor.inside(start, end)
    values: list[str] = []
    while True:
        body.skip_breaks()
        if body.token is None:
            break
        values.append(_name(body).text)
        if body.at_symbol("="):
            body.skip_expression(";", "\n", ",")
        if body.at_symbol(","):
            body.take()
    where = cursor.script.where(name.start, name.end)
    found.enums.append(EnumDeclaration(name.text, tuple(values), where))


def _command(cursor: Cursor, found: Declarations, _: tuple[Attribute, ...]) -> None:
    is_configuration = cursor.take().is_word("configuration")
    name = cursor.take()
    if name.kind is TokenKind.STRING and name.value is not None:
        text = name.value
    elif name.kind is TokenKind.WORD:
        text = name.text
    else:
        raise ScriptProblem("A name is expected here.", name.start, name.end)
    if cursor.at_symbol(":"):  # function script:Name
        cursor.take()
        text = _name(cursor).text
    _skip_lines(cursor)
    parameters: tuple[Variable, ...] = ()
    if cursor.at_symbol("("):
        parameters = _parameters(cursor)
        _skip_lines(cursor)
    start, end = _block(cursor)
    body = cursor.inside(start, end)
    parameters = _param_block(body) or parameters
    where = cursor.script.where(name.start, name.end)
    tables = _tables(body) if is_configuration else ()
    found.commands.append(CommandDeclaration(text, is_configuration, parameters, tables, where))


def _param_block(body: Cursor) -> tuple[Variable, ...]:
    body.skip_breaks()
    while body.at_symbol("["):  # [CmdletBinding()], [OutputType([string])], suppressed warnings
        body.skip_group()
        body.skip_breaks()
    if not body.at_word("param"):
        return ()
    body.take()
    _skip_lines(body)
    return _parameters(body)


def _parameters(cursor: Cursor) -> tuple[Variable, ...]:
    start, end = cursor.skip_group()
    inner = cursor.inside(start, end)
    found: list[Variable] = []
    while True:
        _skip_lines(inner)
        if inner.token is None:
            return tuple(found)
        attributes: list[Attribute] = []
        type_name = ""
        while inner.at_symbol("["):
            bracket = read_bracket(inner)
            if isinstance(bracket, Attribute):
                attributes.append(bracket)
            else:
                type_name = bracket
            _skip_lines(inner)
        if not inner.at_kind(TokenKind.VARIABLE):
            raise inner.problem("The name of a parameter is expected here.")
        name = inner.take()
        where = inner.script.where(name.start, name.end)
        _skip_lines(inner)
        default = _default(inner, ",")
        found.append(Variable(name.text, type_name, tuple(attributes), default, where))
        _skip_lines(inner)
        if inner.token is not None:
            inner.expect(",")


def _default(cursor: Cursor, *stops: str) -> Static:
    """Step over ``= value`` if it stands here; return the value when it is written out."""
    if not cursor.at_symbol("="):
        return None
    cursor.take()
    _skip_lines(cursor)
    start = cursor.position
    cursor.skip_expression(*stops)
    expression = cursor.inside(start, cursor.position)
    try:
        found = expression.value()
        _skip_lines(expression)
    except ScriptProblem:
        return None
    return found if expression.token is None else None


def _tables(body: Cursor) -> tuple[dict[str, Static], ...]:
    """Return the hashtables a body assigns, entry by entry: those that would have to be run are left out."""
    found = []
    while body.token is not None:
        if not body.at_symbol("@{"):
            body.take()
            continue
        start, end = body.skip_group()
        found.append(read_entries(body.inside(start, end)))
    return tuple(found)


def read_entries(table: Cursor) -> dict[str, Static]:
    """Read the inside of a hashtable; an entry that would have to be run has the value None."""
    found: dict[str, Static] = {}
    table.skip_breaks()
    while table.token is not None:
        key = table.take()
        if table.at_symbol("="):
            value = _default(table, ";", "\n")
            found[(key.value or key.text).casefold()] = value
        table.skip_expression(";", "\n")
        table.skip_breaks()
    return found


def _name(cursor: Cursor) -> Token:
    _skip_lines(cursor)
    token = cursor.take()
    if token.kind is not TokenKind.WORD:
        raise ScriptProblem("A name is expected here.", token.start, token.end)
    return token


def _block(cursor: Cursor) -> tuple[int, int]:
    _skip_lines(cursor)
    if not cursor.at_symbol("{"):
        raise cursor.problem("'{' is expected here.")
    return cursor.skip_group()


def _skip_lines(cursor: Cursor) -> None:
    while cursor.at_kind(TokenKind.NEW_LINE):
        cursor.take()
