"""UserRightsAssignment of SecurityPolicyDsc 2.10 (class MSFT_UserRightsAssignment)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from provisioner.lab.machine.directory.principals import name_of, sid_of
from provisioner.lab.machine.security.user_rights import CONSTANTS, UserRights
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.calls import works

_RULES = (
    Rule("Policy", is_mandatory=True, allowed=tuple(CONSTANTS)),
    Rule("Identity", "strings", is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Force", "boolean"),
)
_SID = re.compile(r"S-[0-9-]{3,}")
_LOCAL, _LOCAL_ADMINISTRATORS = "[local account]", "[local account|administrator]"
_ADMINISTRATORS = "S-1-5-32-544"


class UserRightsAssignment:
    """Stateless. Whatever is written is the whole list of who has the right."""

    class_name = "MSFT_UserRightsAssignment"
    module = "SecurityPolicyDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {"Policy": bound["Policy"], "Identity": _current(bound["Policy"], context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: an account that nobody knows does not count."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _is_as_wanted(bound, context, is_forced=bound.get("Force", False))

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource. It throws when Test (without Force) is not true afterwards."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        policy, identities = bound["Policy"], bound["Identity"]
        entries = [] if _is_null(identities) else _wanted(bound, context)
        last_line = context.machine.area(UserRights).configure(_constant(policy), entries)
        if not _is_as_wanted(bound, context, is_forced=False):
            raise _thrown(f"Task did not complete successfully {last_line}")


def _wanted(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    """Give the new list: with what is there already, or without what has to go."""
    policy = bound["Policy"]
    current = _current(policy, context) or []
    accounts = _accounts(bound["Identity"], context, policy, in_set=True)
    if is_same(bound.get("Ensure", "Present"), "Present"):
        if not bound.get("Force"):
            for name in current:
                if name.casefold() not in {item.casefold() for item in accounts}:
                    accounts += _translate(name, context, policy, in_set=True)
        return accounts
    if len(current) <= 1:
        # Whoever is the only one goes, whether asked for or not.
        return []
    for account in accounts:
        if account in current:
            current.remove(account)
    return current


def _is_as_wanted(bound: Mapping[str, Any], context: ResourceContext, *, is_forced: bool) -> bool:
    current = _current(bound["Policy"], context)
    if _is_null(bound["Identity"]):
        return current is None
    accounts = _accounts(bound["Identity"], context, bound["Policy"], in_set=False)
    have = {name.casefold() for name in current or ()}
    want = {name.casefold() for name in accounts}
    if is_same(bound.get("Ensure", "Present"), "Absent"):
        return not want & have
    return want <= have and not (is_forced and have - want)


def _is_null(identities: Sequence[str]) -> bool:
    return not " ".join(identities).strip()


def _constant(policy: str) -> str:
    return next(constant for name, constant in CONSTANTS.items() if is_same(name, policy))


def _current(policy: str, context: ResourceContext) -> list[str] | None:
    """Give who has the right, by name; None when nobody does."""
    if not works(context, "secedit.exe"):
        return None
    holders = context.machine.area(UserRights).export().get(_constant(policy))
    if holders is None:
        return None
    return [name for text in holders for name in _translate(text, context, policy, in_set=False)]


def _accounts(identities: Sequence[str], context: ResourceContext, policy: str, *, in_set: bool) -> list[str]:
    """Translate to names as Windows shows them; the local ones, asked for as such, to SIDs."""
    found: list[str] = []
    for identity in identities:
        if identity.casefold() in {_LOCAL, _LOCAL_ADMINISTRATORS}:
            answers = works(context, "Get-CimInstance")
            local = context.machine.accounts.local_sids() if answers else []
            if identity.casefold() == _LOCAL_ADMINISTRATORS:
                administrators = context.machine.area(LocalAccounts).group(_ADMINISTRATORS)
                local = [sid for sid in administrators.members if sid in local] if administrators else []
            found += local
        elif not identity:
            # The helper is not called with an empty text; the others go on.
            context.nonterminating.append(
                ResourceError(
                    "Cannot bind argument to parameter 'Identity' because it is an empty string.",
                    "ParameterArgumentValidationErrorEmptyStringNotAllowed,ConvertTo-LocalFriendlyName",
                    "InvalidData",
                    "System.Management.Automation.ParameterBindingValidationException",
                )
            )
        else:
            found += _translate(identity, context, policy, in_set=in_set)
    return found


def _translate(identity: str, context: ResourceContext, policy: str, *, in_set: bool) -> list[str]:
    """Give the name of an account; nothing for one that does not exist.

    Raises:
        ResourceError: in Set only, the account does not exist.
    """
    text = identity.replace("*", "").strip()
    try:
        sid = text if _SID.match(text) else sid_of(context.machine, text)
    except MachineError:
        if in_set:
            raise _thrown(f"Could not convert Identity: {text} to SID") from None
        return []
    name = name_of(context.machine, sid)
    if in_set and name == sid:
        raise _thrown(f"Could not translate SID: {sid} on Policy: {policy}")
    return [name]


def _thrown(message: str) -> ResourceError:
    """Make the error of a plain throw of a text, which is its id too."""
    return ResourceError(
        message, message, "OperationStopped", "System.Management.Automation.RuntimeException"
    )
