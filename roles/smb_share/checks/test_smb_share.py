"""What a node with shares of this role must answer."""

from __future__ import annotations

import pytest

_FILE_RIGHTS = {"Full": "FullControl", "Change": "Modify", "Read": "ReadAndExecute"}
#: Who is on every share: administrators, and SYSTEM where nobody else reads.
_ALWAYS = {"builtin\\administrators": "Full"}
_NOBODY = "nt authority\\system"


def _shares(variables, ensure="Present"):
    found = [share for share in variables["smb_shares"] if share["ensure"] == ensure]
    if not found:
        pytest.skip(f"the inventory has no share with 'ensure: {ensure}'")
    return found


def test_feature_is_installed(host):
    """The File Server is installed."""
    assert host.feature("FS-FileServer").is_installed


def test_shares_are_there(host, variables):
    """Each share shows its folder, keeps nothing offline, and asks for encryption as wanted."""
    for wanted in _shares(variables):
        share = host.smb_share(wanted["name"])
        assert share.exists
        assert share.path.casefold() == wanted["path"].casefold()
        assert share.caching == "None"
        assert share.encrypts == wanted["encrypt"]


def test_only_the_wanted_accounts_may_use_them(host, variables):
    """Each account has its right on the share, and nobody else has any."""
    for wanted in _shares(variables):
        share = host.smb_share(wanted["name"])
        access = {account: right for account, right in share.access.items() if account != _NOBODY}
        expected = _ALWAYS | {each["account"].casefold(): each["right"] for each in wanted["access"]}
        assert access == expected, f"smb share {share.name} access: {access}"
        assert not share.denied & {*expected, "everyone"}, (
            f"smb share {share.name} denied: {sorted(share.denied)}"
        )


def test_the_accounts_have_their_rights_on_the_files(host, variables):
    """Each account has on the folder what it has on the share."""
    for wanted in _shares(variables):
        folder = host.folder_access(wanted["path"])
        for each in wanted["access"]:
            assert _FILE_RIGHTS[each["right"]] in folder.allows(each["account"])
            assert not folder.denies(each["account"])


def test_shares_that_are_to_be_absent_are_gone(host, variables):
    """No share that the inventory wants absent is left."""
    for gone in _shares(variables, "Absent"):
        assert not host.smb_share(gone["name"]).exists
