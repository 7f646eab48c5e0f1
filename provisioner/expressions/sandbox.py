"""Jinja2's sandbox with lists of what is allowed: it bounds neither size nor time itself."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from provisioner.expressions import filters, overlaying
from provisioner.expressions.bounds import bound, bound_integer, kind_of, text_of

COUNTED: Final = "_counted_"
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


class UndefinedUse(jinja2.UndefinedError):
    """Something undefined was used; ``owner`` is the value it was looked up in, ``missing`` for variables."""

    def __init__(self, message: str, name: str, owner: Any) -> None:
        super().__init__(message)
        self.name = name
        self.owner = owner


class Undefined(jinja2.StrictUndefined):
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
            exc = functools.partial(UndefinedUse, name=str(name), owner=obj)  # type: ignore[assignment]
        super().__init__(hint, obj, name, exc)


class _CodeGenerator(CodeGenerator):
    """Jinja2's ``~`` goes through the environment, so that its result can be bounded."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Environment(ImmutableSandboxedEnvironment):
    """The sandbox with lists of what is allowed and bounds on what it may cost."""

    code_generator_class = _CodeGenerator
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Undefined, finalize=text_of, keep_trailing_newline=True, cache_size=0)
        self.globals = {"range": self.globals["range"], "dict": dict, "namespace": self.globals["namespace"]}
        self.filters = {name: filters.bounded_filter(FILTERS[name]) for name in _FILTERS.split()}
        self.filters |= {
            "center": filters.center,
            "flatten": filters.bounded_filter(filters.flatten),
            "format": filters.format_text,
            "indent": filters.indent,
            "join": filters.join_filter,
            "overlaid": filters.bounded_filter(overlaying.overlaid),
            "replace": filters.replace,
            "round": filters.round_number,
            "split": filters.bounded_filter(filters.split),
            "sum": filters.sum_up,
            "tojson": filters.to_json,
            "zip": filters.bounded_filter(filters.zipped),
            COUNTED: filters.counted,
        }

    def joined(self, parts: Iterable[Any]) -> str:
        """Return the texts of some values as one; the operator ``~``."""
        return filters.joined("", parts)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow what is on the list of the kind of value."""
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
        """Say what is not available."""
        hint = f"'{attribute}' of {kind_of(obj)} is not available in expressions."
        return Undefined(hint, obj, attribute, SecurityError)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``format`` to ``is_safe_attribute``, which refuses it: the operator ``%`` is bounded."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063
        """Call a function or method; those that could make much out of little are ours."""
        # The names are Jinja2's: a call may pass arguments named self, context or obj.
        owner = getattr(__obj, "__self__", None)
        match getattr(__obj, "__name__", ""):
            case "replace" if isinstance(owner, str):
                return filters.replace(owner, *args, **kwargs)
            case "join" if isinstance(owner, str):
                return filters.joined(owner, *args, **kwargs)
            case _:
                return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator after its result has been bounded."""
        match operator, left, right:
            case "*", int(), str() | list() | tuple():
                bound(len(right) * left)
            case "*", str() | list() | tuple(), int():
                bound(len(left) * right)
            case "*", int(), int():
                bound_integer(left.bit_length() + right.bit_length())
            case "**", int(), int():
                bound_integer(left.bit_length() * max(right, 0))
            case "+", str() | list() | tuple(), str() | list() | tuple():
                bound(len(left) + len(right))
            case "%", str(), _:
                return filters.printf(left, right)
            case _:
                pass
        return super().call_binop(context, operator, left, right)


@functools.cache
def environment() -> Environment:
    """Return the one sandbox of this process."""
    return Environment()
