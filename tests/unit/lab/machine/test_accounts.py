"""Names and SIDs translate as on Windows."""

from __future__ import annotations

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.accounts import Accounts

ACCOUNTS = Accounts("HV01", ["provisioner"])


@pytest.mark.parametrize(
    ("name", "sid"),
    [
        ("SYSTEM", "S-1-5-18"),
        (r"nt authority\system", "S-1-5-18"),
        ("Administrators", "S-1-5-32-544"),
        (r"BUILTIN\Users", "S-1-5-32-545"),
        ("Everyone", "S-1-1-0"),
        ("s-1-5-32-578", "S-1-5-32-578"),
        # The SID Windows documents for the service TrustedInstaller.
        (r"NT SERVICE\TrustedInstaller", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"),
    ],
)
def test_well_known_names_have_their_sids(name: str, sid: str) -> None:
    assert ACCOUNTS.sid(name) == sid


def test_local_accounts_are_known_by_every_form_of_their_name() -> None:
    sid = ACCOUNTS.sid("provisioner")
    assert ACCOUNTS.sid(r".\Provisioner") == ACCOUNTS.sid(r"hv01\provisioner") == sid
    assert sid.startswith("S-1-5-21-")
    assert ACCOUNTS.name(sid) == r"HV01\provisioner"


@pytest.mark.parametrize("name", ["nobody", r"CONTOSO\svc", r"OTHER\provisioner", ""])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(MachineError) as caught:
        ACCOUNTS.sid(name)
    assert caught.value.error_id == "IdentityNotMappedException"
