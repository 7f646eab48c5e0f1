"""What an unmodified client sees of a node, as one value: the exception with its code, or what it got, and how long
it took. The client is pypsrp; nothing of ours is between it and the node.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provisioner.lab.hosting.running import RunningNode

_DSC = "root/Microsoft/Windows/DesiredStateConfiguration"
_HEADER = (
    'instance of OMI_ConfigurationDocument { Version="2.0.0"; MinimumCompatibleVersion="1.0.0"; '
    'CompatibleVersionAdditionalProperties={"Omi_BaseResource:ConfigurationName"}; Name="Faults"; };\n'
)


@dataclass(frozen=True)
class Seen:
    """What a client saw. ``error`` is the class of the exception, or empty; ``code`` what it carries."""

    error: str
    code: object
    text: str
    value: Any
    seconds: float


def seen(work: Callable[[], Any]) -> Seen:
    """Do something as a client and look."""
    begin = time.monotonic()
    try:
        value = work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the client saw
        kind = f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}"
        code = getattr(error, "code", None)
        return Seen(kind, code, str(error), None, time.monotonic() - begin)
    return Seen("", None, "", value, time.monotonic() - begin)


def wsman(node: RunningNode, **options: Any) -> WSMan:
    """A connection of pypsrp that loses patience soon."""
    given = {
        "port": node.port,
        "ssl": False,
        "auth": "ntlm",
        "username": node.user,
        "password": node.password,
        "read_timeout": 1,
        "connection_timeout": 1,
        "operation_timeout": 5,
        "reconnection_backoff": 0.01,
    }
    return WSMan(node.address, **{**given, **options})


@contextmanager
def opened(node: RunningNode, **options: Any) -> Iterator[RunspacePool]:
    """A session that need not be there any more when it is closed."""
    pool = RunspacePool(wsman(node, **options))
    pool.open()
    try:
        yield pool
    finally:
        with suppress(Exception):
            pool.close()
        pool.connection.close()


def invoke(pool: RunspacePool, command: str, **parameters: Any) -> PowerShell:
    """Run one command."""
    shell = PowerShell(pool)
    shell.add_cmdlet(command).add_parameters(parameters)
    shell.invoke()
    return shell


def ask(node: RunningNode, command: str = "Get-Service", **parameters: Any) -> list[Any]:
    """A whole session for one command: six requests and their answers, and two more for the pipeline."""
    parameters = parameters or ({"Name": "W32Time"} if command == "Get-Service" else {})
    with wsman(node) as connection, RunspacePool(connection) as pool:
        return list(invoke(pool, command, **parameters).output)


def call(node: RunningNode, method: str, **arguments: Any) -> PowerShell:
    """Call a method of the LCM."""
    with wsman(node, read_timeout=20) as connection, RunspacePool(connection) as pool:
        return invoke(
            pool,
            "Invoke-CimMethod",
            Namespace=_DSC,
            ClassName="MSFT_DSCLocalConfigurationManager",
            MethodName=method,
            Arguments=arguments,
        )


def errors_of(shell: PowerShell) -> list[tuple[str, str]]:
    """Id and text of each error record, as the client has them."""
    return [
        (str(error.fq_error), str(error.exception.adapted_properties["Message"]))  # type: ignore[union-attr]
        for error in shell.streams.error
    ]


def registry_value(name: str, data: str = "1") -> str:
    """A resource that writes one value."""
    return (
        f'instance of MSFT_RegistryResource {{ ResourceID = "[Registry]{name}"; ModuleName = "PSDscResources"; '
        f'ModuleVersion = "2.12.0.0"; SourceInfo = "t"; ConfigurationName = "Faults"; '
        f'Key = "HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\Faults"; ValueName = "{name}"; '
        f'ValueData = {{"{data}"}}; Ensure = "Present"; }};\n'
    )


def push(node: RunningNode, *resources: str) -> list[tuple[str, str]]:
    """Have the LCM apply a document and wait; give the errors."""
    document = ("".join(resources) + _HEADER).encode()
    shell = call(node, "SendConfigurationApply", ConfigurationData=document, force=True)
    return errors_of(shell)


@contextmanager
def fault(node: RunningNode, kind: str, *, is_on: bool, **parameters: Any) -> Iterator[None]:
    """Have a fault and then none; not ``is_on`` is the same without it, for what must not be seen then."""
    if is_on:
        node.fault(kind, **parameters)
    try:
        yield
    finally:
        node.clear()
