"""ping.exe: asks a machine of the lab for an echo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.addresses import is_ip_address

if TYPE_CHECKING:
    from provisioner.lab.processes.base import ProcessCall, ProcessOutput
    from provisioner.lab.simulated_node import SimulatedNode

_COUNT_MOST = 1000
_STATISTICS = (
    "\r\nPing statistics for {address}:\r\n"
    "    Packets: Sent = {count}, Received = {count}, Lost = 0 (0% loss),\r\n"
    "Approximate round trip times in milli-seconds:\r\n"
    "    Minimum = 0ms, Maximum = 0ms, Average = 0ms\r\n"
)


class _RefusedError(Exception):
    """The arguments are none ping takes, or none it has here."""


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Ping the node itself; nobody else answers. ``-n``, ``-w`` and ``-4`` are understood."""
    try:
        target, count = _options(call.arguments)
    except _RefusedError as refused:
        output.stdout(call.encode(f"{refused}\r\n"))
        return 1
    address = _address(node, target)
    if address is None:
        text = f"Ping request could not find host {target}. Please check the name and try again.\r\n"
        output.stdout(call.encode(text))
        return 1
    shown = target if target == address else f"{target} [{address}]"
    output.stdout(call.encode(f"\r\nPinging {shown} with 32 bytes of data:\r\n"))
    for number in range(count):
        if number:
            await node.sleep(1.0)
        output.stdout(call.encode(f"Reply from {address}: bytes=32 time<1ms TTL=128\r\n"))
    output.stdout(call.encode(_STATISTICS.format(address=address, count=count)))
    return 0


def _options(arguments: tuple[str, ...]) -> tuple[str, int]:
    """Read target and count."""
    words = list(arguments)
    count, target = 4, ""
    while words:
        word = words.pop(0)
        option = word[1:].casefold() if word[:1] in {"-", "/"} else ""
        if option in {"n", "w"}:
            value = words.pop(0) if words else ""
            if not value.isascii() or not value.isdigit() or int(value[:9]) == 0:
                raise _RefusedError(f"Bad value for option {word}, valid range is from 1 to 4294967295.")
            count = min(int(value[:9]), _COUNT_MOST) if option == "n" else count
        elif option and option != "4":
            raise _RefusedError(f"The lab does not simulate the option {word} of ping.")
        elif not option:
            target = word
    if not target:
        raise _RefusedError("IP address must be specified.")
    return target, count


def _address(node: SimulatedNode, target: str) -> str | None:
    """Give the address of a name of the node itself."""
    name = target.casefold()
    if name in {node.address, "127.0.0.1"}:
        return name
    if name == "localhost":
        return "127.0.0.1"
    is_own = not is_ip_address(name) and name.partition(".")[0] == node.machine.computer_name.casefold()
    return node.address if is_own else None
