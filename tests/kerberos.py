"""A real Kerberos realm on loopback: MIT's own KDC with its database, configuration and keytabs in a folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.networks import own_network

REALM = "LAB.TEST"
USER = "alice"
STRANGER = "mallory"
PASSWORD = "Silent-Orchard-3"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_TOOLS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_MODULES = ("gssapi", "krb5")
_PORT = 10088

_KRB5_CONF = """
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    default_ccache_name = FILE:{folder}/ccache
[realms]
    {realm} = {{
        kdc = {address}:{port}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""
_KDC_CONF = """
[kdcdefaults]
    kdc_listen = {address}:{port}
    kdc_tcp_listen = {address}:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/kadm5.acl
        max_life = 10h
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
    }}
"""


def missing() -> str:
    """What a test of Kerberos lacks on this machine; empty when nothing."""
    tools = [name for name in _TOOLS if shutil.which(name, path=_PATH) is None]
    modules = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    return ", ".join([*tools, *modules])


needs_kerberos = pytest.mark.skipif(bool(missing()), reason=f"Kerberos: not here: {missing()}")


@dataclass(frozen=True)
class KerberosRealm:
    """A running realm. ``environment`` is what a client needs; ``keytab`` has the keys of ``host``."""

    folder: Path
    host: str
    environment: dict[str, str]

    @property
    def keytab(self) -> Path:
        return self.folder / "node.keytab"

    def run(self, *command: str, given: str = "") -> str:
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def kinit(self, user: str = USER, *more: str) -> None:
        self.run("kinit", *more, f"{user}@{REALM}", given=f"{PASSWORD}\n")

    def admin(self, query: str) -> None:
        self.run("kadmin.local", "-q", query)


def _wait_for(address: str, port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "the KDC does not answer"
            time.sleep(0.02)
        else:
            return


@contextmanager
def running_realm(folder: Path, host: str = "node0.lab.test") -> Iterator[KerberosRealm]:
    """Run a KDC; ``host`` gets keys for HTTP, WSMAN and host, as a computer account of Windows has them."""
    address = f"{own_network()}.253"
    values = {"realm": REALM, "folder": folder, "address": address, "port": _PORT, "domain": "lab.test"}
    (folder / "krb5.conf").write_text(_KRB5_CONF.format(**values))
    (folder / "kdc.conf").write_text(_KDC_CONF.format(**values))
    environment = {
        "PATH": _PATH,
        "KRB5_CONFIG": str(folder / "krb5.conf"),
        "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
        "KRB5CCNAME": f"FILE:{folder}/ccache",
        "KRB5RCACHENAME": f"dfl:{folder}",
        "KRB5RCACHEDIR": str(folder),
    }
    realm = KerberosRealm(folder, host, environment)
    realm.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master-of-the-realm")
    for user in (USER, STRANGER):
        realm.admin(f"addprinc -pw {PASSWORD} {user}")
    for service in ("HTTP", "WSMAN", "host"):
        realm.admin(f"addprinc -randkey {service}/{host}")
        realm.admin(f"ktadd -k {realm.keytab} {service}/{host}")
    with (folder / "kdc.log").open("w") as log:
        kdc = subprocess.Popen(
            ["krb5kdc", "-n", "-r", REALM, "-P", str(folder / "kdc.pid")],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(address, _PORT)
            yield realm
        finally:
            kdc.terminate()
            kdc.wait(10)
