r"""Drive a simulated resource through a case written in YAML: what one paragraph of its description says.

A case makes a machine, lets Get, Test and Set answer in the order in which an LCM could ask, and compares what it
names: a mapping is a part of what is expected, a list is the whole of it.

    - case: A sentence.
      module: PSDscResources
      class: MSFT_ServiceResource
      machine:                       # all optional
        windows: "2022"
        features: [Hyper-V]          # installed, with their tools, and booted
        volumes: {C: 127}
        adapters: [{name: Ethernet, description: NIC, status: Up}]
        services: [{name: Svc, status: Running}]
        packages: [{path: 'C:\app.msi', product_id: '{...}', name: App, exit_codes: [0]}]
        removed_features: [NET-Framework-Core]
        switches: [{name: old, adapters: [Ethernet 2], notes: ''}]   # ids ...-000000000001 and so on; also type,
                                     # allow_management_os, iov, team (several adapters are one)
        virtual_machines: [{name: vm1, state: Running}]
      files: {'C:\x.txt': text, 'C:\folder\': null, 'C:\x.zip': {a.txt: text, sub/: null}}
      registry: {'SOFTWARE\App': {Name: data, Kind: {kind: ExpandString, data: '%x%'}}}
      given: {'machine.family.module:Kind': {...}}     # areas of the machine, as their to_plain gives them
      world: {'machine.family.module:Kind': {...}}     # areas that nodes share
      failing: {Start-Service: text}                   # or {id: , category: , message: , terminating: true}
      targets: [volumes]             # iSCSI targets, each with one initiator
      installed: ['C:\app.msi']      # packages that are installed before the first call
      boots: 1                       # boots before the first call
      properties: {...}
      get: {...} | {error: Id}       # before Set
      test: true | false | {error: Id}
      set: {error: Id, nonterminating: [Id], reboot: true}    # left out: Set is not called; null: Set, no complaint;
                                     # message: the whole text of the error
      reboot: true                   # the machine boots after Set
      meanwhile: [{properties: {...}}]   # other Sets of the same resource, before the rest is compared
      after: {get: {...}, given: {...}, world: {...}, files: {path: text or null}, registry: {...}, services: {...},
              switches: [names]}
      test_after: ...

In ``after`` a missing key or service is ``nothing there``, a missing file null, a folder ``a folder``.
An id is compared up to its first comma unless the case names a comma too.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import SwitchOptions
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError, SimulatedResource
from provisioner.lab.resources.registry import find
from provisioner.lab.spec import AdapterSpec, FileSpec, PackageSpec, ServiceSpec, VirtualMachineSpec
from tests.unit.lab.machines import REBOOTED, context, machine
from tests.yaml_files import read_yaml

_CASES = Path(__file__).parents[3] / "cases" / "lab"
_ABSENT = "nothing there"


def cases() -> list[tuple[str, dict[str, Any]]]:
    """Every case with the name of its file."""
    return [(path.stem, case) for path in sorted(_CASES.glob("*.yml")) for case in read_yaml(path)]


async def differences(case: Mapping[str, Any]) -> list[str]:
    """Run a case; say what is not as the case wants it."""
    resource = find(case["class"], case["module"])
    assert resource is not None, f"{case['class']} of {case['module']} has no behaviour of its own"
    made = _machine(case)
    properties = dict(case["properties"])
    found: list[str] = []
    if "get" in case:
        found += _compare("get", case["get"], await _get(resource, made, properties))
    if "test" in case:
        found += _compare("test", case["test"], await _test(resource, made, properties))
    if "set" in case:
        wanted = case["set"] or {}
        done = await _set(resource, made, properties)
        expected = {"error": None, "nonterminating": [], "reboot": False, **wanted}
        found += _compare("set", expected, {name: done[name] for name in expected})
    if case.get("reboot"):
        made.on_boot(REBOOTED)
    for other in case.get("meanwhile", ()):
        await _set(resource, made, dict(other["properties"]))
    after = case.get("after", {})
    if "get" in after:
        found += _compare("after.get", after["get"], await _get(resource, made, properties))
    found += _compare("after", {**after, "get": {}}, {**_state(made, after), "get": {}})
    if "test_after" in case:
        found += _compare("test_after", case["test_after"], await _test(resource, made, properties))
    return found


def _machine(case: Mapping[str, Any]) -> Machine:
    wanted = dict(case.get("machine", {}))
    features = wanted.pop("features", [])
    switches = wanted.pop("switches", [])
    wanted["services"] = tuple(_service(item) for item in wanted.get("services", ()))
    wanted["files"] = tuple(_package(item) for item in wanted.pop("packages", ()))
    wanted["virtual_machines"] = tuple(
        VirtualMachineSpec(**item) for item in wanted.get("virtual_machines", ())
    )
    if "adapters" in wanted:
        wanted["adapters"] = tuple(AdapterSpec(**item) for item in wanted["adapters"])
    wanted["removed_features"] = tuple(wanted.get("removed_features", ()))
    made = machine(**wanted)
    if features:
        made.features.install(features, with_tools=True)
        made.on_boot(REBOOTED)
    for number, switch in enumerate(switches, 1):
        _add_switch(made, number, switch)
    _fill_files(made, case.get("files", {}))
    _fill_registry(made, case.get("registry", {}))
    for name, plain in case.get("given", {}).items():
        made.area(_kind(name)).load(plain)
    for name, plain in case.get("world", {}).items():
        made.world.area(_kind(name)).load(plain)
    for name in case.get("targets", ()):
        made.iscsi.new_target(name, ["IQN:iqn.1991-05.com.microsoft:hv01"])
    for path in case.get("installed", ()):
        made.packages.install(path)
    for name, failure in case.get("failing", {}).items():
        made.ledger.failing[name] = _failure(failure)
    for _boot in range(case.get("boots", 0)):
        made.on_boot(REBOOTED)
    return made


def _fill_files(made: Machine, files: Mapping[str, Any]) -> None:
    """A folder is null, an archive the mapping of its members."""
    for path, text in files.items():
        if text is None:
            made.files.make_folder(path)
        elif isinstance(text, dict):
            made.files.seed(path, _archive(text))
        else:
            made.files.seed(path, str(text).encode())


def _add_switch(made: Machine, number: int, plain: Mapping[str, Any]) -> None:
    adapters = plain.get("adapters", ())
    options = SwitchOptions(
        plain.get("allow_management_os"),
        is_team=plain.get("team", len(adapters) > 1),
        id=f"00000000-0000-4000-8000-{number:012}",
        has_iov=plain.get("iov", False),
        notes=plain.get("notes", ""),
    )
    made.hyperv.new_switch(plain["name"], plain.get("type", "External"), adapters, options)


def _archive(members: Mapping[str, str | None]) -> bytes:
    """Make a .zip of texts; null makes a folder."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 1, 10, 0, 0)), text or "")
    return packed.getvalue()


def _fill_registry(made: Machine, keys: Mapping[str, Any]) -> None:
    for key, values in keys.items():
        made.registry.make_key(key)
        for name, value in (values or {}).items():
            if isinstance(value, dict):
                made.registry.set(key, name, value["data"], value["kind"])
            else:
                made.registry.set(key, name, value)


def _kind(name: str) -> Any:
    module, _, kind = name.partition(":")
    return getattr(import_module(f"provisioner.lab.{module}"), kind)


def _service(plain: Mapping[str, Any]) -> ServiceSpec:
    return ServiceSpec(**{**plain, "dependencies": tuple(plain.get("dependencies", ()))})


def _package(plain: Mapping[str, Any]) -> FileSpec:
    about = {name: value for name, value in plain.items() if name != "path"}
    about["exit_codes"] = tuple(about.get("exit_codes", (0,)))
    return FileSpec(plain["path"], package=PackageSpec(**about))


def _failure(failure: str | Mapping[str, Any]) -> MachineError:
    if isinstance(failure, str):
        return MachineError(failure, "OperationFailed", "InvalidResult")
    return MachineError(
        failure.get("message", "failed"),
        failure.get("id", "OperationFailed"),
        failure.get("category", "InvalidResult"),
        is_terminating=failure.get("terminating", False),
    )


async def _get(resource: SimulatedResource, of: Machine, properties: dict[str, Any]) -> Any:
    try:
        return await resource.get(properties, context(of))
    except ResourceError as error:
        return {"error": error.error_id}


async def _test(resource: SimulatedResource, of: Machine, properties: dict[str, Any]) -> Any:
    doing = context(of)
    try:
        answer = await resource.test(properties, doing)
    except ResourceError as error:
        return {"error": error.error_id}
    return {"error": doing.nonterminating[0].error_id} if doing.nonterminating else answer


async def _set(resource: SimulatedResource, of: Machine, properties: dict[str, Any]) -> dict[str, Any]:
    doing = context(of)
    failed, message = None, None
    try:
        await resource.set(properties, doing)
    except ResourceError as error:
        failed, message = error.error_id, error.message
    return {
        "error": failed,
        "message": message,
        "nonterminating": [item.error_id for item in doing.nonterminating],
        "reboot": doing.reboot_requested,
    }


def _state(made: Machine, after: Mapping[str, Any]) -> dict[str, Any]:
    """What ``after`` asks about, in its own form."""
    state: dict[str, Any] = {
        "given": {name: made.area(_kind(name)).to_plain() for name in after.get("given", ())},
        "world": {name: made.world.area(_kind(name)).to_plain() for name in after.get("world", ())},
        "files": {path: _text(made, path) for path in after.get("files", ())},
        "registry": {
            key: {value.name: value.data for value in made.registry.values(key).values()}
            if made.registry.has_key(key)
            else _ABSENT
            for key in after.get("registry", ())
        },
        "services": {},
    }
    if "switches" in after:
        state["switches"] = [item.name for item in made.hyperv.switches()]
    for name in after.get("services", ()):
        service = made.services.find(name)
        fields = service.__slots__ if service else ()
        state["services"][name] = {field: getattr(service, field) for field in fields} or _ABSENT
    return {name: state[name] for name in after if name != "get"}


def _text(made: Machine, path: str) -> str | None:
    """Text of a file with its byte order mark as U+FEFF; the empty mapping's place is a folder's."""
    if made.files.is_folder(path):
        return "a folder"
    return made.files.read(path).decode("utf-8") if made.files.is_file(path) else None


def _compare(where: str, wanted: Any, actual: Any) -> list[str]:
    """A mapping wants what it names, a list all its items, an id without comma the part before the comma."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return [
            difference
            for name, value in wanted.items()
            for difference in _compare(f"{where}.{name}", value, actual.get(name))
        ]
    if isinstance(wanted, list | tuple) and isinstance(actual, list | tuple) and len(wanted) == len(actual):
        return [
            difference
            for number, (one, other) in enumerate(zip(wanted, actual, strict=True))
            for difference in _compare(f"{where}.{number}", one, other)
        ]
    if where.endswith(".error") or ".nonterminating." in where:
        is_same = actual == wanted or str(actual).partition(",")[0] == wanted
    else:
        is_same = actual == wanted and isinstance(actual, bool) == isinstance(wanted, bool)
    return [] if is_same else [f"{where}: wanted {wanted!r}, got {actual!r}"]
