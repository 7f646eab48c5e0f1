"""One simulated node with everything a client can use to come to it, in this process, with its own record at hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from provisioner.lab.logon import (
    ADMINISTRATORS,
    SCHEMES,
    AuthenticationSpec,
    HttpsSpec,
    KerberosSpec,
    LogonSpec,
    UserSpec,
)
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import RESTRICTED_COMMANDS, EndpointSpec
from tests import kerberos
from tests.lab.authentication.nodes import client_certificate
from tests.networks import own_network
from tests.unit.lab.machines import node_spec

USER = "provisioner"
PASSWORD = "Patient-Lantern-4"
MAPPED = "operator"
HOST = "hv01.lab.test"
COMPUTER = "HV01"
ENDPOINT = "Narrow"
_PORTS = itertools.count(26985)


@dataclass
class Site:
    """The running node. Read its state as you like; change it with ``call``."""

    node: SimulatedNode
    folder: Path
    https_port: int
    realm: kerberos.KerberosRealm | None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def address(self) -> str:
        return self.node.address

    @property
    def ca(self) -> str:
        return str(self.folder / "certificates" / "ca.pem")

    @property
    def certificate(self) -> tuple[str, str]:
        return str(self.folder / f"{MAPPED}.pem"), str(self.folder / f"{MAPPED}.key")

    def port(self, *, ssl: bool) -> int:
        return self.https_port if ssl else self.node.port

    def url(self, *, ssl: bool) -> str:
        return f"http{'s' if ssl else ''}://{self.address}:{self.port(ssl=ssl)}/wsman"

    def account(self, auth: str) -> str:
        """The account a client of this authentication is, as Windows shows it."""
        if auth == "kerberos":
            return f"{kerberos.REALM}\\{kerberos.USER}"
        return f"{COMPUTER}\\{MAPPED if auth == 'certificate' else USER}"

    def journal(self, kind: str = "command") -> list[dict[str, Any]]:
        """What happened to the node, by its own record."""
        path = self.folder / "nodes" / self.node.name / "journal.jsonl"
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [entry for entry in entries if entry["kind"] == kind]

    def names(self) -> list[str]:
        """The commands and scripts the node ran, in order."""
        return [entry["name"] for entry in self.journal()]

    def file(self, path: str) -> bytes | None:
        """A file of the node; None when there is none."""
        entry = self.node.machine.files.find(path)
        return entry.content if entry else None

    def paths(self) -> list[str]:
        """All files and folders of the node."""
        return sorted(self.node.machine.files.paths())


@contextlib.contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Run a node that takes every scheme, over http and https, with a realm where the machine has a KDC."""
    with contextlib.ExitStack() as stack:
        realm = None
        if not kerberos.missing():
            realm_folder = folder / "realm"
            realm_folder.mkdir()
            realm = stack.enter_context(kerberos.running_realm(realm_folder, HOST))
            realm.kinit()
            stack.enter_context(mock.patch.dict(os.environ, realm.environment))
        public, _ = client_certificate(folder, MAPPED)
        users = [UserSpec(MAPPED, groups=(ADMINISTRATORS,), certificate_pem=Path(public).read_text("ascii"))]
        if realm:
            users.append(UserSpec(f"{kerberos.USER}@{kerberos.REALM}", groups=(ADMINISTRATORS,)))
        port = next(_PORTS)
        https_port = port + 1000
        shown = frozenset(name.casefold() for name in (*RESTRICTED_COMMANDS, "Get-Service"))
        spec = node_spec(
            name="hv01",
            address=f"{own_network()}.10",
            port=port,
            user=USER,
            nt_hash=nt_hash(PASSWORD),
            logon=LogonSpec(
                users=tuple(users),
                authentication=AuthenticationSpec(schemes=SCHEMES),
                kerberos=KerberosSpec(str(realm.keytab)) if realm else None,
                https=HttpsSpec(https_port, names=(HOST,)),
            ),
            endpoints={ENDPOINT.casefold(): EndpointSpec(ENDPOINT, shown)},
        )
        node = SimulatedNode(spec, folder / "nodes" / "hv01", time_scale=1)
        site = Site(node, folder, https_port, realm)
        stack.enter_context(_served(site))
        yield site


@contextlib.contextmanager
def _served(site: Site) -> Iterator[None]:
    """Serve the node on a loop in a thread of its own."""
    fleet = Fleet([site.node])
    thread = threading.Thread(target=site.loop.run_forever, daemon=True)
    thread.start()

    def wait_for(work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, site.loop).result(20)

    try:
        wait_for(site.node.start())
        wait_for(fleet.start())
        yield
        wait_for(fleet.stop())
        wait_for(site.node.stop())
    finally:
        site.loop.call_soon_threadsafe(site.loop.stop)
        thread.join(10)
        site.loop.close()
