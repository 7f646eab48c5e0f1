"""One simulated Windows node: a machine, its LCM, its clock, and the power switch.

The state lives in a folder (``state/``, ``journal.jsonl``) and survives the end of the lab. How a call
reaches the node is no matter here; the server side only hears when the node goes down and comes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from provisioner.lab.authority import Authority, CertificateFiles, Subject
from provisioner.lab.clock import Clock
from provisioner.lab.journal import Journal
from provisioner.lab.lcm.host import Behaved, Cancel, FindResource, LcmOptions, Misbehaviour
from provisioner.lab.lcm.lcm import Lcm
from provisioner.lab.logon import UserSpec
from provisioner.lab.machine.basics.local_accounts import LocalAccounts
from provisioner.lab.machine.ground.certificates import Certificates
from provisioner.lab.machine.machine import AREAS, Machine
from provisioner.lab.machine.world import World
from provisioner.lab.node_state import NodeState
from provisioner.lab.resources import registry as resources

if TYPE_CHECKING:
    from provisioner.lab.spec import NodeSpec

#: Nobody asks a node for its monthly update; every release has the same.
_REVISION = 2227
_JOURNAL_FILE = "journal.jsonl"
#: Real seconds between the decision to restart and the end of all connections, so that whoever asked is answered.
_GRACE_S = 0.1
#: Commands the journal leaves to the LCM, which writes its own lines.
_NOT_JOURNALLED = frozenset({"Invoke-CimMethod"})


class BootFaults(Protocol):
    """What is wrong with the boots of a node."""

    async def linger(self) -> None:
        """Wait while the node is down, after the usual time of a boot."""
        ...

    def booted(self, boot_id: int, boot_time: datetime) -> None:
        """Change what the boot made; the id and time of the boot before are given."""
        ...


class SimulatedNode:
    """A node of the lab.

    ``machine`` and ``lcm`` exist from the start; ``is_up`` tells whether the node would answer now.
    """

    def __init__(
        self,
        spec: NodeSpec,
        folder: Path,
        *,
        time_scale: float = 1.0,
        find_resource: FindResource | None = None,
        world: World[Machine] | None = None,
    ) -> None:
        """Make the node of ``spec``, or restore it when ``folder`` holds its state.

        Nodes of one lab share a ``world``; without one the node is alone in its own.
        """
        self.spec = spec
        self.name = spec.name
        self.address = spec.address
        self.port = spec.port
        self.user = spec.user
        self.nt_hash = spec.nt_hash
        self.build = f"{spec.build}.{_REVISION}"
        self.quotas = spec.quotas
        self.logon = spec.logon
        #: Session configurations besides the default one.
        self.endpoints = spec.endpoints
        self.https_port = spec.logon.https.port if spec.logon.https else None
        self.https_files = _certificate_files(spec, folder)
        self.ssh_host_key = folder / "ssh_host_key"
        self.is_up = False
        self._folder = folder
        self._power_callbacks: list[Callable[[bool], None]] = []
        self._is_used = False
        self._restarting: asyncio.Task[None] | None = None
        #: Parts of the machine that changed since they were saved.
        self._dirty: set[str] = set()
        #: What the saved state of the LCM was made of.
        self._saved_lcm: tuple[object, ...] = ()
        folder.mkdir(parents=True, exist_ok=True)
        self.state = NodeState(folder, spec.name)
        plain = self.state.read()
        with self._reading():
            self.clock = Clock(time_scale, float(plain.get("clock_ahead_s", spec.clock_skew_s)))
        self.journal = Journal(folder / _JOURNAL_FILE, self.clock.now)
        self.machine = self._make_machine(plain, world)
        self.machine.certificates = Certificates(folder)
        self.on_power(self.machine.on_power)
        self.machine.ledger.listeners.append(self._note_change)
        self.misbehaviour: Misbehaviour = Behaved()
        self.boot_faults: BootFaults | None = None
        options = LcmOptions(spec.accept, spec.serves_output_while_busy)
        self.lcm = Lcm(self, find_resource or resources.find, options)
        if "lcm" in plain:
            with self._reading():
                self.lcm.load(plain["lcm"])

    def local_account(self, name: str) -> UserSpec | None:
        """Give an account of the machine by its name, once resources or commands have dealt with accounts."""
        if not self.machine.areas.has(LocalAccounts):
            return None
        accounts = self.machine.area(LocalAccounts)
        user = accounts.user(name)
        if user is None:
            return None
        return UserSpec(
            user.name,
            groups=tuple(group.name for group in accounts.groups() if user.sid in group.members),
            enabled=not user.is_disabled,
            expired=user.must_change,
            nt_hash=bytes.fromhex(user.password),
        )

    @property
    def computer_name(self) -> str:
        """The name the machine goes by since its last boot."""
        return self.machine.computer_name

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder of this path."""
        return self.machine.files.is_folder(path)

    async def start(self) -> None:
        """Switch the node on."""
        self.is_up = True
        self.journal.write("start", boot_id=self.machine.boot_id)
        self.state.begin()
        self.state.write({"boot_time": self.machine.boot_time.isoformat()}, is_start=True)
        self.lcm.on_start()

    async def stop(self) -> None:
        """Switch the node off for good: end what runs, keep the state."""
        self.is_up = False
        if self._restarting:
            self._restarting.cancel()
            await asyncio.wait([self._restarting])
        await self.lcm.stop()
        self.journal.write("stop")
        if self._is_used:
            self._dirty.update(self.machine.parts())
        self.save()

    def on_power(self, callback: Callable[[bool], None]) -> None:
        """Call ``callback`` with False when the node goes down and with True when it answers again."""
        self._power_callbacks.append(callback)

    def is_administrator(self, principal: str) -> bool:
        r"""Whether an account, as commands see it (``HV01\provisioner``), is in the group of administrators."""
        authority, _, name = principal.rpartition("\\")
        is_local = authority.casefold() == self.computer_name.casefold()
        local = self.local_account(name) if is_local else None
        configured = self.logon.user(principal, self.computer_name, self.user)
        return configured.is_administrator or (local is not None and local.is_administrator)

    def has_feature(self, name: str) -> bool:
        """Whether a Windows feature is installed; the empty name is always."""
        return not name or self.machine.features.is_installed(name)

    def after_command(self, name: str, parameters: Mapping[str, Any]) -> None:
        """Take note of a command that ended: journal it and keep what it changed."""
        if name not in _NOT_JOURNALLED:
            self.journal.write("command", name=name, parameters=sorted(parameters))
        self._is_used = True
        if self._dirty:
            self.save()

    # -- what the LCM asks of its node ----------------------------------------------------------------------

    def now(self) -> datetime:
        """Give the node's time."""
        now = self.clock.now()
        self.machine.set_clock(now)
        return now

    async def sleep(self, seconds: float) -> None:
        """Wait simulated seconds."""
        await self.clock.sleep(seconds)

    def after(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        """Call back after simulated seconds of rest."""
        return self.clock.after(seconds, callback)

    @property
    def has_http_listener(self) -> bool:
        """Whether WinRM listens on HTTP: every node does, besides HTTPS."""
        return bool(self.port)

    def record(self, kind: str, **details: Any) -> None:
        """Write to the journal."""
        self.journal.write(kind, **details)

    def save(self) -> None:
        """Write what changed: first the machine, then what its LCM and its clock say of it."""
        parts = self.machine.parts()
        changed: dict[str, Any] = {name: parts[name]() for name in parts if name in self._dirty}
        self._dirty.clear()
        kept = self.lcm.kept
        if not self._saved_lcm or any(new is not old for new, old in zip(kept, self._saved_lcm, strict=True)):
            changed["lcm"] = self.lcm.to_plain()
            self._saved_lcm = kept
        changed["clock_ahead_s"] = self.clock.ahead_s
        self.state.write(changed)

    def restart(self) -> None:
        """Begin a restart and return; while one is under way this does nothing."""
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.create_task(self._restart(), name=f"restart {self.name}")

    # -- parts ----------------------------------------------------------------------------------------------

    async def _restart(self) -> None:
        await asyncio.sleep(_GRACE_S)
        self.is_up = False
        self.journal.write("shutdown")
        self.lcm.on_shutdown()
        for callback in self._power_callbacks:
            callback(False)
        self.save()
        await self.clock.sleep(self.machine.boot_duration_s)
        if self.boot_faults is not None:
            await self.boot_faults.linger()
        boot_id, boot_time = self.machine.boot_id, self.machine.boot_time
        self.machine.on_boot(self.clock.now())
        if self.boot_faults is not None:
            self.boot_faults.booted(boot_id, boot_time)
        self.journal.write("boot", boot_id=self.machine.boot_id)
        self.lcm.on_boot()
        self.save()
        self.is_up = True
        for callback in self._power_callbacks:
            callback(True)

    def _note_change(self, area: str, _what: str) -> None:
        self._is_used = True
        parts = self.machine.parts()
        self._dirty.update(parts if area == "machine" else [area if area in parts else AREAS])

    def _make_machine(self, plain: Mapping[str, Any], world: World[Machine] | None) -> Machine:
        if not plain:
            return Machine.create(self.spec, self.clock.now(), world)
        with self._reading():
            return Machine.from_plain(plain, self.spec, world)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Say whose state it is that makes no sense."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self.state.damaged(f"{type(error).__name__}: {error}") from error


def _certificate_files(spec: NodeSpec, folder: Path) -> CertificateFiles | None:
    """Say where the certificate for HTTPS is; the authority is the lab's, two folders up."""
    if spec.logon.https is None:
        return None
    names = (spec.address, spec.netbios_name, spec.name, *spec.logon.https.names)
    subject = Subject(spec.name, tuple(dict.fromkeys(name for name in names if name.isascii())))
    return CertificateFiles(Authority(folder.parents[1] / "certificates"), subject, spec.logon.https, folder)
