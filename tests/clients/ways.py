"""Every way an unmodified client comes to a node in these tests: what the suite runs, and what docs/lab.md says."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Way:
    """One client with one kind of authentication over one scheme."""

    client: str
    auth: str
    scheme: str

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.auth}-{self.scheme}"


def _ways(client: str, *pairs: str) -> list[Way]:
    return [Way(client, *pair.split("-")) for pair in pairs]


_ALL = (
    "ntlm-http",
    "ntlm-https",
    "kerberos-http",
    "kerberos-https",
    "credssp-http",
    "credssp-https",
    "basic-https",
    "certificate-https",
)
WAYS: dict[str, list[Way]] = {
    "pypsrp": _ways("pypsrp", *_ALL, "negotiate-http", "negotiate-https"),
    "pywinrm": _ways("pywinrm", *_ALL),
    "pytest-testinfra": _ways("pytest-testinfra", "ntlm-http", "ntlm-https"),
    "ansible-core winrm": _ways("ansible-core winrm", "ntlm-http", "basic-https", "kerberos-http"),
    "ansible-core psrp": _ways("ansible-core psrp", "ntlm-http", "negotiate-https", "certificate-https"),
    "packer": _ways("packer", "basic-https", "ntlm-https"),
}


@cache
def version_of(client: str) -> str:
    """Version of a client on this machine; empty when it is not here."""
    if client == "packer":
        if shutil.which("packer") is None:
            return ""
        done = subprocess.run(["packer", "version"], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.split()[1].removeprefix("v")
    try:
        return version(client.split(maxsplit=1)[0])
    except PackageNotFoundError:
        return ""
