"""Computer of ComputerManagementDsc 10 (class DSC_Computer): name, description, workgroup or domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity, Login
from provisioner.lab.machine.directory.domains import Domain, bare_name
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_argument,
    invalid_operation,
    is_same,
    refuse_value,
    thrown,
)

_JOIN_OPTIONS = (
    "AccountCreate",
    "Win9XUpgrade",
    "UnsecuredJoin",
    "PasswordPass",
    "JoinWithNewName",
    "JoinReadOnly",
    "InstallInvoke",
)
_RULES = (
    # Its own checks come before the one for an empty text.
    Rule("Name", "any", is_mandatory=True),
    Rule("DomainName"),
    Rule("JoinOU"),
    Rule("Credential", "any"),
    Rule("UnjoinCredential", "any"),
    Rule("WorkGroupName"),
    Rule("Description"),
    Rule("Server"),
    Rule("Options", "strings"),
)
_ADD = "Microsoft.PowerShell.Commands.AddComputerCommand"
_RENAME = "Microsoft.PowerShell.Commands.RenameComputerCommand"
_BINDING = "System.Management.Automation.ParameterBindingValidationException"
_LONGEST = 15
_FORBIDDEN = '/\\:*?"<>|'


class Computer:
    """Stateless; every Set that does not throw asks for a reboot, whatever it changed."""

    class_name = "DSC_Computer"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; passwords are left out."""
        bound = _bind("Get-TargetResource", properties)
        identity = context.machine.area(Identity)
        account = identity.account
        return {
            "Name": identity.name,
            "DomainName": identity.domain,
            "JoinOU": bound.get("JoinOU", ""),
            "CurrentOU": account.container if account else None,
            "Credential": {"Username": _user(bound.get("Credential")), "Password": ""},
            "UnjoinCredential": {"Username": _user(bound.get("UnjoinCredential")), "Password": ""},
            "WorkGroupName": None if identity.domain else identity.workgroup,
            "Description": identity.description,
            "Server": identity.logon_server,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module: a wrong name ends it."""
        bound = _bind("Test-TargetResource", properties)
        identity = context.machine.area(Identity)
        if not is_same(bound["Name"], "localhost") and not is_same(bound["Name"], identity.name):
            return False
        if "Description" in bound and not is_same(bound["Description"], identity.description):
            return False
        _check_one(bound)
        if domain := bound.get("DomainName"):
            if not bound.get("Credential"):
                raise _no_credential()
            if "." in domain:
                return is_same(domain, identity.domain)
            return bool(identity.domain) and is_same(domain, identity.user_domain)
        if workgroup := bound.get("WorkGroupName"):
            return not identity.domain and is_same(workgroup, identity.workgroup)
        return True

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = _bind("Set-TargetResource", properties)
        _check_one(bound)
        identity = context.machine.area(Identity)
        name = identity.name if is_same(bound["Name"], "localhost") else bound["Name"]
        if "Description" in bound:
            _write(context, "Set-CimInstance", lambda: identity.describe(bound["Description"]))
        await context.sleep(context.machine.durations.other_s)
        _place(name, bound, identity, context)
        context.reboot_requested = True


def _bind(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    bound = bind(function, _RULES, properties)
    name = bound["Name"]
    if not name:
        raise _wrong_name(
            function,
            "The character length (0) of the argument is too short. Specify an argument with a length that is "
            'greater than or equal to "1", and then try the command again.',
        )
    if len(name) > _LONGEST:
        raise _wrong_name(
            function,
            f"The character length of the {len(name)} argument is too long. Shorten the character length of the "
            f'argument so it is fewer than or equal to "{_LONGEST}" characters, and then try the command again.',
        )
    if any(char in name for char in _FORBIDDEN):
        raise _wrong_name(
            function,
            f'The " $_ -inotmatch \'[\\/\\\\:*?"<>|]\' " validation script for the argument with value "{name}" '
            "did not return a result of True.",
        )
    for option in bound.get("Options") or ():
        if not any(is_same(option, known) for known in _JOIN_OPTIONS):
            raise refuse_value(function, "Options", option, _JOIN_OPTIONS)
    return bound


def _wrong_name(function: str, why: str) -> ResourceError:
    return ResourceError(
        f"Cannot validate argument on parameter 'Name'. {why}",
        f"ParameterArgumentValidationError,{function}",
        "InvalidData",
        _BINDING,
    )


def _check_one(bound: Mapping[str, Any]) -> None:
    if bound.get("DomainName") and bound.get("WorkGroupName"):
        raise invalid_operation("Only DomainName or WorkGroupName can be specified at once.")


def _no_credential() -> ResourceError:
    return invalid_argument("Must to specify credentials with domain.", "Credentials")


def _user(credential: Any) -> str:
    return str(credential["UserName"]) if credential else ""


def _login(bound: Mapping[str, Any]) -> Login | None:
    credential = bound.get("Credential")
    return Login(str(credential["UserName"]), str(credential["Password"])) if credential else None


def _place(name: str, bound: Mapping[str, Any], identity: Identity, context: ResourceContext) -> None:
    """Rename and join as asked."""
    login = _login(bound)
    is_renamed = not is_same(name, identity.name)
    workgroup = bound.get("WorkGroupName")
    if domain := bound.get("DomainName"):
        if login is None:
            raise _no_credential()
        if is_same(domain, identity.domain):
            _write(context, _RENAME, lambda: identity.rename(name, login))
        else:
            _join(name, login, bound, context)
    elif workgroup and not identity.domain and is_same(workgroup, identity.workgroup):
        _write(context, _RENAME, lambda: identity.rename(name))
    elif workgroup:
        _write(context, _ADD, lambda: identity.join_workgroup(workgroup, name if is_renamed else ""))
    elif is_renamed:
        _write(context, _RENAME, lambda: identity.rename(name, login if identity.domain else None))


def _write(context: ResourceContext, command: str, act: Callable[[], None]) -> None:
    try:
        act()
    except MachineError as error:
        context.nonterminating.append(thrown(error, command))


def _join(name: str, login: Login, bound: Mapping[str, Any], context: ResourceContext) -> None:
    identity = context.machine.area(Identity)
    _delete_account(name, login, bound["DomainName"], identity)
    _check_options(login, bound)
    try:
        identity.join_domain(
            bound["DomainName"],
            login,
            bound.get("JoinOU", ""),
            "" if is_same(name, identity.name) else name,
        )
    except MachineError as error:
        if error.error_id == "FailToRenameAfterJoinDomain":
            _write(context, _RENAME, lambda: identity.rename(name, login))
        elif error.exception_type == "System.InvalidOperationException":
            raise invalid_operation(error.message) from None
        else:
            raise thrown(error, _ADD) from None


def _delete_account(name: str, login: Login, domain_name: str, identity: Identity) -> None:
    """Delete the computer object of the new name, with all below it.

    Raises:
        ResourceError: the search for it fails.
    """
    directory = identity.directory
    with calling("DirectorySearcher:FindOne"):
        identity.owner.ledger.attempt("FindOne")
    try:
        domain: Domain = directory.reach(domain_name)
        directory.authenticate(domain, bare_name(login.user), login.password)
    except MachineError as error:
        raise ResourceError(
            f'Exception calling "FindOne" with "0" argument(s): "{error.message}\r\n"',
            "DirectoryServicesCOMException",
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
        ) from None
    if directory.computer(domain, name):
        with calling("DirectoryEntry:DeleteTree"):
            identity.owner.ledger.attempt("DeleteTree")
        directory.remove_computer(domain, name)


def _check_options(login: Login, bound: Mapping[str, Any]) -> None:
    options = {option.casefold() for option in bound.get("Options") or ()}
    if "passwordpass" in options and "unsecuredjoin" not in options:
        raise invalid_argument(
            "Domain Join option 'PasswordPass' may not be specified if 'UnsecuredJoin' is specified.",
            "PasswordPass",
        )
    if {"passwordpass", "unsecuredjoin"} <= options and login.user:
        raise invalid_argument(
            "'Credential' username must be null if 'UnsecuredJoin' is specified.", "Credential"
        )
