"""Basic: a name and a password in every request. Source: RFC 7617, with the realm of the WinRM service."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from provisioner.lab.server.authentication.accounts import Accounts
from provisioner.lab.server.authentication.model import Identity, LogonFailure

CHALLENGE: Final = 'Basic realm="WSMAN"'


def log_on(accounts: Accounts, text: str) -> Identity:
    """Check what stands after ``Basic``.

    Raises:
        LogonFailure: It is not readable, or not right.
    """
    try:
        given = base64.b64decode(text.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise LogonFailure("unreadable") from None
    name, colon, password = given.partition(":")
    if not colon:
        raise LogonFailure("no password")
    return accounts.log_on_with_password(name, password)
