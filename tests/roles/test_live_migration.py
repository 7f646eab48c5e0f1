"""Four hosts of a domain can exchange machines, as far as OpenStack's os-win and Kerberos ask; the lab is the witness.

os-win refuses a host on which migration is off or that listens nowhere. Kerberos lets a source reach a destination
when the source's account may delegate to both services of it, by whichever name it is called.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.roles.runs import case_files, inventory_of
from tests.roles.site import running_site

_HOSTS = ("HV01", "HV02", "HV03", "HV04")
_SERVICES = ("cifs", "Microsoft Virtual System Migration Service")


def _accounts(site: Any) -> dict[str, Any]:
    (domain,) = site.state("hv01", "world/machine.directory.domains:Directory")
    computers: dict[str, Any] = domain["computers"]
    return computers


# Slow: four hosts and their domain come up, 5 seconds of a processor.
@pytest.mark.slow
def test_every_host_may_send_machines_to_every_other_one(tmp_path: Path) -> None:
    case = dict(case_files())["live_migration"]
    more = {
        f"hv0{number}": {"address": f"127.20.0.1{number}", "groups": ["hosts"], "roles": ["live_migration"]}
        for number in (3, 4)
    }
    inventory = inventory_of(case, "2025", {"inventory": {"nodes": more}})
    with running_site(tmp_path, inventory, case["secrets"]) as site:
        assert site.machines == ["hv01", "hv02", "hv03", "hv04"]
        applied = site.apply()
        assert applied.failures == []
        accounts = _accounts(site)
        pairs = list(itertools.permutations(_HOSTS, 2))
        assert len(pairs) == 12
        for source, destination in pairs:
            allowed = {entry.casefold() for entry in accounts[source.casefold()]["delegates_to"]}
            for service in _SERVICES:
                for name in (destination, f"{destination}.contoso.com"):
                    assert f"{service}/{name}".casefold() in allowed, (source, destination)
        for name in _HOSTS:
            account = accounts[name.casefold()]
            assert account["protocol_transition"]
            assert not account["trusted"], "delegation without limits is not needed"
            assert len(account["delegates_to"]) == len(_SERVICES) * 2 * (len(_HOSTS) - 1)
        for node in site.machines:
            settings = site.state(node, "machine.hyperv.host:VirtualizationHost")["settings"]
            assert settings["VirtualMachineMigrationEnabled"]
            assert settings["VirtualMachineMigrationAuthenticationType"] == "Kerberos"
            assert site.state(node, "machine.hyperv.migration:MigrationNetworks")["networks"] == [
                site.address("127.20.0.0/24")
            ]
            listens = site.console(
                node,
                "Get-CimInstance -Namespace root/virtualization/v2 "
                "-ClassName Msvm_VirtualSystemMigrationService",
            )
            assert site.address("127.20.0.1") in listens
