"""Whether Hyper-V can be asked, as the scripts of ProvisionerDsc find out."""

from __future__ import annotations

from provisioner.lab.resources.base import ResourceContext, ResourceError

_INVALID = "System.InvalidOperationException"


def is_at_work(context: ResourceContext) -> bool:
    """Whether the module is installed and vmms runs."""
    return context.machine.hyperv.has_module and context.machine.hyperv.is_active


def demand_hyperv(context: ResourceContext) -> None:
    """Throw unless Hyper-V can be asked.

    Raises:
        ResourceError: the module is missing, or vmms does not run.
    """
    if not context.machine.hyperv.has_module:
        raise ResourceError(
            "The PowerShell module Hyper-V is missing. Install the feature Hyper-V-PowerShell.",
            "HyperVModuleMissing",
            "ObjectNotFound",
            _INVALID,
        )
    if not context.machine.hyperv.is_active:
        raise ResourceError(
            "The service vmms does not run. Install the feature Hyper-V and boot the machine.",
            "HyperVNotRunning",
            "ResourceUnavailable",
            _INVALID,
        )
