"""Registry of PSDscResources 2.12 and of Windows itself (class MSFT_RegistryResource)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.ground.registry import Value
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.basics import registry_data
from provisioner.lab.resources.binding import (
    Rule,
    bind,
    calling,
    invalid_argument,
    invalid_operation,
    is_same,
)

_TYPES = ("String", "Binary", "DWord", "QWord", "MultiString", "ExpandString")
_RULES = (
    Rule("Key", may_be_empty=False),
    Rule("ValueName"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("ValueData", "strings", may_be_null=False),
    Rule("ValueType", allowed=_TYPES),
    Rule("Hex", "boolean"),
    Rule("Force", "boolean"),
)
_GET_RULES = (
    *(rule for rule in _RULES if rule.name in {"Key", "ValueName", "ValueType"}),
    Rule("ValueData", "strings"),
)
_DRIVES = {"hkcc", "hkcr", "hkcu", "hklm", "hkus"}
#: Long names are looked up with regard to case.
_HIVES = {
    "HKEY_CLASSES_ROOT",
    "HKEY_CURRENT_CONFIG",
    "HKEY_CURRENT_USER",
    "HKEY_LOCAL_MACHINE",
    "HKEY_USERS",
}
_REMOVE_KEY = "Microsoft.PowerShell.Commands.RemoveItemCommand"
_REMOVE_VALUE = "Microsoft.PowerShell.Commands.RemoveItemPropertyCommand"


class Registry:
    """Stateless. Data are compared by what they convert to, lists as sets; nothing is overwritten unforced."""

    class_name = "MSFT_RegistryResource"
    module = "PSDscResources"
    #: Whether another value is written over without Force.
    overwrites = False
    #: Id of the error about a hive that does not exist.
    hive_id = "Key"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: data as text, as the module shows it."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        key = bound["Key"]
        self._check_hive(key)
        answer = {"Key": key, "Ensure": "Absent", "ValueName": None, "ValueType": None, "ValueData": None}
        if not context.machine.registry.has_key(key):
            return answer
        if not _is_about_value(bound):
            return {**answer, "Ensure": "Present"}
        name = bound.get("ValueName") or ""
        answer["ValueName"] = name or "(Default)"
        value = _find(bound, context)
        if value is None:
            return answer
        shown = registry_data.shown(value)
        return {**answer, "Ensure": "Present", "ValueType": value.kind, "ValueData": [shown]}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: the kind counts when it is bound, and so do the data."""
        bound = bind("Test-TargetResource", _RULES, properties)
        self._check_hive(bound["Key"])
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if not _is_about_value(bound):
            return context.machine.registry.has_key(bound["Key"]) == is_present
        value = _find(bound, context)
        if value is None or not is_present:
            return (value is not None) == is_present
        kind = bound.get("ValueType")
        if kind is not None and not is_same(kind, value.kind):
            return False
        if "ValueData" not in bound:
            return True
        wanted = registry_data.convert(bound["ValueData"], kind or value.kind, is_hex=bool(bound.get("Hex")))
        return self._is_equal(wanted, value, kind or value.kind)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: makes missing keys; other data need Force."""
        bound = bind("Set-TargetResource", _RULES, properties)
        self._check_hive(bound["Key"])
        key, registry = bound["Key"], context.machine.registry
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if not registry.has_key(key):
            if not is_present:
                return
            registry.make_key(key)
        elif "Open-RegistrySubKey" in context.machine.ledger.failing:
            with calling("Open-RegistrySubKey"):
                context.machine.ledger.attempt("Open-RegistrySubKey")
        if is_present:
            if _is_about_value(bound):
                self._write(bound, context)
        elif _is_about_value(bound):
            if _find(bound, context) is not None:
                if bound.get("ValueName"):
                    # The default value is not removed with the cmdlet.
                    with calling(_REMOVE_VALUE):
                        context.machine.ledger.attempt("Remove-ItemProperty")
                registry.delete_value(key, bound.get("ValueName") or "")
        else:
            self._remove_key(bound, context)

    def _check_hive(self, key: str) -> None:
        root = key.partition("\\")[0]
        is_known = root.rstrip(":").casefold() in _DRIVES if ":" in root else root in _HIVES
        if not is_known:
            raise self._bad_hive(root.rstrip(":"))

    def _bad_hive(self, root: str) -> ResourceError:
        return invalid_argument(
            f"The registry drive {root} is invalid. Please update the Key parameter to include a valid registry "
            "drive.",
            "Key",
        )

    def _is_equal(self, wanted: Any, actual: Value, kind: str) -> bool:
        return registry_data.is_equal(wanted, actual, kind)

    def _write(self, bound: Mapping[str, Any], context: ResourceContext) -> None:
        key, name = bound["Key"], bound.get("ValueName") or ""
        kind = next(item for item in _TYPES if is_same(item, bound.get("ValueType", "String")))
        wanted = registry_data.convert(bound.get("ValueData", []), kind, is_hex=bool(bound.get("Hex")))
        value = _find(bound, context)
        if value is not None:
            if self._is_equal(wanted, value, kind):
                return
            if not bound.get("Force") and not self.overwrites:
                raise invalid_operation(
                    f"The registry key at path {key} already has a value with the name {name or '(Default)'}. To "
                    "overwrite this registry key value please specifiy the Force parameter as $true."
                )
        with calling("Set-RegistryKeyValue"):
            context.machine.ledger.attempt("Set-RegistryKeyValue")
        if wanted is None:
            raise ResourceError(
                'Exception calling "SetValue" with "4" argument(s): "Value cannot be null.\r\nParameter name: '
                'value"',
                "ArgumentNullException,Set-RegistryKeyValue",
                "NotSpecified",
                registry_data.INVOCATION,
            )
        if value is not None:
            context.machine.registry.delete_value(key, name)
            name = value.name
        context.machine.registry.set(key, name, wanted, kind)

    def _remove_key(self, bound: Mapping[str, Any], context: ResourceContext) -> None:
        key = bound["Key"]
        if context.machine.registry.subkeys(key) and not bound.get("Force"):
            raise self._has_subkeys(key)
        with calling(_REMOVE_KEY):
            context.machine.ledger.attempt("Remove-Item")
        context.machine.registry.delete_key(key)

    def _has_subkeys(self, key: str) -> ResourceError:
        return invalid_operation(
            f"The registry key at path {key} has subkeys. To remove this registry key please specifiy the Force "
            "parameter as $true."
        )


class InBoxRegistry(Registry):
    """The one that comes with Windows: overwrites without Force, and the order of lists counts."""

    module = "PSDesiredStateConfiguration"
    overwrites = True

    def _bad_hive(self, root: str) -> ResourceError:
        return ResourceError(
            f"The registry hive {root} is not valid.",
            "InvalidRegistryHive",
            "InvalidArgument",
            "System.ArgumentException",
        )

    def _has_subkeys(self, key: str) -> ResourceError:
        return ResourceError(
            f"The registry key {key} has subkeys and is removed with Force only.",
            "CannotRemoveKeyTreeWithoutForceFlag",
            "InvalidOperation",
            "System.InvalidOperationException",
        )

    def _is_equal(self, wanted: Any, actual: Value, kind: str) -> bool:
        if isinstance(wanted, list) and isinstance(actual.data, list):
            return [item.casefold() for item in wanted] == [str(item).casefold() for item in actual.data]
        if is_same(kind, "Binary"):
            return is_same(wanted, actual.data)
        return super()._is_equal(wanted, actual, kind)


def _is_about_value(bound: Mapping[str, Any]) -> bool:
    """Tell a value from the key itself: an empty name alone means the key."""
    return bool(bound.get("ValueName")) or "ValueType" in bound or "ValueData" in bound


def _find(bound: Mapping[str, Any], context: ResourceContext) -> Value | None:
    name = bound.get("ValueName") or ""
    values = context.machine.registry.values(bound["Key"]).values()
    return next((value for value in values if is_same(value.name, name)), None)
