"""What a lab brings along that a person would otherwise: secrets in files, and certificates of its nodes."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from provisioner.addresses import Endpoint, SecretRef
from provisioner.cli.certificates import targets
from provisioner.errors import UsageError
from provisioner.inventory.model import Inventory
from provisioner.lab.hosting.app import node_folder
from provisioner.lab.logon import HttpsSpec
from provisioner.lab.machine.ground.certificates import Certificates, encoded
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.spec import NodeSpec
from provisioner.project import Project, builtin_folder
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.model import Role, Variable
from provisioner.roles.secret_variables import holds_secrets, references_in
from provisioner.roles.variables import roles_of
from provisioner.secrets.stores import resolve

_SECRET_BYTES = 18
_HTTP_PORT = 5985


def secret_files(inventory: Inventory, path: Path) -> list[Path]:
    """Return the files, named relative to the inventory at ``path``, that variables for secrets point to."""
    library = RoleLibrary([Project.of(path).root, builtin_folder()])
    roles: dict[str, Role] = {}
    for node in inventory.nodes.values():
        roles |= roles_of(node, library)[0]
    variables: dict[str, list[Variable]] = {}
    for role in roles.values():
        for variable in filter(holds_secrets, role.variables.values()):
            variables.setdefault(variable.name, []).append(variable)
    written = (
        text
        for node in inventory.nodes.values()
        for name, value in node.variables.items()
        for variable in variables.get(name, ())
        for text in references_in(variable, value.value)
    )
    references = filter(None, map(SecretRef.parse, written))
    keys = dict.fromkeys(each.key for each in references if each.store == "file")
    return [path.parent / key for key in keys if not Path(key).expanduser().is_absolute()]


def make_secret(path: Path) -> None:
    """Make a secret of its own, readable by its owner only, where there is none."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(_SECRET_BYTES) + "\n")


def equipped(spec: NodeSpec, endpoint: Endpoint, base: Path) -> NodeSpec:
    """Give a node what its accounts need: hashes of passwords, certificates, a keytab, and HTTPS where asked for.

    Paths are relative to ``base``, the folder of the inventory.

    Raises:
        SecretError: A password is not where the inventory says.
        UsageError: A certificate cannot be read.
    """
    logon = spec.logon.resolved(lambda reference: _hash_of(reference, base), lambda path: _read(base / path))
    spec = replace(
        spec, domains=tuple(item.resolved(lambda each: _hash_of(each, base)) for item in spec.domains)
    )
    if logon.kerberos is not None:
        keytab = str(base / Path(logon.kerberos.keytab).expanduser())
        logon = replace(logon, kerberos=replace(logon.kerberos, keytab=keytab))
    if not endpoint.tls:
        return replace(spec, logon=logon)
    # Where clients come over HTTPS, that is the port of the inventory; plain HTTP moves to where Windows has it.
    https = replace(logon.https or HttpsSpec(), port=endpoint.port)
    return replace(spec, logon=replace(logon, https=https), port=_HTTP_PORT)


def _hash_of(text: str, base: Path) -> bytes:
    reference = SecretRef.parse(text)
    assert reference is not None, "the lab has checked it"
    return nt_hash(password_of(reference, base))


def account_hash(reference: SecretRef | None, base: Path) -> bytes:
    """Return the NT hash of the password of a connection; nothing fits the account of one without."""
    return nt_hash(password_of(reference, base)) if reference else b""


def password_of(reference: SecretRef, base: Path) -> str:
    """Return a password; a ``file:`` that is not there yet is made, readable by its owner only."""
    if reference.store == "file":
        make_secret(base / reference.key)
    return resolve(reference, base).reveal()


def _read(path: Path) -> str:
    try:
        return path.expanduser().read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise UsageError(f"The certificate {path} cannot be read: {error}") from None


def hand_out_certificates(inventory: Inventory, base: Path, lab: Path) -> None:
    """Put the certificates of nodes where the inventory wants them; nobody can pretend to be a node of a lab.

    Raises:
        UsageError: two nodes share a file.
    """
    wanting = [
        name for name, node in inventory.nodes.items() if node.encryption and node.encryption.certificate
    ]
    for name, path in targets(inventory, wanting, base).items():
        content = encoded(Certificates(node_folder(lab, name)).own[0].certificate)
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content)
