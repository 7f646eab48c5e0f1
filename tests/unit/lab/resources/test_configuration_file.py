"""ConfigurationFile in the lab does what the module of this repository says, error ids included."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.machine.ground.accounts import ADMINISTRATORS, SYSTEM
from provisioner.lab.machine.ground.files import Acl, Rule
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.files.configuration_file import ConfigurationFile
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


async def get(of: Machine, **properties: Any) -> dict[str, Any]:
    return await ConfigurationFile().get({"Path": PATH, **properties}, context(of))


async def test_get_shows_line_ending_and_readers_as_sids_and_the_text_only_to_whom_knows_it() -> None:
    made = prepared()
    await apply(made, Contents="a\n", ReadAccess=["Users"])
    shown = {
        "Path": PATH,
        "Ensure": "Present",
        "Contents": "a\n",
        "LineEnding": "CRLF",
        "ReadAccess": ["S-1-5-32-545"],
        "Secrets": None,
    }
    assert await get(made, Contents="a\n") == shown
    assert await get(made, Contents="b\n") == shown | {"Contents": None}
    assert await get(made) == shown | {"Contents": None}


# --- secrets --------------------------------------------------------------------------------------------------


def lines(**values: str) -> dict[str, str]:
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"UserName": "secrets", "Password": "\n".join(f"{name}={text}" for name, text in encoded.items())}


@pytest.mark.parametrize(
    ("contents", "values", "expected"),
    [
        ("p = @{secret:a}", {"a": "x"}, b"p = x"),
        ("@{secret:a}@{secret:b}@{secret:a}", {"a": "1", "b": "2"}, b"121"),
        ("@{secret:a}@{secret:A}", {"a": "small", "A": "large"}, b"smalllarge"),
        ("@{secret:a}", {"a": "@{secret:a}@{secret:b}"}, b"@{secret:a}@{secret:b}"),
        ("@{secret:a}secret:b}", {"a": "@{"}, b"@{secret:b}"),
        ("@{secret:a}", {"a": "$1 $& \\1 %s {0} `n"}, b"$1 $& \\1 %s {0} `n"),
        (
            "@{secret:a}\n@{Secret:a}",
            {"a": "\u00fc\u4e2d\U0001f511"},
            "\u00fc\u4e2d\U0001f511\r\n@{Secret:a}".encode(),
        ),
        ("@{secret:a.b-c_1}", {"a.b-c_1": ""}, b""),
    ],
)
async def test_placeholders_are_filled_in_one_pass(
    contents: str, values: dict[str, str], expected: bytes
) -> None:
    made = prepared()
    given = {"Contents": contents, "Secrets": lines(**values)}
    await apply(made, **given)
    assert made.files.read(PATH) == expected
    assert await is_right(made, **given)
    assert await get(made, **given) | {"ReadAccess": 0, "LineEnding": 0} == {
        "Path": PATH,
        "Ensure": "Present",
        "Contents": contents,
        "LineEnding": 0,
        "ReadAccess": 0,
        "Secrets": None,
    }
    assert not await is_right(made, Contents=contents, Secrets=lines(**dict.fromkeys(values, "other")))


SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    ("contents", "password", "error_id", "category"),
    [
        ("@{secret:b}", f"a={SECRET}", "PlaceholderUnknown", "InvalidArgument"),
        ("@{secret:A}", f"a={SECRET}", "PlaceholderUnknown", "InvalidArgument"),
        ("@{secret:a}", None, "PlaceholderUnknown", "InvalidArgument"),
        ("@{secret:a", f"a={SECRET}", "PlaceholderMalformed", "InvalidArgument"),
        ("@{secret:}", f"a={SECRET}", "PlaceholderMalformed", "InvalidArgument"),
        ("@{secret:a b}", f"a={SECRET}", "PlaceholderMalformed", "InvalidArgument"),
        ("@{secret:@{secret:a}}", f"a={SECRET}", "PlaceholderMalformed", "InvalidArgument"),
        ("", f"a={SECRET}", "SecretUnused", "InvalidArgument"),
        ("@{secret:a}", f"a={SECRET}\nb={SECRET}", "SecretUnused", "InvalidArgument"),
        ("@{secret:a}", "", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", SECRET, "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", f"a={SECRET}\n", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", f"a={SECRET}\na={SECRET}", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", f"={SECRET}", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", f"a b={SECRET}", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", "a=c2Vj!", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", "a=/w==", "SecretsMalformed", "InvalidArgument"),
        ("@{secret:a}", "a=YQpi", "SecretHasLineBreak", "InvalidArgument"),
        ("@{secret:a}", "a=YQ1i", "SecretHasLineBreak", "InvalidArgument"),
        ("@{secret:a}", "-----BEGIN CMS-----\nMII=", "SecretsNotDecrypted", "InvalidData"),
        ("@{secret:a}", " -----begin cms-----", "SecretsNotDecrypted", "InvalidData"),
    ],
)
async def test_secrets_that_do_not_fit_are_refused_and_nothing_is_written(
    contents: str, password: str | None, error_id: str, category: str
) -> None:
    made = prepared()
    await apply(made, Contents="before")
    given: dict[str, Any] = {"Path": PATH, "Contents": contents}
    if password is not None:
        given["Secrets"] = {"UserName": "secrets", "Password": password}
    resource = ConfigurationFile()
    for function in (resource.get, resource.test, resource.set):
        with pytest.raises(ResourceError) as caught:
            await function(given, context(made))
        assert (caught.value.error_id, caught.value.category) == (error_id, category)
        assert SECRET not in caught.value.message
        assert "secret'" not in caught.value.message
    assert made.files.read(PATH) == b"before"
    script = next(MODULES.rglob("PROV_ConfigurationFile.psm1")).read_text("utf-8")
    assert re.search(rf"-Id '{error_id}' -Category '{category}'", script)


async def test_lines_of_secrets_may_end_as_on_windows() -> None:
    made = prepared()
    given = {"Contents": "@{secret:a}@{secret:b}", "Secrets": {"Password": "a=YQ==\r\nb=Yg=="}}
    await apply(made, **given)
    assert made.files.read(PATH) == b"ab"
