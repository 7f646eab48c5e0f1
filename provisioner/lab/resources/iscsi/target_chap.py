"""IscsiTargetChap of ProvisionerDsc (class PROV_IscsiTargetChap): CHAP of a target, both directions.

Which secret was set last is known by a marker in the registry, as on Windows; no message holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.ground.iscsi import Target
from provisioner.lab.machine.security import secret_markers
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("TargetName", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Chap", "credential"),
    Rule("ReverseChap", "credential"),
)
_CMDLETS: Final = "Microsoft.Iscsi.Target.Commands."
_RESOURCE: Final = "IscsiTargetChap"
_SHORTEST, _LONGEST = 12, 16
_ENCRYPTED: Final = "-----begin cms-----"
#: Fields of a target for user and secret, by the property.
_FIELDS: Final = {
    "Chap": ("chap_user", "chap_secret"),
    "ReverseChap": ("reverse_user", "reverse_secret"),
}


class IscsiTargetChap:
    """Stateless. Without ReverseChap the target proves itself to nobody."""

    class_name = "PROV_IscsiTargetChap"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; secrets cannot be read."""
        name = bind("Get-TargetResource", _RULES[:1], properties)["TargetName"]
        target = _lookup(name, context)
        is_present = target is not None and bool(target.chap_user or target.reverse_user)
        return {
            "TargetName": name,
            "Ensure": "Present" if is_present else "Absent",
            "Chap": None,
            "ReverseChap": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; a missing target is a difference."""
        bound = bind("Test-TargetResource", _RULES, properties)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            target = _lookup(bound["TargetName"], context)
            return target is None or not (target.chap_user or target.reverse_user)
        _check_secrets(bound)
        target = _lookup(bound["TargetName"], context)
        return target is not None and all(_is_right(target, bound, one, context) for one in _FIELDS)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: each direction that differs, with its marker written last."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name, target = bound["TargetName"], _lookup(bound["TargetName"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if target is not None:
                _change(name, {field: "" for pair in _FIELDS.values() for field in pair}, context)
            for direction in _FIELDS:
                secret_markers.forget(context.machine.registry, _RESOURCE, f"{direction} {name}")
            return
        _check_secrets(bound)
        if target is None:
            raise resource_error(f"There is no iSCSI target '{name}'.", "TargetNotFound", "ObjectNotFound")
        await context.sleep(context.machine.durations.other_s)
        for direction, (user_field, secret_field) in _FIELDS.items():
            if _is_right(target, bound, direction, context):
                continue
            secret_markers.forget(context.machine.registry, _RESOURCE, f"{direction} {name}")
            user, secret = _credential(bound.get(direction))
            _change(name, {user_field: user, secret_field: secret}, context)
            if bound.get(direction) is not None:
                secret_markers.mark(context.machine.registry, _RESOURCE, f"{direction} {name}", secret)
        changed = _lookup(name, context)
        for direction in _FIELDS:
            if changed is None or not _is_right(changed, bound, direction, context):
                raise resource_error(
                    f"{direction} of the target '{name}' was set, but reads back otherwise.",
                    "ChapNotApplied",
                    "InvalidResult",
                )


def _lookup(name: str, context: ResourceContext) -> Target | None:
    with calling(_CMDLETS + "GetIscsiServerTargetCommand"):
        found = context.machine.iscsi.targets()
    return next((item for item in found if is_same(item.name, name)), None)


def _change(name: str, fields: dict[str, str], context: ResourceContext) -> None:
    with calling(_CMDLETS + "SetIscsiServerTargetCommand"):
        context.machine.iscsi.change_target(name, **fields)


def _credential(given: Mapping[str, Any] | None) -> tuple[str, str]:
    held = {str(key).casefold(): value for key, value in (given or {}).items()}
    return str(held.get("username") or ""), str(held.get("password") or "")


def _is_right(target: Target, bound: Mapping[str, Any], direction: str, context: ResourceContext) -> bool:
    """Whether a direction asks for this user and, as far as is known, this secret."""
    current = getattr(target, _FIELDS[direction][0])
    if bound.get(direction) is None:
        return not current
    user, secret = _credential(bound[direction])
    if current != user:
        return False
    return secret_markers.is_marked(context.machine.registry, _RESOURCE, f"{direction} {target.name}", secret)


def _check_secrets(bound: Mapping[str, Any]) -> None:
    name = bound["TargetName"]
    if bound.get("Chap") is None:
        raise resource_error(
            f"CHAP of the target '{name}' should be present, but Chap is not given.",
            "ChapMissing",
            "InvalidArgument",
        )
    for direction in _FIELDS:
        if bound.get(direction) is None:
            continue
        secret = _credential(bound[direction])[1]
        if secret.lstrip().casefold().startswith(_ENCRYPTED):
            raise resource_error(
                f"{direction} of the target '{name}' arrived encrypted: does CertificateID of the LCM name the "
                "certificate?",
                "SecretNotDecrypted",
                "InvalidData",
            )
        if not _SHORTEST <= len(secret) <= _LONGEST:
            raise resource_error(
                f"The secret of {direction} of the target '{name}' does not have {_SHORTEST} to {_LONGEST} "
                "characters, as Windows wants it.",
                "SecretLength",
                "InvalidArgument",
            )
    reverse = bound.get("ReverseChap")
    if reverse is not None and _credential(reverse)[1] == _credential(bound["Chap"])[1]:
        raise resource_error(
            f"Chap and ReverseChap of the target '{name}' have the same secret; they must differ.",
            "SecretsEqual",
            "InvalidArgument",
        )
