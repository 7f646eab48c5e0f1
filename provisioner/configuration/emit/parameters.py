"""Credentials as parameters of a script or document that holds no secret: one for each user and secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioner.addresses import SecretRef
from provisioner.configuration.emit.resource_text import RUN_AS
from provisioner.configuration.model import Credential

_Key = tuple[str, SecretRef | None, tuple[tuple[str, SecretRef], ...]]


class CredentialParameters:
    """Names parameters in the order they are first asked for, after the place the secret lies in."""

    def __init__(self) -> None:
        self._found: dict[_Key, tuple[str, Credential]] = {}

    def __iter__(self) -> Iterator[tuple[str, Credential]]:
        return iter(self._found.values())

    def __bool__(self) -> bool:
        return bool(self._found)

    def name(self, credential: Credential) -> str:
        """Return the parameter of a credential: letters and digits, ending in ``Credential``."""
        secrets = tuple((credential.secrets or {}).items())
        key = (credential.user, credential.password, secrets)
        if key not in self._found:
            self._found[key] = (self._new_name(credential.password or secrets[0][1]), credential)
        return self._found[key][0]

    def _new_name(self, source: SecretRef) -> str:
        words = re.findall("[A-Za-z0-9]+", source.key)
        stem = "".join(word[:1].upper() + word[1:].lower() for word in words)
        stem = stem if stem[:1].isalpha() else f"Secret{stem}"
        # Every configuration has a parameter of this name already.
        taken = {RUN_AS.casefold(), *(name.casefold() for name, _ in self)}
        name = f"{stem}Credential"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}{number}Credential"
        return name


def description(credential: Credential) -> str:
    """Say whose credential it is and where its password comes from, on one printable line."""
    if credential.secrets is None:
        text = f"user '{credential.user}', password from {credential.password}"
    else:
        lines = ", ".join(f"{name} from {reference}" for name, reference in credential.secrets.items())
        text = f"user '{credential.user}', password of lines name=base64: {lines}"
    return "".join(char if char.isprintable() else "?" for char in text)
