"""Which value counts when several places give one.

The ladder, nearest first: the node, its groups (one listed later wins over one listed earlier), the site.
Connection settings and variables are merged key by key; the value of a key is never merged with another.
``lab`` sections are not merged but handed on in the order site, groups, node: the lab reads them.

The rule of the room: this works on trees, so every value keeps the place it came from, and it takes what is
well-formed and leaves the rest to the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.addresses import Endpoint, NodeName, RoleName, SecretRef
from provisioner.documents import Entry, Mapping, Scalar, Sequence, Tree, plain
from provisioner.inventory.model import Connection, Encryption, Framing, Located, MofEncoding, Node, RoleUse

if TYPE_CHECKING:
    from collections.abc import Iterator

#: WinRM's own ports (MS-WSMV, section 2.1).
_HTTP_PORT = 5985
_HTTPS_PORT = 5986


@dataclass(frozen=True, slots=True)
class NodeSource:
    """One node of the file with the places its values may come from, the widest first."""

    key: Scalar
    own: Mapping | None
    groups: tuple[str, ...]
    places: tuple[Mapping, ...]

    @property
    def name(self) -> str:
        """The name as the inventory spells it."""
        return self.key.text

    @property
    def connection(self) -> dict[str, Entry]:
        """Connection settings with their positions, merged."""
        return self._merged("connection")

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

    def node(self) -> Node:
        """Return the node as a value. Only for files without errors."""
        return Node(
            name=NodeName(self.name),
            connection=self._connection(),
            groups=self.groups,
            roles=tuple(self._roles()),
            variables={
                name: Located(plain(entry.value), entry.value.where)
                for name, entry in self._merged("variables").items()
            },
            where=self.key.where,
            lab=tuple(lab for place in self.places if (lab := place.get("lab")) is not None),
            encryption=self._encryption(),
            management_adapter=self._management_adapter(),
        )

    def has_roles(self) -> bool:
        """Whether any role is named for the node."""
        return any(True for _ in self._roles())

    def _merged(self, section: str) -> dict[str, Entry]:
        merged: dict[str, Entry] = {}
        for place in self.places:
            values = place.get(section)
            if isinstance(values, Mapping):
                merged |= {entry.name: entry for entry in values.entries}
        return merged

    def _roles(self) -> Iterator[RoleUse]:
        seen: set[str] = set()
        for place in self.places:
            for item in texts(place.get("roles")):
                if item.text not in seen:
                    seen.add(item.text)
                    yield RoleUse(RoleName(item.text), item.where)

    def _encryption(self) -> Encryption | None:
        """Return what the nearest place says: the section is one decision and is never mixed with another."""
        for place in reversed(self.places):
            section = place.get("encryption")
            if isinstance(section, Mapping):
                certificate, plain_text = section.get("certificate"), section.get("plain_text")
                named = certificate or plain_text or section
                is_plain = isinstance(plain_text, Scalar) and plain_text.value is True
                return Encryption(text(certificate) or "", is_plain, named.where)
        return None

    def _management_adapter(self) -> str:
        named = (text(place.get("management_adapter")) for place in reversed(self.places))
        return next((name for name in named if name), "")

    def _connection(self) -> Connection:
        merged = self.connection
        reference = SecretRef.parse(_value(merged, "password", ""))
        assert reference is not None
        return Connection(
            transport=_value(merged, "transport", "psrp"),
            endpoint=Endpoint(
                host=self.address,
                port=self.port,
                tls=_value(merged, "tls", fallback=False),
                configuration_name=_value(merged, "configuration_name", "Microsoft.PowerShell"),
            ),
            user=_value(merged, "user", ""),
            password=reference,
            where=self.key.where,
            framing=Framing(_value(merged, "framing", Framing.BIG_ENDIAN.value)),
            encoding=MofEncoding(_value(merged, "encoding", MofEncoding.UTF16.value)),
            connect_timeout_s=float(_value(merged, "connect_timeout", 10.0)),
            reconnect_timeout_s=float(_value(merged, "reconnect_timeout", 240.0)),
            reboot_timeout_s=float(_value(merged, "reboot_timeout", 900.0)),
            job_timeout_s=float(_value(merged, "job_timeout", 7200.0)),
        )


def text(tree: Tree | None) -> str | None:
    """Return the text of a scalar that is text."""
    return tree.value if isinstance(tree, Scalar) and isinstance(tree.value, str) else None


def texts(tree: Tree | None) -> Iterator[Scalar]:
    """Yield the items of a list that are text."""
    if isinstance(tree, Sequence):
        for item in tree.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item


def _value(merged: dict[str, Entry], name: str, fallback: Any) -> Any:
    entry = merged.get(name)
    return entry.value.value if entry and isinstance(entry.value, Scalar) else fallback
