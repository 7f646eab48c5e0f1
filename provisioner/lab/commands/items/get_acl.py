"""Get-Acl: owner and access rules of files and folders."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.machine.directory.principals import name_of
from provisioner.lab.machine.ground.files import Entry, Rule
from provisioner.lab.machine.machine import Machine
from provisioner.lab.values import EnumValue, PsObject

TYPE = "Microsoft.PowerShell.Commands.GetAclCommand"
_SECURITY = "System.Security.AccessControl."
_BASES = (
    _SECURITY + "FileSystemSecurity",
    _SECURITY + "NativeObjectSecurity",
    _SECURITY + "CommonObjectSecurity",
    _SECURITY + "ObjectSecurity",
    "System.Object",
)
_RULE = (
    _SECURITY + "FileSystemAccessRule",
    _SECURITY + "AccessRule",
    _SECURITY + "AuthorizationRule",
    "System.Object",
)
_RIGHTS = {
    "FullControl": 2032127,
    "Modify, Synchronize": 1245631,
    "ReadAndExecute, Synchronize": 1179817,
    "Read, Synchronize": 1179785,
    "Write, Synchronize": 1048854,
}


async def run(invocation: Invocation) -> None:
    """Write a security descriptor for each item of the file system."""
    machine = invocation.node.machine
    async for item in paths.items(invocation, TYPE, "Get-Acl"):
        if not isinstance(item, Entry):
            continue
        acl = machine.files.acl(item.path)
        rules = [_rule(rule, machine) for rule in acl.rules]
        kind = "DirectorySecurity" if item.is_folder else "FileSecurity"
        invocation.output.write(
            PsObject(
                (_SECURITY + kind, *_BASES),
                {
                    "AreAccessRulesProtected": acl.is_protected,
                    "AreAccessRulesCanonical": True,
                },
                {
                    "Path": f"Microsoft.PowerShell.Core\\FileSystem::{item.path}",
                    "Owner": machine.accounts.name(acl.owner),
                    "Group": machine.accounts.name(acl.owner),
                    "Access": rules,
                    "AccessToString": "\n".join(rule.text or "" for rule in rules),
                },
                _SECURITY + kind,
            )
        )


def _rule(rule: Rule, machine: Machine) -> PsObject:
    name = name_of(machine, rule.sid)
    return PsObject(
        _RULE,
        {
            "FileSystemRights": EnumValue(
                _SECURITY + "FileSystemRights", rule.rights, _RIGHTS.get(rule.rights, 0)
            ),
            "AccessControlType": EnumValue(_SECURITY + "AccessControlType", "Allow", 0),
            "IdentityReference": name,
            "IsInherited": rule.is_inherited,
        },
        text=f"{name} Allow  {rule.rights}",
    )
