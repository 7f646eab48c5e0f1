"""Log, which comes with Windows (class MSFT_LogResource): a line in the analytic log of DSC, at every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.event_log import EventLog
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind

_RULES = (Rule("Message", may_be_empty=False),)
_LOG = "Microsoft-Windows-DSC/Analytic"
_EVENT = 4098


class Log:
    """Stateless. Never in the desired state: Windows says so too."""

    class_name = "MSFT_LogResource"
    module = "PSDesiredStateConfiguration"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        context.verbose("Log has no state.")
        return bind("Get-TargetResource", _RULES, properties)

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: always false."""
        bind("Test-TargetResource", _RULES, properties)
        context.verbose("Log is never in the desired state.")
        return False

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the analytic log takes events only while it is switched on."""
        message = str(bind("Set-TargetResource", _RULES, properties)["Message"])
        context.verbose(message)
        try:
            context.machine.area(EventLog).write(
                _LOG, "Microsoft-Windows-DSC", _EVENT, "Information", message, properties=(message,)
            )
        except MachineError as error:
            context.verbose(error.message)
