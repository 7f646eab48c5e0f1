"""Evaluate one scalar as a Jinja2 expression with native types, and render text templates.

The rule of the room: an expression is a pure function of its variables. It has no clock, no dice, no files
and no way to change a value; what it may cost is bounded in text size, number size and loop steps.

What a scalar yields:

- without ``{{`` or ``{%``: its own text, untouched. ``[concat('a')]`` and ``{# #}`` are text as well.
- exactly one ``{{ expression }}``: the value itself, with its Python type. The line end that a block scalar
  leaves behind does not count; any other character beside the braces does.
- anything else: text, always. ``{{ major }}.{{ minor }}`` is the text ``1.0`` and never a number.

Variables are data: braces inside their values are never evaluated. Everything here is a list of what is
allowed (methods, filters, statements), since Jinja2's sandbox bounds neither size nor time.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GeneratorType
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from provisioner.errors import ProvisionerError

#: Longest text an expression or template may yield or read, in characters; also most items of a value.
MAX_SIZE: Final = 1024 * 1024
#: Largest integer an operation may yield, in bits. Python refuses to print much larger ones.
MAX_INTEGER_BITS: Final = 4096
#: Most loop steps of one evaluation, all loops together.
MAX_STEPS: Final = 200_000
#: Deepest nesting of a value.
MAX_DEPTH: Final = 100
_MAX_MESSAGE: Final = 300
_MAX_WIDTH: Final = 1000
_MAX_INDENT: Final = 8

_MARK: Final = re.compile(r"\{\{|\{%")
_CONVERSION: Final = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")

_NESTED_NAME: Final = re.compile(r"%\([^)]*\(")

_RESULT: Final = "_whole_scalar_"
_STEPS: Final = "_steps_"
_COUNTED: Final = "_counted_"

#: Methods of plain values; none changes its object, looks at the machine or makes much out of little
#: (``replace`` and ``join`` are bounded where they are called).
_TEXT_METHODS: Final = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace "
    "rfind rindex rpartition rsplit rstrip split splitlines startswith strip swapcase title upper"
)
_METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset(_TEXT_METHODS.split()),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    float: frozenset({"is_integer"}),
    int: frozenset(),
    bytes: frozenset(),
    type: frozenset(),
}

#: Jinja2's own filters that depend on nothing but their input and that keep its size in proportion.
_FILTERS: Final = (
    "abs capitalize count d default dictsort e escape filesizeformat first float groupby int items "
    "last length list lower map max min reject rejectattr reverse select selectattr sort string "
    "title trim truncate unique upper urlencode wordcount"
)

#: What a template may consist of, beside plain loops. No macros, no recursive loops, no blocks that capture
#: text: with them a short template could run for ever, and none is needed to write a configuration file.
_STATEMENTS: Final = (nodes.Output, nodes.If, nodes.Assign, nodes.With)


class ExpressionError(ProvisionerError):
    """An expression cannot be read or evaluated.

    Attributes:
        message: One sentence without position.
        offset_line: Line inside the text, from 1; None when it is not known.
        undefined_name: The variable or key that does not exist, when that is the reason.
        known: Names that would have been possible in its place, sorted.
    """

    def __init__(
        self,
        message: str,
        offset_line: int | None = None,
        undefined_name: str | None = None,
        known: tuple[str, ...] = (),
    ) -> None:
        self.message = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + "…"
        self.offset_line = offset_line
        self.undefined_name = undefined_name
        self.known = known
        super().__init__(self.message)


def is_expression(text: str) -> bool:
    """Return whether evaluating the text could yield anything but the text itself."""
    return _MARK.search(text) is not None


class Expressions:
    """Variables and functions that expressions see.

    Args:
        variables: Plain data (None, bool, int, float, str, list, tuple, dict), or objects whose public
            attributes may be read. A variable hides a function of the same name.
        functions: Called with plain data; an ``ExpressionError`` they raise passes through unchanged.
    """

    def __init__(
        self, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        self._names: dict[str, Any] = {**(functions or {}), **variables}

    def evaluate(self, text: str) -> Any:
        """Return what one scalar means; see the module's docstring for its type.

        Raises:
            ExpressionError: The text is no valid expression, a name is undefined, the evaluation fails, the
                result is not plain data, or one of the bounds is hit.
        """
        if not is_expression(text):
            return text
        compiled, is_whole = _compiled(text)
        if not is_whole:
            return self._text(compiled)
        context = self._context(compiled)
        try:
            for _ in compiled.root_render_func(context):
                pass  # one assignment; it writes nothing
            value = context.vars[_RESULT]
            _check_plain(value)
        except Exception as error:  # noqa: BLE001 - anything a user's expression can provoke
            raise self._translated(error) from None
        return value

    def render(self, template_text: str) -> str:
        """Return a text file made from a template. The last line end is kept, and so is every space.

        Raises:
            ExpressionError: As for ``evaluate``; ``offset_line`` is the line of the template.
        """
        return self._text(_compiled_template(template_text))

    def _text(self, compiled: jinja2.Template) -> str:
        context = self._context(compiled)
        chunks: list[str] = []
        size = 0
        try:
            for chunk in compiled.root_render_func(context):
                size += len(chunk)
                _bound(size)
                chunks.append(chunk)
        except Exception as error:  # noqa: BLE001 - anything a user's template can provoke
            raise self._translated(error) from None
        return "".join(chunks)

    def _context(self, compiled: jinja2.Template) -> Context:
        return compiled.new_context({**self._names, _STEPS: iter(range(MAX_STEPS))})

    def _translated(self, error: Exception) -> ExpressionError:
        if isinstance(error, ExpressionError):
            if error.offset_line is None:
                error.offset_line = _line_of(error)
            return error
        line = _line_of(error)
        match error:
            case _UndefinedUse() if error.owner is missing:
                known = tuple(sorted(self._names))
                return ExpressionError(
                    f"The variable '{error.name}' is not defined.", line, error.name, known
                )
            case _UndefinedUse():
                owner = error.owner
                known = tuple(sorted(map(str, owner))) if isinstance(owner, Mapping) else ()
                kind = _kind(owner)
                return ExpressionError(f"'{error.name}' does not exist in {kind}.", line, error.name, known)
            case SecurityError():
                return ExpressionError(str(error), line)
            case RecursionError():
                return ExpressionError("The expression is nested too deeply.", line)
            case MemoryError():
                return ExpressionError("The expression needs too much memory.", line)
            case _:
                said = str(error) or type(error).__name__
                return ExpressionError(f"The expression fails: {said}", line)


class _UndefinedUse(jinja2.UndefinedError):
    """Something undefined was used; ``owner`` is the value it was looked up in, ``missing`` for variables."""

    def __init__(self, message: str, name: str, owner: Any) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class _Undefined(jinja2.StrictUndefined):
    """Strict, and its error tells the name apart from the message."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ) -> None:
        if exc is jinja2.UndefinedError and hint is None and name is not None:
            # Jinja2 only ever calls it with the message.
            exc = functools.partial(_UndefinedUse, name=str(name), owner=obj)  # type: ignore[assignment]
        super().__init__(hint, obj, name, exc)


class _CodeGenerator(CodeGenerator):
    """Jinja2's ``~`` goes through the environment, so that its result can be bounded."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with lists of what is allowed and bounds on what it may cost."""

    code_generator_class = _CodeGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=_Undefined, finalize=_text_of, keep_trailing_newline=True, cache_size=0)
        self.globals = {"range": self.globals["range"], "dict": dict, "namespace": self.globals["namespace"]}
        self.filters = {name: _bounded(FILTERS[name]) for name in _FILTERS.split()}
        self.filters |= {
            "center": _center,
            "format": _format,
            "indent": _indent,
            "join": _join_filter,
            "replace": _replace,
            "round": _round,
            "sum": _sum,
            "tojson": _tojson,
            _COUNTED: _counted,
        }

    def joined(self, parts: Iterable[Any]) -> str:
        """Return the texts of some values as one; the operator ``~``."""
        return _join("", parts)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, names in _METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a key of a mapping to a method: ``disk.items`` is data when the disk has items."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def unsafe_undefined(self, obj: Any, attribute: str) -> jinja2.Undefined:
        hint = f"'{attribute}' of {_kind(obj)} is not available in expressions."
        return _Undefined(hint, obj, attribute, SecurityError)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``format`` to ``is_safe_attribute``, which refuses it: the operator ``%`` is bounded."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063
        # The names are Jinja2's: a call may pass arguments named self, context or obj.
        owner = getattr(__obj, "__self__", None)
        match getattr(__obj, "__name__", ""):
            case "replace" if isinstance(owner, str):
                return _replace(owner, *args, **kwargs)
            case "join" if isinstance(owner, str):
                return _join(owner, *args, **kwargs)
            case _:
                return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        match operator, left, right:
            case "*", int(), str() | list() | tuple():
                _bound(len(right) * left)
            case "*", str() | list() | tuple(), int():
                _bound(len(left) * right)
            case "*", int(), int():
                _bound_integer(left.bit_length() + right.bit_length())
            case "**", int(), int():
                _bound_integer(left.bit_length() * max(right, 0))
            case "+", str() | list() | tuple(), str() | list() | tuple():
                _bound(len(left) + len(right))
            case "%", str(), _:
                return _printf(left, right)
            case _:
                pass
        return super().call_binop(context, operator, left, right)


@functools.cache
def _environment() -> _Environment:
    return _Environment()


@functools.lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[jinja2.Template, bool]:
    """Return the code for a scalar and whether it is one whole expression."""
    whole = _without_line_end(text)
    tree = _parsed(whole if whole is not None else text)
    if whole is None:
        return _code(tree), False
    output = tree.body[0]
    assert isinstance(output, nodes.Output)
    expression = output.nodes[0]
    assignment = nodes.Assign(nodes.Name(_RESULT, "store"), expression, lineno=expression.lineno)
    whole_tree = nodes.Template([assignment], lineno=1)
    whole_tree.set_environment(_environment())
    return _code(whole_tree), True


def _without_line_end(text: str) -> str | None:
    """Return the text when it is one whole expression, without the line end of a block scalar.

    Decided on Jinja2's own tokens, so braces inside string literals and comments cannot mislead.
    """
    text = text.removesuffix("\n")
    try:
        kinds = [kind for _, kind, _ in _environment().lex(text)]
    except jinja2.TemplateError:
        return None  # reading it again tells what is wrong
    ends = (kinds[0], kinds[-1], kinds.count("variable_begin"))
    return text if ends == ("variable_begin", "variable_end", 1) else None


@functools.lru_cache(maxsize=256)
def _compiled_template(text: str) -> jinja2.Template:
    return _code(_parsed(text))


def _parsed(text: str) -> nodes.Template:
    if len(text) > MAX_SIZE:
        raise ExpressionError(f"The text has more than {MAX_SIZE} characters.")
    try:
        tree = _environment().parse(text)
        for statement in tree.find_all(nodes.Stmt):
            _check_statement(statement)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"This is not a valid expression: {_sentence(error)}", error.lineno) from None
    except RecursionError:
        raise ExpressionError("The expression is nested too deeply.") from None
    return tree


def _check_statement(statement: nodes.Stmt) -> None:
    """Refuse what is not on the list, and let loops count their steps."""
    if isinstance(statement, nodes.For) and not statement.recursive:
        line = statement.lineno
        statement.iter = nodes.Filter(statement.iter, _COUNTED, [], [], None, None, lineno=line)
        statement.iter.set_environment(_environment())
    elif not isinstance(statement, _STATEMENTS):
        name = type(statement).__name__
        raise ExpressionError(f"The statement '{name}' is not available here.", statement.lineno)


def _sentence(error: jinja2.TemplateSyntaxError) -> str:
    return f"{(error.message or 'it cannot be read').rstrip('.')}."


def _code(tree: nodes.Template) -> jinja2.Template:
    environment = _environment()
    try:
        # Given a tree, Jinja2 does not read it again; the annotation only knows text.
        return environment.from_string(tree)
    except jinja2.TemplateSyntaxError as error:
        raise ExpressionError(f"This is not a valid expression: {_sentence(error)}", error.lineno) from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ExpressionError("The expression is nested too deeply.") from None


def _line_of(error: BaseException) -> int | None:
    """Return the template line where an error arose: the innermost frame of generated code."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _bound(size: int) -> None:
    if size > MAX_SIZE:
        raise ExpressionError(f"The result has more than {MAX_SIZE} characters or items.")


def _bound_integer(bits: int) -> None:
    if bits > MAX_INTEGER_BITS:
        raise ExpressionError(f"The number has more than {MAX_INTEGER_BITS} bits.")


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "this mapping"
        case None:
            return "null"
        case _:
            return f"a value of type {type(value).__name__}"


def _size(value: Any, left: int = MAX_SIZE, depth: int = 0) -> int:
    """Return about how many characters a value has as text; stops early beyond the bound."""
    if depth > MAX_DEPTH:
        raise ExpressionError(f"The value is nested more than {MAX_DEPTH} levels deep.")
    match value:
        case str() | bytes():
            return len(value)
        case int() if not isinstance(value, bool):
            return value.bit_length() // 3 + 1
        case list() | tuple() | set() | frozenset():
            parts: Iterable[Any] = value
        case Mapping():
            parts = (part for pair in value.items() for part in pair)
        case _:
            return 1
    size = 1
    for part in parts:
        size += _size(part, left - size, depth + 1)
        if size > left:
            _bound(MAX_SIZE + 1)
    return size


def _check_plain(value: Any) -> None:
    """Refuse a result that is not plain data, or too large."""
    _bound(_size(value))
    pending = [value]
    while pending:
        part = pending.pop()
        match part:
            case None | bool() | int() | float() | str():
                pass
            case list() | tuple():
                pending.extend(part)
            case dict():
                pending.extend(part)
                pending.extend(part.values())
            case jinja2.Undefined():
                part()  # raises, with the name
            case GeneratorType():
                raise ExpressionError("The result is a stream of values. Write '| list' at its end.")
            case _ if callable(part):
                raise ExpressionError("The result is a function. Add the parentheses that call it.")
            case _:
                raise ExpressionError(f"The result is {_kind(part)}, and only plain data can be used here.")


def _text_of(value: Any) -> str:
    """Return a value as text, for mixed scalars and templates."""
    if isinstance(value, str):
        _bound(len(value))
        return value
    if isinstance(value, jinja2.Undefined):
        return str(value)  # raises; only an inline "if" without "else" is an empty text
    _check_plain(value)
    return str(value)


def _join(separator: str, parts: Iterable[Any]) -> str:
    size = 0
    texts: list[str] = []
    for part in parts:
        text = _text_of(part)
        size += len(text) + len(separator)
        _bound(size)
        texts.append(text)
    return separator.join(texts)


def _printf(template: str, arguments: Any) -> str:
    if _NESTED_NAME.search(template):
        raise ExpressionError("A name in a format has no parentheses.")
    conversions = _CONVERSION.findall(template)
    for numbers in conversions:
        for number in numbers:
            if number == "*" or (number and (len(number) > 4 or int(number) > _MAX_WIDTH)):  # noqa: PLR2004
                raise ExpressionError(f"A width in a format is a number up to {_MAX_WIDTH}.")
    _bound(len(template) + len(conversions) * (_MAX_WIDTH + _size(arguments)) if conversions else 0)
    return str(template % arguments)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bound what a filter of Jinja2 reads and yields, and keep HTML's text type out."""

    @functools.wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()):
            if not isinstance(arg, (jinja2.Environment, Context, nodes.EvalContext)):
                _size(arg)
        result = function(*args, **kwargs)
        _bound(_size(result))
        return str(result) if isinstance(result, str) else result

    return bounded


def _center(value: Any, width: int = 80) -> str:
    _bound(width)
    return _text_of(value).center(width)


def _format(value: Any, *args: Any, **kwargs: Any) -> str:
    if args and kwargs:
        raise ExpressionError("A format takes either named or unnamed values, not both.")
    return _printf(_text_of(value), kwargs or args)


def _indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002 - Jinja2's own signature
    text = _text_of(value)
    step = len(width) if isinstance(width, str) else width
    _bound(len(text) + step * (text.count("\n") + 1))
    result: str = FILTERS["indent"](text, width, first, blank)
    return result


@jinja2.pass_context
def _join_filter(context: Context, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    if attribute is not None:
        value = FILTERS["map"](context, value, attribute=attribute)
    return _join(_text_of(d), value)


def _replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = _text_of(value), _text_of(old), _text_of(new)
    times = len(text) + 1 if not old else text.count(old)
    if count is not None and count >= 0:
        times = min(times, count)
    _bound(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, -1 if count is None else count)


def _round(value: float, precision: int = 0, method: str = "common") -> Any:
    if abs(precision) > MAX_DEPTH:
        raise ExpressionError(f"The precision is at most {MAX_DEPTH}.")
    return FILTERS["round"](value, precision, method)


@jinja2.pass_environment
def _sum(
    environment: jinja2.Environment, iterable: Iterable[Any], attribute: Any = None, start: float = 0
) -> Any:
    if not isinstance(start, (int, float)):
        raise ExpressionError("Only numbers can be added up.")
    return FILTERS["sum"](environment, iterable, attribute, start)


def _tojson(value: Any, indent: int | None = None) -> str:
    """Return JSON as it is, without the HTML escapes of Jinja2's filter; keys keep their order."""
    _check_plain(value)
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise ExpressionError(f"The indentation is a number from 0 to {_MAX_INDENT}.")
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


@jinja2.pass_context
def _counted(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop runs over and count its steps."""
    steps: Iterator[int] = context[_STEPS]
    for value in values:
        if next(steps, None) is None:
            raise ExpressionError(f"The loops take more than {MAX_STEPS} steps.")
        yield value
