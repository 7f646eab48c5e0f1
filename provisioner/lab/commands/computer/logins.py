"""Credentials as clients send them, as far as joins need them."""

from __future__ import annotations

from typing import Any

from provisioner.lab.machine.computer.identity import Login
from provisioner.lab.values import PsObject


def login_of(value: Any) -> Login | None:
    """Give the user and password of a PSCredential; None for anything else."""
    fields = {**value.properties, **value.extended} if isinstance(value, PsObject) else value
    if not isinstance(fields, dict) or "UserName" not in fields:
        return None
    password = fields.get("Password")
    return Login(str(fields["UserName"]), str(getattr(password, "value", password) or ""))
