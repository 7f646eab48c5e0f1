"""findstr: lines of standard input that hold one of some literal texts (/B /E /I /L /V /X /C:). No patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.lab.processes.base import ProcessCall, ProcessOutput

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_PATTERN: Final = frozenset(".*[]^$\\")


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Write the lines that match; 0 when there was one, 1 when none, 2 for what is not simulated."""
    del node
    options: set[str] = set()
    wanted: list[str] = []
    for word in call.arguments:
        if word[:3].casefold() == "/c:":
            wanted.append(word[3:])
        elif word.startswith("/"):
            options.add(word[1:].casefold())
        elif not wanted:
            wanted = word.split()
        else:
            options.add(word)  # a file
    if options - {"b", "e", "i", "l", "v", "x"} or not wanted or _PATTERN & set("".join(wanted)):
        output.stderr(
            call.encode("FINDSTR: this node is simulated; it finds literal texts in its input only.\r\n")
        )
        return 2
    data = b"".join([part async for part in call.stdin])
    found = [
        line for line in call.decode(data).splitlines() if _has(line, wanted, options) != ("v" in options)
    ]
    output.stdout(call.encode("".join(f"{line}\r\n" for line in found)))
    return 0 if found else 1


def _has(line: str, wanted: list[str], options: set[str]) -> bool:
    text = line.casefold() if "i" in options else line
    for item in wanted:
        part = item.casefold() if "i" in options else item
        if "x" in options or {"b", "e"} <= options:
            is_there = text == part
        elif "b" in options:
            is_there = text.startswith(part)
        elif "e" in options:
            is_there = text.endswith(part)
        else:
            is_there = part in text
        if is_there:
            return True
    return False
