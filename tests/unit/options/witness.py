"""Runs in a virtual environment of a service: loads files into the service's own ConfigOpts and says how it went.

Reads one JSON object per line: first a recipe (and where the probe is), then texts. Writes one JSON line for each:
``parsed``; ``bad``, for each option whose value cannot be had, the names in the file that it is read from; and
``unknown``, what nothing asks for. Each text is judged by a child of its own, since registering cannot be undone.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import warnings
from typing import Any


def main() -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what packages print is no answer
    first = json.loads(sys.stdin.readline())
    specification = importlib.util.spec_from_file_location("probe", first["probe"])
    assert specification is not None
    assert specification.loader is not None
    probe = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(probe)
    cfg = importlib.import_module("oslo_config.cfg")
    conf = cfg.CONF
    for each in first["recipe"]["registers"]:
        probe._call(each, conf)
    for namespace in first["recipe"]["namespaces"]:
        for group, options in probe._listed(namespace):
            for option in options:
                register(cfg, conf, option, group)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                answer = judged(cfg, conf, json.loads(line))
            except BaseException as error:  # noqa: BLE001 - the parent shows it
                answer = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=answers, flush=True)
            os._exit(0)
        os.waitpid(child, 0)


def register(cfg: Any, conf: Any, option: Any, group: Any) -> None:
    if type(option).__name__ == "SubCommandOpt":
        return
    option = copy.copy(option)
    option.required = False  # asked for only when the section is really used
    name = str(getattr(group, "name", group) or "DEFAULT")
    spelt = next((str(each) for each in conf._groups if str(each).lower() == name.lower()), name)
    with contextlib.suppress(cfg.DuplicateOptError):
        conf.register_opt(option, None if name == "DEFAULT" else spelt)


def judged(cfg: Any, conf: Any, text: str) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile("wb", suffix=".conf") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        try:
            load(conf, file.name)
        except cfg.ConfigFileParseError as error:
            return {"parsed": False, "why": str(error)}
        except (Exception, SystemExit):  # noqa: BLE001
            # A value that an option of the command line does not take ends the service; all else is asked below.
            conf._validate_cli_options = lambda _: None
            load(conf, file.name)
    register_backends(cfg, conf)
    register_plugins(cfg, conf)
    (sections,) = conf._namespace._normalized
    asked: set[tuple[str, str]] = set()
    bad: list[list[tuple[str, str]]] = []
    groups = [(None, conf._opts), *((group, group._opts) for group in conf._groups.values())]
    for group, registered in groups:
        for info in list(registered.values()):
            option = info["opt"]
            names = names_of(cfg, option, group.name if group else "DEFAULT")
            asked.update(names)
            present = [name for name in names if name[1] in sections.get(name[0], {})]
            if present and is_bad(conf, option, group):
                bad.append(present if option.multi else present[:1])
    unknown = [
        (section, name) for section, each in sections.items() for name in each if (section, name) not in asked
    ]
    return {"parsed": True, "bad": bad, "unknown": unknown}


def load(conf: Any, file: str) -> None:
    conf([], project="witness", default_config_files=[file], default_config_dirs=[])


def names_of(cfg: Any, option: Any, group: str) -> list[tuple[str, str]]:
    named = [(group, option.dest)]
    named += [(each.group or group, each.name or option.dest) for each in option.deprecated_opts]
    return [(cfg._normalize_group_name(section), name) for section, name in named]


def is_bad(conf: Any, option: Any, group: Any) -> bool:
    try:
        conf._get(option.dest, group)
    except Exception:  # noqa: BLE001 - whatever it is, the service does not get its value
        return True
    return False


def register_backends(cfg: Any, conf: Any) -> None:
    try:
        names = conf.enabled_backends
    except Exception:  # noqa: BLE001
        return
    for name in filter(None, names or []):
        # cinder.volume.configuration, and cinder.cmd.volume when it starts the back end.
        for template in ("backend_defaults", "backend"):
            for info in list(conf._get_group(template)._opts.values()):
                register(cfg, conf, info["opt"], name)


def register_plugins(cfg: Any, conf: Any) -> None:
    for group in list(conf._groups.values()):
        if "auth_type" not in group._opts:
            continue
        loading = importlib.import_module("keystoneauth1.loading")
        try:
            target = conf[group.name].auth_section or group.name
            for name in ("auth_type", "auth_section"):
                register(cfg, conf, group._opts[name]["opt"], target)
            chosen = conf[target].auth_type
            loader = loading.get_plugin_loader(chosen) if chosen else None
        except Exception:  # noqa: BLE001
            continue
        for option in loading.get_auth_plugin_conf_options(loader) if loader else []:
            register(cfg, conf, option, target)


if __name__ == "__main__":
    main()
