"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.ground.hyperv import Switch
from provisioner.lab.machine.ground.network import physical
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.hyperv.vm_host import VMHost
from provisioner.lab.resources.hyperv.vm_switch import VMSwitch
from tests.unit.lab.machines import hyperv_machine, machine
from tests.unit.lab.resources.golden import Different, Key, Scenario, all_cases, compare, unknown_cases


def _switches(state: dict[str, Any]) -> Machine:
    made = machine() if state.get("hyperv_missing") else hyperv_machine()
    made.version = state["os_version"]
    made.hyperv.knows_teams = made.version.startswith("10.")
    made.network.adapters = [
        physical("NODE1", number, item["Name"], item["InterfaceDescription"])
        for number, item in enumerate(state["adapters"])
    ]
    descriptions = {item["Name"]: item["InterfaceDescription"] for item in state["adapters"]}
    for item in state["switches"]:
        made.hyperv.adopt(
            [
                Switch(
                    item["Id"],
                    item["Name"],
                    item["SwitchType"],
                    tuple(descriptions.get(name, name) for name in item["Adapters"]),
                    item["AllowManagementOS"],
                    item["EmbeddedTeamingEnabled"],
                    item["BandwidthReservationMode"],
                    item["LoadBalancing"],
                )
            ]
        )
        for name in descriptions.keys() & set(item["Adapters"]):
            made.network.bind(name, item["Id"])
    return made


def _read_switches(made: Machine, before: dict[str, Any]) -> Any:
    if not made.hyperv.is_active:
        return []
    names = {item["InterfaceDescription"]: item["Name"] for item in before["adapters"]}
    old = {item["Id"] for item in before["switches"]}
    return [
        {
            "Name": item.name,
            # What Windows spells in its own way is compared without regard to case. New ids are random; the one that was asked for is compared.
            "Id": item.id if item.id in old or item.id.startswith("11111111") else "new",
            "SwitchType": item.type.casefold(),
            "Adapters": [names.get(text, text).casefold() for text in item.descriptions],
            "AllowManagementOS": item.allow_management_os,
            "EmbeddedTeamingEnabled": item.is_team,
            "BandwidthReservationMode": (item.bandwidth_mode or "").casefold(),
            "LoadBalancing": (item.load_balancing or "").casefold(),
        }
        for item in made.hyperv.switches()
    ]


def _expected_switches(state: dict[str, Any]) -> Any:
    return [
        {
            **item,
            "Id": "new" if item["Id"].startswith("00000000") else item["Id"].strip("{}"),
            "SwitchType": item["SwitchType"].casefold(),
            "Adapters": [name.casefold() for name in item["Adapters"]],
            "BandwidthReservationMode": (item["BandwidthReservationMode"] or "").casefold(),
            "LoadBalancing": (item["LoadBalancing"] or "").casefold(),
        }
        for item in state["switches"]
    ]


def _shown_switch(values: dict[str, Any]) -> dict[str, Any]:
    """Ids of one form; the ones that the recording and our machine made up are new."""
    ids = values.get("Id") or []
    texts = [
        item["$guid"] if isinstance(item, dict) else item
        for item in (ids if isinstance(ids, list) else [ids])
    ]
    spelled = {
        name: str(values[name]).casefold()
        for name in ("Type", "BandwidthReservationMode", "LoadBalancingAlgorithm")
        if values.get(name) is not None
    }
    return values | spelled | {"Id": [text if text.startswith("11111111") else "new" for text in texts]}


def _seconds(text: str) -> int:
    days, _, rest = text.rpartition(".")
    hours, minutes, seconds = (int(part) for part in rest.split(":"))
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds


def _host_settings(state: dict[str, Any]) -> dict[str, Any]:
    host = dict(state["host"])
    return host | {"ResourceMeteringSaveInterval": _seconds(host["ResourceMeteringSaveInterval"])}


def _host(state: dict[str, Any]) -> Machine:
    made = machine() if state.get("hyperv_missing") else hyperv_machine()
    made.area(Identity).domain = "contoso.com" if state.get("part_of_domain") else ""
    made.area(VirtualizationHost).load({"settings": _host_settings(state)})
    return made


def _read_host(made: Machine, before: dict[str, Any]) -> Any:
    return _host_settings(before) if not made.hyperv.is_active else made.area(VirtualizationHost).settings()


SCENARIOS = {
    ("xHyper-V", "xVMHost"): Scenario(VMHost(), _host, _read_host, _host_settings),
    ("xHyper-V", "xVMSwitch"): Scenario(
        VMSwitch(), _switches, _read_switches, _expected_switches, shown=_shown_switch
    ),
}

DIFFERING: dict[tuple[str, str], Different] = {
    ("xVMSwitch", "adapter_unknown"): Different(
        "the recorded New-VMSwitch accepts unknown adapters",
        "set_nonterminating",
        "state_after",
        "test_after",
        "get_after",
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
