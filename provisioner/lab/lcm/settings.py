"""Settings of the LCM: defaults, and what a meta-configuration document may say.

Source: metaConfig documentation and the classes in the repository of real servers (LCM class facts 1.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.catalogue.schema import CimType, Property
from provisioner.lab.lcm.documents.document import header_of, parse
from provisioner.lab.lcm.documents.schema import DOCUMENT_CLASS, META_CLASSES
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.mof import conversion
from provisioner.lab.mof.reader import Instance, MofDocument

#: Instances a meta-configuration may hold besides the settings; the lab pushes, so it only keeps their names.
_MANAGERS = frozenset(
    {
        "msft_webdownloadmanager",
        "msft_filedownloadmanager",
        "msft_webresourcemanager",
        "msft_fileresourcemanager",
        "msft_webreportmanager",
        "msft_partialconfiguration",
        "msft_signaturevalidation",
        "msft_credential",
        "msft_keyvaluepair",
    }
)


@dataclass(frozen=True, slots=True)
class _Setting:
    prop: Property
    default: Any = None
    allowed: tuple[str, ...] = ()
    bounds: tuple[int, int] | None = None


def _text(name: str, default: str | None = None, *allowed: str) -> _Setting:
    return _Setting(Property(name, CimType.STRING), default, allowed)


def _flag(name: str, *, default: bool) -> _Setting:
    return _Setting(Property(name, CimType.BOOLEAN), default)


def _number(name: str, default: int, bounds: tuple[int, int] | None = None) -> _Setting:
    return _Setting(Property(name, CimType.UINT32), default, bounds=bounds)


def _instances(name: str, class_name: str = "") -> _Setting:
    return _Setting(Property(name, CimType.STRING, is_array=True, embedded_class=class_name))


_MONTH_MIN = 44640
_SETTINGS = {
    setting.prop.name.casefold(): setting
    for setting in (
        _text("ActionAfterReboot", "ContinueConfiguration", "ContinueConfiguration", "StopConfiguration"),
        _flag("AllowModuleOverwrite", default=False),
        _text("CertificateID"),
        _instances("ConfigurationDownloadManagers"),
        _text("ConfigurationID"),
        _text(
            "ConfigurationMode",
            "ApplyAndMonitor",
            "ApplyOnly",
            "ApplyAndMonitor",
            "ApplyAndAutoCorrect",
            "MonitorOnly",
        ),
        _number("ConfigurationModeFrequencyMins", 15, (15, _MONTH_MIN)),
        _Setting(Property("Credential", CimType.STRING, embedded_class="MSFT_Credential")),
        _Setting(
            Property("DebugMode", CimType.STRING, is_array=True),
            ["NONE"],
            ("None", "ForceModuleImport", "All", "ResourceScriptBreakAll", "ResourceScriptBreakpoint"),
        ),
        _instances("DownloadManagerCustomData", "MSFT_KeyValuePair"),
        _text("DownloadManagerName"),
        _number("MaximumDownloadSizeMB", 500),
        _instances("PartialConfigurations", "MSFT_PartialConfiguration"),
        _flag("RebootNodeIfNeeded", default=False),
        _number("RefreshFrequencyMins", 30, (30, _MONTH_MIN)),
        _text("RefreshMode", "PUSH", "Push", "Pull", "Disabled"),
        _instances("ReportManagers"),
        _instances("ResourceModuleManagers"),
        _text("SignatureValidationPolicy", "NONE"),
        _instances("SignatureValidations", "MSFT_SignatureValidation"),
        _number("StatusRetentionTimeInDays", 10),
    )
}
_READ_ONLY = frozenset({"agentid", "lcmstate", "lcmstatedetail", "lcmversion", "lcmcompatibleversions"})


def defaults() -> dict[str, Any]:
    """Give all settings of an LCM nobody configured, by name, sorted."""
    return {setting.prop.name: setting.default for setting in _SETTINGS.values()}


def types() -> dict[str, Property]:
    """Give the property behind each setting, by name."""
    return {setting.prop.name: setting.prop for setting in _SETTINGS.values()}


def from_document(data: bytes) -> dict[str, Any]:
    """Read a meta-configuration; what it does not name goes back to its default.

    Raises:
        LcmError: it is none, or says what no LCM has.
    """
    document = parse(data)
    found = [each for each in document.instances if each.class_name.casefold() in META_CLASSES]
    for instance in document.instances:
        _refuse_other_class(document, instance)
    header_of(document)
    if len(found) != 1:
        raise LcmError.of(
            "The meta configuration document must have exactly one MSFT_DSCMetaConfiguration "
            "instance; it has "
            f"{len(found)}.",
            4,
        )
    values = defaults()
    values.update(_read(document, found[0]))
    return values


def _refuse_other_class(document: MofDocument, instance: Instance) -> None:
    name = instance.class_name.casefold()
    if name not in META_CLASSES and name not in _MANAGERS and name != DOCUMENT_CLASS.casefold():
        raise LcmError.of(str(document.error(instance, "", f"Undefined class: {instance.class_name}")), 1)


def _read(document: MofDocument, instance: Instance) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for name, value in instance.properties.items():
        setting = _SETTINGS.get(name.casefold())
        if setting is None:
            reason = (
                f"Property {name} is read-only"
                if name.casefold() in _READ_ONLY
                else f"Undefined property {name}"
            )
            raise LcmError.of(str(document.error(instance, name, reason)), 1)
        if value is None:
            continue
        try:
            if not setting.prop.is_array or setting.prop.embedded_class or setting.allowed:
                conversion.check(value, setting.prop)
        except conversion.ConversionError as error:
            raise LcmError.of(str(document.error(instance, name, str(error))), 1) from error
        values[setting.prop.name] = _allowed(setting, value)
    return values


def _allowed(setting: _Setting, value: Any) -> Any:
    if setting.allowed:
        for text in value if isinstance(value, list) else [value]:
            if text.casefold() not in {allowed.casefold() for allowed in setting.allowed}:
                raise LcmError.of(
                    f"The value '{text}' of property {setting.prop.name} is not valid. Valid values are: "
                    f"{', '.join(setting.allowed)}.",
                    4,
                )
    if setting.bounds and not setting.bounds[0] <= value <= setting.bounds[1]:
        raise LcmError.of(
            f"The value {value} of property {setting.prop.name} is not valid. It must be between "
            f"{setting.bounds[0]} "
            f"and {setting.bounds[1]}.",
            4,
        )
    if isinstance(value, Instance):
        return None  # a credential is never shown again
    if isinstance(value, list):
        return [item.text("ResourceID") if isinstance(item, Instance) else item for item in value]
    return value
