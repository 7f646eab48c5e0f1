"""Client certificates: the account a certificate is mapped to, which the client shows in the TLS handshake.

Source: DSP0226 C.3.1.4, the security profile; WinRM's mapping of certificates to local accounts.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provisioner.lab.logon import LogonSpec
from provisioner.lab.server.authentication.accounts import Accounts
from provisioner.lab.server.authentication.model import Identity, LogonFailure
from provisioner.lab.server.tls import Channel

#: What stands in the Authorization header instead of a scheme.
PROFILE: Final = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


def log_on(accounts: Accounts, logon: LogonSpec, channel: Channel) -> Identity:
    """Return the account to which the certificate of the connection is mapped.

    Raises:
        LogonFailure: There is no certificate, or it is mapped to nobody.
    """
    if not channel.client_certificate:
        raise LogonFailure("no client certificate")
    for user in logon.users:
        if user.certificate_pem and _is(user.certificate_pem, channel.client_certificate):
            return accounts.identify(user)
    raise LogonFailure("the certificate is mapped to nobody")


def _is(pem: str, der: bytes) -> bool:
    mapped = x509.load_pem_x509_certificate(pem.encode())
    return hmac.compare_digest(mapped.public_bytes(Encoding.DER), der)
