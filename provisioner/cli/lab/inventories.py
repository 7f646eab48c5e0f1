"""The inventory of a lab that was asked for by number: ``provision lab up --count 50 --profile server2022``."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from provisioner.errors import UsageError
from provisioner.lab.spec import RELEASES

#: What ``--profile`` takes: the release of Windows that all nodes have.
PROFILES: Final = {f"server{release}": release for release in RELEASES}
MOST_NODES: Final = 60_000
_FIRST_NETWORK, _NETWORKS = 30, 30
_FILE: Final = "inventory.yaml"


def write_inventory(folder: Path, count: int, profile: str) -> Path:
    """Write an inventory of ``count`` equal nodes into the folder of a lab and return its path.

    An inventory that is there already is replaced, because it was made in the same way. Addresses follow from the
    lab's name, so that two labs side by side rarely want the same ones.

    Raises:
        UsageError: so many nodes have no room in one network.
    """
    if count > MOST_NODES:
        raise UsageError(f"{count} nodes are too many for one lab.", f"It takes {MOST_NODES}.")
    network = _FIRST_NETWORK + hashlib.sha256(folder.name.encode()).digest()[0] % _NETWORKS
    width = max(2, len(str(count)))
    lines = [
        f"# Made by 'provision lab up --count {count} --profile {profile}'; made anew by the next one.",
        f"site: {folder.name}",
        "connection:",
        "  user: provisioner",
        "  password: file:.secrets/password",
        "lab:",
        f'  windows: "{PROFILES[profile]}"',
        "nodes:",
        *(
            f"  node{number:0{width}}: {{address: 127.{network}.{(number - 1) // 250}.{(number - 1) % 250 + 1}}}"
            for number in range(1, count + 1)
        ),
    ]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _FILE
    temporary = path.with_suffix(".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    temporary.replace(path)
    return path
