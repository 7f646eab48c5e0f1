"""IscsiTargetChap of ProvisionerDsc (class PROV_IscsiTargetChap): CHAP of a target, both directions.

Which secret was set last is known by a derivation in the registry, as on Windows; no message holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.ground.iscsi import Target
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same

_RULES: Final = (
    Rule("TargetName", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Chap", "credential"),
    Rule("ReverseChap", "credential"),
)
_CMDLETS: Final = "Microsoft.Iscsi.Target.Commands."
MARKERS: Final = r"SOFTWARE\Provisioner\IscsiTargetChap"
_ITERATIONS: Final = 100_000
_SALT_SIZE, _HASH_SIZE = 16, 20
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
        """Set-TargetResource: each direction that differs, with its derivation written last."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name, target = bound["TargetName"], _lookup(bound["TargetName"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if target is not None:
                _change(name, {field: "" for pair in _FIELDS.values() for field in pair}, context)
            for direction in _FIELDS:
                _forget(name, direction, context)
            return
        _check_secrets(bound)
        if target is None:
            raise ResourceError(
                f"There is no iSCSI target '{name}'.",
                "TargetNotFound",
                "ObjectNotFound",
                "System.InvalidOperationException",
            )
        await context.sleep(context.machine.durations.other_s)
        for direction, (user_field, secret_field) in _FIELDS.items():
            if _is_right(target, bound, direction, context):
                continue
            _forget(name, direction, context)
            user, secret = _credential(bound.get(direction))
            _change(name, {user_field: user, secret_field: secret}, context)
            if bound.get(direction) is not None:
                marker = _marker(secret, os.urandom(_SALT_SIZE), _ITERATIONS)
                context.machine.registry.set(MARKERS, _value_name(name, direction), marker)
        changed = _lookup(name, context)
        for direction in _FIELDS:
            if changed is None or not _is_right(changed, bound, direction, context):
                raise ResourceError(
                    f"{direction} of the target '{name}' was set, but reads back otherwise.",
                    "ChapNotApplied",
                    "InvalidResult",
                    "System.InvalidOperationException",
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
    marker = context.machine.registry.get(MARKERS, _value_name(target.name, direction))
    return marker is not None and _fits(str(marker), secret)


def _value_name(target: str, direction: str) -> str:
    return f"{direction} {target.lower()}"


def _forget(name: str, direction: str, context: ResourceContext) -> None:
    registry, value_name = context.machine.registry, _value_name(name, direction)
    if registry.get(MARKERS, value_name) is not None:
        registry.delete_value(MARKERS, value_name)


def _marker(secret: str, salt: bytes, iterations: int) -> str:
    derived = hashlib.pbkdf2_hmac("sha1", secret.encode(), salt, iterations, _HASH_SIZE)
    return f"{iterations}:{base64.b64encode(salt).decode()}:{base64.b64encode(derived).decode()}"


def _fits(marker: str, secret: str) -> bool:
    iterations, _, rest = marker.partition(":")
    try:
        salt = base64.b64decode(rest.partition(":")[0], validate=True)
        return hmac.compare_digest(_marker(secret, salt, int(iterations)), marker)
    except (ValueError, binascii.Error):
        return False


def _check_secrets(bound: Mapping[str, Any]) -> None:
    name = bound["TargetName"]
    if bound.get("Chap") is None:
        raise _argument(
            f"CHAP of the target '{name}' should be present, but Chap is not given.", "ChapMissing"
        )
    for direction in _FIELDS:
        if bound.get(direction) is None:
            continue
        secret = _credential(bound[direction])[1]
        if secret.lstrip().casefold().startswith(_ENCRYPTED):
            raise ResourceError(
                f"{direction} of the target '{name}' arrived encrypted: does CertificateID of the LCM name the "
                "certificate?",
                "SecretNotDecrypted",
                "InvalidData",
                "System.InvalidOperationException",
            )
        if not _SHORTEST <= len(secret) <= _LONGEST:
            raise _argument(
                f"The secret of {direction} of the target '{name}' does not have {_SHORTEST} to {_LONGEST} "
                "characters, as Windows wants it.",
                "SecretLength",
            )
    reverse = bound.get("ReverseChap")
    if reverse is not None and _credential(reverse)[1] == _credential(bound["Chap"])[1]:
        raise _argument(
            f"Chap and ReverseChap of the target '{name}' have the same secret; they must differ.",
            "SecretsEqual",
        )


def _argument(message: str, error_id: str) -> ResourceError:
    return ResourceError(message, error_id, "InvalidArgument", "System.ArgumentException")
