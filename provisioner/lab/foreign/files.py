"""What the known scripts do with a node's files: paths as the scripts see them, errors as .NET gives them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NoReturn

from provisioner.lab.foreign.registry import ScriptContext
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord, TerminatingError

_VARIABLE = re.compile(r"%(\w+)%")


def profile_of(user: str) -> str:
    """Give the folder of an account."""
    return "C:\\Users\\" + user.rpartition("\\")[2]


def expand(path: str, user: str) -> str:
    """Replace ``%TEMP%`` and its like, as ExpandEnvironmentVariables does; unknown ones stay as they are."""
    profile = profile_of(user)
    known = {
        "temp": f"{profile}\\AppData\\Local\\Temp",
        "tmp": f"{profile}\\AppData\\Local\\Temp",
        "userprofile": profile,
        "systemroot": "C:\\Windows",
        "windir": "C:\\Windows",
        "systemdrive": "C:",
        "programdata": "C:\\ProgramData",
        "programfiles": "C:\\Program Files",
        "public": "C:\\Users\\Public",
        "username": user.rpartition("\\")[2],
    }
    return _VARIABLE.sub(lambda found: known.get(found.group(1).casefold(), found.group()), path)


def absolute(path: str, user: str) -> str:
    """Give a full path; a relative one starts in the account's folder, as a shell of WinRM does."""
    cleaned = path.replace("/", "\\")
    if re.match(r"[A-Za-z]:", cleaned):
        return cleaned
    if cleaned.startswith("\\"):
        return f"C:{cleaned}"
    return f"{profile_of(user)}\\{cleaned}"


def write(context: ScriptContext, path: str, content: bytes) -> None:
    """Write a whole file.

    Raises:
        TerminatingError: What .NET throws when the folder is missing or the path is one.
    """
    prepare_home(context)
    try:
        context.node.machine.files.write(path, content)
    except MachineError as error:
        refuse(error.message, error.error_id, error.exception_type)


def prepare_home(context: ScriptContext) -> None:
    """Make the account's folder and its folder for temporary files, which its first logon makes."""
    files = context.node.machine.files
    if files.is_folder("C:\\"):
        files.make_folder(expand("%TEMP%", context.user))


def from_base64(text: str) -> bytes:
    """Decode one line of base64.

    Raises:
        TerminatingError: What .NET throws when it is none.
    """
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        refuse(
            'Exception calling "FromBase64String" with "1" argument(s): "The input is not a valid Base-64 '
            'string as it contains a non-base 64 character."',
            "FormatException",
            "System.Management.Automation.MethodInvocationException",
        )


def refuse(message: str, error_id: str, exception_type: str = "System.Exception") -> NoReturn:
    """Throw as a script does."""
    raise TerminatingError(ErrorRecord(message, error_id, "NotSpecified", exception_type), ends_script=True)
