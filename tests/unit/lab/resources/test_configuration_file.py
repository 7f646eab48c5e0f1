"""ConfigurationFile in the lab does what the module of this repository says, error ids included."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.machine.accounts import ADMINISTRATORS, SYSTEM
from provisioner.lab.machine.files import Acl, Rule
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.configuration_file import ConfigurationFile
from tests.unit.lab.machines import context, machine

PATH = r"C:\etc\nova.conf"
MODULES = Path(__file__).parents[4] / "dsc_configs" / "modules" / "ProvisionerDsc"


def prepared() -> Machine:
    made = machine()
    made.files.make_folder(r"C:\etc")
    return made


async def is_right(of: Machine, **properties: Any) -> bool:
    return await ConfigurationFile().test({"Path": PATH, **properties}, context(of))


async def apply(of: Machine, **properties: Any) -> None:
    await ConfigurationFile().set({"Path": PATH, **properties}, context(of))


@pytest.mark.parametrize(
    ("contents", "ending", "expected"),
    [
        ("a\nb\n", {}, b"a\r\nb\r\n"),
        ("a\r\nb\rc", {}, b"a\r\nb\r\nc"),
        ("a\r\nb", {"LineEnding": "LF"}, b"a\nb"),
        ("é\u2028", {"LineEnding": "LF"}, b"\xc3\xa9\xe2\x80\xa8"),
        ("", {}, b""),
    ],
)
async def test_the_text_is_written_as_utf_8_without_a_mark_and_with_the_wanted_line_ends(
    contents: str, ending: dict[str, str], expected: bytes
) -> None:
    made = prepared()
    assert not await is_right(made, Contents=contents, **ending)
    await apply(made, Contents=contents, **ending)
    assert made.files.read(PATH) == expected
    assert await is_right(made, Contents=contents, **ending)
    assert [entry.name for entry in made.files.children(r"C:\etc")] == ["nova.conf"]


async def test_one_changed_byte_is_drift() -> None:
    made = prepared()
    await apply(made, Contents="a")
    made.files.write(PATH, b"\xef\xbb\xbfa")
    assert not await is_right(made, Contents="a")


async def test_readers_get_read_and_nothing_is_inherited() -> None:
    made = prepared()
    readers = [r"NT SERVICE\nova-compute", "S-1-5-32-544", "Users"]
    await apply(made, Contents="a", ReadAccess=readers)
    acl = made.files.acl(PATH)
    assert acl.is_protected
    rights = {made.accounts.name(rule.sid): rule.rights for rule in acl.rules}
    assert rights.pop(r"BUILTIN\Administrators") == rights.pop(r"NT AUTHORITY\SYSTEM") == "FullControl"
    assert set(rights.values()) == {"Read, Synchronize"}
    assert len(rights) == 2
    assert await is_right(made, Contents="a", ReadAccess=readers)


async def test_widened_rights_are_drift_and_mended_without_touching_the_text() -> None:
    made = prepared()
    await apply(made, Contents="a", ReadAccess=[])
    before = made.files.find(PATH)
    made.files.set_acl(PATH, Acl(SYSTEM, is_protected=True, rules=(Rule("S-1-1-0", "FullControl"),)))
    assert not await is_right(made, Contents="a", ReadAccess=[])
    assert await is_right(made, Contents="a")
    await apply(made, Contents="a", ReadAccess=[])
    assert made.files.find(PATH) == before
    assert {rule.sid for rule in made.files.acl(PATH).rules} == {SYSTEM, ADMINISTRATORS}


async def test_without_read_access_a_changed_file_keeps_its_rights() -> None:
    made = prepared()
    await apply(made, Contents="a", ReadAccess=["Users"])
    before = made.files.acl(PATH)
    await apply(made, Contents="b")
    assert made.files.acl(PATH) == before
    await apply(made, Contents="c", Path=r"C:\etc\new.conf")
    await apply(made, Contents="d", Path=r"C:\etc\new.conf")
    assert not made.files.acl(r"C:\etc\new.conf").is_protected


async def test_absent_removes_the_file() -> None:
    made = prepared()
    await apply(made, Contents="a")
    assert not await is_right(made, Ensure="Absent")
    await apply(made, Ensure="Absent")
    assert await is_right(made, Ensure="Absent")


@pytest.mark.parametrize(
    ("properties", "error_id", "category"),
    [
        ({"Path": r"etc\nova.conf", "Contents": ""}, "PathNotAbsolute", "InvalidArgument"),
        ({"Path": r"C:\etc", "Contents": ""}, "PathIsFolder", "InvalidArgument"),
        ({"Path": PATH}, "ContentsMissing", "InvalidArgument"),
        ({"Path": r"C:\none\a.conf", "Contents": ""}, "DirectoryNotFound", "ObjectNotFound"),
        ({"Path": PATH, "Contents": "", "ReadAccess": ["nobody"]}, "IdentityNotMapped", "ObjectNotFound"),
    ],
)
async def test_errors_carry_the_ids_of_the_module(
    properties: dict[str, Any], error_id: str, category: str
) -> None:
    made = prepared()
    with pytest.raises(ResourceError) as caught:
        await ConfigurationFile().set(properties, context(made))
    assert (caught.value.error_id, caught.value.category) == (error_id, category)
    assert not made.files.find(PATH)
    script = next(MODULES.rglob("PROV_ConfigurationFile.psm1")).read_text("utf-8")
    assert re.search(rf"-Id '{error_id}' -Category '{category}'", script)


async def test_an_unknown_reader_is_no_error_of_test() -> None:
    made = prepared()
    await apply(made, Contents="a")
    assert not await is_right(made, Contents="a", ReadAccess=["nobody"])


async def test_get_shows_text_line_ending_and_readers_as_sids() -> None:
    made = prepared()
    await apply(made, Contents="a\n", ReadAccess=["Users"])
    assert await ConfigurationFile().get({"Path": PATH}, context(made)) == {
        "Path": PATH,
        "Ensure": "Present",
        "Contents": "a\r\n",
        "LineEnding": "CRLF",
        "ReadAccess": ["S-1-5-32-545"],
    }
