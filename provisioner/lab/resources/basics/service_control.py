"""What the resources of services in ProvisionerDsc share."""

from __future__ import annotations

from provisioner.lab.machine.ground.services import Service
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import resource_error


def existing(name: str, context: ResourceContext) -> Service:
    """Give a service.

    Raises:
        ResourceError: there is none of this name.
    """
    service = context.machine.services.find(name)
    if service is None:
        raise resource_error(f"There is no service named '{name}'.", "ServiceNotFound", "ObjectNotFound")
    return service


def call_sc(context: ResourceContext, command: str, service: str) -> None:
    """Fail as sc.exe does where the failure of ``command`` (``sc.exe failure``) was injected.

    Raises:
        ResourceError: the exit code was 5.
    """
    error = context.machine.ledger.failing.get(command)
    if error is not None:
        raise resource_error(
            f"sc.exe ended with 5 for '{service}': {error.message}", "ServiceControlFailed", "InvalidResult"
        )
