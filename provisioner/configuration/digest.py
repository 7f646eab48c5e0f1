"""Name a configuration after its content: the same resources give the same name, in any process.

Positions are left out, so that a comment added to a file does not make another configuration of it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.configuration.model import Resource

_DIGITS = 24


def digest(resources: Iterable[Resource]) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
    plain = [
        {
            "id": str(resource.id),
            "class": resource.type.class_name,
            "module": resource.type.module,
            "version": resource.type.version,
            "properties": resource.properties,
            "depends_on": [str(target) for target in resource.depends_on],
        }
        for resource in resources
    ]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def document_name(resources: Iterable[Resource]) -> str:
    """Return a letter and the start of the digest: a name PowerShell takes for a configuration."""
    return f"C{digest(resources)[:_DIGITS]}"
