"""Encrypted passwords: decrypted with the key that CertificateID names, else handed on as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.machine.ground.certificates import Certificates, encoded, thumbprint
from provisioner.lab.resources.base import ResourceContext
from provisioner.secrets import cms
from provisioner.secrets.certificates import parse
from tests.unit.lab.lcm.building import HEADER, FakeNode, fake, meta

PASSWORD = "canary-7c1e lcm"
ENCRYPTED_HEADER = HEADER.replace("Name =", 'ContentType = "PasswordEncrypted"; Name =')


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two nodes' folders; their keys are made once."""
    made = tmp_path_factory.mktemp("own"), tmp_path_factory.mktemp("other")
    assert all(Certificates(folder).own for folder in made)
    return made


def sealed(folder: Path) -> str:
    return cms.armoured(PASSWORD, parse(encoded(Certificates(folder).own[0].certificate)))


def mark(folder: Path) -> str:
    return thumbprint(Certificates(folder).own[0].certificate)


async def seen(folder: Path, password: str, certificate_id: str, header: str = ENCRYPTED_HEADER) -> Any:
    """Apply a document with one credential; return the password the resource receives."""
    node = FakeNode()
    node.machine.certificates = Certificates(folder)
    received: list[Any] = []

    async def test(properties: Mapping[str, Any], context: ResourceContext) -> bool:
        received.append(properties["Credential"])
        return True

    node.resource.test = test  # type: ignore[method-assign]
    setting = f'CertificateID = "{certificate_id}";' if certificate_id else ""
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta(setting)})
    text = password.replace("\n", "\\n")
    credential = f'instance of MSFT_Credential as $c {{ Password = "{text}"; UserName = "u"; }};\n'
    document = (credential + fake("ok", "Credential = $c;") + header).encode("utf-16")
    await node.apply(document)
    assert PASSWORD not in repr(node.journal)
    (found,) = received
    assert found["UserName"] == "u"
    return found["Password"]


async def test_the_resource_receives_the_password(folders: tuple[Path, Path]) -> None:
    own, _ = folders
    assert await seen(own, sealed(own), mark(own)) == PASSWORD
    assert await seen(own, sealed(own).replace("\n", "\r\n"), mark(own).lower()) == PASSWORD


@pytest.mark.parametrize("name", ["", "0123456789ABCDEF0123456789ABCDEF01234567"])
async def test_without_the_right_certificate_id_the_resource_receives_the_encrypted_text(
    folders: tuple[Path, Path], name: str
) -> None:
    own, _ = folders
    text = sealed(own)
    assert await seen(own, text, name) == text


async def test_without_the_content_type_the_resource_receives_the_encrypted_text(
    folders: tuple[Path, Path],
) -> None:
    own, _ = folders
    text = sealed(own)
    assert await seen(own, text, mark(own), HEADER) == text
    assert await seen(own, PASSWORD, mark(own), HEADER) == PASSWORD


async def test_a_password_for_another_key_is_a_failure(folders: tuple[Path, Path]) -> None:
    own, other = folders
    with pytest.raises(LcmError, match="Decryption failed"):
        await seen(own, sealed(other), mark(own))


@pytest.mark.parametrize("text", [PASSWORD, "-----BEGIN CMS-----\nAAAA\n-----END CMS-----", ""])
async def test_what_is_not_encrypted_in_an_encrypted_document_is_a_failure(
    folders: tuple[Path, Path], text: str
) -> None:
    own, _ = folders
    with pytest.raises(LcmError, match="Decryption failed"):
        await seen(own, text, mark(own))


def test_a_node_keeps_its_certificate_and_nobody_else_may_read_the_key(tmp_path: Path) -> None:
    first = Certificates(tmp_path).own[0]
    again = Certificates(tmp_path).own[0]
    assert first.certificate == again.certificate
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
    read = parse(encoded(first.certificate))
    assert read.unfit(read.not_before) == read.doubtful(read.not_before) == ()


def test_a_machine_without_a_folder_has_no_certificate() -> None:
    assert Certificates().own == ()
    assert Certificates().find("AA") is None
