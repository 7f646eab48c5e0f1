"""Which layers a node has, and what they come to.

The ladder, nearest first: the node, its groups (child over parent, then one listed later over one listed
earlier), the site. Connection settings and variables are merged key by key; what becomes of one variable that
several layers give, the rules under ``merge:`` say. An ``encryption:`` section counts whole. ``lab`` sections are
not merged but handed on in the order site, groups, node: the lab reads them.

The rule of the room: this works on trees, so every value keeps the place it came from, and it takes what is
well-formed and leaves the rest to the schema. What nodes share is merged once.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from provisioner.addresses import Endpoint, Logon, NodeName, RoleName, Scheme, SecretRef
from provisioner.documents import Entry, Mapping, Scalar, Sequence, Tree, plain
from provisioner.inventory.merge import merge
from provisioner.inventory.model import (
    AfterUse,
    AggregateUse,
    Connection,
    Encryption,
    Framing,
    Layer,
    LayerKind,
    Located,
    MofEncoding,
    Node,
    RoleUse,
)
from provisioner.inventory.strategies import REPLACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Many

    from provisioner.inventory.groups import Groups
    from provisioner.inventory.rules import Rules

#: WinRM's own ports (MS-WSMV, section 2.1).
_HTTP_PORT = 5985
#: Texts of ``Logon``, in their order.
_LOGON_TEXTS = ("ca_certificates", "client_certificate", "client_key", "service_principal")
_HTTPS_PORT = 5986
#: Variable of the role ``windows_base``.
_COMPUTER_NAME = "windows_computer_name"


class Shared:
    """What the site and a list of groups come to, for all nodes that are in just these groups."""

    def __init__(self, layers: tuple[Layer, ...], groups: tuple[str, ...], rules: Rules) -> None:
        self.layers = layers
        self.groups = groups
        self.rules = rules

    @cached_property
    def connection(self) -> dict[str, Entry]:
        """Connection settings with their positions."""
        return _united("connection", self.layers)

    @cached_property
    def variables(self) -> dict[str, Located]:
        """The variables, merged."""
        names = _united("variables", self.layers)
        return {name: _variable(name, self.layers, self.rules) for name in names}

    @cached_property
    def roles(self) -> dict[str, RoleUse]:
        """The roles by name, in order."""
        return _roles("roles", {}, (layer.tree for layer in self.layers))

    @cached_property
    def decommission(self) -> dict[str, RoleUse]:
        """The roles to undo, by name, in order."""
        return _roles("decommission", {}, (layer.tree for layer in self.layers))

    @cached_property
    def after(self) -> tuple[AfterUse, ...]:
        """What is done first."""
        return tuple(use for layer in self.layers for use in _after(layer))

    @cached_property
    def aggregates(self) -> dict[str, AggregateUse]:
        """The host aggregates by name, in order."""
        return _aggregates({}, (layer.tree for layer in self.layers if layer.kind is not LayerKind.SITE))

    @cached_property
    def labs(self) -> tuple[Tree, ...]:
        """The ``lab`` sections, the widest first."""
        return tuple(lab for layer in self.layers if (lab := layer.tree.get("lab")) is not None)

    @cached_property
    def encryption(self) -> Encryption | None:
        """The nearest ``encryption`` section: it is one decision and is never mixed with another."""
        found = (_encryption(layer.tree) for layer in reversed(self.layers))
        return next((section for section in found if section), None)

    @cached_property
    def management_adapter(self) -> str:
        """The nearest name; empty when there is none."""
        found = (text(layer.tree.get("management_adapter")) for layer in reversed(self.layers))
        return next((name for name in found if name), "")


class Ladder:
    """The layers of all nodes of one inventory."""

    def __init__(self, site: Mapping, groups: Groups, rules: Rules) -> None:
        name = text(site.get("site")) or ""
        self._site = Layer(LayerKind.SITE, name, site)
        self._groups = groups
        self._layers = {
            name: Layer(LayerKind.GROUP, name, place)
            for name, place in groups.places.items()
            if isinstance(place, Mapping)
        }
        self._rules = rules
        self._shared: dict[tuple[str, ...], Shared] = {}

    def node(self, key: Scalar, value: Tree) -> NodeSource:
        """Return one node with everything it inherits."""
        own = value if isinstance(value, Mapping) else None
        listed = tuple(item.text for item in texts(own.get("groups"))) if own else ()
        shared = self._shared.get(listed)
        if shared is None:
            known = tuple(name for name in dict.fromkeys(listed) if name in self._groups.places)
            groups = self._groups.chain(known)
            inherited = (self._layers[name] for name in groups if name in self._layers)
            shared = self._shared[listed] = Shared((self._site, *inherited), groups, self._rules)
        return NodeSource(key, own, shared)


class NodeSource:
    """One node of the file, before it is known to be without errors."""

    __slots__ = ("_connection", "key", "own", "shared")

    def __init__(self, key: Scalar, own: Mapping | None, shared: Shared) -> None:
        self.key = key
        self.own = own
        self.shared = shared
        self._connection: dict[str, Entry] | None = None

    @property
    def name(self) -> str:
        """The name as the inventory spells it."""
        return self.key.text

    @property
    def connection(self) -> dict[str, Entry]:
        """Connection settings with their positions, merged."""
        if self._connection is None:
            own = self.own.get("connection") if self.own else None
            inherited = self.shared.connection
            self._connection = inherited | _entries(own) if isinstance(own, Mapping) else inherited
        return self._connection

    @property
    def address(self) -> str:
        """Where the node answers; its name when the inventory says nothing else."""
        return text(self.own.get("address") if self.own else None) or self.name

    @property
    def port(self) -> int:
        """The port given, or WinRM's own for http or https."""
        connection = self.connection
        given = _value(connection, "port", None)
        if isinstance(given, int):
            return given
        return _HTTPS_PORT if _value(connection, "tls", fallback=False) is True else _HTTP_PORT

    def has_roles(self) -> bool:
        """Whether any role is named for the node, be it to undo it."""
        return bool(self.roles or self.decommission)

    @property
    def roles(self) -> dict[str, RoleUse]:
        """The roles by name, in order."""
        return _roles("roles", self.shared.roles, (self.own,)) if self.own else self.shared.roles

    @property
    def decommission(self) -> dict[str, RoleUse]:
        """The roles to undo, by name, in order."""
        shared = self.shared.decommission
        return _roles("decommission", shared, (self.own,)) if self.own else shared

    @property
    def aggregates(self) -> tuple[AggregateUse, ...]:
        """The host aggregates the node is to be in."""
        shared = self.shared.aggregates
        return tuple((_aggregates(shared, (self.own,)) if self.own else shared).values())

    @property
    def nova_host(self) -> str:
        """What Nova is expected to call the node, but for case and length."""
        section = self.own.get("openstack") if self.own else None
        said = text(section.get("host")) if isinstance(section, Mapping) else None
        variables = self.own.get("variables") if self.own else None
        own = text(variables.get(_COMPUTER_NAME)) if isinstance(variables, Mapping) else None
        shared = self.shared.variables.get(_COMPUTER_NAME)
        inherited = shared.value if shared and isinstance(shared.value, str) else None
        return said or own or inherited or self.name

    def node(self) -> Node:
        """Return the node as a value. Only for files without errors."""
        own, shared = self.own, self.shared
        lab = own.get("lab") if own else None
        return Node(
            name=NodeName(self.name),
            connection=self._connection_value(),
            groups=shared.groups,
            roles=tuple(self.roles.values()),
            variables=self._variables(),
            where=self.key.where,
            lab=shared.labs if lab is None else (*shared.labs, lab),
            encryption=(_encryption(own) if own else None) or shared.encryption,
            management_adapter=(text(own.get("management_adapter")) if own else "")
            or shared.management_adapter,
            decommission=tuple(self.decommission.values()),
            after=shared.after
            if own is None or own.get("after") is None
            else (*shared.after, *_after(Layer(LayerKind.NODE, self.name, own))),
            aggregates=self.aggregates,
            nova_host=self.nova_host,
            layers=self._layers(),
            rules=shared.rules,
        )

    def _layers(self) -> tuple[Layer, ...]:
        own = (Layer(LayerKind.NODE, self.name, self.own),) if self.own else ()
        return (*self.shared.layers, *own)

    def _variables(self) -> dict[str, Located]:
        given = self.own.get("variables") if self.own else None
        if not isinstance(given, Mapping) or not given.entries:
            return self.shared.variables
        rules, inherited = self.shared.rules, self.shared.variables
        own = {}
        for entry in given.entries:
            if rules and rules.at(entry.name):
                own[entry.name] = _variable(entry.name, self._layers(), rules)
            else:
                own[entry.name] = _located(entry.value)
        return inherited | own

    def _connection_value(self) -> Connection:
        merged = self.connection
        return Connection(
            transport=_value(merged, "transport", "psrp"),
            endpoint=Endpoint(
                host=self.address,
                port=self.port,
                tls=_value(merged, "tls", fallback=False),
                configuration_name=_value(merged, "configuration_name", "Microsoft.PowerShell"),
            ),
            user=_value(merged, "user", ""),
            password=_reference(_value(merged, "password", "")),
            where=self.key.where,
            logon=Logon(
                Scheme(_value(merged, "authentication", Scheme.AUTO.value)),
                *(_value(merged, key, "") for key in _LOGON_TEXTS),
            ),
            framing=Framing(_value(merged, "framing", Framing.AUTO.value)),
            encoding=MofEncoding(_value(merged, "encoding", MofEncoding.UTF16.value)),
            connect_timeout_s=float(_value(merged, "connect_timeout", 10.0)),
            reconnect_timeout_s=float(_value(merged, "reconnect_timeout", 240.0)),
            reboot_timeout_s=float(_value(merged, "reboot_timeout", 900.0)),
            job_timeout_s=float(_value(merged, "job_timeout", 7200.0)),
            lcm_timeout_s=float(_value(merged, "lcm_timeout", 900.0)),
        )


def values_of(name: str, layers: Iterable[Layer]) -> list[tuple[Layer, Tree]]:
    """Return what layers give for a variable, in their order."""
    found = []
    for layer in layers:
        variables = layer.tree.get("variables")
        value = variables.get(name) if isinstance(variables, Mapping) else None
        if value is not None:
            found.append((layer, value))
    return found


def text(tree: Tree | None) -> str | None:
    """Return the text of a scalar that is text."""
    return tree.value if isinstance(tree, Scalar) and isinstance(tree.value, str) else None


def texts(tree: Tree | None) -> Iterator[Scalar]:
    """Yield the items of a list that are text."""
    if isinstance(tree, Sequence):
        for item in tree.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item


def _variable(name: str, layers: Many[Layer], rules: Rules) -> Located:
    values = [value for _, value in values_of(name, layers)]
    ruled = rules.at(name)
    return _located(merge(values, ruled, REPLACE) if ruled else values[-1])


def _located(tree: Tree) -> Located:
    value = tree.value if tree.__class__ is Scalar else plain(tree)
    return Located(value, tree.where, tree)


def _united(section: str, layers: Iterable[Layer]) -> dict[str, Entry]:
    united: dict[str, Entry] = {}
    for layer in layers:
        united |= _entries(layer.tree.get(section))
    return united


def _entries(tree: Tree | None) -> dict[str, Entry]:
    return {entry.name: entry for entry in tree.entries} if isinstance(tree, Mapping) else {}


def _after(layer: Layer) -> Iterator[AfterUse]:
    for item in texts(layer.tree.get("after")):
        yield AfterUse(item.text, item.where, str(layer))


def aggregates_of(place: Mapping) -> Iterator[Scalar]:
    """Yield the aggregates a group or a node names for itself."""
    section = place.get("openstack")
    if isinstance(section, Mapping):
        yield from texts(section.get("aggregates"))


def _aggregates(inherited: dict[str, AggregateUse], places: Iterable[Mapping]) -> dict[str, AggregateUse]:
    found = dict(inherited)
    for place in places:
        for item in aggregates_of(place):
            found.setdefault(item.text, AggregateUse(item.text, item.where))
    return found


def _roles(key: str, inherited: dict[str, RoleUse], places: Iterable[Mapping]) -> dict[str, RoleUse]:
    roles = dict(inherited)
    for place in places:
        for item in texts(place.get(key)):
            if item.text not in roles:
                roles[item.text] = RoleUse(RoleName(item.text), item.where)
    return roles


@lru_cache(maxsize=1024)
def _reference(text: str) -> SecretRef | None:
    return SecretRef.parse(text)


def _encryption(place: Mapping) -> Encryption | None:
    section = place.get("encryption")
    if not isinstance(section, Mapping):
        return None
    certificate, plain_text = section.get("certificate"), section.get("plain_text")
    named = certificate or plain_text or section
    is_plain_text = isinstance(plain_text, Scalar) and plain_text.value is True
    return Encryption(text(certificate) or "", is_plain_text, named.where)


def _value(merged: dict[str, Entry], name: str, fallback: Any) -> Any:
    entry = merged.get(name)
    return entry.value.value if entry and isinstance(entry.value, Scalar) else fallback
