"""What ``vagrant winrm-config`` prints: blocks that begin with ``Host`` and name where WinRM listens.

The template it is printed from has Host, HostName, User, Password, Port and RDPPort, one a line, without quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import SourceRange, did_you_mean
from provisioner.inventory.foreign.model import ForeignHost, ForeignInventory
from provisioner.inventory.model import Located

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics, SourceFile

_LINE: Final = re.compile(r"[ \t]*(?P<key>[A-Za-z]+)(?:[ \t]+(?P<value>.*?))?[ \t\r]*")
_KEYS: Final = {
    "hostname": "ansible_host",
    "user": "ansible_user",
    "password": "ansible_password",
    "port": "ansible_port",
}
#: Ways in for people; they say nothing about WinRM.
_IGNORED: Final = frozenset({"rdpport", "rdphostname", "rdpuser", "rdppassword"})
_MOST: Final = 65535
_HTTPS_PORTS: Final = (5986, 55986)


def read_vagrant(text: str, source: SourceFile, inventory: ForeignInventory, problems: Diagnostics) -> None:
    """Read the blocks into ``inventory``, with the names of variables Ansible has for the same facts.

    Vagrant speaks WinRM over plain http unless told otherwise, and this output does not say; http it is, but on a
    port that is there for https only: 5986, or 55986, to which Vagrant forwards it.
    """
    host: ForeignHost | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        start = len(raw) - len(raw.lstrip()) + 1
        where = SourceRange(source, number, start, number, len(raw.rstrip()) + 1)
        line = _LINE.fullmatch(raw)
        value = (line["value"] or "") if line else ""
        if line is None or not value:
            problems.error("Line has another form", "Each line is a word and its value.", where)
            continue
        key = line["key"].casefold()
        if key == "host":
            if value in inventory.hosts:
                problems.error("Machine appears twice", f"'{value}' has a block of its own already.", where)
            host = inventory.host(value, where)
            host.variables["ansible_connection"] = Located("winrm", where)
            host.variables["ansible_winrm_scheme"] = Located("http", where)
        elif host is None:
            problems.error(
                "Block has no beginning",
                "Each machine begins with a line 'Host NAME', and this line stands before the first.",
                where,
            )
        elif key in _KEYS:
            found = _value(key, value, where, problems)
            host.variables[_KEYS[key]] = Located(found, where)
            if found in _HTTPS_PORTS:
                host.variables["ansible_winrm_scheme"] = Located("https", where)
        elif key not in _IGNORED:
            known = ("HostName", "User", "Password", "Port", "RDPPort")
            problems.warning(
                "Key is not carried over",
                f"'{line['key']}' is not a key of 'vagrant winrm-config'.",
                where,
                did_you_mean(line["key"], known),
            )


def _value(key: str, value: str, where: SourceRange, problems: Diagnostics) -> str | int | None:
    if key != "port":
        return value
    if value.isascii() and value.isdecimal() and len(value) < len("100000") and 1 <= int(value) <= _MOST:
        return int(value)
    problems.error("Port is out of range", "A port is a whole number from 1 to 65535.", where)
    return None
