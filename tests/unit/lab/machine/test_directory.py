"""Active Directory as the nodes of a lab share it, from the inventory to an account that logs on."""

from __future__ import annotations

import pytest
from spnego._ntlm_raw.crypto import ntowfv1

from provisioner.lab.domains import DomainSpec, DomainUserSpec
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity, Login
from provisioner.lab.machine.directory.domains import Directory
from provisioner.lab.machine.directory.nt_hash import nt_hash
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.world import World
from tests.unit.lab.machines import BOOTED, node_spec

_DOMAIN = DomainSpec("contoso.com", users=(DomainUserSpec("join", nt_hash=nt_hash("pw")),))
_LOGIN = Login("CONTOSO\\join", "pw")


@pytest.mark.parametrize("password", ["", "password", "Pa$$w0rd", "ä€😀", "x" * 27, "x" * 28, "x" * 200])
def test_hashes_of_passwords_are_those_of_the_library_that_logs_on(password: str) -> None:
    assert nt_hash(password) == ntowfv1(password)


def _two() -> tuple[Machine, Machine]:
    world: World[Machine] = World()
    first, second = (
        Machine.create(node_spec(name=name, address=f"127.0.0.{number}", domains=(_DOMAIN,)), BOOTED, world)
        for number, name in enumerate(("hv01", "hv02"), 2)
    )
    return first, second


def test_a_domain_that_every_node_declares_is_one_domain() -> None:
    first, second = _two()
    first.area(Identity).join_domain("contoso.com", _LOGIN)
    assert [item.name for item in second.world.area(Directory).domains()] == ["contoso.com"]
    domain = second.world.area(Directory).reach("CONTOSO")
    assert second.world.area(Directory).computer(domain, "HV01$") is not None


def test_a_join_to_a_unit_that_is_not_there_leaves_the_machine_where_it_was() -> None:
    machine, _ = _two()
    identity = machine.area(Identity)
    with pytest.raises(MachineError, match="There is no such object"):
        identity.join_domain("contoso.com", _LOGIN, "OU=None,DC=contoso,DC=com")
    assert (identity.domain, identity.workgroup) == ("", "WORKGROUP")


def test_a_rename_in_a_domain_renames_the_object_and_its_principal_names() -> None:
    machine, _ = _two()
    identity = machine.area(Identity)
    identity.join_domain("contoso.com", _LOGIN)
    identity.rename("HV09", _LOGIN)
    domain = identity.directory.reach("contoso.com")
    (found,) = domain.computers.values()
    assert (found.name, found.dns_host_name) == ("HV09", "hv09.contoso.com")
    assert "HOST/HV09" in found.spns


def test_what_a_domain_became_survives_the_lab() -> None:
    machine, _ = _two()
    machine.area(Identity).join_domain("contoso.com", _LOGIN)
    world: World[Machine] = World(machine.world.to_plain())
    restored = Machine.from_plain(machine.to_plain(), node_spec(domains=(_DOMAIN,)), world)
    account = restored.area(Identity).account
    assert account is not None
    assert account.dn == "CN=HV01,CN=Computers,DC=contoso,DC=com"


def test_a_domain_whose_only_controller_boots_cannot_be_reached() -> None:
    world: World[Machine] = World()
    domain = DomainSpec("contoso.com", controllers=("HV02",), users=_DOMAIN.users)
    member, controller = (
        Machine.create(node_spec(name=name, address=f"127.0.0.{number}", domains=(domain,)), BOOTED, world)
        for number, name in enumerate(("hv01", "hv02"), 2)
    )
    controller.on_power(False)
    with pytest.raises(MachineError, match="could not be contacted"):
        member.area(Identity).join_domain("contoso.com", _LOGIN)
    controller.on_power(True)
    member.area(Identity).join_domain("contoso.com", _LOGIN)
    assert member.area(Identity).domain == "contoso.com"


@pytest.mark.parametrize(("skew", "joins"), [(299.0, True), (-301.0, False)])
def test_a_clock_that_is_too_wrong_keeps_a_machine_out_of_its_domain(skew: float, *, joins: bool) -> None:
    machine = Machine.create(node_spec(domains=(_DOMAIN,), clock_skew_s=skew), BOOTED)
    if joins:
        machine.area(Identity).join_domain("contoso.com", _LOGIN)
    else:
        with pytest.raises(MachineError, match="time and/or date difference"):
            machine.area(Identity).join_domain("contoso.com", _LOGIN)
