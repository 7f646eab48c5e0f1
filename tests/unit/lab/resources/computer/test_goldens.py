"""The simulated resources of this family answer as the published modules do: every recorded case."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.configuration_manager import ConfigurationManager, RebootAnswer
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.computer.page_file import PageFile, PageFiles
from provisioner.lab.machine.computer.shares import Access, Share, Shares
from provisioner.lab.machine.computer.time_zone import TimeZone as Zones
from provisioner.lab.machine.directory.domains import (
    Directory,
    DirectoryComputer,
    DirectoryUser,
    Domain,
    bare_name,
)
from provisioner.lab.machine.directory.nt_hash import nt_hash
from provisioner.lab.machine.ground import names
from provisioner.lab.machine.ground.power import Plan
from provisioner.lab.machine.ground.registry import PENDING_RENAMES, SERVICING, SESSION_MANAGER, UPDATE
from provisioner.lab.machine.machine import Machine
from provisioner.lab.resources.computer.computer import Computer
from provisioner.lab.resources.computer.pending_reboot import PendingReboot
from provisioner.lab.resources.computer.power_plan import PowerPlan
from provisioner.lab.resources.computer.smb_share import SmbShare
from provisioner.lab.resources.computer.time_zone import TimeZone
from provisioner.lab.resources.computer.virtual_memory import VirtualMemory
from tests.unit.lab.machines import REBOOTED, context, machine
from tests.unit.lab.resources.golden import (
    Different,
    Key,
    Scenario,
    all_cases,
    bound,
    compare,
    script_errors,
    unknown_cases,
)


def _plans(state: dict[str, Any]) -> Machine:
    made = machine()
    made.power.plans = tuple(Plan(item["FriendlyName"], item["Guid"].casefold()) for item in state["plans"])
    made.power.active = state["active"].casefold()
    return made


def _zone(state: dict[str, Any]) -> Machine:
    made = machine()
    made.area(Zones).load(
        {
            "current": state["zone"],
            "names": {"UTC": "Coordinated Universal Time", **state.get("localized", {})},
        }
    )
    # Where the cmdlets are missing the module asks CIM and .NET, which fail under names of their own.
    commands = state.get("commands", ["Get-TimeZone", "Set-TimeZone"])
    errors = state.get("errors", {})
    for cmdlet, other in (("Get-TimeZone", "Get-CimInstance"), ("Set-TimeZone", "TimeZoneHelper:Set")):
        for end in ("", "!"):
            if cmdlet not in commands and f"{other}{end}" in errors:
                script_errors(made, {"errors": {f"{cmdlet}{end}": errors[f"{other}{end}"]}})
    return made


def _sorted_zones(values: dict[str, Any]) -> dict[str, Any]:
    """Several zones in one order: the recorded list has six zones in an order of its own."""
    zone = values["TimeZone"]
    return {**values, "TimeZone": sorted(zone) if isinstance(zone, list) else zone}


def _pending(state: dict[str, Any]) -> Machine:
    made = machine(name="NODE1")
    for key, below in ((SERVICING, state["cbs"]), (UPDATE, state["wu"])):
        if below is None:
            made.registry.delete_key(key)
        for name in below or ():
            made.registry.make_key(f"{key}\\{name}")
    if state["renames"] is not None:
        made.registry.set(SESSION_MANAGER, PENDING_RENAMES, state["renames"])
    made.registry.set(names.ACTIVE, "ComputerName", state["active"])
    names.request(made.registry, state["pending"])
    if state["ccm"]:
        made.area(ConfigurationManager).answer = RebootAnswer(
            state["ccm"]["rv"], state["ccm"]["hard"], state["ccm"]["soft"]
        )
    return made


def _memory(state: dict[str, Any]) -> Machine:
    made = machine(volumes={"C": 100, "D": 100})
    area = made.area(PageFiles)
    area.is_automatic = state["automatic"]
    area.files = tuple(
        PageFile(item["Name"], item["InitialSize"], item["MaximumSize"]) for item in state["pagefiles"]
    )
    return made


def _read_memory(made: Machine, _before: dict[str, Any]) -> Any:
    area = made.area(PageFiles)
    return area.is_automatic, [[item.name, item.initial, item.maximum] for item in area.files]


_FIELDS = {
    "".join(part.capitalize() for part in field.name.split("_")): field.name
    for field in fields(Share)
    if field.name != "access"
}


def _shares(state: dict[str, Any]) -> Machine:
    made = machine(volumes={"C": 100, "D": 100, "E": 100})
    for letter in "CDE":
        for name in ("S1", "S2", "New", "Other"):
            made.files.make_folder(f"{letter}:\\{name}")
    # Accounts that Windows shows without an authority, as it shows Everyone.
    for number, name in enumerate(("A", "B", "C", "X", "CONTOSO\\adm", "CONTOSO\\bad", "NOBODY")):
        made.accounts.add(f"S-1-5-21-1-2-3-{number}", name)
    made.area(Shares).adopt(
        Share(
            **{field: item[name] for name, field in _FIELDS.items()},
            access=tuple(Access(*entry.rsplit(":", 2)) for entry in item["Access"]),
        )
        for item in state["shares"]
    )
    return made


def _prepare_for_share(made: Machine, properties: dict[str, Any]) -> None:
    """Know every account of the lists, and have the folder."""
    for name in ("FullAccess", "ChangeAccess", "ReadAccess", "NoAccess"):
        listed = properties.get(name)
        for account in listed if isinstance(listed, list) else [str(listed or "Everyone")]:
            try:
                made.accounts.sid(account)
            except MachineError:
                made.accounts.add(f"S-1-5-21-9-{len(account)}-{sum(account.encode())}", account)
    path = properties.get("Path") or ""
    if path[:1].upper() in made.files.volumes:
        made.files.make_folder(path)


def _read_shares(made: Machine, _before: dict[str, Any]) -> Any:
    return [
        {
            **{name: getattr(item, field) for name, field in _FIELDS.items()},
            "Access": sorted(f"{entry.account}:{entry.control}:{entry.right}" for entry in item.access),
        }
        for item in made.area(Shares).shares
    ]


_OLD_OBJECT = "CN=NODE2,OU=x,DC=contoso,DC=com"


def _computer(state: dict[str, Any]) -> Machine:
    made = machine(name=state["name"])
    if state["pending_name"]:
        names.request(made.registry, state["pending_name"])
    domain = Domain(
        "contoso.com",
        "CONTOSO",
        ("dc1", "dc2"),
        {"join": DirectoryUser("join", nt_hash("pw").hex())},
        [state["ou"], "OU=A,DC=contoso,DC=com", "OU=x,DC=contoso,DC=com"],
        computers_container=state["ou"],
    )
    if state["ad_computer"]:
        domain.computers["node2"] = DirectoryComputer("NODE2", _OLD_OBJECT)
    if state["domain"]:
        name = state["name"]
        domain.computers[name.casefold()] = DirectoryComputer(name, f"CN={name},{state['ou']}")
    made.world.area(Directory).add(domain)
    for name in ("fabrikam.com", "other.com", "old.com", "corp.contoso.com"):
        made.world.area(Directory).add(
            Domain(
                name, name.partition(".")[0].upper(), ("dc1",), domain.users, computers_container=state["ou"]
            )
        )
    user_domain = state["userdomain"]
    made.area(Identity).load(
        {
            "description": state["description"],
            "workgroup": state["workgroup"],
            "domain": state["domain"] or "",
            "active_domain": user_domain if user_domain != state["name"] else "",
            "logon_server": (state["logonserver"] or "").replace("\\", ""),
        }
    )
    if "add_error" in state:
        made.ledger.failing["Add-Computer"] = MachineError(
            state["add_error"],
            # The recorded cmdlet puts its own name behind the id: the module never finds the one it looks for.
            f"{state.get('add_error_id', '')},Add-Computer",
            "OperationStopped",
            "System.InvalidOperationException",
            is_terminating=True,
        )
    return made


def _prepare_for_computer(made: Machine, properties: dict[str, Any]) -> None:
    """Know the domain, the unit and the login; an old object is found under whatever name is looked for."""
    directory = made.world.area(Directory)
    contoso = directory.reach("contoso.com")
    name = properties.get("DomainName") or "contoso.com"
    if directory.find(name) is None:
        directory.add(
            Domain(
                name,
                name.partition(".")[0].upper(),
                ("dc1",),
                computers_container=contoso.computers_container,
            )
        )
    domain = directory.reach(name)
    domain.units.append(properties.get("JoinOU") or domain.default_container)
    if login := properties.get("Credential"):
        user = bare_name(login["UserName"])
        domain.users[user.casefold()] = DirectoryUser(user, nt_hash(login["Password"]).hex())
    old = next((key for key, item in contoso.computers.items() if item.dn == _OLD_OBJECT), None)
    if old is not None:
        wanted = properties["Name"].casefold()
        domain.computers[made.computer_name.casefold() if wanted == "localhost" else wanted] = (
            contoso.computers.pop(old)
        )


def _read_computer(made: Machine, _before: dict[str, Any]) -> Any:
    identity = made.area(Identity)
    domains = made.world.area(Directory).domains()
    is_renamed = identity.pending_name != identity.name
    return {
        "name": identity.name,
        "pending_name": identity.pending_name if is_renamed else None,
        "domain": identity.domain or None,
        "workgroup": identity.workgroup,
        "description": identity.description,
        "ad_computer": any(
            item.dn == _OLD_OBJECT for domain in domains for item in domain.computers.values()
        ),
    }


def _expected_computer(state: dict[str, Any]) -> Any:
    kept = ("name", "pending_name", "domain", "workgroup", "description", "ad_computer")
    return {name: state[name] for name in kept}


def _shown_computer(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out types, and the unit where one was asked for: the recorded search knows but one unit."""
    return {
        name: {key: each for key, each in value.items() if key != "$object"}
        if isinstance(value, dict)
        else value
        for name, value in values.items()
        if name != "CurrentOU" or not values["JoinOU"]
    }


SCENARIOS = {
    ("ComputerManagementDsc", "Computer"): Scenario(
        Computer(),
        _computer,
        _read_computer,
        _expected_computer,
        prepare=_prepare_for_computer,
        shown=_shown_computer,
    ),
    ("ComputerManagementDsc", "PendingReboot"): Scenario(
        PendingReboot(), _pending, lambda _made, before: before, lambda state: state
    ),
    ("ComputerManagementDsc", "PowerPlan"): Scenario(
        PowerPlan(), _plans, lambda made, _before: made.power.active, lambda state: state["active"].casefold()
    ),
    ("ComputerManagementDsc", "SmbShare"): Scenario(
        SmbShare(),
        _shares,
        _read_shares,
        lambda state: [{**item, "Access": sorted(item["Access"])} for item in state["shares"]],
        prepare=_prepare_for_share,
    ),
    ("ComputerManagementDsc", "TimeZone"): Scenario(
        TimeZone(),
        _zone,
        lambda made, _before: made.area(Zones).current,
        lambda state: state["zone"],
        shown=_sorted_zones,
    ),
    ("ComputerManagementDsc", "VirtualMemory"): Scenario(
        VirtualMemory(),
        _memory,
        _read_memory,
        lambda state: (
            state["automatic"],
            [[item["Name"], item["InitialSize"], item["MaximumSize"]] for item in state["pagefiles"]],
        ),
    ),
}

_COMPUTER = {key: scenario for key, scenario in SCENARIOS.items() if key[1] == "Computer"}
_SAME_DOMAIN = "the recorded Add-Computer joins the domain that the computer is in, by its short name"
DIFFERING: dict[tuple[str, str], Different] = {
    ("Computer", "domain_member_netbios_equal"): Different(
        _SAME_DOMAIN, "set_nonterminating", "state_after", "get_after"
    ),
    ("Computer", "domain_member_netbios_userdomain_local"): Different(
        _SAME_DOMAIN, "set_nonterminating", "state_after", "get_after"
    ),
}


@pytest.mark.parametrize(("key", "case"), all_cases(SCENARIOS))
async def test_a_resource_answers_as_the_published_module_did(key: Key, case: dict[str, Any]) -> None:
    await compare(key, case, SCENARIOS[key], DIFFERING)


@pytest.mark.parametrize(("key", "case"), all_cases(_COMPUTER))
async def test_a_computer_is_who_it_should_be_after_the_boot(key: Key, case: dict[str, Any]) -> None:
    if "test_after_reboot" not in case or (key[1], case["case"]) in DIFFERING:
        pytest.skip("no boot was recorded")
    scenario = SCENARIOS[key]
    made = scenario.make(case["state_before"])
    script_errors(made, case["state_before"])
    properties = bound(case, scenario)
    scenario.prepare(made, properties)
    await Computer().set(properties, context(made))
    made.on_boot(REBOOTED)
    assert await Computer().test(properties, context(made)) == case["test_after_reboot"]["result"]
    if "state_after_reboot" in case:
        assert _read_computer(made, {}) == _expected_computer(case["state_after_reboot"])


def test_every_listed_difference_is_one_of_a_recorded_case() -> None:
    assert not unknown_cases(SCENARIOS, DIFFERING)
