"""Paths are those of Windows, and rights are inherited unless protected."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.accounts import SYSTEM
from provisioner.lab.machine.ground.files import Acl, Rule, normal
from tests.unit.lab.machines import machine


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (r"c:\a\b", r"C:\a\b"),
        ("C:/a/b/", r"C:\a\b"),
        (r"C:\a\.\x\..\b", r"C:\a\b"),
        ("c:\\", "C:\\"),
        (r"\\srv\share\a", r"\\srv\share\a"),
    ],
)
def test_paths_are_brought_to_one_form(given: str, expected: str) -> None:
    assert normal(given) == expected


def test_names_keep_their_spelling_and_ignore_case() -> None:
    files = machine().files
    files.make_folder(r"C:\OpenStack\Nova")
    files.write(r"c:\openstack\NOVA\a.TXT", b"1")
    assert [entry.path for entry in files.children(r"C:\OPENSTACK\nova")] == [r"C:\openstack\NOVA\a.TXT"]
    assert files.read(r"C:\OpenStack\Nova\A.txt") == b"1"


def test_a_file_in_a_missing_folder_is_refused() -> None:
    with pytest.raises(MachineError) as caught:
        machine().files.write(r"C:\none\a.txt", b"")
    assert caught.value.error_id == "DirectoryNotFoundException"


def test_a_missing_drive_has_no_folders() -> None:
    with pytest.raises(MachineError):
        machine().files.make_folder("Q:\\a")


def test_removing_a_folder_removes_what_lies_in_it_and_nothing_else() -> None:
    files = machine().files
    files.seed(r"C:\a\b\c.txt", b"")
    files.seed(r"C:\ab\c.txt", b"")
    files.remove(r"C:\a")
    assert not files.is_folder(r"C:\a\b")
    assert files.is_file(r"C:\ab\c.txt")


def test_rights_come_from_the_folders_above_unless_protected() -> None:
    files = machine().files
    files.seed(r"C:\a\b.txt", b"")
    own = Acl(SYSTEM, is_protected=False, rules=(Rule("S-1-1-0", "Read, Synchronize"),))
    files.set_acl(r"C:\a", own)
    rules = files.acl(r"C:\a\b.txt").rules
    assert rules[0] == Rule("S-1-1-0", "Read, Synchronize", is_inherited=True)
    assert len(rules) == 4
    protected = Acl(SYSTEM, is_protected=True, rules=(Rule(SYSTEM, "FullControl"),))
    files.set_acl(r"C:\a", protected)
    assert files.acl(r"C:\a\b.txt").rules == (Rule(SYSTEM, "FullControl", is_inherited=True),)


def test_a_full_volume_takes_nothing_and_the_others_do() -> None:
    made = machine()
    made.files.full.add("C")
    with pytest.raises(MachineError) as caught:
        made.files.write(r"C:\b.txt", b"x")
    assert (caught.value.error_id, caught.value.message) == (
        "IOException",
        "There is not enough space on the disk.",
    )
    made.files.write(r"D:\b.txt", b"x")
    made.files.full.discard("C")
    made.files.write(r"C:\b.txt", b"x")
