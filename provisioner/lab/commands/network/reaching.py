"""Who a machine reaches in its lab: by address, computer name, a domain's name, or a line of its hosts file.

What is outside the lab, a message queue say, answers on every port unless the inventory calls it unreachable.
"""

from __future__ import annotations

import ipaddress

from provisioner.lab.machine.directory.domains import Directory
from provisioner.lab.machine.machine import Machine

_HOSTS = r"C:\Windows\System32\drivers\etc\hosts"
_LOCAL = frozenset({"localhost", ".", "127.0.0.1"})


def address_of(machine: Machine, name: str) -> str | None:
    """Give the address of a name; None when nobody has it."""
    wanted = name.casefold().rstrip(".")
    if wanted in _LOCAL:
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(wanted))
    except ValueError:
        pass
    if machine.files.is_file(_HOSTS):
        for line in machine.files.read(_HOSTS).decode("cp1252").splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            if wanted in (item.casefold() for item in names):
                return address
    return _of_lab(machine, wanted)


def _of_lab(machine: Machine, wanted: str) -> str | None:
    host, _, suffix = wanted.partition(".")
    directory = machine.world.area(Directory)
    domain = directory.find(wanted)
    if domain:
        controllers = [machine.world.machine(item) for item in directory.controllers(domain)]
        return next((item.address for item in controllers if item), None)
    node = machine.world.machine(host)
    if node is None or (suffix and directory.find(suffix) is None):
        return None
    return node.address


def answers(machine: Machine, address: str) -> bool:
    """Whether somebody of the lab has the address."""
    own = {"127.0.0.1", machine.address}
    return address in own or any(item.address == address for item in machine.world.machines())


def answers_outside(machine: Machine, name: str, port: int | None = None) -> bool:
    """Whether a host that is none of the lab answers: to a ping, or on a port."""
    host = name.casefold().rstrip(".")
    silent = {item.casefold() for item in machine.unreachable}
    return not silent & ({host} if port is None else {host, f"{host}:{port}", f"[{host}]:{port}"})
