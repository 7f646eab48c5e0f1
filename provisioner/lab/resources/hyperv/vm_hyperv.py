"""xVMHyperV of xHyper-V 3.18 (class MSFT_xVMHyperV), whose Secure Boot is corrected the wrong way round."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from provisioner.lab.machine.ground.hyperv import VirtualMachine
from provisioner.lab.machine.hyperv.adapters import VmAdapter, VmAdapters
from provisioner.lab.machine.hyperv.hardware import Hardware, VmHardware
from provisioner.lab.machine.hyperv.vhd import VirtualHardDisks
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same
from provisioner.lab.resources.calls import silenced, written

_RULES = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("VhdPath", is_mandatory=True, may_be_empty=False),
    Rule("SwitchName", "strings"),
    Rule("State", allowed=("Running", "Paused", "Off")),
    Rule("Path"),
    Rule("Generation", "uint32"),
    Rule("StartupMemory", "uint64"),
    Rule("MinimumMemory", "uint64"),
    Rule("MaximumMemory", "uint64"),
    Rule("MACAddress", "strings"),
    Rule("ProcessorCount", "uint32"),
    Rule("WaitForIP", "boolean"),
    Rule("RestartIfNeeded", "boolean"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Notes"),
    Rule("SecureBoot", "boolean"),
    Rule("EnableGuestService", "boolean"),
    Rule("AutomaticCheckpointsEnabled", "boolean"),
)
_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_SECURE_GENERATION: Final = 2
#: An IPv4 and an IPv6 address are waited for, in steps.
_WANTED_ADDRESSES, _STEP_S, _PATIENCE_S = 2, 3, 300
_MEMORY: Final = {"StartupMemory": "startup", "MinimumMemory": "minimum", "MaximumMemory": "maximum"}


class VMHyperV:
    """Stateless. Disks, generation and path of a machine that is there are never repaired."""

    class_name = "MSFT_xVMHyperV"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        _demand_module(context)
        found = _only(bound["Name"], context)
        if found is None:
            return {**bound, "Ensure": "Absent"}
        hardware = context.machine.area(VmHardware).of(found.name)
        nics = context.machine.area(VmAdapters).of_machine(found.name)
        return {
            "Name": found.name,
            "VhdPath": hardware.disks[0] if hardware.disks else None,
            "SwitchName": [item.switch for item in nics],
            "State": found.state,
            "Path": hardware.path or None,
            "Generation": hardware.generation,
            "SecureBoot": hardware.generation == _SECURE_GENERATION and hardware.secure_boot,
            "StartupMemory": hardware.startup,
            "MinimumMemory": hardware.minimum,
            "MaximumMemory": hardware.maximum,
            "DynamicMemory": hardware.is_dynamic,
            "MACAddress": [item.mac for item in nics],
            "ProcessorCount": hardware.processors,
            "Ensure": "Present",
            "ID": found.id,
            "Notes": hardware.notes,
            "EnableGuestService": hardware.guest_service,
            "AutomaticCheckpointsEnabled": hardware.automatic_checkpoints,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_module(context)
        found = _only(bound["Name"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if found is None or not is_present:
            return found is None and not is_present
        _check(bound, context)
        hardware = context.machine.area(VmHardware).of(found.name)
        return _has_disk(bound, hardware, context) and _is_as_wanted(bound, found, hardware, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _demand_module(context)
        await context.sleep(context.machine.durations.other_s)
        found = _only(bound["Name"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if found is not None:
                context.machine.hyperv.set_machine_state(found.name, "Off")
                gone = context.machine.hyperv.machines()
                context.machine.hyperv.remove_machine(next(item for item in gone if item.name == found.name))
                context.machine.area(VmHardware).forget(found.name)
            return
        if found is None:
            await _create(bound, context)
        else:
            await _change(bound, found, context)


def _only(name: str, context: ResourceContext) -> VirtualMachine | None:
    """Find the machine of a name.

    Raises:
        ResourceError: there are several.
    """
    machines = silenced(context.machine.hyperv.machines) or []
    found = [item for item in machines if is_same(item.name, name)]
    if len(found) > 1:
        raise _thrown(f"More than one VM with the name '{name}' exists.")
    return found[0] if found else None


def _check(bound: Mapping[str, Any], context: ResourceContext) -> None:
    files, path = context.machine.files, bound["VhdPath"]
    if not files.find(path):
        raise _thrown(f"Vhd '{path}' does not exist.")
    startup, least, most = (bound.get(name) for name in _MEMORY)
    for lower, upper, text in (
        (least, startup, "MinimumMemory is greater than StartupMemory"),
        (least, most, "MinimumMemory is greater than MaximumMemory"),
        (startup, most, "StartupMemory is greater than MaximumMemory"),
    ):
        if lower is not None and upper is not None and lower > upper:
            raise _thrown(f"{text}: {lower}, {upper}.")
    if bound.get("Generation") == _SECURE_GENERATION and path.casefold().endswith(".vhd"):
        raise _thrown("Generation 2 virtual machines do not support the .VHD virtual disk extension.")
    if bound.get("Path") and not files.find(bound["Path"]):
        raise _thrown(f"Path '{bound['Path']}' does not exist.")


def _has_disk(bound: Mapping[str, Any], hardware: Hardware, context: ResourceContext) -> bool:
    """Whether the disk is in the chain of the first drive, and a drive itself: a checkpoint breaks that."""
    disks = context.machine.area(VirtualHardDisks)
    path: str | None = hardware.disks[0] if hardware.disks else None
    chain: list[str] = []
    while path and path.casefold() not in chain:
        chain.append(path.casefold())
        disk = silenced(partial(disks.find, path))
        path = disk.parent if disk else None
    wanted = bound["VhdPath"].casefold()
    return wanted in chain and wanted in {item.casefold() for item in hardware.disks}


def _is_as_wanted(
    bound: Mapping[str, Any], found: VirtualMachine, hardware: Hardware, context: ResourceContext
) -> bool:
    nics = context.machine.area(VmAdapters).of_machine(found.name)
    switches = [item.switch for item in nics]
    macs = [item.mac for item in nics]
    return (
        ("State" not in bound or is_same(bound["State"], found.state))
        and all(
            bound.get(name, getattr(hardware, key)) == getattr(hardware, key) for name, key in _MEMORY.items()
        )
        and not (_wants_static(bound) and hardware.is_dynamic)
        and _begins(switches, bound.get("SwitchName", ()))
        and _begins(macs, bound.get("MACAddress", ()))
        and bound.get("Generation", hardware.generation) == hardware.generation
        and bound.get("ProcessorCount", hardware.processors) == hardware.processors
        and (
            hardware.generation != _SECURE_GENERATION or bound.get("SecureBoot", True) == hardware.secure_boot
        )
        and bound.get("EnableGuestService", False) == hardware.guest_service
        and bound.get("AutomaticCheckpointsEnabled", hardware.automatic_checkpoints)
        == hardware.automatic_checkpoints
    )


def _begins(have: list[str], wanted: Any) -> bool:
    return len(wanted) <= len(have) and all(
        is_same(left, right) for left, right in zip(have, wanted, strict=False)
    )


def _wants_static(bound: Mapping[str, Any]) -> bool:
    """Only a size to start with, or three equal ones, means memory that stays as it is."""
    given = [bound[name] for name in _MEMORY if name in bound]
    return "StartupMemory" in bound and (
        len(given) == 1 or (len(given) == len(_MEMORY) and len(set(given)) == 1)
    )


async def _create(bound: Mapping[str, Any], context: ResourceContext) -> None:
    machine = context.machine
    name, switches = bound["Name"], bound.get("SwitchName", [])
    macs = bound.get("MACAddress", [])
    with calling(_CMDLETS + "NewVM"):
        machine.ledger.attempt("New-VM")
        machine.hyperv.demand_active()
        for switch in switches[:1]:
            machine.hyperv.switches(switch)
        first = switches[0] if switches else ""
        machine.hyperv.adopt(machines=[VirtualMachine(name, str(uuid.uuid4()), "Off", first)])
    memory = {key: bound[given] for given, key in _MEMORY.items() if given in bound}
    machine.area(VmHardware).change(
        name,
        disks=(bound["VhdPath"],),
        path=bound.get("Path", ""),
        generation=bound.get("Generation", 1),
        is_dynamic=bool({"MinimumMemory", "MaximumMemory"} & set(bound)) and not _wants_static(bound),
        processors=bound.get("ProcessorCount", 1),
        secure_boot=bound.get("SecureBoot", True),
        guest_service=bound.get("EnableGuestService", False),
        automatic_checkpoints=bound.get("AutomaticCheckpointsEnabled", True),
        notes=bound.get("Notes", ""),
        **memory,
    )
    for number, switch in enumerate(switches or [""]):
        _add_nic(name, switch, macs[number] if number < len(macs) else "", context)
    await _set_state(bound, name, context)


async def _change(bound: Mapping[str, Any], found: VirtualMachine, context: ResourceContext) -> None:
    hardware = context.machine.area(VmHardware)
    if "State" in bound and not is_same(bound["State"], found.state):
        await _set_state(bound, found.name, context)
    now = hardware.of(found.name)
    changes = {
        key: bound[name]
        for name, key in _MEMORY.items()
        if bound.get(name, getattr(now, key)) != getattr(now, key)
    }
    if {"MinimumMemory", "MaximumMemory"} & set(bound):
        changes["is_dynamic"] = True
    if bound.get("ProcessorCount", now.processors) != now.processors:
        changes["processors"] = bound["ProcessorCount"]
    if changes:
        _apply(bound, found.name, changes, context)
    if _wants_static(bound) and hardware.of(found.name).is_dynamic:
        _apply(bound, found.name, {"is_dynamic": False}, context)
    _connect(bound, found.name, context)
    if bound.get("Generation") == _SECURE_GENERATION and bound.get("SecureBoot", True) != now.secure_boot:
        # What is wanted off is switched on, and the other way round.
        _apply(bound, found.name, {"secure_boot": not bound.get("SecureBoot", True)}, context)
    rest: dict[str, Any] = {"guest_service": bound.get("EnableGuestService", False)}
    if "Notes" in bound:
        rest["notes"] = bound["Notes"]
    if "AutomaticCheckpointsEnabled" in bound:
        rest["automatic_checkpoints"] = bound["AutomaticCheckpointsEnabled"]
    hardware.change(found.name, **rest)


def _apply(bound: Mapping[str, Any], name: str, changes: Mapping[str, Any], context: ResourceContext) -> None:
    """Change what needs a machine that is off.

    Raises:
        ResourceError: it runs, and may not be restarted.
    """
    found = _only(name, context)
    if found is not None and found.state != "Off":
        if not bound.get("RestartIfNeeded"):
            raise invalid_operation(
                f"Can not change properties for VM {name} in {found.state} state unless RestartIfNeeded is set "
                "to true."
            )
        if found.state == "Paused":
            context.machine.hyperv.set_machine_state(name, "Off")
    written(context, _CMDLETS + "SetVM", partial(context.machine.area(VmHardware).change, name, **changes))


def _connect(bound: Mapping[str, Any], name: str, context: ResourceContext) -> None:
    adapters, macs = context.machine.area(VmAdapters), bound.get("MACAddress", [])
    for number, switch in enumerate(bound.get("SwitchName", ())):
        nics = adapters.of_machine(name)
        if number >= len(nics):
            _add_nic(name, switch, macs[number] if number < len(macs) else "", context)
        elif not is_same(nics[number].switch, switch):
            adapters.change(nics[number], "Connect-VMNetworkAdapter", switch=switch)
    for number, mac in enumerate(macs):
        nics = adapters.of_machine(name)
        if number < len(nics) and not is_same(nics[number].mac, mac):
            found = _only(name, context)
            if found and found.state != "Off" and not bound.get("RestartIfNeeded"):
                text = f"Can not change properties for VM {name} in {found.state} state."
                context.nonterminating.append(
                    ResourceError(
                        text,
                        "Microsoft.PowerShell.Commands.WriteErrorException,Set-VMMACAddress",
                        "NotSpecified",
                        "Microsoft.PowerShell.Commands.WriteErrorException",
                    )
                )
                continue
            adapters.change(nics[number], "Set-VMNetworkAdapter", mac=mac, is_dynamic=False)


def _add_nic(name: str, switch: str, mac: str, context: ResourceContext) -> None:
    wanted = VmAdapter("Network Adapter", name, switch, mac, is_dynamic=not mac)
    add = partial(context.machine.area(VmAdapters).add, wanted)
    written(context, _CMDLETS + "AddVMNetworkAdapter", add)


async def _set_state(bound: Mapping[str, Any], name: str, context: ResourceContext) -> None:
    state = bound.get("State")
    if state is None:
        return
    context.machine.hyperv.set_machine_state(name, str(state).capitalize())
    waited = 0
    while is_same(state, "Running") and bound.get("WaitForIP"):
        if _addresses(name, context) >= _WANTED_ADDRESSES:
            return
        if waited >= _PATIENCE_S:
            raise ResourceError(
                f"Waiting for IP Address for VM {name} timed out after {_PATIENCE_S} seconds.",
                "MachineStateIncorrect",
                "ObjectNotFound",
                "System.Exception",
            )
        await context.sleep(_STEP_S)
        waited += _STEP_S


def _addresses(name: str, context: ResourceContext) -> int:
    nics = context.machine.area(VmAdapters).of_machine(name)
    reported = (dict(item.guest or ()).get("IPAddress", "") for item in nics)
    return sum(len([text for text in item.split(",") if text]) for item in reported)


def _demand_module(context: ResourceContext) -> None:
    if not context.machine.hyperv.has_module:
        raise _thrown("Please ensure that Hyper-V role is installed with its PowerShell module")


def _thrown(message: str) -> ResourceError:
    """Make the error of a plain throw of a text, which is its id too."""
    return ResourceError(
        message, message, "OperationStopped", "System.Management.Automation.RuntimeException"
    )
