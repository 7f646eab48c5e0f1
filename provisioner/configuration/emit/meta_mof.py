"""Emit the metaconfiguration: the settings our way of working asks of every LCM.

The engine owns reboots and repeats the document itself, so the LCM must neither restart the node, nor go on by
itself after a boot, nor mend drift behind our back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.configuration.emit import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.configuration.model import Artifact
    from provisioner.inventory.model import MofEncoding

#: What every node's LCM is set to. Names in the spelling of the class, in schema order.
META_SETTINGS: Mapping[str, Any] = {
    "RebootNodeIfNeeded": False,
    "ConfigurationMode": "ApplyOnly",
    "ActionAfterReboot": "StopConfiguration",
    "RefreshMode": "Push",
}

#: Settings every LCM since WMF 4 knows; any other makes the document ask for 2.0.0 (mof-format, section 6).
_OLD_SETTINGS = frozenset(
    {
        "ConfigurationModeFrequencyMins",
        "RebootNodeIfNeeded",
        "ConfigurationMode",
        "ActionAfterReboot",
        "RefreshMode",
        "CertificateID",
        "ConfigurationID",
        "DownloadManagerName",
        "DownloadManagerCustomData",
        "RefreshFrequencyMins",
        "AllowModuleOverwrite",
        "DebugMode",
        "Credential",
    }
)
#: Document name; constant, because nothing refers to it.
_NAME = "ProvisionerSettings"


def emit_meta_mof(node_name: str, settings: Mapping[str, Any], encoding: MofEncoding) -> Artifact:
    """Emit ``<node>.meta.mof``. Settings come in the order given."""
    spelled = layout.properties((name, layout.value(item)) for name, item in settings.items())
    needed = "1.0.0" if set(settings) <= _OLD_SETTINGS else "2.0.0"
    text = (
        f"{layout.header(node_name)}"
        f"instance of MSFT_DSCMetaConfiguration as $MSFT_DSCMetaConfiguration1ref\n{{\n{spelled}\n\n}};\n\n"
        "instance of OMI_ConfigurationDocument\n{\n"
        ' Version="2.0.0";\n'
        f' MinimumCompatibleVersion = "{needed}";\n'
        " CompatibleVersionAdditionalProperties= "
        '{ "MSFT_DSCMetaConfiguration:StatusRetentionTimeInDays" };\n'
        f' Author="{layout.AUTHOR}";\n'
        f' GenerationHost="{layout.AUTHOR}";\n'
        f' Name="{_NAME}";\n'
        "};\n"
    )
    return layout.artifact(f"{node_name}.meta.mof", text, encoding)
