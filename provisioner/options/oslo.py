"""oslo.config's own types, made from the facts of a catalogue. Only this module imports oslo.config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oslo_config import types

#: Takes the text of a value, returns what the service gets, and raises ValueError when it is not taken.
Converter = Callable[[Any], Any]

_TYPES: Mapping[str, Callable[..., Converter]] = {
    "String": types.String,
    "MultiString": types.MultiString,
    "Boolean": types.Boolean,
    "Integer": types.Integer,
    "Float": types.Float,
    "Port": types.Port,
    "List": types.List,
    "Range": types.Range,
    "Dict": types.Dict,
    "IPAddress": types.IPAddress,
    "Hostname": types.Hostname,
    "HostAddress": types.HostAddress,
    "HostDomain": types.HostDomain,
    "URI": types.URI,
    # The types of keystoneauth's options, and functions of a package, which nobody else can call.
    "text": lambda: str,
    "any": lambda: str,
}
_PARAMETERS = frozenset(
    {
        *("bounds", "choices", "ignore_case", "inclusive", "key_value_separator", "max", "max_length", "min"),
        *("min_length", "quotes", "regex", "schemes", "version"),
    }
)


def converter(facts: Mapping[str, Any]) -> Converter:
    """Return the type of an option."""
    parameters = {name: value for name, value in facts.items() if name in _PARAMETERS}
    for name in ("item_type", "value_type"):
        if name in facts:
            parameters[name] = converter(facts[name])
    return _TYPES[facts["type"]](**parameters)
