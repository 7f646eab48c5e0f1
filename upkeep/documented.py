"""Where each call of our scripts is documented: docs/resources/documented.yaml, which authors extend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner import documents
from upkeep.calls import Calls

_MODULE_ADDRESS = "https://learn.microsoft.com/powershell/module/{module}/{cmdlet}?view={view}"
_NET_ADDRESS = "https://learn.microsoft.com/dotnet/api/{name}?view=netframework-4.8"

#: about_CommonParameters: every cmdlet has them. Confirm and WhatIf are not among them.
COMMON_PARAMETERS = frozenset(
    {
        "Debug",
        "ErrorAction",
        "ErrorVariable",
        "InformationAction",
        "InformationVariable",
        "OutBuffer",
        "OutVariable",
        "PipelineVariable",
        "Verbose",
        "WarningAction",
        "WarningVariable",
    }
)


@dataclass(frozen=True, slots=True)
class Documented:
    """What may be called. ``net`` maps a type to its methods; names of cmdlets are told apart by case.

    ``com`` maps names of COM classes, and of their members (``Class.Member``), to addresses. Cmdlets, methods
    (``Type::Method``), CIM and COM names and programs of ``touching`` may change or read the machine.
    """

    cmdlets: dict[str, frozenset[str]]
    cmdlet_addresses: dict[str, str]
    net: dict[str, frozenset[str]]
    cim: dict[str, str]
    com: dict[str, str]
    programs: dict[str, str]
    touching: frozenset[str]

    def types_with(self, method: str) -> list[str]:
        """Return the types that have a method of this name, for a call on a value of unknown type."""
        return sorted(name for name, methods in self.net.items() if method in methods and method != "new")

    def com_members(self, calls: Calls, method: str) -> list[str]:
        """Return the members of this name of the COM classes that a script makes."""
        return [f"{each}.{method}" for each in sorted(calls.com) if f"{each}.{method}" in self.com]

    def missing(self, calls: Calls) -> list[str]:
        """Return what is called without documentation, in words."""
        found = [f"nobody can tell what is called: {each}" for each in calls.unknown]
        for name, passed in calls.cmdlets.items():
            if name not in self.cmdlets:
                found.append(f"cmdlet {name}")
            else:
                unknown = passed - self.cmdlets[name] - COMMON_PARAMETERS
                found += [f"parameter {each} of {name}" for each in unknown]
        for each in calls.methods:
            kind, _, method = each.partition("::")
            if method not in self.net.get(kind, ()):
                found.append(f"method {method} of {kind}")
        found += [
            f"method {each} of any type"
            for each in calls.instance_methods
            if not (self.types_with(each) or self.com_members(calls, each))
        ]
        found += [f"CIM {each}" for each in calls.cim - set(self.cim)]
        found += [f"COM {each}" for each in calls.com - set(self.com)]
        found += [f"program {each}" for each in calls.programs - set(self.programs)]
        return sorted(found)

    def touched(self, calls: Calls) -> list[str]:
        """Return the calls that read or change the machine; those of CIM are told by their cmdlet."""
        by_value = {
            f"{types[0]}::{each}"
            for each in calls.instance_methods
            if (types := self.types_with(each)) and all(f"{kind}::{each}" in self.touching for kind in types)
        }
        return sorted({*self.started(calls), *by_value})

    def started(self, calls: Calls) -> list[str]:
        """Return the same without methods of values: these belong to what was called to get the value."""
        return sorted(self.touching & {*calls.cmdlets, *calls.methods, *calls.com, *calls.programs})


def read_documented(path: Path) -> Documented:
    """Read the file.

    Raises:
        InputError: It is no YAML, or a key stands in it twice, as when two people added the same module.
        KeyError: A section is missing.
    """
    tree, problems = documents.load(path)
    problems.raise_errors()
    plain = documents.plain(tree) if tree else {}
    groups = [plain["touches_nothing"], plain["touches_the_machine"]]
    cmdlets: dict[str, frozenset[str]] = {}
    addresses: dict[str, str] = {}
    net: dict[str, frozenset[str]] = {}
    for group in groups:
        for module, each in group["cmdlets"].items():
            cmdlets |= {name: frozenset(parameters or ()) for name, parameters in each.items()}
            addresses |= {name: _address(module, name) for name in each}
        for kind, methods in group["net"].items():
            net[kind] = net.get(kind, frozenset()) | frozenset(methods)
    machine = groups[1]
    return Documented(
        cmdlets,
        addresses,
        net,
        cim=dict(machine["cim"]),
        com=dict(machine["com"]),
        programs=dict(machine["programs"]),
        touching=frozenset(_names(machine)),
    )


def net_address(kind: str, method: str) -> str:
    """Return the address of a method; ``new`` is the constructor."""
    return _NET_ADDRESS.format(name=f"{kind}.{'-ctor' if method == 'new' else method}".lower())


def _address(module: str, cmdlet: str) -> str:
    name, _, view = module.partition("@")
    usual = "powershell-5.1" if name.startswith(("Microsoft.", "Cim")) else "windowsserver2016-ps"
    return _MODULE_ADDRESS.format(module=name.lower(), cmdlet=cmdlet.lower(), view=view or usual)


def _names(machine: dict[str, Any]) -> list[str]:
    cmdlets = [name for each in machine["cmdlets"].values() for name in each]
    methods = [f"{kind}::{method}" for kind, names in machine["net"].items() for method in names]
    return [*cmdlets, *methods, *machine["cim"], *machine["com"], *machine["programs"]]
