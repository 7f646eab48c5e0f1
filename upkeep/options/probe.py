"""Runs inside a virtual environment of a service and prints the options it registers, as one JSON object.

Needs nothing but what is installed there. Facts only: names, types, limits, allowed values, plain defaults, old
names. No help texts and no reasons, which are under the licences of the packages.
"""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

#: What a default that was computed on this machine can be told by.
_HOST = "catalogue-host.example"
_PROCESSORS = 7919

Option = dict[str, Any]
Sections = dict[str, dict[str, Option]]


def main(recipe: dict[str, Any]) -> dict[str, Any]:
    """Collect the options of a service; ``recipe`` is described in ``recipes``."""
    warnings.simplefilter("ignore")
    _hide_this_machine()
    cfg = importlib.import_module("oslo_config.cfg")
    sections: Sections = {}
    for each in recipe["registers"]:
        _call(each, cfg.CONF)
    for group, registered in _registered(cfg.CONF):
        _add(sections, group, registered)
    for namespace in recipe["namespaces"]:
        for group, options in _listed(namespace):
            _add(sections, str(getattr(group, "name", group) or "DEFAULT"), options)
    return {
        "options": {name: sections[name] for name in sorted(sections) if sections[name]},
        "plugins": _plugins() if recipe["plugins"] else {},
        "packages": {each: importlib.metadata.version(each) for each in sorted(recipe["packages"])},
    }


def _hide_this_machine() -> None:
    socket.gethostname = lambda: _HOST
    socket.getfqdn = lambda name="": _HOST  # noqa: ARG005 - callers may name it
    os.cpu_count = multiprocessing.cpu_count = lambda: _PROCESSORS


def _listed(namespace: str) -> Iterable[tuple[Any, list[Any]]]:
    """Return what a namespace of oslo-config-generator lists; its hooks that change defaults are not run."""
    (entry,) = importlib.metadata.entry_points(group="oslo.config.opts", name=namespace)
    return [(group, list(options)) for group, options in entry.load()()]


def _call(reference: str, conf: Any) -> None:
    """Import a module, and register ``module:LIST`` or call ``module:function``, perhaps with the ConfigOpts."""
    module, _, name = reference.partition(":")
    loaded = importlib.import_module(module)
    if name.isupper():
        conf.register_opts(getattr(loaded, name))
    elif name:
        function: Callable[..., None] = getattr(loaded, name.removesuffix("(conf)"))
        function(*([conf] if name.endswith("(conf)") else []))


def _registered(conf: Any) -> Iterable[tuple[str, list[Any]]]:
    yield "DEFAULT", [_with_default(each) for each in conf._opts.values()]  # noqa: SLF001 - there is no other way
    for name, group in conf._groups.items():  # noqa: SLF001
        yield str(name), [_with_default(each) for each in group._opts.values()]  # noqa: SLF001


def _with_default(registered: dict[str, Any]) -> Any:
    """Return an option with the default the service gave it after registering it."""
    option = registered["opt"]
    if "default" in registered:
        option = copy.copy(option)
        option.default, option.sample_default = registered["default"], None
    return option


def _plugins() -> dict[str, dict[str, Option]]:
    """Return the options of each way to log on to Keystone (``auth_type``)."""
    loading = importlib.import_module("keystoneauth1.loading")
    found: dict[str, dict[str, Option]] = {}
    for name, loader in sorted(loading.get_available_plugin_loaders().items()):
        section: Sections = {}
        _add(section, "", loading.get_auth_plugin_conf_options(loader))
        found[name] = section.get("", {})
    return found


def _add(sections: Sections, group: str, options: Iterable[Any]) -> None:
    """Add the options of a section; of several with one name the first counts."""
    # One section may be spelt in several ways; oslo.config folds all but DEFAULT.
    spelt = next((name for name in sections if name != "DEFAULT" and name.lower() == group.lower()), group)
    section = sections.setdefault(spelt, {})
    for option in options:
        if option.dest not in section and type(option).__name__ != "SubCommandOpt":
            section[option.dest] = _described(option, spelt)


def _described(option: Any, group: str) -> Option:
    described = _type(option.type)
    if option.multi:
        described["multi"] = True
    described |= _default(option)
    # In their order: of two old names that a file gives, the service reads the one that is listed first.
    old = dict.fromkeys(
        (str(each.group or group), str(each.name or option.dest)) for each in option.deprecated_opts
    )
    old.pop((group, option.dest), None)
    if old:
        described["was"] = [list(each) for each in old]
    if option.deprecated_for_removal:
        described["removal"] = str(option.deprecated_since or "")
    if option.secret:
        described["secret"] = True
    return described


def _default(option: Any) -> Option:
    if option.sample_default is not None or not _is_plain(option.default):
        return {"computed": True}
    return {} if option.default is None else {"default": option.default}


def _is_plain(value: Any) -> bool:
    if value is None or isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return value != _PROCESSORS
    if isinstance(value, str):
        places = [sys.prefix, sys.base_prefix, str(Path.home()), str(Path.cwd()), _HOST]
        return type(value) is str and not any(each in value for each in places)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return isinstance(value, list | tuple) and all(_is_plain(each) for each in value)


def _type(kind: Any) -> Option:
    """Describe a type of oslo.config with everything that changes what it takes."""
    if kind is str:
        return {"type": "text"}
    name = type(kind).__name__
    if type(kind).__module__ != "oslo_config.types" or name not in _PARAMETERS:
        return {"type": "any", "of": f"{type(kind).__module__}.{name}"}
    described: Option = {"type": name}
    for parameter in _PARAMETERS[name]:
        value = _parameter(kind, parameter)
        if value not in (None, False, 0, [], "") or (parameter in {"min", "max"} and value is not None):
            described[parameter] = value
    return described


#: The parameters of each type; what has its usual value is left out.
_PARAMETERS: dict[str, list[str]] = {
    "String": ["choices", "quotes", "regex", "ignore_case", "max_length"],
    "MultiString": [],
    "Boolean": [],
    "Integer": ["choices", "min", "max"],
    "Float": ["min", "max"],
    "Port": ["choices", "min", "max"],
    "List": ["item_type", "bounds", "min_length"],
    "Range": ["min", "max", "inclusive"],
    "Dict": ["value_type", "bounds", "key_value_separator", "min_length"],
    "IPAddress": ["version"],
    "Hostname": [],
    "HostAddress": ["version"],
    "HostDomain": ["version"],
    "URI": ["max_length", "schemes"],
}


def _parameter(kind: Any, parameter: str) -> Any:
    if parameter == "version":
        checker = getattr(kind, "ip_address", kind).version_checker.__name__
        return {"_check_ipv4": 4, "_check_ipv6": 6}.get(checker)
    value = getattr(kind, parameter, None)
    if value == _PROCESSORS:
        return None
    if parameter in {"item_type", "value_type"}:
        return _type(value)
    if parameter == "choices" and value is not None:
        return list(value)
    if isinstance(value, re.Pattern):
        flags = re.compile(value.pattern, re.IGNORECASE if kind.ignore_case else 0).flags
        assert value.flags == flags, f"a regular expression with flags of its own: {value!r}"
        return value.pattern
    if parameter == "key_value_separator" and value == ":":
        return None
    return value


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
