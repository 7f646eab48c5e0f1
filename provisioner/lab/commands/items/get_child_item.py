"""Get-ChildItem: what lies in folders, registry keys and the certificate store."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.certificates import certificates, is_certificate_path
from provisioner.lab.commands.items.objects import item_object
from provisioner.lab.machine.ground.files import Entry
from provisioner.lab.machine.machine import Machine

TYPE = "Microsoft.PowerShell.Commands.GetChildItemCommand"


async def run(invocation: Invocation) -> None:
    """Write the children of folders and keys; a path that is a file, or a pattern, gives what it leads to."""
    machine = invocation.node.machine
    parameters = invocation.parameters
    is_deep = bool(parameters.get("Recurse"))
    for path, is_literal in await paths.given_paths(invocation):
        if is_certificate_path(path):
            _write_certificates(path, invocation)
            continue
        found = paths.resolve(path, invocation, is_literal=is_literal)
        is_pattern = not is_literal and paths.has_wildcard(path)
        if not found and not is_pattern:
            invocation.output.error(paths.not_found(path, invocation, TYPE, "Get-ChildItem"))
        for item in found:
            for child in [item] if is_pattern and not is_deep else _below(item, machine, is_deep=is_deep):
                if _is_wanted(child, invocation):
                    name = child.name if isinstance(child, Entry) else child.path.rpartition("\\")[2]
                    invocation.output.write(name if parameters.get("Name") else item_object(child, machine))


def _write_certificates(path: str, invocation: Invocation) -> None:
    """Write the certificates of a store; a switch leaves out those that are not for documents."""
    only_for_documents = bool(invocation.parameters.get("DocumentEncryptionCert"))
    found = certificates(path, invocation.node.machine, only_for_documents=only_for_documents)
    if found is None:
        invocation.output.error(paths.not_found(path, invocation, TYPE, "Get-ChildItem"))
    for each in found or ():
        invocation.output.write(each)


def _below(item: paths.Item, machine: Machine, *, is_deep: bool) -> Iterator[paths.Item]:
    if isinstance(item, paths.RegistryKey):
        for name in machine.registry.subkeys(item.path):
            key = paths.RegistryKey(f"{item.path}\\{name}".lstrip("\\"))
            yield key
            if is_deep:
                yield from _below(key, machine, is_deep=True)
        return
    if not item.is_folder:
        yield item
        return
    for entry in machine.files.children(item.path):
        yield entry
        if is_deep and entry.is_folder:
            yield from _below(entry, machine, is_deep=True)


def _is_wanted(item: paths.Item, invocation: Invocation) -> bool:
    parameters = invocation.parameters
    if isinstance(item, paths.RegistryKey):
        return True
    pattern = str(parameters.get("Filter") or "*").casefold()
    if not fnmatch.fnmatchcase(item.name.casefold(), pattern):
        return False
    if parameters.get("File") and item.is_folder:
        return False
    if parameters.get("Directory") and not item.is_folder:
        return False
    return bool(parameters.get("Force")) or "Hidden" not in item.attributes
