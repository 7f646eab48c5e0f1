"""Service of PSDscResources 2.12 (class MSFT_ServiceResource)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.services import Service as WindowsService
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_argument,
    invalid_operation,
    is_same,
    is_same_bag,
    refuse_value,
)

_SET = "Set-TargetResource"
_ACCOUNTS = ("LocalSystem", "LocalService", "NetworkService")
RULES = (
    Rule("Name", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Path", may_be_empty=False),
    Rule("StartupType", allowed=("Automatic", "Manual", "Disabled")),
    Rule("BuiltInAccount", allowed=_ACCOUNTS),
    Rule("Credential", "credential", may_be_null=False),
    Rule("DesktopInteract", "boolean"),
    Rule("State", allowed=("Running", "Stopped", "Ignore")),
    Rule("DisplayName", may_be_empty=False, only=_SET),
    Rule("Description", may_be_empty=False, only=_SET),
    Rule("Dependencies", "strings"),
    Rule("StartupTimeout", "uint32"),
    Rule("TerminateTimeout", "uint32"),
)
_CMDLETS = "Microsoft.PowerShell.Commands."
_START_MODES = ("Auto", "Manual", "Disabled")
_DEFAULT_TIMEOUT_MS = 30000
#: Properties that Set looks at after making the service or changing its path.
_PROPERTIES = (
    "StartupType",
    "BuiltInAccount",
    "Credential",
    "DesktopInteract",
    "DisplayName",
    "Description",
    "Dependencies",
)


class Service:
    """Stateless; passwords and timeouts are never compared."""

    class_name = "MSFT_ServiceResource"
    module = "PSDscResources"
    rules: tuple[Rule, ...] = RULES
    #: Whether stopping takes running dependants along.
    stops_by_force = False
    #: Whether properties have to go together also where the service shall be absent.
    checks_absent = True

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", RULES[:1], properties)
        service = _read(bound["Name"], context)
        if service is None:
            return {"Name": bound["Name"], "Ensure": "Absent"}
        return {
            "Name": bound["Name"],
            "Ensure": "Present",
            "Path": service.path,
            "StartupType": service.startup_type,
            "BuiltInAccount": _shown_account(service),
            "State": service.status,
            "DisplayName": service.display_name,
            "Description": service.description,
            "DesktopInteract": service.desktop_interact,
            "Dependencies": list(service.dependencies),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: State is Running unless something else is bound."""
        bound = bind("Test-TargetResource", self.rules, properties)
        self._check_conflicts(bound)
        service = _read(bound["Name"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return service is None
        return service is not None and not _differing(bound, service, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind(_SET, self.rules, properties)
        self._check_conflicts(bound)
        name = bound["Name"]
        service = _find(name, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if service is not None:
                await _remove(name, bound, context, force=self.stops_by_force)
            return
        is_repathed = False
        if service is None:
            service = _create(bound, context)
        elif "Path" in bound and not _has_path(service, bound["Path"], "Set-ServicePath", context):
            _change(service.name, {"path": bound["Path"]}, "Path", context)
            is_repathed = True
        _change_properties(bound, service, context)
        await _bring_to_state(bound, context, is_repathed=is_repathed, force=self.stops_by_force)

    def _check_conflicts(self, bound: Mapping[str, Any]) -> None:
        name, kind, state = bound["Name"], bound.get("StartupType", ""), bound.get("State", "Running")
        if is_same(bound.get("Ensure", "Present"), "Absent") and not self.checks_absent:
            return
        is_automatic = is_same(kind, "Automatic") and is_same(state, "Stopped")
        if is_automatic or (is_same(kind, "Disabled") and is_same(state, "Running")):
            raise self.conflict(
                "Automatic" if is_automatic else "Disabled",
                f"Service {name} cannot have a startup type of {kind} and a state of {state} at the same time.",
            )
        if "BuiltInAccount" in bound and "Credential" in bound:
            raise self.conflict(
                "Account",
                "Both BuiltInAccount and Credential cannot be specified. Please remove one for service "
                f"{name}.",
            )

    def conflict(self, reason: str, text: str) -> ResourceError:
        """Make the error of two properties that do not go together."""
        is_about_account = reason == "Account"
        return invalid_argument(
            text, "BuiltInAccount & Credential" if is_about_account else "StartupType and State"
        )


def _find(name: str, context: ResourceContext) -> WindowsService | None:
    """Get-Service, whose errors are silenced."""
    is_readable = "Get-Service" not in context.machine.ledger.failing
    return context.machine.services.find(name) if is_readable else None


def _query(context: ResourceContext) -> None:
    """Get-CimInstance of Win32_Service, for what Get-Service does not tell."""
    with calling("Get-CimInstance"):
        context.machine.ledger.attempt("Get-CimInstance")


def _read(name: str, context: ResourceContext) -> WindowsService | None:
    service = _find(name, context)
    if service is not None:
        _query(context)
        _demand_known_mode(service, "Get-TargetResource")
    return service


def _demand_known_mode(service: WindowsService, function: str) -> None:
    if service.start_mode not in _START_MODES:
        raise refuse_value(function, "StartMode", service.start_mode, _START_MODES)


def _has_path(service: WindowsService, path: str, function: str, context: ResourceContext) -> bool:
    """Compare paths, which is an error where the service has none."""
    if function != "Test-TargetResource":
        _query(context)
    if not service.path:
        raise ResourceError(
            "Cannot bind argument to parameter 'ActualPath' because it is an empty string.",
            f"ParameterArgumentValidationErrorEmptyStringNotAllowed,{function}",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    return is_same(path, service.path)


def _differing(bound: Mapping[str, Any], service: WindowsService, context: ResourceContext) -> bool:
    """Whether one of the bound properties, or the state, is not as wanted."""
    if "Path" in bound and not _has_path(service, bound["Path"], "Test-TargetResource", context):
        return True
    account = _shown_account(service)
    pairs = (
        ("DisplayName", service.display_name),
        ("DesktopInteract", service.desktop_interact),
        ("StartupType", service.startup_type),
        ("BuiltInAccount", account),
    )
    if any(name in bound and not is_same(bound[name], actual) for name, actual in pairs):
        return True
    if _has_other_description(bound, service):
        return True
    wanted = bound.get("Dependencies", service.dependencies)
    if wanted is None or not is_same_bag(wanted, service.dependencies):
        return True
    # A credential of a built-in account is compared with that account's short name, and never equal to it.
    if "Credential" in bound and not is_same(_start_name(bound["Credential"], context), account):
        return True
    state = bound.get("State", "Running")
    return not is_same(state, "Ignore") and not is_same(state, service.status)


def _has_other_description(bound: Mapping[str, Any], service: WindowsService) -> bool:
    """Whether the description differs: none at all is not the empty text."""
    if "Description" not in bound:
        return False
    return service.description is None or not is_same(bound["Description"] or "", service.description)


def _shown_account(service: WindowsService) -> str:
    """Give the account as Get shows it: two of the authority NT Authority have short names."""
    authority, _, account = service.start_name.rpartition("\\")
    found = next((item for item in _ACCOUNTS[1:] if is_same(item, account)), None)
    return found if found and is_same(authority, "NT Authority") else service.start_name


def _start_name(credential: Mapping[str, Any], context: ResourceContext) -> str:
    """User name as Win32_Service shows it; the computer's name is matched with case, as in the module."""
    user, computer = str(credential["UserName"]), context.machine.computer_name
    if any(is_same(user, account) for account in _ACCOUNTS[1:]):
        return f"NT Authority\\{user}"
    if "\\" not in user and "@" not in user:
        return f".\\{user}"
    return user.replace(computer, ".") if user.startswith(computer + "\\") else user


def _create(bound: Mapping[str, Any], context: ResourceContext) -> WindowsService:
    name = bound["Name"]
    if "Path" not in bound:
        raise invalid_argument(
            f"The service '{name}' does not exist, but Path was not specified. Please specify the path to the "
            "executable the service should run to create a new service.",
            "Path",
        )
    service = WindowsService(name, name, bound["Path"], "Auto")
    with calling(_CMDLETS + "NewServiceCommand"):
        context.machine.services.add(service)
    return service


def _change_properties(bound: Mapping[str, Any], service: WindowsService, context: ResourceContext) -> None:
    """Change what differs, in the module's order: a failure leaves what was changed before it."""
    name = service.name
    if any(item in bound for item in _PROPERTIES):
        _query(context)
    texts: dict[str, Any] = {}
    if "DisplayName" in bound and not is_same(bound["DisplayName"], service.display_name):
        texts["display_name"] = bound["DisplayName"]
    if _has_other_description(bound, service):
        texts["description"] = bound["Description"]
    if texts:
        with calling(_CMDLETS + "SetServiceCommand"):
            context.machine.ledger.attempt("Set-Service")
        context.machine.services.change(name, **texts)
    if "Dependencies" in bound and bound["Dependencies"] is None:
        raise ResourceError(
            "Cannot bind argument to parameter 'Dependencies' because it is null.",
            "ParameterArgumentValidationErrorNullNotAllowed,Set-ServiceProperty",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    if "Dependencies" in bound and not is_same_bag(bound["Dependencies"], service.dependencies):
        _change(name, {"dependencies": tuple(bound["Dependencies"])}, "Dependencies", context)
    account = _wanted_account(bound, service, context)
    if account:
        _change(name, account, "BuiltInAccount, Credential, or DesktopInteract", context)
    if "StartupType" in bound:
        _demand_known_mode(service, "Set-ServiceStartupType")
        kind = next(
            mode for mode in ("Automatic", "Manual", "Disabled") if is_same(mode, bound["StartupType"])
        )
        mode = "Auto" if kind == "Automatic" else kind
        if mode != service.start_mode:
            _change(name, {"start_mode": mode}, "StartupType", context)


def _wanted_account(
    bound: Mapping[str, Any], service: WindowsService, context: ResourceContext
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    account = bound.get("BuiltInAccount")
    if account is not None and is_same(account, "LocalSystem"):
        # The module compares with .\LocalSystem, which no service shows, and so always sets it.
        fields["start_name"] = account
    elif account is not None and not is_same(f"NT Authority\\{account}", service.start_name):
        fields["start_name"] = f"NT Authority\\{account}"
    if "Credential" in bound and not is_same(_start_name(bound["Credential"], context), service.start_name):
        fields["start_name"] = _granted(_start_name(bound["Credential"], context), context)
    if "DesktopInteract" in bound and bound["DesktopInteract"] != service.desktop_interact:
        fields["desktop_interact"] = bound["DesktopInteract"]
    return fields


def _granted(account: str, context: ResourceContext) -> str:
    """Give an account the right to log on as a service."""
    try:
        context.machine.ledger.attempt("GrantLogOnAsServiceRight")
    except MachineError as error:
        raise invalid_operation(
            f"Error granting '{account}' the right to log on as a service. Message: '{error.message}'."
        ) from None
    return account


def _change(name: str, fields: Mapping[str, Any], properties: str, context: ResourceContext) -> None:
    """Call Win32_Service.Change; ``properties`` is the id of the error about a return value that is not 0."""
    with calling("Invoke-CimMethod"):
        context.machine.ledger.attempt("Invoke-CimMethod")
    try:
        context.machine.ledger.attempt("Win32_Service.Change")
    except MachineError as error:
        raise invalid_argument(
            f"The CIM method Change failed on service {name} while attempting to update the "
            f"{', '.join(fields)} property(s) with the error code {error.error_id}.",
            properties,
        ) from None
    context.machine.services.change(name, **fields)


async def _bring_to_state(
    bound: Mapping[str, Any], context: ResourceContext, *, is_repathed: bool, force: bool
) -> None:
    name, state = bound["Name"], bound.get("State", "Running")
    if is_same(state, "Ignore"):
        return
    if is_same(state, "Stopped") or is_repathed:
        await _stop(name, int(bound.get("TerminateTimeout", _DEFAULT_TIMEOUT_MS)), context, force=force)
    if is_same(state, "Running"):
        await _start(name, int(bound.get("StartupTimeout", _DEFAULT_TIMEOUT_MS)), context)


async def _start(name: str, timeout_ms: int, context: ResourceContext) -> None:
    services = context.machine.services
    service = services.find(name)
    if service is None or service.status == "Running":
        # The cmdlet is called all the same.
        with calling(_CMDLETS + "StartServiceCommand"):
            context.machine.ledger.attempt("Start-Service")
        _wait(context)
        return
    await context.sleep(context.machine.durations.service_s)
    with calling(_CMDLETS + "StartServiceCommand"):
        services.start(name)
    _wait(context)
    if service.start_behaviour in {"slow", "hang"}:
        await context.sleep(timeout_ms / 1000)
        raise _timed_out()


def _wait(context: ResourceContext) -> None:
    """Wait for a status, which is asked for whatever it was before."""
    with calling("Wait-ServiceStateWithTimeout"):
        context.machine.ledger.attempt("ServiceController.WaitForStatus")


def _timed_out() -> ResourceError:
    return ResourceError(
        'Exception calling "WaitForStatus" with "2" argument(s): "Time out has expired and the operation has not '
        'been completed."',
        "TimeoutException,Wait-ServiceStateWithTimeout",
        "NotSpecified",
        "System.Management.Automation.MethodInvocationException",
    )


async def _stop(name: str, timeout_ms: int, context: ResourceContext, *, force: bool) -> None:
    service = context.machine.services.find(name)
    if service is None or service.status == "Stopped":
        with calling(_CMDLETS + "StopServiceCommand"):
            context.machine.ledger.attempt("Stop-Service")
        _wait(context)
        return
    await context.sleep(context.machine.durations.service_s)
    with calling(_CMDLETS + "StopServiceCommand"):
        context.machine.services.stop(name, force=force)
    _wait(context)
    if service.stop_behaviour == "hang":
        await context.sleep(timeout_ms / 1000)
        raise _timed_out()


async def _remove(name: str, bound: Mapping[str, Any], context: ResourceContext, *, force: bool) -> None:
    await _stop(name, int(bound.get("TerminateTimeout", _DEFAULT_TIMEOUT_MS)), context, force=force)
    timeout_ms = int(bound.get("TerminateTimeout", _DEFAULT_TIMEOUT_MS))
    try:
        context.machine.ledger.attempt("sc.exe")
        context.machine.services.delete(name)
    except MachineError:
        pass
    else:
        # Without time to look nobody sees that the service is gone.
        if timeout_ms:
            return
    await context.sleep(timeout_ms / 1000)
    raise invalid_operation(f"Failed to delete service {name}.")
