"""Accounts a machine can translate between name and SID.

Well-known ones are the same on every machine (SECURITY_NT_AUTHORITY and friends); local ones belong to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from provisioner.lab.machine.area import MachineError

_WELL_KNOWN: dict[str, str] = {
    "S-1-1-0": "Everyone",
    "S-1-3-0": "CREATOR OWNER",
    "S-1-5-6": r"NT AUTHORITY\SERVICE",
    "S-1-5-11": r"NT AUTHORITY\Authenticated Users",
    "S-1-5-18": r"NT AUTHORITY\SYSTEM",
    "S-1-5-19": r"NT AUTHORITY\LOCAL SERVICE",
    "S-1-5-20": r"NT AUTHORITY\NETWORK SERVICE",
    "S-1-5-32-544": r"BUILTIN\Administrators",
    "S-1-5-32-545": r"BUILTIN\Users",
    "S-1-5-32-546": r"BUILTIN\Guests",
    "S-1-5-32-547": r"BUILTIN\Power Users",
    "S-1-5-32-551": r"BUILTIN\Backup Operators",
    "S-1-5-32-555": r"BUILTIN\Remote Desktop Users",
    "S-1-5-32-578": r"BUILTIN\Hyper-V Administrators",
    "S-1-5-32-580": r"BUILTIN\Remote Management Users",
    "S-1-5-80-0": r"NT SERVICE\ALL SERVICES",
    "S-1-5-83-0": r"NT VIRTUAL MACHINE\Virtual Machines",
}
_SHORT_AUTHORITIES = ("nt authority", "builtin", "nt virtual machine")

SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"


class Accounts:
    """Translate names to SIDs and back. Results use the spelling of Windows."""

    def __init__(self, computer_name: str, local: Iterable[str] = ()) -> None:
        self._computer_name = computer_name
        digest = hashlib.sha256(computer_name.encode()).digest()
        parts = "-".join(str(int.from_bytes(digest[at : at + 4], "little")) for at in (0, 4, 8))
        self._names = dict(_WELL_KNOWN)
        for rid, name in ((500, "Administrator"), (501, "Guest"), *enumerate(local, 1001)):
            self._names[f"S-1-5-21-{parts}-{rid}"] = f"{computer_name}\\{name}"
        self._index()

    def _index(self) -> None:
        self._sids = {name.casefold(): sid for sid, name in self._names.items()}
        for sid, name in self._names.items():
            authority, _, bare = name.rpartition("\\")
            if authority.casefold() in {*_SHORT_AUTHORITIES, self._computer_name.casefold()}:
                self._sids.setdefault(bare.casefold(), sid)

    def add(self, sid: str, name: str) -> None:
        """Let the machine know an account of another authority."""
        self._names[sid] = name
        self._sids[name.casefold()] = sid

    def rename(self, computer_name: str) -> None:
        """Follow the computer to another name; the SIDs of its accounts stay."""
        if computer_name == self._computer_name:
            return
        prefix = f"{self._computer_name}\\"
        for sid, name in self._names.items():
            if name.startswith(prefix):
                self._names[sid] = f"{computer_name}\\{name.removeprefix(prefix)}"
        self._computer_name = computer_name
        self._index()

    def sid(self, name_or_sid: str) -> str:
        r"""SID of an account given by name or SID. ``NT SERVICE\\name`` always has one.

        Raises:
            MachineError: the name translates to nothing (IdentityNotMappedException).
        """
        text = name_or_sid.strip()
        if text.upper().startswith("S-1-"):
            return text.upper()
        local = text.replace(".\\", f"{self._computer_name}\\", 1) if text.startswith(".\\") else text
        found = self._sids.get(local.casefold())
        if found:
            return found
        authority, _, name = text.partition("\\")
        if authority.casefold() == "nt service" and name:
            return service_sid(name)
        raise MachineError(
            'Exception calling "Translate" with "1" argument(s): '
            '"Some or all identity references could not be translated."',
            "IdentityNotMappedException",
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
        )

    def local_sids(self) -> list[str]:
        """SIDs of the accounts of this machine."""
        prefix = f"{self._computer_name}\\"
        return [sid for sid, name in self._names.items() if name.startswith(prefix)]

    def adopt(self, accounts: Mapping[str, str]) -> None:
        """Know more accounts: names by SID."""
        self._names.update(accounts)
        self._index()

    def builtin(self) -> list[tuple[str, str]]:
        """SIDs and bare names of the groups every machine has."""
        found = [(sid, name) for sid, name in self._names.items() if sid.startswith("S-1-5-32-")]
        return [(sid, name.partition("\\")[2]) for sid, name in found]

    def forget(self, sid: str) -> None:
        """Know an account no longer: where its SID stands it is nobody's."""
        self._names.pop(sid, None)
        self._index()

    def name(self, sid: str) -> str:
        """Name of a SID as Windows shows it; the SID itself when it is nobody's."""
        return self._names.get(sid, sid)


def service_sid(name: str) -> str:
    r"""SID of ``NT SERVICE\\name``: SHA-1 of the upper-case name in UTF-16LE, as five 32-bit numbers.

    Source: MS-DTYP 2.4.2.4, S-1-5-80.
    """
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(
        str(int.from_bytes(digest[at : at + 4], "little")) for at in range(0, 20, 4)
    )
