"""What the cache keeps of one node, and its form as plain data.

The rule of the room: whatever cannot be told again truthfully is not kept. Lines of the inventory move, so a node
that is warned of there is compiled each time; so is one whose passwords stand in its document as they are, because
nothing that could be held against a guess may be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provisioner.addresses import SecretRef
from provisioner.configuration.model import Credential
from provisioner.diagnostics import Diagnostic, Severity, SourceFile, SourceRange
from provisioner.project.compiler import NodeCompiler
from provisioner.project.model import CompiledNode, NodeSummary
from provisioner.roles.model import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """What a node's ingredients became.

    ``files`` are names with SHA-256. ``warnings`` leave out those of sealing and of reading the roles, which is
    done anew each time. ``sealed`` is the keyed digest of what the credentials stood for.
    """

    configuration: str
    resources: int
    expects_reboot: tuple[str, ...]
    files: Mapping[str, str]
    warnings: tuple[Diagnostic, ...] = ()
    credentials: tuple[Credential, ...] = ()
    sealed: str = ""

    @classmethod
    def of(
        cls,
        summary: NodeSummary,
        compiled: CompiledNode,
        warnings: Sequence[Diagnostic],
        compiler: NodeCompiler,
    ) -> Entry | None:
        """Return what may be kept of a node; None when nothing may."""
        inventory_path = compiler.inventory.path
        if compiled.holds_passwords:
            return None
        roles = (*compiled.expansion.roles, *compiled.expansion.decommissioned)
        told = {each for role in roles for each in compiler.library.load(role)[1]}
        told.update(compiled.sealing_warnings)
        kept = tuple(each for each in warnings if each not in told)
        if any(each.where is not None and each.where.source.path == inventory_path for each in kept):
            return None
        return cls(
            configuration=summary.configuration,
            resources=summary.resources,
            expects_reboot=summary.expects_reboot,
            files={file.name: file.sha256 for file in summary.files},
            warnings=kept,
            credentials=compiled.credentials,
            sealed=compiled.sealed,
        )

    def plain(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "configuration": self.configuration,
            "resources": self.resources,
            "expects_reboot": self.expects_reboot,
            "files": self.files,
            "warnings": [_plain_warning(each) for each in self.warnings],
            "credentials": [_plain_credential(each) for each in self.credentials],
            "sealed": self.sealed,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], roles: Iterable[Role], where: SourceRange) -> Entry | None:
        """Read an entry; None when a warning points into a file that is not known any more.

        Args:
            plain: What was kept.
            roles: The roles of the node, into whose files warnings may point.
            where: The node: stands for the position of credentials, which nobody is told.
        """
        sources = _sources(roles) if plain["warnings"] else {}
        warnings = [_warning(each, sources) for each in plain["warnings"]]
        found = tuple(each for each in warnings if each is not None)
        if len(found) < len(warnings):
            return None
        return cls(
            configuration=plain["configuration"],
            resources=plain["resources"],
            expects_reboot=tuple(plain["expects_reboot"]),
            files=plain["files"],
            warnings=found,
            credentials=tuple(_credential(each, where) for each in plain["credentials"]),
            sealed=plain["sealed"],
        )


def _plain_warning(warning: Diagnostic) -> dict[str, Any]:
    where = warning.where
    return {
        "summary": warning.summary,
        "detail": warning.detail,
        "help": warning.help,
        "where": where and [where.source.path, where.line, where.column, where.end_line, where.end_column],
    }


def _warning(plain: Mapping[str, Any], sources: Mapping[str, SourceFile]) -> Diagnostic | None:
    where = None
    if plain["where"] is not None:
        path, *position = plain["where"]
        if path not in sources:
            return None
        where = SourceRange(sources[path], *position)
    return Diagnostic(Severity.WARNING, plain["summary"], plain["detail"], where, plain["help"])


def _sources(roles: Iterable[Role]) -> dict[str, SourceFile]:
    """Return the files of roles, by the name that is printed."""
    found: dict[str, SourceFile] = {}
    for role in roles:
        undoing = role.decommission.resources if role.decommission else ()
        places = [template.where for template in (*role.resources, *undoing)]
        places += [variable.where for variable in role.variables.values()]
        places += [use.where for use in role.modules.values()]
        found |= {place.source.path: place.source for place in places}
    return found


def _plain_credential(credential: Credential) -> dict[str, Any]:
    secrets = credential.secrets
    return {
        "user": credential.user,
        "password": credential.password and str(credential.password),
        "secrets": secrets and {name: str(reference) for name, reference in secrets.items()},
    }


def _credential(plain: Mapping[str, Any], where: SourceRange) -> Credential:
    secrets = plain["secrets"]
    return Credential(
        user=plain["user"],
        password=_reference(plain["password"]) if plain["password"] else None,
        where=where,
        secrets=None if secrets is None else {name: _reference(text) for name, text in secrets.items()},
    )


def _reference(text: str) -> SecretRef:
    reference = SecretRef.parse(text)
    assert reference is not None, "a reference reads back what it writes"
    return reference
