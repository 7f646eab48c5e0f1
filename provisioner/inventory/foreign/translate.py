"""Make an inventory of ours from one of another tool, and say what could not be carried over.

The result keeps the shape of the source: what was given for a group stays with that group. Where the two tools
would disagree on which value counts, the value the other tool would take is written at the node, where it wins.
That is decided by reading the result with our own loader, so it holds whatever rules that has.

The rule of the room: no password is written into the inventory, and no message repeats a value.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.inventory.foreign.connection import (
    HTTP_PORT,
    HTTPS_PORT,
    Refusal,
    Setting,
    is_expression,
    is_windows,
    settings_of,
    wanted_endpoint,
)
from provisioner.inventory.foreign.model import ALL, UNGROUPED, ForeignGroup, ForeignHost, Given, Sealed
from provisioner.inventory.foreign.names import Names, sounds_secret, why_refused
from provisioner.inventory.loader import read_inventory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provisioner.inventory.foreign.model import ForeignInventory
    from provisioner.inventory.model import Inventory, Located, Node

#: Written where nothing says who logs on; every Windows has it.
_DEFAULT_USER: Final = "Administrator"
_FROM_ENVIRONMENT: Final = re.compile(
    r"\{\{\s*lookup\(\s*['\"](?:ansible\.builtin\.)?env['\"]\s*,\s*['\"]([A-Za-z_]\w*)['\"]\s*\)\s*\}\}",
    re.ASCII,
)
_PLAIN_SETTINGS: Final = ("user", "port", "tls", "configuration_name", "connect_timeout")


@dataclass(frozen=True, slots=True)
class Imported:
    """An inventory as YAML text, and what its references to files stand for.

    ``secrets`` maps paths beside the inventory to secrets the source had in clear; None where it had none.
    """

    text: str
    inventory: Inventory
    secrets: Mapping[str, str | None] = field(repr=False)


def translate(foreign: ForeignInventory, site: str) -> tuple[Imported | None, Diagnostics]:
    """Return our inventory, and everything that was changed or left out as warnings with positions.

    None stands beside an error: then there is nothing in the source that could become a node.
    """
    return _Translation(foreign, site).run()


class _Translation:
    def __init__(self, foreign: ForeignInventory, site: str) -> None:
        self._foreign = foreign
        self._site = site
        self._problems = Diagnostics()
        self._notes: dict[tuple[str, str, str], None] = {}
        self._secrets: dict[str, str | None] = {}
        self._paths: dict[tuple[str, str], str] = {}
        groups = foreign.groups_of()
        self._effective = {name: foreign.effective(name, groups[name]) for name in foreign.hosts}
        self._groups_of = groups

    def run(self) -> tuple[Imported | None, Diagnostics]:
        hosts = self._windows_hosts()
        if not hosts:
            self._problems.error(
                "No Windows machine found",
                f"No host of {self._foreign.name} is reached by winrm or psrp.",
                help="Give the hosts you mean 'ansible_connection: winrm', as Ansible needs it too.",
            )
            return None, self._problems
        used = {name for host in hosts for name in self._groups_of[host]} - {UNGROUPED}
        names = Names([self._site])
        group_names = {name: names.group(name) for name in self._foreign.groups if name in used}
        node_names = {host: names.node(host) for host in hosts}
        self._node_names, self._group_names = node_names, group_names
        self._tell_renamed()
        self._tell_unused(used)
        data = self._data(hosts)
        inventory = self._settle(data, hosts)
        if inventory is None:
            return None, self._problems
        text = _text(data, self._foreign.name)
        referred = {text.removeprefix("file:") for text in _texts(data)}
        secrets = {path: self._secrets[path] for path in sorted(self._secrets) if path in referred}
        return Imported(text, inventory, secrets), self._problems

    def _note(self, summary: str, detail: str, located: Located | None, help: str = "") -> None:
        """Record a warning once: several hosts of one line share what is wrong with it."""
        key = (summary, detail, str(located.where) if located else "")
        if key not in self._notes:
            self._notes[key] = None
            self._problems.warning(summary, detail, located.where if located else None, help)

    # --- which hosts and groups there are -------------------------------------------------------------------

    def _windows_hosts(self) -> list[str]:
        plain = {host: _located(self._effective[host]) for host in self._foreign.hosts}
        judged = {host: is_windows(variables) for host, variables in plain.items()}
        is_silent = not any(judged.values())
        kept: list[str] = []
        endpoints: dict[tuple[str, int], str] = {}
        for host, machine in self._foreign.hosts.items():
            verdict = judged[host]
            if verdict is False or (verdict is None and not is_silent):
                how = (
                    "has no ansible_connection, so Ansible uses ssh"
                    if verdict is None
                    else "is not reached by winrm"
                )
                self._problems.warning(
                    "Host is left out",
                    f"'{host}' {how}; only Windows machines are carried over.",
                    machine.where,
                )
                continue
            settings, _ = settings_of(plain[host])
            port, _ = wanted_endpoint(plain[host], settings)
            address = settings["address"].value if "address" in settings else host
            other = endpoints.setdefault((address.casefold(), port), host)
            if other != host:
                self._problems.warning(
                    "Host is left out",
                    f"'{host}' has the same address and port as '{other}', so it is the same machine.",
                    machine.where,
                )
                continue
            kept.append(host)
        if is_silent and kept:
            self._problems.warning(
                "Nothing says which hosts are Windows",
                f"No host of {self._foreign.name} has ansible_connection; all are taken for Windows machines.",
            )
        return kept

    def _tell_renamed(self) -> None:
        for kind, names, places in (
            ("Host", self._node_names, self._foreign.hosts),
            ("Group", self._group_names, self._foreign.groups),
        ):
            for old, new in names.items():
                if old != new:
                    self._problems.warning(
                        f"{kind} has another name here", f"'{old}' became '{new}'.", places[old].where
                    )

    def _tell_unused(self, used: set[str]) -> None:
        for name, group in self._foreign.groups.items():
            if name not in used and name not in {ALL, UNGROUPED}:
                self._problems.warning(
                    "Group is left out", f"The group '{name}' has no Windows machine.", group.where
                )

    # --- the first draft ------------------------------------------------------------------------------------

    def _data(self, hosts: list[str]) -> dict[str, Any]:
        everything = self._foreign.groups.get(ALL)
        data: dict[str, Any] = {"site": self._site}
        data |= self._place(everything, self._site) if everything else {}
        groups = {}
        for name, new in self._group_names.items():
            group = self._foreign.groups[name]
            children = [self._group_names[child] for child in group.children if child in self._group_names]
            groups[new] = ({"children": children} if children else {}) | self._place(group, new)
        if groups:
            data["groups"] = groups
        data["nodes"] = {self._node_names[host]: self._node(host) for host in hosts}
        self._fill_in(data, hosts)
        order = ("site", "connection", "variables", "groups", "nodes")
        return {key: data[key] for key in order if key in data}

    def _node(self, host: str) -> dict[str, Any]:
        machine, name = self._foreign.hosts[host], self._node_names[host]
        variables = _located(self._effective[host])
        settings, refused = settings_of(variables)
        self._refuse([each for each in refused if each.variable.endswith("_host")])
        address = settings["address"].value if "address" in settings else host
        found: dict[str, Any] = {}
        if address != name:
            found["address"] = address
            if not re.fullmatch(r"[A-Za-z0-9_.:%-]{1,253}", address):
                del found["address"]
                self._problems.warning(
                    "Address is left out", f"'{host}' is not an address; write one.", machine.where
                )
        direct = [
            self._group_names[group]
            for group in self._groups_of[host]
            if group in self._group_names and host in self._foreign.groups[group].hosts
        ]
        if direct:
            found["groups"] = direct
        return found | self._place(machine, name)

    def _place(self, place: ForeignGroup | ForeignHost, name: str) -> dict[str, Any]:
        """Return ``connection`` and ``variables`` of one place, as far as it gives any."""
        settings, refused = settings_of(place.own)
        self._refuse(refused)
        connection: dict[str, Any] = {key: settings[key].value for key in _PLAIN_SETTINGS if key in settings}
        if "password" in settings:
            connection["password"] = self._password(settings["password"], name)
        variables = {}
        for variable, located in place.own.items():
            if not variable.startswith("ansible_") and self._is_carried(variable, located):
                variables[variable] = self._value(variable, located.value, name)
        found: dict[str, Any] = {}
        if connection:
            found["connection"] = connection
        if variables:
            found["variables"] = variables
        return found

    def _refuse(self, refused: list[Refusal]) -> None:
        for each in refused:
            self._note("Variable is left out", f"'{each.variable}' {each.reason}.", each.located)

    def _is_carried(self, variable: str, located: Located) -> bool:
        if sounds_secret(variable) and (isinstance(located.value, Sealed) or is_expression(located.value)):
            reason = why_refused(variable, "")
        else:
            reason = why_refused(variable, located.value)
        if reason:
            self._note("Variable is left out", f"'{variable}' {reason}.", located)
        elif sounds_secret(variable) and _holds_text(located.value):
            self._note(
                "Secret is left out",
                f"'{variable}' sounds like a secret, so a reference to a file was written in its place.",
                located,
            )
        return not reason

    def _value(self, variable: str, value: Any, place: str) -> Any:
        """Return what is written for a variable; a reference where the name sounds like a secret."""
        return self._reference(value, place, variable) if sounds_secret(variable) else value

    def _reference(self, value: Any, place: str, variable: str) -> Any:
        match value:
            case Sealed() | str() if not _is_empty(value):
                return self._file(value, place, variable)
            case list():
                return [self._reference(item, place, f"{variable}.{at}") for at, item in enumerate(value, 1)]
            case dict():
                return {key: self._reference(item, place, f"{variable}.{key}") for key, item in value.items()}
            case _:
                return value

    def _password(self, setting: Setting, place: str) -> str:
        value = setting.value
        if isinstance(value, Sealed):
            reason = f"is {value.value}"
        elif is_expression(value):
            reason = "is an expression"
        else:
            reason = "was written in clear"
        reference = self._file(value, place, "")
        if not reference.startswith("env:"):  # else it says the same as before
            self._note(
                "Password is left out",
                f"The password {reason}; the inventory refers to {reference} instead.",
                setting.located,
            )
        return reference

    def _file(self, value: Any, place: str, variable: str) -> str:
        """Return the reference for a secret, and remember what the source has for it."""
        if isinstance(value, str):
            from_environment = _FROM_ENVIRONMENT.fullmatch(value.strip())
            if from_environment:
                return f"env:{from_environment[1]}"
        if (place, variable) not in self._paths:
            base = ".secrets/" + re.sub(
                r"[^A-Za-z0-9_.-]+", "-", f"{place}.{variable}" if variable else place
            )
            path, number = base, 1
            while path in self._secrets:
                number += 1
                path = f"{base}-{number}"
            is_clear = value is not None and not isinstance(value, Sealed) and not is_expression(value)
            self._secrets[path] = str(value) if is_clear else None
            self._paths[place, variable] = path
        return f"file:{self._paths[place, variable]}"

    def _fill_in(self, data: dict[str, Any], hosts: list[str]) -> None:
        """Give every node a user and a password: an inventory of ours needs both."""
        for key in ("user", "password"):
            lacking = [host for host in hosts if key not in settings_of(_located(self._effective[host]))[0]]
            if not lacking:
                continue
            site = data.setdefault("connection", {})
            if key in site:
                continue
            site[key] = _DEFAULT_USER if key == "user" else self._file(None, self._site, "")
            what = f"'{site[key]}' was written" if key == "user" else f"the inventory refers to {site[key]}"
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            self._problems.warning(
                f"Host has no {key}", f"No {key} is given for '{lacking[0]}'{more}, so {what}. Check it."
            )

    # --- where the two tools would disagree -----------------------------------------------------------------

    def _settle(self, data: dict[str, Any], hosts: list[str]) -> Inventory | None:
        """Read the draft with our loader, and write at the node what would come out otherwise than in Ansible."""
        inventory = self._load(data)
        for key in ("tls", "port"):
            if inventory is None:
                return None
            if self._settle_for_most(data, key, hosts, inventory):
                inventory = self._load(data)
        if inventory is None:
            return None
        is_changed = False
        for host in hosts:
            node = inventory.nodes[self._node_names[host]]  # type: ignore[index]
            for section, wrong in self._differences(host, node).items():
                data["nodes"][self._node_names[host]].setdefault(section, {}).update(wrong)
                is_changed = True
        return self._load(data) if is_changed else inventory

    def _settle_for_most(
        self, data: dict[str, Any], key: str, hosts: list[str], inventory: Inventory
    ) -> bool:
        """Write a setting for the whole site when most nodes want it."""
        if key in data.get("connection", {}):
            return False
        votes: Counter[Any] = Counter()
        for host in hosts:
            node = inventory.nodes[self._node_names[host]]  # type: ignore[index]
            wrong = self._differences(host, node).get("connection", {})
            if key in wrong:
                votes[wrong[key]] += 1
        [(value, count)] = votes.most_common(1) or [(None, 0)]
        if count * 2 <= len(hosts):
            return False
        data["connection"] = {**data.get("connection", {}), key: value}
        order = ("site", "connection", "variables", "groups", "nodes")
        ordered = {name: data[name] for name in order if name in data}
        data.clear()
        data.update(ordered)
        return True

    def _differences(self, host: str, node: Node) -> dict[str, dict[str, Any]]:
        effective = self._effective[host]
        variables = _located(effective)
        settings, _ = settings_of(variables)
        port, tls = wanted_endpoint(variables, settings)
        endpoint = node.connection.endpoint
        wrong: dict[str, Any] = {}
        if endpoint.tls is not tls:
            wrong["tls"] = tls
        # With tls put right, the port follows unless it was given.
        given = endpoint.port if endpoint.port not in {HTTP_PORT, HTTPS_PORT} or not wrong else None
        if port != (given or (HTTPS_PORT if tls else HTTP_PORT)):
            wrong["port"] = port
        have = {
            "user": node.connection.user,
            "password": str(node.connection.password),
            "configuration_name": endpoint.configuration_name,
            "connect_timeout": node.connection.connect_timeout_s,
        }
        for key, value in have.items():
            if key in settings:
                wanted = settings[key].value
                if key == "password":
                    wanted = self._file(wanted, self._new_name(effective[settings[key].variable]), "")
                if wanted != value:
                    wrong[key] = wanted
        found: dict[str, dict[str, Any]] = {"connection": wrong} if wrong else {}
        different = self._different_variables(effective, node)
        return found | ({"variables": different} if different else {})

    def _different_variables(self, effective: Mapping[str, Given], node: Node) -> dict[str, Any]:
        different = {}
        for name, given in effective.items():
            if name.startswith("ansible_") or not self._is_carried(name, given.located):
                continue
            wanted = self._value(name, given.located.value, self._new_name(given))
            have = node.variables.get(name)
            if have is None or not _same(have.value, wanted):
                different[name] = wanted
        return different

    def _new_name(self, given: Given) -> str:
        place = given.place
        if isinstance(place, ForeignHost):
            return self._node_names[place.name]
        return self._site if place.name in {ALL, UNGROUPED} else self._group_names[place.name]

    def _load(self, data: dict[str, Any]) -> Inventory | None:
        text = _text(data, self._foreign.name)
        inventory, problems = read_inventory(text, SourceFile("the new inventory", text))
        if inventory is None:
            self._problems.extend(each for each in problems if each.severity.value == "error")
        return inventory


def _text(data: dict[str, Any], name: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in name)
    head = f"# Imported from {shown}. What each node is to be is still to be said: 'roles: [NAME]'.\n"
    return head + documents.dump(data)


def _texts(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
        case list():
            for item in data:
                yield from _texts(item)
        case dict():
            for item in data.values():
                yield from _texts(item)


def _located(effective: Mapping[str, Given]) -> dict[str, Located]:
    return {name: given.located for name, given in effective.items()}


def _is_empty(value: Any) -> bool:
    return isinstance(value, str) and not value


def _holds_text(value: Any) -> bool:
    match value:
        case Sealed():
            return True
        case str():
            return bool(value)
        case list():
            return any(_holds_text(item) for item in value)
        case dict():
            return any(_holds_text(item) for item in value.values())
        case _:
            return False


def _same(one: Any, other: Any) -> bool:
    """Whether two plain values are the same to the type: 1 is neither True nor 1.0."""
    match one, other:
        case (dict(), dict()):
            return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
        case (list(), list()):
            return len(one) == len(other) and all(map(_same, one, other))
        case _:
            return type(one) is type(other) and bool(one == other)
