"""Parameter binding of resource functions: what PowerShell refuses before a line of the module runs.

A ``Rule`` is one declared parameter with its validation attributes; the errors carry the ids binding gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceError

_BINDING = "System.Management.Automation.ParameterBindingValidationException"
_TRANSFORMATION = "System.Management.Automation.ParameterBindingArgumentTransformationException"
_SIZE = re.compile(r"(\d+)\s*([KMGTP]B)?", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"\d*\.\d+|\d+\.")
_UNSIGNED = {"uint16": 2**16 - 1, "uint32": 2**32 - 1, "uint64": 2**64 - 1}
_UNITS = {"": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40, "PB": 2**50}


@dataclass(frozen=True, slots=True)
class Rule:
    """One parameter. ``kind``: string, boolean, integer, uint16, uint32, uint64, strings, credential or any.

    ``allowed`` is a ValidateSet, ``pattern`` a regular expression with ``refusal`` as its message. A parameter
    that is not ``may_be_empty`` refuses null, an empty string and an empty list, one that is not ``may_be_null``
    only the first. ``only`` limits the empty check to one function (``Set-TargetResource``). ``is_mandatory`` ones
    have to be given.
    """

    name: str
    kind: str = "string"
    allowed: tuple[str, ...] = ()
    may_be_empty: bool = True
    only: str = ""
    pattern: str = ""
    refusal: str = ""
    is_mandatory: bool = False
    may_be_null: bool = True


def bind(function: str, rules: Sequence[Rule], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give the bound properties under their declared names.

    ``function`` is ``Test-TargetResource`` and so on: part of the error ids.

    Raises:
        ResourceError: a value does not bind.
    """
    given = {name.casefold(): value for name, value in properties.items()}
    bound: dict[str, Any] = {}
    for rule in rules:
        if rule.name.casefold() in given:
            value = _convert(function, rule, given[rule.name.casefold()])
            _validate(function, rule, value)
            bound[rule.name] = value
    missing = [rule.name for rule in rules if rule.is_mandatory and rule.name not in bound]
    if missing:
        raise ResourceError(
            "Cannot process command because of one or more missing mandatory parameters: "
            f"{' '.join(missing)}.",
            f"MissingMandatoryParameter,{function}",
            "InvalidArgument",
            "System.Management.Automation.ParameterBindingException",
        )
    return bound


def _convert(function: str, rule: Rule, value: Any) -> Any:
    match rule.kind:
        case "boolean":
            return _boolean(function, rule, value)
        case "credential" if value is not None and not isinstance(value, Mapping):
            raise _not_converted(function, rule, "value to type System.Management.Automation.PSCredential.")
        case "integer":
            return _integer(function, rule, value)
        case "string":
            return _text(function, rule, value)
        case "uint16" | "uint32" | "uint64":
            return _unsigned(function, rule, value)
        case "strings" if isinstance(value, list | tuple):
            return ["" if item is None else str(item) for item in value]
        case "strings" if isinstance(value, str | int | float):
            return [str(value)]
        case _:
            return value


def _boolean(function: str, rule: Rule, value: Any) -> bool:
    if not isinstance(value, int):
        raise _not_converted(
            function,
            rule,
            f'value "{_type_name(value)}" to type "System.Boolean". Boolean parameters accept only Boolean '
            "values and numbers, such as $True, $False, 1 or 0.",
        )
    return bool(value)


def _integer(function: str, rule: Rule, value: Any) -> int:
    if isinstance(value, list | tuple):
        raise _not_converted(function, rule, 'value to type "System.Int64".')
    text = str(int(value or 0)) if value is None or isinstance(value, bool) else str(value).strip()
    is_negative = text[:1] == "-" and text[1:2].isdigit()
    number = _number(text[1:] if is_negative else text)
    if number < 0:
        raise _not_converted(
            function,
            rule,
            f'value "{text}" to type "System.Int64". Error: "Input string was not in a correct format."',
        )
    return -number if is_negative else number


def _text(function: str, rule: Rule, value: Any) -> Any:
    """Convert to a text: nothing is an empty one, a list none; a hash table is left to those who expect it."""
    if isinstance(value, list | tuple):
        raise _not_converted(function, rule, "value to type System.String.")
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else value


def _type_name(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return "System.String"
        case _:
            return "System.Object[]"


def _not_converted(function: str, rule: Rule, what: str) -> ResourceError:
    return ResourceError(
        f"Cannot process argument transformation on parameter '{rule.name}'. Cannot convert {what}",
        f"ParameterArgumentTransformationError,{function}",
        "InvalidData",
        _TRANSFORMATION,
    )


def _unsigned(function: str, rule: Rule, value: Any) -> int:
    text = "" if value is None else str(value).strip()
    number = _number(text)
    if not 0 <= number <= _UNSIGNED[rule.kind]:
        is_number = re.fullmatch(r"-?\d+", text) is not None
        raise ResourceError(
            f"Cannot process argument transformation on parameter '{rule.name}'. Cannot convert value \"{text}\" "
            f'to type "System.UI{rule.kind[2:]}". Error: "'
            + (
                f'Value was either too large or too small for a UI{rule.kind[2:]}."'
                if is_number
                else 'Input string was not in a correct format."'
            ),
            f"ParameterArgumentTransformationError,{function}",
            "InvalidData",
            _TRANSFORMATION,
        )
    return number


def _number(text: str) -> int:
    """Read a number as PowerShell converts a text or a number to a whole one; -1 for what is none."""
    found = _SIZE.fullmatch(text)
    if found:
        return int(found[1]) * _UNITS[(found[2] or "").upper()]
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    # Halves go to the even number; nothing is 0.
    return round(float(text)) if _FRACTION.fullmatch(text) else -bool(text)


def _validate(function: str, rule: Rule, value: Any) -> None:
    if value is None and not rule.may_be_null:
        raise _refused(
            function,
            rule.name,
            "The argument is null. Provide a valid value for the argument, and then try running the command "
            "again.",
        )
    if not rule.may_be_empty and rule.only in {"", function}:
        _demand_something(function, rule, value)
    allowed = {word.casefold() for word in rule.allowed}
    for item in value if isinstance(value, list) else [value]:
        if allowed and str(item).casefold() not in allowed:
            raise refuse_value(function, rule.name, item, rule.allowed)
    if rule.pattern and not re.fullmatch(rule.pattern, str(value)):
        raise _refused(function, rule.name, rule.refusal)
    # What PowerShell checks by itself, after the attributes: what is mandatory is not nothing and no empty text.
    if rule.is_mandatory and value is None:
        raise _not_bound(function, rule.name, "null", "Null")
    if rule.is_mandatory and rule.kind == "string" and not value:
        raise _not_bound(function, rule.name, "an empty string", "EmptyString")


def _demand_something(function: str, rule: Rule, value: Any) -> None:
    """Refuse null, an empty text and a list with neither; mandatory lists have no attribute that would."""
    if isinstance(value, list) and rule.is_mandatory:
        if not value:
            raise _not_bound(function, rule.name, "an empty array", "EmptyArray")
        if not all(value):
            raise _not_bound(function, rule.name, "an empty string", "EmptyString")
    elif isinstance(value, list) and not all(value or [None]):
        raise _refused(
            function,
            rule.name,
            "The argument is null, empty, or an element of the argument collection contains a null value. "
            "Supply a collection that does not contain any null values and then try the command again.",
        )
    if value is None and rule.is_mandatory and rule.kind == "strings":
        return
    if value is None or value == "":
        raise _refused(
            function,
            rule.name,
            "The argument is null or empty. Provide an argument that is not null or empty, and then try "
            "the command again.",
        )


def _not_bound(function: str, parameter: str, what: str, error: str) -> ResourceError:
    return ResourceError(
        f"Cannot bind argument to parameter '{parameter}' because it is {what}.",
        f"ParameterArgumentValidationError{error}NotAllowed,{function}",
        "InvalidData",
        _BINDING,
    )


def _refused(function: str, parameter: str, why: str) -> ResourceError:
    return ResourceError(
        f"Cannot validate argument on parameter '{parameter}'. {why}",
        f"ParameterArgumentValidationError,{function}",
        "InvalidData",
        _BINDING,
    )


def refuse_value(function: str, parameter: str, value: str, allowed: Iterable[str]) -> ResourceError:
    """Make the error of a value outside a ValidateSet."""
    return _refused(
        function,
        parameter,
        f'The argument "{value}" does not belong to the set "{",".join(allowed)}" specified by the ValidateSet '
        "attribute. Supply an argument that is in the set and then try the command again.",
    )


def invalid_argument(message: str, parameter: str) -> ResourceError:
    """Make the error of New-InvalidArgumentException: the parameter name is the id."""
    text = f"{message}\r\nParameter name: {parameter}"
    return ResourceError(text, parameter, "InvalidArgument", "System.ArgumentException")


def invalid_operation(message: str) -> ResourceError:
    """Make the error of New-InvalidOperationException."""
    return ResourceError(
        f"System.InvalidOperationException: {message}",
        "MachineStateIncorrect",
        "InvalidOperation",
        "System.Exception",
    )


def resource_error(message: str, error_id: str, category: str) -> ResourceError:
    """Make the error of New-ResourceError of ProvisionerDsc: the category tells what exception it holds."""
    is_argument = category == "InvalidArgument"
    kind = "System.ArgumentException" if is_argument else "System.InvalidOperationException"
    return ResourceError(message, error_id, category, kind)


def thrown(error: MachineError, command: str = "") -> ResourceError:
    """Let the error of a cmdlet through; ``command`` is the class (or function) name its id ends with."""
    error_id = f"{error.error_id},{command}" if command else error.error_id
    return ResourceError(error.message, error_id, error.category, error.exception_type)


@contextmanager
def calling(command: str) -> Iterator[None]:
    """Let errors of the machine out as those of ``command`` (the class name of a cmdlet)."""
    try:
        yield
    except MachineError as error:
        # A missing cmdlet has no class that its id could end with.
        raise thrown(error, "" if error.error_id == "CommandNotFoundException" else command) from None


def is_same(left: Any, right: Any) -> bool:
    """PowerShell's ``-eq`` of two texts: without regard to case."""
    return str(left).casefold() == str(right).casefold()


def spelled(value: str, words: Iterable[str]) -> str:
    """Give the word of an enumeration as Windows spells it."""
    return next((word for word in words if is_same(word, value)), value)


def is_same_bag(left: Iterable[str], right: Iterable[str]) -> bool:
    """Compare-Object without SyncWindow: equal as unordered multisets without regard to case."""
    return sorted(item.casefold() for item in left) == sorted(item.casefold() for item in right)
