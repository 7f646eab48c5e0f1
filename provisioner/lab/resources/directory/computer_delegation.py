"""ComputerDelegation of ProvisionerDsc (class PROV_ComputerDelegation): to what a computer account may delegate.

The directory lets nobody but administrators of the domain set delegation; an account of the inventory that is in
no group at all counts as one that was given the right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.directory.domains import Directory, DirectoryComputer, Domain
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same, resource_error, thrown

TOOLS: Final = "RSAT-AD-PowerShell"
_SERVICES: Final = ("cifs", "Microsoft Virtual System Migration Service")
_MAY_DELEGATE: Final = frozenset({"domain admins", "enterprise admins", "administrators"})
_CMDLET: Final = "Microsoft.ActiveDirectory.Management.Commands.GetADComputer"
_ENTRY: Final = re.compile(r"[^/]+/[^/]+(/[^/]+)?")
_RULES = (
    Rule("ComputerName", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Hosts", "strings", may_be_empty=False),
    Rule("DomainName"),
    Rule("ServicePrincipalNames", "strings", may_be_empty=False),
    Rule("AnyProtocol", "boolean"),
    Rule("Credential", "credential"),
    Rule("DomainController"),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"ComputerName", "Credential", "DomainController"})


@dataclass(frozen=True, slots=True)
class _Change:
    """What has to change; ``flag`` is None where it stays."""

    add: tuple[str, ...]
    remove: tuple[str, ...]
    flag: bool | None

    @property
    def is_needed(self) -> bool:
        return bool(self.add or self.remove or self.flag is not None)


class ComputerDelegation:
    """Stateless. Entries of other services than those that are managed are left alone."""

    class_name = "PROV_ComputerDelegation"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        _demand_directory(context)
        _, account = _account(bound, context)
        entries = sorted(account.delegates_to, key=str.casefold)
        is_present = any(_service(item) in _folded(_SERVICES) for item in entries)
        return {
            "ComputerName": bound["ComputerName"],
            "Ensure": "Present" if is_present else "Absent",
            "Hosts": None,
            "DomainName": None,
            "ServicePrincipalNames": entries,
            "AnyProtocol": account.protocol_transition,
            "Credential": None,
            "DomainController": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _check_wish(bound)
        machine = context.machine
        if not machine.features.is_installed(TOOLS) or not machine.area(Identity).domain:
            return False
        domain = _domain(bound, context)
        account = machine.world.area(Directory).computer(domain, bound["ComputerName"])
        if account is None:
            return _is_absent(bound)
        return not _change(bound, domain, account).is_needed

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _check_wish(bound)
        _demand_directory(context)
        domain, account = _account(bound, context)
        change = _change(bound, domain, account)
        await context.sleep(context.machine.durations.other_s)
        if not change.is_needed:
            return
        directory = context.machine.world.area(Directory)
        try:
            _demand_right(bound, domain, context)
            gone = _folded(change.remove)
            kept = tuple(item for item in account.delegates_to if item.casefold() not in gone)
            flag = account.protocol_transition if change.flag is None else change.flag
            directory.put_computer(
                domain, replace(account, delegates_to=kept + change.add, protocol_transition=flag)
            )
        except MachineError as error:
            raise resource_error(
                f"The delegation of '{bound['ComputerName']}' could not be changed: {error.message} By default "
                "only administrators of the domain may set it: give a Credential of an account that may.",
                "DelegationNotWritten",
                "PermissionDenied",
            ) from None


def _check_wish(bound: Mapping[str, Any]) -> None:
    name = bound["ComputerName"]
    if "Hosts" in bound and "ServicePrincipalNames" in bound:
        raise resource_error(
            "Hosts and ServicePrincipalNames say the same thing twice: give one of them.",
            "EntriesContradictory",
            "InvalidArgument",
        )
    if not _is_absent(bound) and "Hosts" not in bound and "ServicePrincipalNames" not in bound:
        raise resource_error(
            f"Neither Hosts nor ServicePrincipalNames is given: it is not said to what {name} may delegate.",
            "EntriesMissing",
            "InvalidArgument",
        )
    for entry in bound.get("ServicePrincipalNames", ()):
        if not _ENTRY.fullmatch(entry):
            raise resource_error(
                f"'{entry}' is no service principal name. Write it as cifs/hv02.example.com.",
                "EntryMalformed",
                "InvalidArgument",
            )


def _change(bound: Mapping[str, Any], domain: Domain, account: DirectoryComputer) -> _Change:
    is_absent = _is_absent(bound)
    wanted = () if is_absent else _wanted(bound, domain)
    services = _folded(_SERVICES) | {_service(item) for item in bound.get("ServicePrincipalNames", ())}
    managed = [item for item in account.delegates_to if _service(item) in services]
    flag = None
    if is_absent:
        if account.protocol_transition and len(managed) == len(account.delegates_to):
            flag = False
    elif bound.get("AnyProtocol", account.protocol_transition) != account.protocol_transition:
        flag = bound["AnyProtocol"]
    present = _folded(account.delegates_to)
    return _Change(
        tuple(item for item in wanted if item.casefold() not in present),
        tuple(item for item in managed if item.casefold() not in _folded(wanted)),
        flag,
    )


def _wanted(bound: Mapping[str, Any], domain: Domain) -> tuple[str, ...]:
    if "ServicePrincipalNames" in bound:
        return _once(bound["ServicePrincipalNames"])
    own = bound["ComputerName"].rstrip("$")
    entries = []
    for item in bound["Hosts"]:
        short, _, rest = item.partition(".")
        if not is_same(short, own):
            full = f"{short}.{rest or bound.get('DomainName') or domain.name}"
            entries += [f"{service}/{name}" for service in _SERVICES for name in (short, full)]
    return _once(entries)


def _once(entries: list[str]) -> tuple[str, ...]:
    """Give each entry once, sorted, as Sort-Object -Unique does."""
    return tuple(sorted({item.casefold(): item for item in reversed(entries)}.values(), key=str.casefold))


def _service(entry: str) -> str:
    return entry.partition("/")[0].casefold()


def _folded(entries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(item.casefold() for item in entries)


def _is_absent(bound: Mapping[str, Any]) -> bool:
    return is_same(bound.get("Ensure", "Present"), "Absent")


def _demand_directory(context: ResourceContext) -> None:
    if not context.machine.features.is_installed(TOOLS):
        raise resource_error(
            "The PowerShell module ActiveDirectory is missing. Install the feature RSAT-AD-PowerShell.",
            "DirectoryModuleMissing",
            "ObjectNotFound",
        )
    if not context.machine.area(Identity).domain:
        raise resource_error(
            "The machine is in a workgroup: it has no account that could delegate. Let it join the domain first.",
            "NotDomainMember",
            "InvalidOperation",
        )


def _domain(bound: Mapping[str, Any], context: ResourceContext) -> Domain:
    """Give the domain that answers, to somebody who may ask."""
    machine = context.machine
    directory = machine.world.area(Directory)
    name = bound.get("DomainController", "").partition(".")[2] or machine.area(Identity).domain
    try:
        machine.ledger.attempt("Get-ADComputer")
        domain = directory.reach(name)
        if credential := bound.get("Credential"):
            directory.authenticate(domain, str(credential["UserName"]), str(credential["Password"]))
    except MachineError as error:
        raise thrown(error, _CMDLET) from None
    return domain


def _account(bound: Mapping[str, Any], context: ResourceContext) -> tuple[Domain, DirectoryComputer]:
    domain = _domain(bound, context)
    name = bound["ComputerName"]
    account = context.machine.world.area(Directory).computer(domain, name)
    if account is None:
        raise resource_error(
            f"The domain has no computer account '{name}'. Let the computer join the domain first.",
            "ComputerNotFound",
            "ObjectNotFound",
        )
    return domain, account


def _demand_right(bound: Mapping[str, Any], domain: Domain, context: ResourceContext) -> None:
    """Throw unless who asks may set delegation; without a credential that is the machine itself."""
    context.machine.ledger.attempt("Set-ADComputer")
    credential = bound.get("Credential")
    if credential:
        directory = context.machine.world.area(Directory)
        user = directory.authenticate(domain, str(credential["UserName"]), str(credential["Password"]))
        if not user.groups or _folded(user.groups) & _MAY_DELEGATE:
            return
    raise MachineError("Insufficient access rights to perform the operation", "8344", "PermissionDenied")
