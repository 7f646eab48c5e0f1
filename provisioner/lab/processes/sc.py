"""sc.exe: what the service control manager says of services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.lab.machine.ground.services import Service
    from provisioner.lab.processes.base import ProcessCall, ProcessOutput
    from provisioner.lab.simulated_node import SimulatedNode

_NO_SUCH_SERVICE = 1060
_NEVER_STARTED = 1077


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Answer ``sc query [name]`` and ``sc query state= all``; other verbs are not simulated."""
    words = [word for word in call.arguments if word != "type=" and word.casefold() != "service"]
    if not words or words[0].casefold() != "query":
        output.stdout(call.encode("The lab simulates sc query only.\r\n"))
        return 1
    rest = [word.casefold() for word in words[1:]]
    if not rest or rest[0] == "state=":
        wanted = rest[1] if len(rest) > 1 else "active"
        if wanted not in {"active", "inactive", "all"}:
            output.stdout(call.encode("ERROR:  Invalid Option\r\n"))
            return 1
        status = {"active": ("Running",), "inactive": ("Stopped",), "all": ("Running", "Stopped")}[wanted]
        found = [item for item in node.machine.services if item.status in status]
        output.stdout(call.encode("".join(_shown(item, with_display_name=True) for item in found)))
        return 0
    service = node.machine.services.find(rest[0])
    if service is None:
        output.stdout(
            call.encode(
                f"[SC] EnumQueryServicesStatus:OpenService FAILED {_NO_SUCH_SERVICE}:\r\n\r\n"
                "The specified service does not exist as an installed service.\r\n\r\n"
            )
        )
        return _NO_SUCH_SERVICE
    output.stdout(call.encode(_shown(service, with_display_name=False)))
    return 0


def _shown(service: Service, *, with_display_name: bool) -> str:
    is_running = service.status == "Running"
    kind = "20  WIN32_SHARE_PROCESS  " if "svchost.exe" in service.path else "10  WIN32_OWN_PROCESS  "
    code = 0 if is_running else _NEVER_STARTED
    lines = ["", f"SERVICE_NAME: {service.name} "]
    if with_display_name:
        lines.append(f"DISPLAY_NAME: {service.display_name}")
    lines.append(f"        TYPE               : {kind}")
    lines.append(f"        STATE              : {'4  RUNNING ' if is_running else '1  STOPPED '}")
    if is_running:
        lines.append("                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)")
    lines += [
        f"        WIN32_EXIT_CODE    : {code}  ({code:#x})",
        "        SERVICE_EXIT_CODE  : 0  (0x0)",
        "        CHECKPOINT         : 0x0",
        "        WAIT_HINT          : 0x0",
    ]
    return "".join(f"{line}\r\n" for line in lines)
