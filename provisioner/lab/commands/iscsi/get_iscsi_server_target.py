"""Get-IscsiServerTarget: targets of the Microsoft iSCSI Target Server."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.iscsi import InitiatorId, Target
from provisioner.lab.values import EnumValue, PsObject

_NAMESPACE = "Microsoft.Iscsi.Target.Commands."
TYPE = _NAMESPACE + "GetIscsiServerTargetCommand"
# The numbers of both enumerations are not documented; their texts are.
_METHODS = {"DNSName": 1, "IPAddress": 2, "MACAddress": 3, "IQN": 4, "IPv6Address": 5}


async def run(invocation: Invocation) -> None:
    """Write the target of the name, or all."""
    machine = invocation.node.machine
    name = invocation.parameters.get("TargetName")
    try:
        found = machine.iscsi.targets() if name is None else [machine.iscsi.target(str(name))]
    except MachineError as error:
        invocation.output.error(failure.record(error, TYPE, "Get-IscsiServerTarget", name))
        return
    for target in found:
        invocation.output.write(target_object(target, machine.computer_name, machine.initiator_ids))


def target_object(target: Target, computer_name: str, form: str) -> PsObject:
    """Give a target as the module shows it; ``form`` is how its initiators read."""
    status = ("Connected", 1) if target.sessions else ("NotConnected", 0)
    return PsObject(
        (_NAMESPACE + "IscsiServerTarget", "System.Object"),
        {
            "ChapUserName": target.chap_user,
            "ClusterGroupName": "",
            "ComputerName": computer_name,
            "Description": target.description,
            "EnableChap": bool(target.chap_user),
            "EnableReverseChap": bool(target.reverse_user),
            "Enabled": target.is_enabled,
            "InitiatorIds": [_initiator(item, form) for item in target.initiators],
            "LunMappings": [_mapping(target.name, path, lun) for lun, path in enumerate(target.luns)],
            "ReverseChapUserName": target.reverse_user,
            "Status": EnumValue(_NAMESPACE + "TargetStatus", *status),
            "TargetIqn": target.iqn,
            "TargetName": target.name,
        },
        text=target.name,
    )


def _initiator(item: InitiatorId, form: str) -> PsObject:
    return PsObject(
        (_NAMESPACE + "InitiatorId", "System.Object"),
        {
            "Method": EnumValue(_NAMESPACE + "IdMethod", item.method, _METHODS[item.method]),
            "Value": str(item) if form == "full" else item.value,
        },
        text=str(item),
    )


def _mapping(target: str, path: str, lun: int) -> PsObject:
    return PsObject(
        (_NAMESPACE + "LunMapping", "System.Object"),
        {"Lun": lun, "Path": path, "TargetName": target},
        text=f'TargetName:"{target}";VHD:"{path}";LUN:{lun}',
    )
