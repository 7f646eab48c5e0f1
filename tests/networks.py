"""Loopback addresses for servers of tests: no two tests, workers or test runs on this machine share any."""

from __future__ import annotations

import os
import random
import socket

_GUARD_PORT = 40009
# Held open on purpose; a closed one would give the network away.
_guards: list[socket.socket] = []


def own_network() -> str:
    """Return the first three bytes of 254 addresses that are this process's until it ends.

    A listening guard on the last address keeps every other process away.
    """
    draw = random.Random(os.getpid() + len(_guards))
    while True:
        network = f"127.{draw.randint(64, 250)}.{draw.randint(0, 250)}"
        guard = socket.socket()
        try:
            guard.bind((f"{network}.254", _GUARD_PORT))
            guard.listen(1)
        except OSError:
            guard.close()
            continue
        _guards.append(guard)
        return network
