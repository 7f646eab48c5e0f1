"""Resources without behaviour of their own: they keep what they are told, by key, and say that this is all."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.lab.machine.basics.generic_state import GenericState
from provisioner.lab.resources import generic, registry
from provisioner.lab.resources.base import ResourceError
from tests.unit.lab.machines import context, machine

CATALOGUE = Registry.builtin()
#: Key, and whether it is Present or Absent: a type the lab will hardly ever simulate.
HOSTS = ("DSC_HostsFile", "NetworkingDsc")


def hosts() -> generic.GenericResource:
    found = generic.find(*HOSTS, CATALOGUE)
    assert found is not None
    return found


async def test_what_was_set_is_there_and_only_under_its_key() -> None:
    resource, box = hosts(), context(machine())
    wanted = {"HostName": "a.example", "IPAddress": "10.0.0.1"}
    assert not await resource.test(wanted, box)
    await resource.set(wanted, box)

    assert await resource.test(wanted, box)
    assert await resource.test({**wanted, "HostName": "A.EXAMPLE"}, box)
    assert not await resource.test({**wanted, "HostName": "b.example"}, box)
    assert not await resource.test({**wanted, "IPAddress": "10.0.0.2"}, box)


async def test_get_tells_the_keys_what_was_set_and_whether_anything_was() -> None:
    resource, box = hosts(), context(machine())
    key = {"HostName": "a.example"}
    assert await resource.get(key, box) == {**key, "Ensure": "Absent"}
    await resource.set({**key, "IPAddress": "10.0.0.1"}, box)
    assert await resource.get(key, box) == {**key, "IPAddress": "10.0.0.1", "Ensure": "Present"}


async def test_absence_forgets() -> None:
    resource, box = hosts(), context(machine())
    absent = {"HostName": "a.example", "Ensure": "absent"}
    assert await resource.test(absent, box)
    await resource.set({"HostName": "a.example", "IPAddress": "10.0.0.1"}, box)
    assert not await resource.test(absent, box)
    await resource.set(absent, box)
    assert await resource.test(absent, box)


@pytest.mark.parametrize("call", ["get", "test", "set"])
async def test_a_value_outside_its_list_does_not_bind(call: str) -> None:
    with pytest.raises(ResourceError) as refused:
        await getattr(hosts(), call)({"HostName": "a", "Ensure": "maybe"}, context(machine()))

    assert refused.value.error_id == f"ParameterArgumentValidationError,{call.capitalize()}-TargetResource"


async def test_of_a_credential_the_user_is_kept_and_never_the_password() -> None:
    resource = generic.find("MSFT_ServiceResource", "PSDscResources", CATALOGUE)
    assert resource is not None
    box = context(machine())
    wanted: dict[str, Any] = {"Name": "a", "Credential": {"UserName": "u", "Password": "canary"}}
    await resource.set(wanted, box)

    assert "canary" not in repr(box.machine.area(GenericState).to_plain())
    assert await resource.test(wanted, box)
    assert not await resource.test({"Name": "a", "Credential": {"UserName": "v", "Password": "canary"}}, box)


async def test_a_log_is_never_in_its_desired_state() -> None:
    resource = generic.find("MSFT_LogResource", "PSDesiredStateConfiguration", CATALOGUE)
    assert resource is not None
    box = context(machine())
    await resource.set({"Message": "x"}, box)

    assert not await resource.test({"Message": "x"}, box)


async def test_the_state_survives_its_plain_form() -> None:
    box = context(machine())
    await hosts().set({"HostName": "a", "IPAddress": "1"}, box)
    again = machine()
    again.area(GenericState).load(box.machine.area(GenericState).to_plain())

    assert await hosts().test({"HostName": "a", "IPAddress": "1"}, context(again))


async def test_every_type_of_the_catalogue_can_be_set_and_is_then_in_its_desired_state() -> None:
    """Only those of the in-box module that never are, and composites, which no node ever sees, are left out."""
    seen = 0
    for each in CATALOGUE.resource_types():
        if not each.class_name or each.class_name == "MSFT_LogResource":
            continue
        resource = generic.find(each.class_name, each.module, CATALOGUE)
        assert resource is not None, each.class_name
        box = context(machine())
        keys = {prop.name: prop.value_map[0] if prop.value_map else "x" for prop in each.keys}
        await resource.set(keys, box)
        is_absence = any(str(value).casefold() == "absent" for value in keys.values())
        assert is_absence or await resource.test(keys, box), each.class_name
        seen += 1
    assert seen > 400


def test_a_type_nobody_knows_has_no_resource() -> None:
    assert generic.find("Nothing", "PSDscResources", CATALOGUE) is None
    assert generic.find("MSFT_ServiceResource", "Nothing", CATALOGUE) is None


def test_one_can_tell_what_a_resource_is() -> None:
    specific = registry.find("MSFT_ServiceResource", "PSDscResources")
    assert specific is not None
    assert generic.kind_of(specific) == "specific"
    assert generic.kind_of(hosts()) == "generic"
