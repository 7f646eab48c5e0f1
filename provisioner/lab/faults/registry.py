"""All kinds of faults, by their words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from provisioner.lab.faults import http, lcm, machine, network, power, resources, shells
from provisioner.lab.faults.base import Fault

_ALL: Final[tuple[type[Fault], ...]] = (
    network.Latency,
    network.Bandwidth,
    network.Drop,
    network.HalfOpen,
    network.Cut,
    http.HttpError,
    http.BadCertificate,
    shells.Quota,
    shells.ShellKilled,
    shells.WinRmRestart,
    power.Restart,
    power.SlowReboot,
    power.NoReturn,
    power.NewAddress,
    power.SameBoot,
    lcm.LcmBusy,
    lcm.LcmStuck,
    lcm.LcmKilled,
    resources.ResourceFails,
    resources.SetLies,
    machine.DiskFull,
    machine.ClockJump,
    machine.ModuleCorrupt,
)

KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType({kind.kind: kind for kind in _ALL})
