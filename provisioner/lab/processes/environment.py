"""The environment a program starts in: the variables of the system and of its user, and the folder.

As a service of Windows Server gives them to a process of a user who is logged on over the network.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.lab.processes.base import ProcessCall

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode


def complete(node: SimulatedNode, call: ProcessCall) -> ProcessCall:
    """Add to a call what the client left to Windows; the user's profile is made at the first logon."""
    name = call.user.rpartition("\\")[2] or node.user
    profile = f"C:\\Users\\{name}"
    temporary = f"{profile}\\AppData\\Local\\Temp"
    if not node.machine.files.is_folder(temporary):
        node.machine.files.make_folder(temporary)
    given = {key.casefold() for key in call.environment}
    system = _system(node, name, profile, temporary)
    environment = {key: value for key, value in system.items() if key.casefold() not in given}
    return replace(
        call,
        environment={**environment, **call.environment},
        working_directory=call.working_directory or profile,
    )


def _system(node: SimulatedNode, user: str, profile: str, temporary: str) -> dict[str, str]:
    return {
        "ALLUSERSPROFILE": "C:\\ProgramData",
        "APPDATA": f"{profile}\\AppData\\Roaming",
        "CommonProgramFiles": "C:\\Program Files\\Common Files",
        "COMPUTERNAME": node.machine.computer_name.upper(),
        "ComSpec": "C:\\Windows\\system32\\cmd.exe",
        "LOCALAPPDATA": f"{profile}\\AppData\\Local",
        "NUMBER_OF_PROCESSORS": "16",
        "OS": "Windows_NT",
        "Path": "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;"
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\",
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "ProgramData": "C:\\ProgramData",
        "ProgramFiles": "C:\\Program Files",
        "ProgramFiles(x86)": "C:\\Program Files (x86)",
        "PROMPT": "$P$G",
        "PUBLIC": "C:\\Users\\Public",
        "SystemDrive": "C:",
        "SystemRoot": "C:\\Windows",
        "TEMP": temporary,
        "TMP": temporary,
        "USERDOMAIN": node.machine.computer_name.upper(),
        "USERNAME": user,
        "USERPROFILE": profile,
        "windir": "C:\\Windows",
    }
