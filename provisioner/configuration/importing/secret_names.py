"""References that take the place of the passwords in a document.

The rule of the room: a password is looked at only to tell it from another one, and is never part of a result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_ARMOUR = "-----BEGIN CMS-----"


@dataclass(frozen=True, slots=True)
class WantedSecret:
    """A reference the user has to fill. ``owner`` is the user, or the name of the secret; in clear."""

    reference: str
    owner: str
    used_by: tuple[str, ...]


@dataclass(slots=True)
class SecretNames:
    """Gives each password one reference, across all documents of an import."""

    _known: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _owners: dict[str, str] = field(default_factory=dict)
    _used_by: dict[str, list[str]] = field(default_factory=dict)

    def password(self, user: str, written: object, resource_id: str, *, is_encrypted: bool) -> str:
        """Return the reference for the password of a user.

        Encrypted passwords of one user cannot be told apart and count as one.
        """
        is_clear = isinstance(written, str) and not is_encrypted and not written.startswith(_ARMOUR)
        key = user.casefold(), str(written) if is_clear else ""
        return self._reference(("user", *key), f"{user}_PASSWORD", user, resource_id)

    def secret(self, name: str, resource_id: str) -> str:
        """Return the reference for a named secret of one resource."""
        return self._reference(("secret", resource_id.casefold(), name), name, name, resource_id)

    def key(self, written: str, resource_id: str) -> str:
        """Return the reference for a registration key, which a document holds in clear."""
        return self._reference(("key", written), "REGISTRATION_KEY", "registration key", resource_id)

    @property
    def has_credentials(self) -> bool:
        """Whether a resource needs a secret, which then has to be encrypted for its node."""
        return any(kind != "key" for kind, _ in self._known)

    @property
    def wanted(self) -> Sequence[WantedSecret]:
        """Every reference given out, in the order of their first use."""
        return [
            WantedSecret(reference, owner, tuple(dict.fromkeys(self._used_by[reference])))
            for reference, owner in self._owners.items()
        ]

    def _reference(self, key: tuple[str, ...], wish: str, owner: str, resource_id: str) -> str:
        folded = (key[0], "\0".join(key[1:]))
        if folded not in self._known:
            name = _NO_NAME.sub("_", wish).strip("_").upper() or "SECRET"
            name = f"_{name}" if name[0].isdigit() else name
            number = 1
            while f"env:{name}{'' if number == 1 else f'_{number}'}" in self._owners:
                number += 1
            reference = f"env:{name}{'' if number == 1 else f'_{number}'}"
            self._known[folded] = reference
            self._owners[reference] = owner
        reference = self._known[folded]
        self._used_by.setdefault(reference, []).append(resource_id)
        return reference
