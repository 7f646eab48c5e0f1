"""The script of a machine's first contact: the regions of first_contact.ps1 that are asked for, with their values.

Values are put between single quotes, and what could end such a text is refused: it would be code on the machine.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

from provisioner.bootstrap.package import ModuleFolder, archive, sha256
from provisioner.errors import UsageError

_REGION = re.compile(r"(?ms)^#region (?P<name>[\w-]+)\n(?P<body>.*?)^#endregion\n")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")
_ACCOUNT = re.compile(r"[\w.$@\\ -]{1,120}", re.ASCII)
_ADDRESS = re.compile(r"[0-9a-fA-F:.]+(?:/\d{1,3}|-[0-9a-fA-F:.]+)?|Any|LocalSubnet")
_SOURCE = re.compile(r"(?:https?://|[A-Za-z]:\\|\\\\)[^'\u2018-\u201b\s]{1,500}")
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_HASH = re.compile(r"[0-9A-Fa-f]{64}")
#: Windows knows a local account by at most this many characters.
_LONGEST_LOCAL_ACCOUNT = 20
_LINE = 100


class Listener(Enum):
    """How the machine is to be reached; the value is what a user writes."""

    SELF_SIGNED = "self-signed"
    CERTIFICATE = "certificate"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class FirstContact:
    r"""What the script does.

    ``names`` and ``ip_addresses`` go into a self-signed certificate. ``user`` is an account of the domain when it
    says one (``DOMAIN\name``, ``name@domain``), else one of the machine, made when it is missing. Who is let in
    over https is in ``allowed_from``: addresses, networks, ``LocalSubnet`` or ``Any``. ``module_source`` is a path
    or URL where the machine finds the package of ``module``; empty embeds it. Without ``module`` there is none.
    """

    user: str
    listener: Listener
    names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    port: int = 0
    thumbprint: str = ""
    allowed_from: tuple[str, ...] = ("Any",)
    module: ModuleFolder | None = None
    module_source: str = ""
    module_hash: str = ""
    keeps_network_profile: bool = False

    @property
    def is_domain_account(self) -> bool:
        """Whether the account is one of a domain."""
        return "\\" in self.user or "@" in self.user

    @property
    def used_port(self) -> int:
        """The port given, or the usual one."""
        return self.port or (5985 if self.listener is Listener.HTTP else 5986)


def write_script(asked: FirstContact) -> str:
    """Return the script, in ASCII with LF line ends.

    Raises:
        UsageError: A value cannot stand in the script, or two of them do not go together.
    """
    _check(asked)
    regions = _regions(asked)
    text = _REGION.sub(lambda found: _region(found, regions, asked), _source())
    return re.sub(r"\n{3,}", "\n\n", text)


@cache
def _source() -> str:
    return resources.files("provisioner.bootstrap").joinpath("first_contact.ps1").read_text("ascii")


def _region(found: re.Match[str], regions: set[str], asked: FirstContact) -> str:
    name, body = found["name"], found["body"]
    if name == "settings":
        return "".join(f"{line}\n" for line in _settings(asked, regions))
    if name not in regions:
        return ""
    if name == "module-embedded" and asked.module is not None:
        packed = base64.b64encode(archive(asked.module)).decode()
        lines = "\n".join(packed[at : at + _LINE] for at in range(0, len(packed), _LINE))
        return body.replace("ARCHIVE", lines)
    return body


def _regions(asked: FirstContact) -> set[str]:
    found = {"administrator", "remoting", "limits", "encryption"}
    if not asked.keeps_network_profile:
        found.add("network")
    if not asked.is_domain_account:
        found.add("local-account")
    if asked.listener is not Listener.HTTP:
        found |= {"https", "firewall"}
    if asked.listener is Listener.SELF_SIGNED:
        found |= {"self-signed", "show-certificate"}
    if asked.module is not None:
        found |= {"module", "module-elsewhere" if asked.module_source else "module-embedded"}
    return found


def _settings(asked: FirstContact, regions: set[str]) -> Iterable[str]:
    """Assign what the regions read, and nothing else."""
    yield f"$userName = '{asked.user}'"
    if "https" in regions:
        yield f"$port = {asked.used_port}"
        yield f"$from = {_list(asked.allowed_from)}"
    if "self-signed" in regions:
        yield f"$names = {_list(asked.names)}"
        yield f"$ipAddresses = {_list(asked.ip_addresses)}"
    elif "https" in regions:
        yield f"$certificateThumbprint = '{asked.thumbprint.upper()}'"
    if asked.module is not None:
        digest = asked.module_hash.upper() if asked.module_source else sha256(archive(asked.module))
        yield f"$moduleName = '{asked.module.name}'"
        yield f"$moduleVersion = '{asked.module.version}'"
        yield f"$moduleHash = '{digest}'"
    if asked.module_source:
        yield f"$moduleSource = '{asked.module_source}'"


def _list(values: Iterable[str]) -> str:
    quoted = (f"'{each}'" for each in values)
    return f"@({', '.join(quoted)})"


def _check(asked: FirstContact) -> None:
    _must(_ACCOUNT, asked.user, "account", "letters, digits, spaces and . _ - $, with DOMAIN\\ or @domain")
    if not asked.is_domain_account and len(asked.user) > _LONGEST_LOCAL_ACCOUNT:
        raise UsageError(
            f"the account '{asked.user}' has {len(asked.user)} characters.",
            f"An account of a machine has at most {_LONGEST_LOCAL_ACCOUNT}.",
        )
    for name in asked.names:
        _must(_NAME, name, "name", "letters, digits, dots and hyphens")
    for address in [*asked.ip_addresses, *asked.allowed_from]:
        _must(_ADDRESS, address, "address", "an IP address, a network (192.0.2.0/24), Any or LocalSubnet")
    if asked.listener is Listener.SELF_SIGNED and not asked.names:
        raise UsageError("a self-signed certificate needs the machine's name.", "Give it with --name.")
    if (asked.listener is Listener.CERTIFICATE) != bool(asked.thumbprint):
        raise UsageError(
            "a thumbprint belongs to the listener 'certificate', and that to a thumbprint.",
            "Give --listener certificate --thumbprint with the 40 digits of a certificate of the machine.",
        )
    if asked.thumbprint:
        _must(_THUMBPRINT, asked.thumbprint, "thumbprint", "40 hexadecimal digits")
    if asked.listener is Listener.HTTP:
        _check_http(asked)
    if asked.module_source:
        _must(
            _SOURCE,
            asked.module_source,
            "place of the module",
            "C:\\..., \\\\server\\share\\... or https://...",
        )
        _must(_HASH, asked.module_hash, "SHA-256 of the module", "64 hexadecimal digits")


def _check_http(asked: FirstContact) -> None:
    """Windows makes this listener and its firewall rules itself, so there is nothing to say about them."""
    if asked.port not in {0, 5985}:
        raise UsageError(
            f"port {asked.port} is not the one Windows listens on for HTTP.",
            "It is 5985: say --listener self-signed for https, or leave the port out.",
        )
    if asked.allowed_from != ("Any",):
        raise UsageError(
            "who may connect cannot be said for HTTP: the firewall's rules for it are Windows' own.",
            "Leave --from out, or take another --listener.",
        )


def _must(pattern: re.Pattern[str], value: str, what: str, form: str) -> None:
    if not pattern.fullmatch(value):
        raise UsageError(f"the {what} {value!a} cannot be used.", f"What may stand there: {form}.")
