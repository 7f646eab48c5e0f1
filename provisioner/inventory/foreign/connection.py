"""How Ansible's variables say where and as whom a machine is reached, in the words of our ``connection:``.

The facts are those of the options of Ansible's connection plugins ``winrm`` and ``psrp``: which variables each
setting listens to, of which the last one counts, and how port and scheme follow from each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provisioner.inventory.foreign.model import Sealed
from provisioner.inventory.model import Located
from provisioner.inventory.schema import is_address

HTTP_PORT: Final = 5985
HTTPS_PORT: Final = 5986
_HIGHEST_PORT: Final = 65535
_WEEK_S: Final = 7 * 24 * 3600

#: Setting -> the variables that give it, the weakest first.
_GIVEN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "address": ("ansible_ssh_host", "ansible_host", "ansible_winrm_host", "ansible_psrp_host"),
    "user": ("ansible_ssh_user", "ansible_user", "ansible_winrm_user", "ansible_psrp_user"),
    "password": (
        "ansible_ssh_pass",
        "ansible_ssh_password",
        "ansible_password",
        "ansible_winrm_pass",
        "ansible_winrm_password",
        "ansible_psrp_password",
    ),
    "port": ("ansible_ssh_port", "ansible_port", "ansible_winrm_port", "ansible_psrp_port"),
    "tls": ("ansible_winrm_scheme", "ansible_psrp_protocol"),
    "configuration_name": ("ansible_psrp_configuration_name",),
    "connect_timeout": ("ansible_winrm_connection_timeout", "ansible_psrp_connection_timeout"),
}
_WANTED: Final = {
    "address": "a host name or an IP address",
    "user": "a name",
    "port": "a whole number from 1 to 65535",
    "tls": "http or https",
    "configuration_name": "a name",
    "connect_timeout": "a number of seconds",
}

#: Connections that end in PowerShell remoting.
WINDOWS_CONNECTIONS: Final = frozenset({"winrm", "psrp", "ansible.builtin.winrm", "ansible.builtin.psrp"})
_SHELLS_OF_WINDOWS: Final = frozenset(
    {"powershell", "cmd", "ansible.builtin.powershell", "ansible.builtin.cmd"}
)

#: Variables that need no counterpart, whatever their value.
_SETTLED: Final = frozenset({"ansible_shell_type", "ansible_psrp_reconnection_retries"})
#: Variable -> values that mean what we do anyway.
_HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    "ansible_winrm_transport": frozenset({"ntlm", "negotiate"}),
    "ansible_psrp_auth": frozenset({"ntlm", "negotiate"}),
    "ansible_winrm_path": frozenset({"/wsman", "wsman"}),
    "ansible_psrp_path": frozenset({"/wsman", "wsman"}),
    "ansible_winrm_server_cert_validation": frozenset({"validate"}),
    "ansible_psrp_cert_validation": frozenset({"validate"}),
    "ansible_winrm_message_encryption": frozenset({"auto", "always"}),
    "ansible_psrp_message_encryption": frozenset({"auto", "always"}),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a connection: the variable that gave it, where, and its value in our terms."""

    variable: str
    located: Located
    value: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """A variable of Ansible's own that could not be carried over, and the sentence that says why."""

    variable: str
    located: Located
    reason: str


def settings_of(variables: Mapping[str, Located]) -> tuple[dict[str, Setting], list[Refusal]]:
    """Return the settings that variables give, and the variables that say something we cannot do.

    A password is not looked at: its value is the variable's, readable or not.
    """
    found: dict[str, Setting] = {}
    refused: list[Refusal] = []
    plugin = _plugin(variables)
    for name, names in _GIVEN_BY.items():
        for variable in names:
            if variable not in variables or _is_of_other_plugin(variable, plugin):
                continue
            located = variables[variable]
            value = located.value if name == "password" else _converted(name, located.value)
            if value is None:
                if located.value is not None:
                    refused.append(Refusal(variable, located, _why_not(name, located.value)))
            else:
                found[name] = Setting(variable, located, value)
    settled = {variable for names in _GIVEN_BY.values() for variable in names}
    for variable, located in variables.items():
        if variable.startswith("ansible_") and variable not in settled:
            reason = _unsupported(variable, located.value)
            if reason:
                refused.append(Refusal(variable, located, reason))
    return found, refused


def is_windows(variables: Mapping[str, Located]) -> bool | None:
    """Return whether a host is reached the way Windows is; None when nothing says so."""
    connection = _text(variables, "ansible_connection")
    if connection:
        return (
            connection in WINDOWS_CONNECTIONS or _text(variables, "ansible_shell_type") in _SHELLS_OF_WINDOWS
        )
    if _text(variables, "ansible_shell_type") in _SHELLS_OF_WINDOWS:
        return True
    if any(name.startswith(("ansible_winrm_", "ansible_psrp_")) for name in variables):
        return True
    settings, _ = settings_of(variables)
    if "port" in settings:
        return settings["port"].value in {HTTP_PORT, HTTPS_PORT}
    return None


def wanted_endpoint(variables: Mapping[str, Located], settings: Mapping[str, Setting]) -> tuple[int, bool]:
    """Return port and TLS as the plugin would choose them: https, unless port or scheme say otherwise."""
    port = settings["port"].value if "port" in settings else None
    if "tls" in settings:
        tls = settings["tls"].value
        default = HTTP_PORT if not tls and _plugin(variables) == "psrp" else HTTPS_PORT
        return (port or default), tls
    return (port or HTTPS_PORT), port != HTTP_PORT


def is_expression(value: Any) -> bool:
    """Whether a value is text that Ansible would evaluate."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _plugin(variables: Mapping[str, Located]) -> str:
    return "psrp" if _text(variables, "ansible_connection").endswith("psrp") else "winrm"


def _is_of_other_plugin(variable: str, plugin: str) -> bool:
    return variable.startswith("ansible_winrm_" if plugin == "psrp" else "ansible_psrp_")


def _text(variables: Mapping[str, Located], name: str) -> str:
    value = variables[name].value if name in variables else ""
    return value.casefold() if isinstance(value, str) else ""


def _converted(name: str, value: Any) -> Any:
    """Return a value in our terms; None when it cannot be one."""
    if is_expression(value):
        return None
    match name, value:
        case "address", str() if is_address(value):
            return value
        case (("user" | "configuration_name"), str()) if value.strip() and value.isprintable():
            return value
        case "tls", str() if value.casefold() in {"http", "https"}:
            return value.casefold() == "https"
        case "port", _:
            number = _whole(value)
            return number if number is not None and 1 <= number <= _HIGHEST_PORT else None
        case "connect_timeout", _:
            number = _whole(value)
            return number if number is not None and 1 <= number <= _WEEK_S else None
        case _:
            return None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    is_number = (
        isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < len("1000000")
    )
    return int(value) if is_number else None


def _why_not(name: str, value: Any) -> str:
    if isinstance(value, Sealed):
        return f"is {value.value}"
    if is_expression(value):
        return "is an expression, which only Ansible can evaluate"
    return f"is not {_WANTED[name]}"


def _unsupported(variable: str, value: Any) -> str:
    """Say why a variable of Ansible's own is left out; empty when nothing is lost."""
    word = value.casefold() if isinstance(value, str) else value
    if variable == "ansible_connection":
        return ""
    if variable in _SETTLED or (isinstance(word, str) and word in _HARMLESS.get(variable, ())):
        return ""
    if variable in {"ansible_winrm_server_cert_validation", "ansible_psrp_cert_validation"}:
        return "turns the check of certificates off; here the certificate of a node is always verified"
    if variable in {"ansible_winrm_transport", "ansible_psrp_auth"}:
        return "asks for another way to log on; write it as 'authentication:'"
    return "has no counterpart here"
