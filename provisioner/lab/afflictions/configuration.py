"""Faults of the LCM and of resources, as an LCM asks for them."""

from __future__ import annotations

from provisioner.lab.afflictions.connections import Afflicted
from provisioner.lab.faults.lcm import LcmBusy, LcmStuck
from provisioner.lab.faults.resources import ResourceFails, SetLies, is_meant
from provisioner.lab.lcm.engine import APPLYING
from provisioner.lab.lcm.host import ForeignOperation
from provisioner.lab.resources.base import ResourceError


class Misbehaving:
    """See ``lcm.host.Misbehaviour``."""

    def __init__(self, faults: Afflicted) -> None:
        self._faults = faults

    def foreign_operation(self) -> ForeignOperation | None:
        """Give what keeps the LCM busy."""
        for _, fault in self._faults.on(LcmBusy):
            if fault.by == "push":
                return ForeignOperation("Start-DscConfiguration", APPLYING)
            return ForeignOperation()
        return None

    async def before_resource(self, resource_id: str, operation: str) -> None:
        """Hang, or fail."""
        for active, _ in list(self._faults.on(LcmStuck)):
            self._faults.took_hold(active)
            await active.over.wait()
        for active, fault in list(self._faults.on(ResourceFails)):
            if fault.operation == operation and is_meant(fault.resource, resource_id):
                self._faults.took_hold(active)
                raise ResourceError(fault.message, fault.error_id, fault.category)

    def lies(self, resource_id: str) -> bool:
        """Whether Set only says so."""
        for active, fault in list(self._faults.on(SetLies)):
            if is_meant(fault.resource, resource_id):
                self._faults.took_hold(active)
                return True
        return False

    def ignores_stop(self) -> bool:
        """A stuck operation cannot be cancelled."""
        return any(True for _ in self._faults.on(LcmStuck))
