"""``provision config``: configuration files of OpenStack's services."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from provisioner.cli.context import counted, json_option, say, verb
from provisioner.cli.exit_codes import ExitCode
from provisioner.diagnostics import Severity
from provisioner.errors import UsageError
from provisioner.options.catalogue import catalogue
from provisioner.options.check import check_bytes, summary
from provisioner.options.faults import Fault

#: No service has a configuration file of this size.
_LARGEST = 4 * 1024 * 1024


@click.group()
def config() -> None:
    """Hold configuration files against what services really read."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE")
@click.option("--service", required=True, help="Whose file it is: nova, cinder, neutron-hyperv-agent, ...")
@click.option("--release", required=True, help="A series of OpenStack; for cloudbase-init a package version.")
@json_option
@verb
def check(file: Path, service: str, release: str, *, as_json: bool) -> None:
    """Check a service's configuration file against the options of a release.

    One line for each fault: unknown options, values that are not taken, options in the wrong section. Deprecated
    names are warnings. Exit code 1 when there is a fault that is no warning.
    """
    known = catalogue(service, release)
    faults = check_bytes(_read(file), service, release)
    wrong = [fault for fault in faults if fault.severity is Severity.ERROR]
    for fault in faults:
        say(json.dumps(_row(fault, file), ensure_ascii=False) if as_json else fault.rendered(str(file)))
    if not as_json:
        counts = f"{counted(len(wrong), 'fault')}, {counted(len(faults) - len(wrong), 'warning')}"
        say(f"{file}: {counts}, held against {summary(known)}.")
    sys.exit(ExitCode.FAILED if wrong else ExitCode.DONE)


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        raw = stream.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise UsageError(f"{file} has more than 4 MiB.", "Check that this is the file you meant.")
    return raw


def _row(fault: Fault, file: Path) -> dict[str, str | int]:
    return {
        "file": str(file),
        "line": fault.line,
        "severity": fault.severity.value,
        "kind": fault.kind.value,
        "section": fault.section,
        "option": fault.option,
        "message": fault.message,
        "help": fault.help,
    }
