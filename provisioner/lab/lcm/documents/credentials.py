"""What an LCM does with encrypted passwords before a resource sees them.

Only a document that says ``ContentType = "PasswordEncrypted"`` is decrypted, and only with the key that
``CertificateID`` names. Where either is missing, or names no certificate of the node, the resource receives the
encrypted text as if it were the password; a key that does not fit is a failure (LCM facts, credentials 3.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.lab import cms
from provisioner.lab.lcm.documents.document import ConfigurationDocument, DocumentResource
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.machine.ground.certificates import Certificates

ENCRYPTED = "PasswordEncrypted"
_CREDENTIAL = frozenset({"username", "password"})


def decrypted(
    document: ConfigurationDocument, certificate_id: Any, store: Certificates
) -> ConfigurationDocument:
    """Give the document as resources see it.

    Raises:
        LcmError: a password cannot be decrypted with the key that is there.
    """
    if document.content_type.casefold() != ENCRYPTED.casefold() or not certificate_id:
        return document
    pair = store.find(str(certificate_id))
    if pair is None:
        return document
    return replace(document, resources=tuple(_decrypted(resource, pair) for resource in document.resources))


def _decrypted(resource: DocumentResource, pair: cms.KeyPair) -> DocumentResource:
    properties = {name: _opened(value, pair) for name, value in resource.properties.items()}
    run_as = resource.run_as and replace(resource.run_as, password=_password(resource.run_as.password, pair))
    return replace(resource, properties=properties, run_as=run_as)


def _opened(value: Any, pair: cms.KeyPair) -> Any:
    match value:
        case list():
            return [_opened(item, pair) for item in value]
        case Mapping() if {name.casefold() for name in value} <= _CREDENTIAL:
            return {
                name: _password(item, pair) if name.casefold() == "password" else item
                for name, item in value.items()
            }
        case Mapping():
            return {name: _opened(item, pair) for name, item in value.items()}
        case _:
            return value


def _password(text: Any, pair: cms.KeyPair) -> str:
    """Decrypt one password; one that is not encrypted is refused, though nobody has seen what Windows does."""
    try:
        message = cms.dearmoured(str(text))
        if message is not None:
            return cms.decrypt(message, [pair]).decode()
    except (cms.CmsError, UnicodeDecodeError):
        pass
    raise LcmError.of("Decryption failed. A password of the document cannot be decrypted.", 1)
