"""Opens encrypted passwords with a node's own keys, as tolerant and as strict as the class library of Windows.

What is let through and what is refused follows recorded verdicts of that library on good, odd and damaged messages
(docs/lab.md). The rule of the room: the lab's own reading of RFC 5652; it shares nothing with what encrypts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provisioner.lab import ber
from provisioner.lab.ber import BerError, Node

_MARKERS = re.compile(r"-----BEGIN CMS-----(.*?)-----END CMS-----", re.IGNORECASE | re.DOTALL)
_ENVELOPED = bytes.fromhex("2a864886f70d010703")
_DATA = bytes.fromhex("2a864886f70d010701")
_RSA = bytes.fromhex("2a864886f70d010101")
_OAEP = bytes.fromhex("2a864886f70d010107")
_MGF1 = bytes.fromhex("2a864886f70d010108")
_P_SPECIFIED = bytes.fromhex("2a864886f70d010109")
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("2b0e03021a"): hashes.SHA1(),  # noqa: S303 - what Windows writes
    bytes.fromhex("608648016503040201"): hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_AES = {bytes.fromhex(f"6086480165030401{last:02x}") for last in (0x02, 0x16, 0x2A)}
_DES, _TRIPLE_DES = bytes.fromhex("2b0e030207"), bytes.fromhex("2a864886f70d0307")

#: Tags of the strings a name may hold, and how each is encoded.
_STRINGS = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x16: "ascii",
    0x14: "latin-1",
    0x1E: "utf-16-be",
    0x1C: "utf-32-be",
}
_CONTEXT_0, _CONTEXT_1, _PIECES = 0x80, 0xA1, 0xA0
_RECIPIENTS = (ber.SEQUENCE, _CONTEXT_1)
_FIELDS_WITH_CONTENT = 3
_LONG = 0x80


class CmsError(Exception):
    """A message that cannot be opened. The text says why; nodes never show it."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its key, as it lies in a store of the node."""

    certificate: x509.Certificate
    key: RSAPrivateKey


def dearmoured(text: str) -> bytes | None:
    """Give the bytes between the markers; None when there are no markers.

    Raises:
        CmsError: what stands there is no base64.
    """
    found = _MARKERS.search(text)
    if not found:
        return None
    try:
        return base64.b64decode("".join(found[1].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CmsError("what stands between the markers is no base64") from error


def decrypt(message: bytes, pairs: Sequence[KeyPair]) -> bytes:
    """Open a message with the first of these keys it was made for.

    Raises:
        CmsError: it is damaged, made for others, or of a kind the library does not open.
    """
    try:
        recipients, content = _parsed(ber.read(message))
        for recipient in recipients:
            for pair in pairs:
                if recipient.tag == ber.SEQUENCE and _is_for(recipient.children[1], pair.certificate):
                    return _content(content, _content_key(recipient, pair.key))
    except (BerError, IndexError, ValueError) as error:
        raise CmsError(f"the message is damaged: {error}") from error
    raise CmsError("the message was made for nobody here")


def _parsed(outer: Node) -> tuple[Sequence[Node], Node]:
    """Give the recipients and the encrypted content of a message; its version numbers are never looked at."""
    kind, wrapped = outer.expect(ber.SEQUENCE).children
    if kind.expect(ber.OID).value != _ENVELOPED:
        raise BerError("no EnvelopedData")
    (envelope,) = wrapped.expect(_PIECES).children
    fields = list(envelope.expect(ber.SEQUENCE).children)
    fields.pop(0).integer()
    if fields[0].tag == _PIECES:
        fields.pop(0)  # the originator
    recipients, content = fields.pop(0).expect(ber.SET), fields.pop(0).expect(ber.SEQUENCE)
    if [field.tag for field in fields] not in ([], [_CONTEXT_1]):
        raise BerError("a field that does not belong there")
    for recipient in recipients.children:
        if recipient.tag not in _RECIPIENTS:
            raise BerError("a kind of recipient that is not known")
        if recipient.tag == ber.SEQUENCE:
            recipient.children[0].integer()
            _check_identifier(recipient.children[1])
    _check_content(content)
    return recipients.children, content


def _check_identifier(identifier: Node) -> None:
    if identifier.tag == ber.SEQUENCE:
        issuer, serial = identifier.children
        _name(issuer)
        serial.integer()
    elif identifier.tag not in {_CONTEXT_0, _PIECES}:
        raise BerError("a recipient without a name")


def _check_content(content: Node) -> None:
    content.children[0].expect(ber.OID)
    content.children[1].expect(ber.SEQUENCE).children[0].expect(ber.OID)
    for field in content.children[2:]:
        if field.tag not in {_CONTEXT_0, _PIECES}:
            raise BerError("content under another tag")


def _is_for(identifier: Node, certificate: x509.Certificate) -> bool:
    if identifier.tag != ber.SEQUENCE:
        return identifier.octets() == _key_identifier(certificate)
    issuer, serial = identifier.children
    own_serial, own_issuer = _issuer_and_serial(certificate)
    return serial.value == own_serial and _name(issuer) == _name(own_issuer)


def _issuer_and_serial(certificate: x509.Certificate) -> tuple[bytes, Node]:
    fields = [each for each in ber.read(certificate.tbs_certificate_bytes).children if each.tag != _PIECES]
    return fields[0].value, fields[2]


def _name(node: Node) -> list[list[tuple[bytes, str]]]:
    """Give a name as texts: the string type does not count, case and blanks do."""
    found = []
    for group in node.expect(ber.SEQUENCE).children:
        parts = []
        for attribute in group.expect(ber.SET).children:
            kind, value = attribute.expect(ber.SEQUENCE).children
            text = value.value.decode(_STRINGS.get(value.tag, "latin-1"))
            parts.append((kind.expect(ber.OID).value, text))
        found.append(sorted(parts))
    return found


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        pass
    # Without the extension the library hashes the public key with everything around it.
    whole = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha1(whole, usedforsecurity=False).digest()


def _content_key(recipient: Node, key: RSAPrivateKey) -> bytes:
    algorithm, encrypted = recipient.children[2].expect(ber.SEQUENCE), recipient.children[3]
    kind, *parameters = algorithm.children
    data = encrypted.expect(ber.OCTETS).value
    if kind.value == _RSA:
        if parameters and parameters[0].tag != ber.NULL:
            raise BerError("rsaEncryption with parameters")
        return key.decrypt(data, PKCS1v15())
    if kind.value != _OAEP or not parameters:
        raise BerError("a key encryption that is not opened here")
    return key.decrypt(data, _oaep(parameters[0].expect(ber.SEQUENCE).children))


def _oaep(parameters: Iterable[Node]) -> OAEP:
    """Read RSAES-OAEP-params; one hash for everything, no label."""
    digest = mask = bytes.fromhex("2b0e03021a")
    for field in parameters:
        algorithm = field.children[0].expect(ber.SEQUENCE)
        match field.tag:
            case 0xA0:
                digest = algorithm.children[0].expect(ber.OID).value
            case 0xA1:
                if algorithm.children[0].value != _MGF1:
                    raise BerError("a mask generation that is not MGF1")
                mask = algorithm.children[1].expect(ber.SEQUENCE).children[0].value
            case 0xA2:
                if algorithm.children[0].value != _P_SPECIFIED or algorithm.children[1].octets():
                    raise BerError("a label")
            case _:
                raise BerError("a parameter that does not belong there")
    if digest != mask or digest not in _HASHES:
        raise BerError("a hash that is not taken")
    return OAEP(MGF1(_HASHES[mask]), _HASHES[digest], None)


def _content(content: Node, key: bytes) -> bytes:
    algorithm = content.children[1]
    # Without content the library gives back an empty text: dangerous, and what a node does.
    encrypted = content.children[2].octets() if len(content.children) >= _FIELDS_WITH_CONTENT else b""
    vector = algorithm.children[1]
    if vector.tag not in {ber.OCTETS, ber.OCTETS | 0x20}:
        raise BerError("no initialisation vector")
    cipher = _cipher(algorithm.children[0].value, key)
    block_bits = cipher.block_size
    if len(vector.octets()) * 8 != block_bits:
        raise BerError("an initialisation vector of another length")
    if not encrypted:
        return b""
    decryptor = Cipher(cipher, CBC(vector.octets())).decryptor()
    unpadder = PKCS7(block_bits).unpadder()
    padded = decryptor.update(encrypted) + decryptor.finalize()
    opened = unpadder.update(padded) + unpadder.finalize()
    return opened if content.children[0].value == _DATA else _headed(opened)


def _headed(content: bytes) -> bytes:
    """Put the header of a SEQUENCE in front, as the library does with content that is said not to be data."""
    size = len(content)
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((ber.SEQUENCE, *((size,) if size < _LONG else (_LONG | len(digits), *digits)))) + content


def _cipher(kind: bytes, key: bytes) -> AES | TripleDES:
    if kind in _AES:
        return AES(key)  # the length of the key decides, whatever the identifier says
    if kind == _TRIPLE_DES:
        return TripleDES(key)
    if kind == _DES:
        return TripleDES(key * 3)
    raise BerError("a content encryption that is not opened here")
