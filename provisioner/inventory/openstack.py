"""What an inventory says of the cloud its nodes serve: how to log on, aggregates and zones, flavors, images.

The rule of the room: only what can be known without asking the cloud. Which names Nova uses, and what is there
already, is the business of the package ``cloud``. What Nova's API takes is from its reference (os-aggregates).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from provisioner.addresses import SecretRef, is_ip_address
from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Tree
from provisioner.inventory.ladder import aggregates_of, text
from provisioner.inventory.model import Aggregate, Cloud, Property

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Entry
    from provisioner.inventory.ladder import NodeSource

_KEY: Final = re.compile(r"[A-Za-z0-9_:. -]{1,255}")
_LONGEST: Final = 255
_LOOPBACK: Final = ("127.", "localhost", "::1")
#: Zones Nova gives to what has none; nothing may be called so.
_TAKEN_ZONES: Final = frozenset({"nova", "internal"})
#: Metadata Nova makes of the zone of an aggregate.
_ZONE_KEY: Final = "availability_zone"
#: Windows cuts the names Nova sees at so many characters (NetBIOS).
NETBIOS_LENGTH: Final = 15
_GENERATIONS: Final = ("hyperv-gen1", "hyperv-gen2")
#: Properties of an image that hold for guests of Hyper-V, and what they may say.
_CHOICES: Final = {
    "hw_machine_type": _GENERATIONS,
    "os_type": ("windows", "linux"),
    "os_secure_boot": ("disabled", "optional", "required"),
}


def read_cloud(tree: Mapping) -> Cloud | None:
    """Return the cloud of an inventory without errors; None where it has none."""
    section = tree.get("openstack")
    if not isinstance(section, Mapping):
        return None
    said = {name: text(value) or "" for name, value in section.items()}
    return Cloud(
        name=said.get("cloud", ""),
        auth_url=said.get("auth_url", ""),
        user=said.get("user", ""),
        password=SecretRef.parse(said.get("password", "")),
        project=said.get("project", ""),
        user_domain=said.get("user_domain", "") or "Default",
        project_domain=said.get("project_domain", "") or "Default",
        region=said.get("region", ""),
        interface=said.get("interface", "") or "public",
        ca_certificates=said.get("ca_certificates", ""),
        aggregates={entry.name: _aggregate(entry) for entry in _entries(section, "aggregates")},
        flavors={entry.name: _properties(entry.value) for entry in _entries(section, "flavors")},
        images={entry.name: _properties(entry.value) for entry in _entries(section, "images")},
        where=section.where,
    )


def _aggregate(entry: Entry) -> Aggregate:
    place = entry.value if isinstance(entry.value, Mapping) else Mapping((), entry.value.where)
    return Aggregate(
        entry.name, text(place.get("zone")) or "", _properties(place.get("properties")), entry.key.where
    )


def _properties(tree: Tree | None) -> tuple[Property, ...]:
    entries = tree.entries if isinstance(tree, Mapping) else ()
    return tuple(Property(entry.name, text(entry.value), entry.key.where) for entry in entries)


def _entries(section: Mapping, name: str) -> Iterator[Entry]:
    part = section.get(name)
    if isinstance(part, Mapping):
        yield from part.entries


def check(
    tree: Mapping, places: Iterable[Mapping], nodes: Iterable[NodeSource], problems: Diagnostics
) -> None:
    """Report what cannot be meant. What is ill-formed by itself is the schema's to report.

    Args:
        tree: The whole inventory.
        places: It, its groups and its nodes.
        nodes: The nodes with what they inherit.
        problems: Where problems go.
    """
    section = tree.get("openstack")
    known: dict[str, Mapping | None] = {}
    if isinstance(section, Mapping):
        _check_way(section.get("auth_url"), problems)
        for entry in _entries(section, "aggregates"):
            known[entry.name] = entry.value if isinstance(entry.value, Mapping) else None
            _check_name("Aggregate", entry.key, problems)
            if isinstance(entry.value, Mapping):
                _check_zone(entry.value.get("zone"), problems)
                _check_properties(entry.value.get("properties"), problems)
        for kind in ("flavors", "images"):
            for entry in _entries(section, kind):
                _check_properties(entry.value, problems)
                if kind == "images" and isinstance(entry.value, Mapping):
                    _check_image(entry.name, entry.value, problems)
    _check_places(tree, places, known, problems)
    _check_nodes(list(nodes), known, problems)


def _check_way(url: Tree | None, problems: Diagnostics) -> None:
    """Warn of a password that everybody on the way can read."""
    said = urlsplit(text(url) or "")
    if url is not None and said.scheme == "http" and not (said.hostname or "").startswith(_LOOPBACK):
        problems.warning(
            "Password would travel in the clear",
            "Keystone is reached over http, where everybody on the way can read the password.",
            url.where,
            "Write the https address; 'ca_certificates: PATH' names an authority of your own.",
        )


def _check_name(what: str, key: Scalar, problems: Diagnostics) -> None:
    name = key.text
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _LONGEST:
        detail = f"A name has 1 to {_LONGEST} printable characters, and no space around them."
        problems.error(f"{what} name has a wrong form", detail, key.where)


def _check_zone(zone: Tree | None, problems: Diagnostics) -> None:
    name = text(zone)
    if zone is None or name is None:
        return
    if name.casefold() in _TAKEN_ZONES:
        problems.error(
            "Zone name is taken",
            f"'{name}' is Nova's own word for hosts without a zone; a zone of this name cannot be told from none.",
            zone.where,
            "Choose another name, such as 'windows'.",
        )
    elif ":" in name or name != name.strip() or len(name) > _LONGEST:
        detail = (
            "A zone has no space around its name and no ':' in it, which stands before a host in requests."
        )
        problems.error("Zone name has a wrong form", detail, zone.where)


def _check_properties(tree: Tree | None, problems: Diagnostics) -> None:
    for entry in tree.entries if isinstance(tree, Mapping) else ():
        if not _KEY.fullmatch(entry.name):
            detail = (
                f"A property has letters, digits, '_', '-', ':', '.' and spaces, up to {_LONGEST} in all."
            )
            problems.error("Property name has a wrong form", detail, entry.key.where)
        if entry.name == _ZONE_KEY:
            problems.error(
                "Zone is said as a property",
                "Nova keeps the zone of an aggregate under this name.",
                entry.key.where,
                "Write 'zone: NAME' beside 'properties:'.",
            )
        value = entry.value.value if isinstance(entry.value, Scalar) else entry.value
        if value is not None and not isinstance(value, str):
            problems.error(
                "Wrong type",
                f"'{entry.name}' must be text, or nothing to take the property away.",
                entry.value.where,
                "Put it in quotes.",
            )
        elif isinstance(value, str) and len(value) > _LONGEST:
            problems.error(
                "Property is too long", f"Nova takes {_LONGEST} characters at most.", entry.value.where
            )


def _check_image(name: str, image: Mapping, problems: Diagnostics) -> None:
    """Report what starts and does not work, or never starts, on Hyper-V."""
    said = {key: text(value) for key, value in image.items()}
    if said.get("hypervisor_type") != "hyperv":
        return
    for key, choices in _CHOICES.items():
        entry = image.entry(key)
        value = said.get(key)
        if entry and value is not None and value not in choices:
            listed = ", ".join(f"'{choice}'" for choice in choices)
            problems.error(
                "Value is not one of the known ones",
                f"'{key}' of an image for Hyper-V is one of {listed}.",
                entry.value.where,
                did_you_mean(value, choices),
            )
    for key in ("os_secure_boot", "os_vtpm", "os_shielded_vm"):
        entry = image.entry(key)
        if entry is None or said.get(key) != "required":
            continue
        if said.get("hw_machine_type") != _GENERATIONS[1]:
            problems.error(
                "Image needs generation 2",
                f"'{key}: required' works with machines of generation 2 only, and '{name}' does not ask for one.",
                entry.key.where,
                f"Add 'hw_machine_type: {_GENERATIONS[1]}'; the disk has to be a VHDX.",
            )
        if said.get("os_type") is None:
            problems.error(
                "Image does not say its system",
                f"'{key}: required' needs 'os_type', which tells the driver whose signatures count.",
                entry.key.where,
                "Add 'os_type: windows' or 'os_type: linux'.",
            )


def _check_places(
    tree: Mapping, places: Iterable[Mapping], known: dict[str, Mapping | None], problems: Diagnostics
) -> None:
    for place in places:
        section = place.get("openstack")
        if place is tree or not isinstance(section, Mapping):
            continue
        if tree.get("openstack") is None:
            problems.error(
                "Cloud is not named",
                "This says something of an OpenStack cloud, and the inventory does not say which.",
                section.where,
                "Write 'openstack:' at the top with 'cloud: NAME', a name of clouds.yaml, or 'auth_url: URL'.",
            )
            return
        for item in aggregates_of(place):
            if item.text not in known:
                detail = f"There is no aggregate '{item.text}' under 'openstack:' at the top."
                help_ = did_you_mean(item.text, known) or "Write it under 'aggregates:' there first."
                problems.error("Unknown aggregate", detail, item.where, help_)


def _check_nodes(nodes: list[NodeSource], known: dict[str, Mapping | None], problems: Diagnostics) -> None:
    hosts: dict[str, NodeSource] = {}
    told: set[SourceRange] = set()
    for node in nodes:
        listed = node.aggregates
        if not listed:
            continue
        zones: dict[str, str] = {}
        for use in listed:
            place = known.get(use.name)
            zone = text(place.get("zone")) if place else None
            if zone:
                zones.setdefault(zone, use.name)
            if len(zones) > 1 and use.where not in told:
                told.add(use.where)
                (first, one), (second, other) = list(zones.items())[:2]
                problems.error(
                    "Node is in two zones",
                    f"'{node.name}' is in the zone '{first}' by the aggregate '{one}' and in '{second}' by "
                    f"'{other}'; Nova gives a host one zone at most.",
                    use.where,
                    "Take one of the two aggregates away, or its 'zone:'.",
                )
        other_node = hosts.setdefault(host_key(node.nova_host), node)
        if other_node is not node:
            problems.error(
                "Two nodes are one host",
                f"Windows cuts the names of '{node.name}' and '{other_node.name}' "
                f"(line {other_node.key.where.line}) to the same {NETBIOS_LENGTH} characters, "
                "and Nova could not tell them apart.",
                node.key.where,
                "Give one another computer name, or say Nova's name of it with 'openstack: {host: NAME}'.",
            )


def host_key(host: str) -> str:
    """Return what is the same for all spellings of a host: no domain, no case, cut as Windows cuts it."""
    label = host if is_ip_address(host) else host.partition(".")[0]
    return label.casefold()[:NETBIOS_LENGTH]
