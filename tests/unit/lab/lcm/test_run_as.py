"""PsDscRunAsCredential: decrypted like any credential, and honoured as a session to the node itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.machine.computer.event_log import DSC_OPERATIONAL, EventLog
from provisioner.lab.machine.ground.certificates import Certificates, encoded, thumbprint
from provisioner.secrets import cms
from provisioner.secrets.certificates import parse
from tests.unit.lab.lcm.building import HEADER, FakeNode, document, fake, meta

ENCRYPTED = HEADER.replace("Name =", 'ContentType = "PasswordEncrypted"; Name =')


def credential(user: str = "Administrator", password: str = "pw") -> str:
    escaped = user.replace("\\", "\\\\"), password.replace("\n", "\\n")
    return f'instance of MSFT_Credential as $r {{ UserName = "{escaped[0]}"; Password = "{escaped[1]}"; }};\n'


RUN_AS = "PsDscRunAsCredential = $r;"


@pytest.mark.parametrize(
    "user", ["Administrator", "administrator", ".\\Administrator", "HV01\\u", "u", "CONTOSO\\x", "x@y.z"]
)
async def test_a_user_who_can_log_on_runs_the_resource(user: str) -> None:
    node = FakeNode()
    await node.apply(document(credential(user), fake("S", RUN_AS)))

    assert node.lcm.state == "Idle"
    told = [each for each in node.machine.area(EventLog).events(DSC_OPERATIONAL) if each.event_id == 4321]
    assert [each.properties[1] for each in told] == [f"{user} Test", f"{user} Set"]


@pytest.mark.parametrize("user", ["nobody", "HV01\\nobody", ".\\nobody"])
async def test_a_user_the_node_does_not_have_is_denied(user: str) -> None:
    node = FakeNode()
    await node.apply(document(credential(user), fake("S", RUN_AS), fake("S2")))

    record = (await node.statuses())[0]
    failed = record["ResourcesNotInDesiredState"][0].properties["Error"]
    assert node.resource.calls == ["test S2", "set S2"]
    assert (
        "Connecting to remote server localhost failed with the following error message : Access is denied."
        in failed
    )
    assert "RemoteRunspaceCreationFailed" in failed
    lines = [each["Error"].properties for each in await node.lines() if "Error" in each]
    assert [(each["MessageID"], each["error_Category"]) for each in lines] == [
        ("RemoteRunspaceCreationFailed", 18),
        ("MI RESULT 2", 18),
    ]


async def test_a_node_that_listens_on_https_alone_cannot_run_a_resource_as_somebody() -> None:
    node = FakeNode()
    node.has_http_listener = False
    await node.apply(document(credential(), fake("S", RUN_AS)))

    assert node.lcm.state == "PendingConfiguration"
    assert "cannot connect to the destination" in str(
        (await node.statuses())[0]["ResourcesNotInDesiredState"][0].properties["Error"]
    )


@pytest.mark.parametrize("is_known", [True, False])
async def test_the_password_is_decrypted_first_and_the_text_of_a_message_is_nobodys_password(
    tmp_path: Path, *, is_known: bool
) -> None:
    node = FakeNode()
    node.machine.certificates = Certificates(tmp_path)
    own = node.machine.certificates.own[0].certificate
    sealed = cms.armoured("pw", parse(encoded(own)))
    mark = thumbprint(own) if is_known else "0" * 40
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta(f'CertificateID = "{mark}";')}
    )
    text = credential(password=sealed) + fake("S", RUN_AS) + ENCRYPTED
    await node.apply(text.encode("utf-16"))

    assert node.lcm.state == ("Idle" if is_known else "PendingConfiguration")
