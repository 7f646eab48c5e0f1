"""Parameter binding: what a client sent, matched to the parameters a command has.

The rules and the error records are PowerShell's own: names without regard to case, unique prefixes and aliases,
positions, one value per parameter, conversion to the declared kind. Nothing here runs a command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.values import CommandCall, EnumValue, ErrorRecord, PsObject, TerminatingError

#: Parameters every command has (about_CommonParameters).
COMMON_PARAMETERS = (
    Parameter("Verbose", "switch", aliases=("vb",)),
    Parameter("Debug", "switch", aliases=("db",)),
    Parameter("ErrorAction", "any", aliases=("ea",)),
    Parameter("WarningAction", "any", aliases=("wa",)),
    Parameter("InformationAction", "any", aliases=("infa",)),
    Parameter("ErrorVariable", "string", aliases=("ev",)),
    Parameter("WarningVariable", "string", aliases=("wv",)),
    Parameter("InformationVariable", "string", aliases=("iv",)),
    Parameter("OutVariable", "string", aliases=("ov",)),
    Parameter("OutBuffer", "int", aliases=("ob",)),
    Parameter("PipelineVariable", "string", aliases=("pv",)),
)

_ACTIONS = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore", "Suspend")
_BINDING_EXCEPTION = "System.Management.Automation.ParameterBindingException"
_INT32 = (-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Bound:
    """Parameters by their real names, common ones apart. Actions are names of ActionPreference."""

    parameters: dict[str, Any] = field(default_factory=dict)
    error_action: str = "Continue"
    warning_action: str = "Continue"
    is_verbose: bool = False
    is_debug: bool = False
    information_action: str = "SilentlyContinue"


def bind(call: CommandCall, spec: CommandSpec) -> Bound:
    """Bind ``call`` to ``spec``.

    Raises:
        TerminatingError: a ParameterBindingException, as PowerShell would throw it.
    """
    known = (*spec.parameters, *COMMON_PARAMETERS)
    values: dict[str, Any] = {}
    for name, value in call.parameters:
        if name is None:
            continue
        parameter = _by_name(name, known, spec)
        if parameter.name in values:
            raise _refusal(
                spec,
                f"Cannot bind parameter because parameter '{parameter.name}' is specified more than "
                "once. To provide "
                "multiple values to parameters that can accept multiple values, use the array "
                "syntax. For example, "
                '"-parameter value1,value2,value3".',
                "ParameterAlreadyBound",
            )
        values[parameter.name] = _convert(value, parameter, spec)
    _bind_positions([value for name, value in call.parameters if name is None], values, spec)
    missing = [
        parameter.name
        for parameter in spec.parameters
        if parameter.mandatory and parameter.name not in values
    ]
    if missing:
        raise _refusal(
            spec,
            "Cannot process command because of one or more missing mandatory parameters: "
            + " ".join(missing)
            + ".",
            "MissingMandatoryParameter",
        )
    own = {parameter.name for parameter in spec.parameters}
    return Bound(
        {name: value for name, value in values.items() if name in own},
        _action(values.get("ErrorAction", "Continue"), "ErrorAction", spec),
        _action(values.get("WarningAction", "Continue"), "WarningAction", spec),
        bool(values.get("Verbose", False)),
        bool(values.get("Debug", False)),
        _action(values.get("InformationAction", "SilentlyContinue"), "InformationAction", spec),
    )


def is_switch(name: str, spec: CommandSpec) -> bool:
    """Tell whether the parameter called ``name`` takes no value.

    Raises:
        TerminatingError: There is no such parameter, or several.
    """
    return _by_name(name, (*spec.parameters, *COMMON_PARAMETERS), spec).kind == "switch"


def _bind_positions(arguments: Sequence[Any], values: dict[str, Any], spec: CommandSpec) -> None:
    free = sorted(
        (
            parameter
            for parameter in spec.parameters
            if parameter.position is not None and parameter.name not in values
        ),
        key=lambda parameter: parameter.position or 0,
    )
    for index, value in enumerate(arguments):
        if index >= len(free):
            raise _refusal(
                spec,
                f"A positional parameter cannot be found that accepts argument '{_text(value)}'.",
                "PositionalParameterNotFound",
            )
        values[free[index].name] = _convert(value, free[index], spec)


def _by_name(name: str, known: Iterable[Parameter], spec: CommandSpec) -> Parameter:
    wanted = name.lstrip("-").rstrip(":").casefold()
    prefixed: list[Parameter] = []
    for parameter in known:
        names = [candidate.casefold() for candidate in (parameter.name, *parameter.aliases)]
        if wanted in names:
            return parameter
        if any(candidate.startswith(wanted) for candidate in names):
            prefixed.append(parameter)
    if len(prefixed) == 1:
        return prefixed[0]
    if prefixed:
        matches = " ".join(f"-{parameter.name}" for parameter in prefixed)
        raise _refusal(
            spec,
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. "
            "Possible matches "
            f"include: {matches}.",
            "AmbiguousParameter",
        )
    raise _refusal(
        spec, f"A parameter cannot be found that matches parameter name '{name}'.", "NamedParameterNotFound"
    )


def _convert(value: Any, parameter: Parameter, spec: CommandSpec) -> Any:
    match parameter.kind:
        case "string":
            if isinstance(value, list | dict):
                kind = "System.Collections.Hashtable" if isinstance(value, dict) else "System.Object[]"
                raise _refusal(
                    spec,
                    f"Cannot convert '{kind}' to the type 'System.String' required by parameter "
                    f"'{parameter.name}'. "
                    "Specified method is not supported.",
                    "CannotConvertArgument",
                )
            return None if value is None else _text(value)
        case "switch":
            return _switch(value, parameter, spec)
        case "int":
            return _integer(value, parameter, spec)
        case "array":
            if value is None:
                return None
            return list(value) if isinstance(value, list | tuple) else [value]
        case _:
            return value


def _switch(value: Any, parameter: Parameter, spec: CommandSpec) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, PsObject):
        present = {**value.properties, **value.extended}.get("IsPresent")
        if isinstance(present, bool):
            return present
    elif isinstance(value, int | float):
        return bool(value)
    raise _cannot_convert(
        value,
        parameter,
        spec,
        "System.Management.Automation.SwitchParameter",
        "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0.",
    )


def _integer(value: Any, parameter: Parameter, spec: CommandSpec) -> int:
    number: int | None = None
    if isinstance(value, int | float):
        number = round(value)
    elif isinstance(value, str):
        try:
            number = int(value.strip(), 0)
        except ValueError:
            number = None
    if number is None:
        raise _cannot_convert(
            value, parameter, spec, "System.Int32", "Input string was not in a correct format."
        )
    if not _INT32[0] <= number <= _INT32[1]:
        raise _cannot_convert(
            value, parameter, spec, "System.Int32", "Value was either too large or too small for an Int32."
        )
    return number


def _action(value: Any, parameter: str, spec: CommandSpec) -> str:
    text = value.text if isinstance(value, EnumValue) else value
    if isinstance(text, int) and not isinstance(text, bool) and 0 <= text < len(_ACTIONS):
        return _ACTIONS[text]
    for name in _ACTIONS:
        if isinstance(text, str) and text.casefold() == name.casefold():
            return name
    raise _cannot_convert(
        value,
        Parameter(parameter),
        spec,
        "System.Management.Automation.ActionPreference",
        f"Unable to match the identifier name {_text(value)} to a valid enumerator name. Specify one "
        "of the following "
        f"enumerator names and try again:\n{', '.join(_ACTIONS)}",
    )


def _cannot_convert(
    value: Any, parameter: Parameter, spec: CommandSpec, type_name: str, reason: str
) -> TerminatingError:
    return _refusal(
        spec,
        f"Cannot bind parameter '{parameter.name}'. Cannot convert value \"{_text(value)}\" to type "
        f'"{type_name}". Error: "{reason}"',
        "CannotConvertArgumentNoMessage",
    )


def _text(value: Any) -> str:
    """Give what .NET's ToString() gives, as far as messages need it."""
    if isinstance(value, PsObject):
        return value.text or ""
    if isinstance(value, EnumValue):
        return value.text
    if isinstance(value, list | tuple):
        return " ".join(_text(item) for item in value)
    return str(value)


def _refusal(spec: CommandSpec, message: str, error_id: str) -> TerminatingError:
    return TerminatingError(
        ErrorRecord(
            message,
            f"{error_id},{spec.type_name or spec.name}",
            "InvalidArgument",
            _BINDING_EXCEPTION,
            spec.name,
        )
    )
