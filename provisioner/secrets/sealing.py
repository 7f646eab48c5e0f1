"""Turns the credentials of one node into what its document may hold.

A sealer resolves the references of a credential, joins named secrets to lines, and encrypts the result to the
node's certificate. Plain text leaves it only where the inventory says so in as many words.

The rule of the room: what the user wrote wrong, and what is missing in the world, becomes a diagnostic at the
credential; a sealer never raises for it, so that all problems of all nodes are told at once. Texts handed out
while there are problems must not be used.
"""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from provisioner.diagnostics import Diagnostics
from provisioner.errors import SecretError
from provisioner.secrets import cms
from provisioner.secrets.certificates import HOW_TO_MAKE_ONE, CertificateError, EncryptionCertificate, load
from provisioner.secrets.model import MASK, Secret
from provisioner.secrets.stores import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from provisioner.addresses import SecretRef
    from provisioner.diagnostics import SourceRange
    from provisioner.secrets.ciphertexts import CiphertextStore

#: What a named secret may be called; the name stands in ``@{secret:NAME}`` and before ``=`` in a line.
SECRET_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
#: Certificate files in a folder are ``<node>.cer``.
SUFFIX: Final = ".cer"

_FILE_SUFFIXES: Final = (SUFFIX, ".crt", ".pem", ".der")
_LINE_BREAKS: Final = ("\n", "\r")
#: What a document loses or may not hold: a carriage return becomes part of a line feed.
_NOT_IN_CLEAR: Final = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_SUMMARY: Final = "Credential cannot be sealed"


class Encrypted(Protocol):
    """The ``encryption:`` setting of an inventory, as far as it matters here."""

    @property
    def certificate(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def is_plain_text(self) -> bool: ...  # noqa: D102
    @property
    def where(self) -> SourceRange: ...  # noqa: D102


class SealedFor(Protocol):
    """The node of an inventory, as far as it matters here."""

    @property
    def name(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def where(self) -> SourceRange: ...  # noqa: D102
    @property
    def encryption(self) -> Encrypted | None: ...  # noqa: D102


class Unsealed(Protocol):
    """A credential whose password, or whose named secrets, are still references."""

    @property
    def user(self) -> str: ...  # noqa: D102 - named in the class
    @property
    def password(self) -> SecretRef | None: ...  # noqa: D102
    @property
    def secrets(self) -> Mapping[str, SecretRef] | None: ...  # noqa: D102
    @property
    def where(self) -> SourceRange: ...  # noqa: D102


class NodeSealer:
    """Seals the credentials of one node.

    ``problems`` grows while it works. ``opened`` are the secrets it had in hand, for whoever must mask them.
    ``thumbprint`` is what the node's LCM must know as CertificateID; empty for plain text.
    """

    def __init__(
        self, node: str, base: Path, certificate: EncryptionCertificate | None, store: CiphertextStore
    ) -> None:
        """Seal for ``certificate``; without one passwords stay as they are.

        ``base`` is the folder of the inventory, where relative paths of references start.
        """
        self.problems = Diagnostics()
        self.opened: list[Secret] = []
        self._node = node
        self._base = base
        self._certificate = certificate
        self._store = store
        # By identity, with the credential so that its identity stays its own: hashing and sealing open it once.
        self._known: dict[int, tuple[Unsealed, Secret | None]] = {}

    @property
    def is_encrypted(self) -> bool:
        """Whether the texts it gives are encrypted, so that the document must say so."""
        return self._certificate is not None

    @property
    def thumbprint(self) -> str:
        """The name of the certificate on the node."""
        return self._certificate.thumbprint if self._certificate else ""

    def seal(self, credential: Unsealed) -> str:
        """Return the text of Password; one of no use when a problem was found."""
        secret = self._open(credential)
        if secret is None:
            return MASK
        certificate = self._certificate
        if certificate is None:
            return secret.reveal()
        return self._store.get(
            certificate.fingerprint, secret, lambda: cms.armoured(secret.reveal(), certificate)
        )

    def digest(self, credential: Unsealed) -> bytes:
        """Return a keyed hash of what would be sealed, and for whom: the same only while neither changes."""
        secret = self._open(credential)
        target = self._certificate.fingerprint if self._certificate else "plain text"
        return self._store.digest(target, secret) if secret else b""

    def _open(self, credential: Unsealed) -> Secret | None:
        if id(credential) not in self._known:
            self._known[id(credential)] = (credential, self._opened(credential))
        return self._known[id(credential)][1]

    def _opened(self, credential: Unsealed) -> Secret | None:
        if credential.secrets is None:
            assert credential.password is not None, "a credential has a password or named secrets"
            secret = self._resolve(credential.password, credential, "The password")
        else:
            secret = self._lines(credential, credential.secrets)
        if secret is None or self._refuse(secret, credential):
            return None
        self.opened.append(secret)
        return secret

    def _lines(self, credential: Unsealed, references: Mapping[str, SecretRef]) -> Secret | None:
        """Join named secrets to lines ``name=base64``; the base64 is that of UTF-8."""
        lines = []
        for name, reference in references.items():
            secret = self._resolve(reference, credential, f"The secret '{name}'")
            if secret is None or self._refuse_in_line(name, secret, credential):
                continue
            self.opened.append(secret)
            lines.append(f"{name}={base64.b64encode(secret.reveal().encode()).decode('ascii')}")
        return Secret("\n".join(lines)) if len(lines) == len(references) else None

    def _resolve(self, reference: SecretRef, credential: Unsealed, what: str) -> Secret | None:
        try:
            secret = resolve(reference, self._base, lambda text: self._warn(text, credential))
        except SecretError as error:
            detail = f"{what} for node '{self._node}' is {error.reference}: {error.reason}."
            self.problems.error("Secret cannot be resolved", detail, credential.where, error.help)
            return None
        if _is_text(secret):
            return secret
        self._error(
            credential,
            f"{what} for node '{self._node}', {reference}, holds bytes that are no UTF-8 text.",
            "Write it as UTF-8; the node knows no other passwords.",
        )
        return None

    def _refuse_in_line(self, name: str, secret: Secret, credential: Unsealed) -> bool:
        if not SECRET_NAME.fullmatch(name):
            detail = f"A secret for node '{self._node}' is named '{name}'."
            self._error(credential, detail, "Use letters, digits, '_', '-' and '.' of ASCII for its name.")
            return True
        if any(line_break in secret.reveal() for line_break in _LINE_BREAKS):
            self._error(
                credential,
                f"The secret '{name}' for node '{self._node}' has a line break, which would end the line of the "
                "file it is put into and begin another one.",
                "Give a secret of one line. A line break at the very end of a secret file is dropped.",
            )
            return True
        return False

    def _refuse(self, secret: Secret, credential: Unsealed) -> bool:
        if not secret.reveal():
            self._error(
                credential,
                f"No password is given for user '{credential.user}' on node '{self._node}'.",
                "Give one: an empty password cannot be encrypted.",
            )
        elif cms.is_armoured(secret.reveal()):
            self._error(
                credential,
                f"The password of user '{credential.user}' for node '{self._node}' begins with {cms.BEGIN}: it is "
                "encrypted already, or the node would take it for encrypted.",
                "Give the password itself; it is encrypted here.",
            )
        elif self._certificate is None and _NOT_IN_CLEAR.search(secret.reveal()):
            self._error(
                credential,
                f"The password of user '{credential.user}' for node '{self._node}' has a carriage return or "
                "another control character, which a document does not carry in clear as it is.",
                "Encrypt it: `encryption: {certificate: certificates/}`.",
            )
        else:
            return False
        return True

    def _warn(self, sentence: str, credential: Unsealed) -> None:
        self.problems.warning("Secret file is readable by others", f"{sentence}.", credential.where)

    def _error(self, credential: Unsealed, detail: str, help: str) -> None:
        self.problems.error(_SUMMARY, detail, credential.where, help)


def within_reach(credentials: Iterable[Unsealed], base: Path) -> list[Secret]:
    """Return those secrets of some credentials that can be resolved here and now, to be masked.

    A run that sends no document needs none of them, so what is missing is no error.
    """
    found = []
    for credential in credentials:
        for reference in (credential.password, *(credential.secrets or {}).values()):
            with suppress(SecretError):
                if reference is not None:
                    found.append(resolve(reference, base))
    return found


def open_sealer(
    node: SealedFor, base: Path, store: CiphertextStore, now: datetime
) -> tuple[NodeSealer | None, Diagnostics]:
    """Make the sealer of a node that has credentials; None comes with at least one error.

    Args:
        node: The node of the inventory.
        base: Folder of the inventory.
        store: The ciphertexts of the project; shared by all sealers of a process.
        now: When the documents are made; a certificate must be valid then.
    """
    problems = check_encryption(node)
    encryption = node.encryption
    if problems.has_errors or encryption is None:
        return None, problems
    if not encryption.certificate:
        return NodeSealer(node.name, base, None, store), problems
    certificate = _certificate(node, encryption, base, now, problems)
    return (NodeSealer(node.name, base, certificate, store) if certificate else None), problems


def check_encryption(node: SealedFor) -> Diagnostics:
    """Say what is wrong with the encryption of a node that has credentials, as far as the inventory tells."""
    problems = Diagnostics()
    encryption = node.encryption
    if encryption is None:
        problems.error(
            "No encryption for credentials",
            f"Node '{node.name}' takes credentials, and nothing says how they are encrypted for it.",
            node.where,
            "Write `encryption: {certificate: certificates/}` at the top of the inventory, at a group or at the "
            "node, and get the certificates: provision certificate fetch INVENTORY.",
        )
    elif not encryption.certificate and not encryption.is_plain_text:
        problems.error(
            "No encryption for credentials",
            f"The encryption of node '{node.name}' names no certificate, and does not allow plain text.",
            encryption.where,
            "Write `certificate: certificates/`, or `plain_text: true` if passwords may stand in the documents.",
        )
    elif not encryption.certificate:
        problems.warning(
            "Passwords stand in documents as they are",
            f"The inventory allows plain text for node '{node.name}': whoever reads its document, on the way or "
            "on disk, reads its passwords.",
            encryption.where,
            "Name a certificate instead: `encryption: {certificate: certificates/}`.",
        )
    return problems


def certificate_path(node: str, setting: str, base: Path) -> Path:
    """Return the certificate file of a node: the one named, or ``<node>.cer`` in the folder that is named."""
    path = base / Path(setting).expanduser()
    names_file = not setting.endswith("/") and path.suffix.lower() in _FILE_SUFFIXES and not path.is_dir()
    return path if names_file or path.is_file() else path / f"{node}{SUFFIX}"


def _certificate(
    node: SealedFor, encryption: Encrypted, base: Path, now: datetime, problems: Diagnostics
) -> EncryptionCertificate | None:
    path = certificate_path(node.name, encryption.certificate, base)
    subject = f"The certificate of node '{node.name}', {path},"
    try:
        certificate = load(path)
    except FileNotFoundError:
        problems.error(
            "Certificate is missing",
            f"Node '{node.name}' takes credentials, but there is no certificate {path}.",
            encryption.where,
            "Read it from the node and keep it there: provision certificate fetch INVENTORY --limit "
            f"{node.name}. {HOW_TO_MAKE_ONE.partition(' Then')[0]}",
        )
        return None
    except OSError as error:
        detail = f"{subject} cannot be read: {error.strerror}."
        problems.error(
            "Certificate cannot be used", detail, encryption.where, "See to the rights of the file."
        )
        return None
    except CertificateError as error:
        detail = f"{subject} cannot be used: {error}."
        problems.error("Certificate cannot be used", detail, encryption.where, HOW_TO_MAKE_ONE)
        return None
    if unfit := certificate.unfit(now):
        detail = f"{subject} must not be used: {', and '.join(unfit)}."
        problems.error("Certificate cannot be used", detail, encryption.where, HOW_TO_MAKE_ONE)
        return None
    for caution in certificate.doubtful(now):
        detail = f"{subject} is used, but {caution}."
        problems.warning("Certificate is doubtful", detail, encryption.where, HOW_TO_MAKE_ONE)
    return certificate


def _is_text(secret: Secret) -> bool:
    try:
        secret.reveal().encode()
    except UnicodeEncodeError:
        # Raising from here would chain an exception that holds the text.
        return False
    return True
