"""Read what a role says of its variables, and of the fields of those that hold mappings.

A default and the choices are held against everything else that is said, so that a role cannot contradict itself.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Scalar, plain
from provisioner.inventory.model import RESERVED_VARIABLES
from provisioner.inventory.strategies import Mode, read_strategy
from provisioner.roles.checking.pinned_files import is_pinned
from provisioner.roles.checking.values import check_default, filled
from provisioner.roles.fields import Fields
from provisioner.roles.model import Variable, VariableType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Mapping as YamlMapping

VARIABLE_KEYS = (
    "type",
    "items",
    "default",
    "required",
    "description",
    "choices",
    "merge",
    "pattern",
    "form",
    "minimum",
    "maximum",
    "fields",
)
#: A field is merged as its variable says.
FIELD_KEYS = tuple(key for key in VARIABLE_KEYS if key != "merge")
_VARIABLE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_COLLECTIONS = frozenset({VariableType.LIST, VariableType.MAPPING})
_NUMBERS = frozenset({VariableType.INTEGER, VariableType.NUMBER})


def read_variables(mapping: YamlMapping | None, problems: Diagnostics) -> Mapping[str, Variable]:
    """Return the variables of a role by name, in file order; those with errors are left out."""
    found = {}
    for entry in mapping.entries if mapping else ():
        if not _VARIABLE_NAME.fullmatch(entry.name) or entry.name in RESERVED_VARIABLES:
            reason = (
                "is a name expressions use already"
                if entry.name in RESERVED_VARIABLES
                else "is not made of lower-case letters, digits and underscores"
            )
            problems.error("Variable cannot have this name", f"'{entry.name}' {reason}.", entry.key.where)
        fields = Fields.of(entry.value, "a variable", problems)
        variable = _Reader(problems).read(entry.name, fields, entry.key.where) if fields else None
        if variable:
            found[entry.name] = variable
    return found


class _Reader:
    """Reads one variable, or one field of a mapping."""

    def __init__(self, problems: Diagnostics, *, is_field: bool = False) -> None:
        self._problems = problems
        self._is_field = is_field
        self._word = "field" if is_field else "variable"

    def read(self, name: str, fields: Fields, where: SourceRange) -> Variable | None:
        """Read what stands below a name; None when it has no usable type or no description."""
        fields.only(FIELD_KEYS if self._is_field else VARIABLE_KEYS)
        kind = self._type(fields.required_text("type"))
        items = self._type(fields.text("items"))
        description = fields.required_text("description")
        is_required = fields.flag("required")
        choices = fields.items("choices")
        default = fields.tree("default")
        if kind is None or description is None:
            return None
        if items and kind not in _COLLECTIONS:
            self._problems.error(
                "Variable has no items",
                f"Only a list or a mapping has 'items'; '{name}' is a {kind.value}.",
                fields.key_where("items"),
            )
            items = None
        if is_required and default is not None:
            self._problems.error(
                "Default is never used",
                f"'{name}' is required, so its default is never used.",
                fields.key_where("default"),
                "Remove 'required' or 'default'.",
            )
        of_parts = items if kind in _COLLECTIONS else kind
        pattern, form = self._pattern(name, of_parts, fields)
        minimum, maximum = self._bounds(name, of_parts, fields)
        variable = Variable(
            name=name,
            type=kind,
            description=description.text.strip(),
            where=where,
            is_required=is_required,
            default=plain(default) if default is not None else None,
            choices=tuple(plain(choice) for choice in choices),
            items=items,
            merge=None if self._is_field else read_strategy(fields.tree("merge"), self._problems),
            default_tree=default,
            pattern=pattern,
            form=form,
            minimum=minimum,
            maximum=maximum,
            fields=self._fields(name, kind, items, fields),
        )
        self._check_merge(variable, fields)
        self._check_pinned(variable, fields)
        return self._with_default(variable, fields)

    def _check_pinned(self, variable: Variable, fields: Fields) -> None:
        """An installer is a variable of its own, and so is a package: what goes to a node is found by its name."""
        key = "items" if is_pinned(variable.items) else "type"
        kind = variable.items if key == "items" else variable.type
        if kind and is_pinned(kind) and (self._is_field or key == "items"):
            self._problems.error(
                f"{kind.value.capitalize()} is part of something",
                f"'{variable.name}' holds {kind.value}s, and a variable of this type stands alone.",
                fields.key_where(key),
                f"Declare one variable of 'type: {kind.value}' for each file.",
            )

    def _with_default(self, variable: Variable, fields: Fields) -> Variable:
        """Hold default and choices against what was read; the default gets the defaults of its fields."""
        before = len(self._problems)
        check_default(variable, fields.items("choices"), self._problems, self._word)
        if variable.default_tree is None or variable.is_required or len(self._problems) > before:
            return variable
        return replace(variable, default=filled(variable, variable.default))

    def _fields(
        self, name: str, kind: VariableType, items: VariableType | None, fields: Fields
    ) -> Mapping[str, Variable] | None:
        """Read the keys of a mapping, or of each mapping in a collection."""
        mapping = fields.mapping("fields")
        if mapping is None:
            return None
        holds_mappings = (items or kind) is VariableType.MAPPING
        if not holds_mappings:
            self._problems.error(
                "Variable has no fields",
                f"'fields' are the keys of a mapping, and '{name}' holds none.",
                fields.key_where("fields"),
                "Write 'type: mapping', or 'items: mapping' beside 'type: list'.",
            )
        found = {}
        for entry in mapping.entries:
            if not _FIELD_NAME.fullmatch(entry.name):
                self._problems.error(
                    "Field cannot have this name",
                    f"'{entry.name}' does not start with a letter, or holds more than letters, digits and '_'.",
                    entry.key.where,
                )
            inner = Fields.of(entry.value, "a field", self._problems)
            reader = _Reader(self._problems, is_field=True)
            field = reader.read(entry.name, inner, entry.key.where) if inner else None
            if field:
                found[entry.name] = field
        return found if holds_mappings else None

    def _pattern(self, name: str, of_parts: VariableType | None, fields: Fields) -> tuple[str, str]:
        """Return the pattern and its words; the one is of no use without the other."""
        pattern, form = fields.text("pattern"), fields.text("form")
        if (pattern is None) != (form is None):
            missing, there = ("form", pattern) if form is None else ("pattern", form)
            assert there is not None
            self._problems.error(
                "Missing key",
                f"'{name}' has no '{missing}': 'pattern' is what a text has to match, and 'form' says the same in "
                "words, for whoever wrote another text.",
                there.where,
                f"Add '{missing}' beside it.",
            )
        if pattern is None or form is None:
            return "", ""
        if of_parts is not VariableType.STRING:
            self._problems.error(
                "Pattern does not fit the type",
                f"Only texts have a form, and '{name}' holds none.",
                pattern.where,
                "Write 'type: string', or 'items: string' beside 'type: list'.",
            )
            return "", ""
        try:
            re.compile(pattern.text)
        except (re.error, OverflowError, RecursionError) as error:
            self._problems.error(
                "Pattern is not a regular expression",
                f"Python cannot read '{pattern.text}': {error}.",
                pattern.where,
            )
            return "", form.text.strip()
        return pattern.text, form.text.strip().rstrip(".")

    def _bounds(
        self, name: str, of_parts: VariableType | None, fields: Fields
    ) -> tuple[float | None, float | None]:
        """Return the smallest and the largest number there may be."""
        found: list[float | None] = []
        for key in ("minimum", "maximum"):
            written = fields.scalar(key)
            value = written.value if written else None
            if written is None:
                found.append(None)
                continue
            is_number = of_parts in _NUMBERS and not isinstance(value, bool)
            # Nothing is more or less than .nan, and .inf bounds nothing: the author meant something else.
            if not is_number or not isinstance(value, int | float) or not abs(value) < math.inf:
                self._problems.error(
                    "Bound does not fit the type",
                    f"'{key}' is a number, and counts for values of type integer or number.",
                    written.where,
                )
                found.append(None)
            else:
                found.append(value)
        minimum, maximum = found
        if minimum is not None and maximum is not None and minimum > maximum:
            self._problems.error(
                "Bounds are the wrong way round",
                f"No value of '{name}' is at least {minimum} and at most {maximum}.",
                fields.key_where("minimum"),
            )
            return None, None
        return minimum, maximum

    def _check_merge(self, variable: Variable, fields: Fields) -> None:
        """Hold the strategy against the type: only lists and mappings have parts that could be merged."""
        fitting = {VariableType.LIST: set(Mode), VariableType.MAPPING: {Mode.DEEP, Mode.REPLACE}}
        if variable.merge and variable.merge.mode not in fitting.get(variable.type, {Mode.REPLACE}):
            self._problems.error(
                "Merge strategy does not fit the type",
                f"'{variable.merge.mode.value}' cannot merge values of type {variable.type.value}.",
                fields.key_where("merge"),
                "Lists take 'unique', 'append' and 'deep', mappings take 'deep'.",
            )

    def _type(self, written: Scalar | None) -> VariableType | None:
        if written is None:
            return None
        words = [each.value for each in VariableType]
        if written.text in words:
            return VariableType(written.text)
        self._problems.error(
            "Unknown variable type",
            f"'{written.text}' is not a type of variables.",
            written.where,
            did_you_mean(written.text, words),
        )
        return None
