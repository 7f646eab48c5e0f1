"""Computer of ComputerManagementDsc 10 (class DSC_Computer): name, description, workgroup or domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity, Login
from provisioner.lab.machine.directory.domains import Domain, bare_name
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    invalid_argument,
    invalid_operation,
    is_same,
    refuse_value,
    thrown,
)
from provisioner.lab.resources.calls import works, written

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
_GET = "Get-CimInstance"
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
        credentials = [_shown(bound.get(name), context) for name in ("Credential", "UnjoinCredential")]
        domain = _domain(identity, context)
        account = identity.account if _domain(identity, context) else None
        return {
            "Name": identity.name,
            "DomainName": domain,
            "JoinOU": bound.get("JoinOU", ""),
            "CurrentOU": account.container if account else None,
            "Credential": credentials[0],
            "UnjoinCredential": credentials[1],
            "WorkGroupName": _workgroup(identity, context),
            "Description": identity.description if works(context, _GET) else None,
            "Server": identity.logon_server,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module: a wrong name ends it."""
        bound = _bind("Test-TargetResource", properties)
        identity = context.machine.area(Identity)
        if not is_same(bound["Name"], "localhost") and not is_same(bound["Name"], identity.name):
            return False
        if "Description" in bound:
            described = identity.description if works(context, _GET) else None
            if described is None or not is_same(bound["Description"], described):
                return False
        _check_one(bound)
        if domain := bound.get("DomainName"):
            if not bound.get("Credential"):
                raise _no_credential()
            member = _domain(identity, context)
            if "." in domain:
                return is_same(domain, member)
            return bool(member) and is_same(domain, identity.user_domain)
        if workgroup := bound.get("WorkGroupName"):
            return is_same(workgroup, _workgroup(identity, context) or "")
        return True

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = _bind("Set-TargetResource", properties)
        _check_one(bound)
        identity = context.machine.area(Identity)
        name = identity.name if is_same(bound["Name"], "localhost") else bound["Name"]
        if "Description" in bound:
            _describe(bound["Description"], identity, context)
        await context.sleep(context.machine.durations.other_s)
        _place(name, bound, identity, context)
        context.reboot_requested = True


def _bind(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    bound = bind(function, _RULES, properties)
    name = bound["Name"] = "" if bound["Name"] is None else str(bound["Name"])
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


def _shown(credential: Any, context: ResourceContext) -> dict[str, str] | None:
    """What Get shows of a credential: no password."""
    if not works(context, "New-CimInstance"):
        return None
    return {"Username": str(credential["UserName"]) if credential else "", "Password": ""}


def _domain(identity: Identity, context: ResourceContext) -> str:
    """Ask for the domain; none when the question fails, which is written."""
    return identity.domain if works(context, _GET) else ""


def _workgroup(identity: Identity, context: ResourceContext) -> str | None:
    """Ask for the workgroup: a member of a domain has none."""
    return identity.workgroup if works(context, _GET) and not identity.domain else None


def _describe(text: str, identity: Identity, context: ResourceContext) -> None:
    """Change the description of the instance that was read; without one both statements behind fail too."""
    if works(context, _GET):
        written(context, "Set-CimInstance", lambda: identity.describe(text))
        return
    context.nonterminating += [
        ResourceError(
            "The property 'Description' cannot be found on this object. Verify that the property exists and can "
            "be set.",
            "PropertyNotFound",
            "InvalidOperation",
            "System.Management.Automation.RuntimeException",
        ),
        ResourceError(
            "Cannot bind argument to parameter 'InputObject' because it is null.",
            "ParameterArgumentValidationErrorNullNotAllowed,Microsoft.Management.Infrastructure.CimCmdlets."
            "SetCimInstanceCommand",
            "InvalidData",
            _BINDING,
        ),
    ]


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
        if is_same(domain, _domain(identity, context)):
            written(context, _RENAME, lambda: identity.rename(name, login))
        else:
            _join(name, login, bound, context)
    elif workgroup:
        if is_same(workgroup, _workgroup(identity, context) or ""):
            written(context, _RENAME, lambda: identity.rename(name))
        else:
            written(context, _ADD, lambda: identity.join_workgroup(workgroup, name if is_renamed else ""))
    elif is_renamed:
        needs_login = login is not None and bool(_domain(identity, context))
        written(context, _RENAME, lambda: identity.rename(name, login if needs_login else None))


def _join(name: str, login: Login, bound: Mapping[str, Any], context: ResourceContext) -> None:
    identity = context.machine.area(Identity)
    _delete_account(name, bound["DomainName"], login, context)
    _check_options(login, bound)
    try:
        identity.join_domain(
            bound["DomainName"],
            login,
            bound.get("JoinOU", ""),
            "" if is_same(name, identity.name) else name,
        )
    except MachineError as error:
        if not error.is_terminating:
            # Add-Computer writes why it failed, and the module goes on as behind a join.
            context.nonterminating.append(thrown(error, _ADD))
        elif error.error_id == "FailToRenameAfterJoinDomain":
            written(context, _RENAME, lambda: identity.rename(name, login))
        elif error.exception_type == "System.InvalidOperationException":
            raise invalid_operation(error.message) from None
        else:
            raise thrown(error, _ADD) from None


def _delete_account(name: str, domain_name: str, login: Login, context: ResourceContext) -> None:
    """Delete the computer object of the new name, with all below it; what fails here does not end Set."""
    identity = context.machine.area(Identity)
    domain = written(context, "DirectorySearcher:FindOne", lambda: _search(domain_name, login, identity))
    if domain and identity.directory.computer(domain, name):
        written(context, "DirectoryEntry:DeleteTree", lambda: _delete(name, domain, identity))


def _search(domain_name: str, login: Login, identity: Identity) -> Domain:
    """Reach a domain as the search in it does.

    Raises:
        MachineError: the search fails.
    """
    directory = identity.directory
    identity.owner.ledger.attempt("FindOne")
    try:
        domain: Domain = directory.reach(domain_name)
        directory.authenticate(domain, bare_name(login.user), login.password)
    except MachineError as error:
        raise MachineError(
            f'Exception calling "FindOne" with "0" argument(s): "{error.message}\r\n"',
            "DirectoryServicesCOMException",
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
            is_terminating=True,
        ) from None
    return domain


def _delete(name: str, domain: Domain, identity: Identity) -> None:
    identity.owner.ledger.attempt("DeleteTree")
    identity.directory.remove_computer(domain, name)


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
