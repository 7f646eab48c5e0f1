"""User of PSDscResources 2.12 and of Windows itself (class MSFT_UserResource)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from provisioner.lab.machine.basics.local_accounts import User as LocalUser
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same

_NAME = Rule("UserName", may_be_empty=False)
_RULES = (
    _NAME,
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("FullName"),
    Rule("Description"),
    Rule("Password", "any", may_be_empty=False),
    Rule("Disabled", "boolean"),
    Rule("PasswordNeverExpires", "boolean"),
    Rule("PasswordChangeRequired", "boolean"),
    Rule("PasswordChangeNotAllowed", "boolean"),
)
_FORBIDDEN = '\\/"[]:|<>+=;,?*@'
#: Properties and the fields of a user they are compared with and written to.
_FIELDS = {
    "FullName": "full_name",
    "Description": "description",
    "Disabled": "is_disabled",
    "PasswordNeverExpires": "never_expires",
    "PasswordChangeNotAllowed": "cannot_change",
}


class User:
    """Stateless. A password is tested by logging on with it: who may not log on has no right password."""

    class_name = "MSFT_UserResource"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; whether a change is required is never answered."""
        bound = bind("Get-TargetResource", (_NAME,), properties)
        user = self._find(bound["UserName"], context)
        if user is None:
            return {"UserName": bound["UserName"], "Ensure": "Absent"}
        values = {name: getattr(user, field) for name, field in _FIELDS.items()}
        return {"UserName": user.name, "Ensure": "Present", "PasswordChangeRequired": None, **values}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: only what is bound; PasswordChangeRequired never."""
        bound = bind("Test-TargetResource", _RULES, properties)
        user = self._find(bound["UserName"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if user is None or not is_present:
            return (user is not None) == is_present
        if any(name in bound and not is_same(bound[name], getattr(user, _FIELDS[name])) for name in _FIELDS):
            return False
        if "Password" not in bound:
            return True
        password = str(bound["Password"]["Password"])
        return context.machine.area(LocalAccounts).can_log_on(user.name, password)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: sets the password and asks for its change every time they are bound."""
        bound = bind("Set-TargetResource", _RULES, properties)
        accounts = context.machine.area(LocalAccounts)
        user = self._find(bound["UserName"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if user is not None:
                accounts.remove_user(user.name)
            return
        if user is None:
            user = accounts.add_user(bound["UserName"])
        fields = {field: bound[name] for name, field in _FIELDS.items() if name in bound}
        if bound.get("PasswordChangeRequired"):
            fields["must_change"] = True
        try:
            if "Password" in bound:
                accounts.set_password(user.name, str(bound["Password"]["Password"]))
        except MachineError as error:
            raise invalid_operation(
                f"There could be a possible multiple matches exception while trying to use the "
                f"System.DirectoryServices API's. {error.message}"
            ) from None
        if fields:
            accounts.change_user(user.name, **fields)

    def _find(self, name: str, context: ResourceContext) -> LocalUser | None:
        if any(char in _FORBIDDEN for char in name):
            raise self._bad_name(
                f"The name {name} cannot be used: it has invalid characters.", is_blank=False
            )
        if not name.strip(". \t"):
            raise self._bad_name(
                f"The name {name} cannot be used: it has only dots or blanks.", is_blank=True
            )
        return context.machine.area(LocalAccounts).user(name)

    def _bad_name(self, text: str, *, is_blank: bool) -> ResourceError:
        del is_blank
        return invalid_argument(text, "UserName")


class InBoxUser(User):
    """The one that comes with Windows has other ids."""

    module = "PSDesiredStateConfiguration"

    def _bad_name(self, text: str, *, is_blank: bool) -> ResourceError:
        error_id = "UserNameHasOnlyWhiteSpacesAndDots" if is_blank else "UserNameHasInvalidCharachter"
        return ResourceError(text, error_id, "InvalidArgument", "System.ArgumentException")
