"""What compiling takes and yields, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provisioner.addresses import NodeName
from provisioner.configuration.model import Artifact, Configuration, Credential
from provisioner.diagnostics import Diagnostic, Diagnostics
from provisioner.inventory.model import Inventory, Node
from provisioner.roles.model import After, Expansion, Leftover, RoleChecks
from provisioner.secrets.model import Secret

if TYPE_CHECKING:
    from provisioner.engine.work import AllowReboot

#: The format an LCM takes; with it comes the metaconfiguration.
MOF = "mof"
META = "meta"


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """One node with everything made for it.

    ``documents`` are by format, the metaconfiguration among them unless secrets were left out; ``meta_settings``
    are what it sets. ``digest`` stands for the content of the document with its secrets, and tells nothing of
    them. ``credentials`` stand in it, ``sealed`` is their keyed digest, ``opened`` are the secrets themselves, and
    ``sealing_warnings`` what was said of them.

    ``after`` are the nodes of this compilation that have to be done first; of the selected nodes only, and those
    behind a node that is not selected or has nothing to do count in its place.
    """

    node: Node
    expansion: Expansion
    configuration: Configuration
    documents: Mapping[str, Artifact]
    meta_settings: Mapping[str, Any]
    digest: str
    credentials: tuple[Credential, ...] = ()
    sealed: str = ""
    sealing_warnings: tuple[Diagnostic, ...] = ()
    opened: tuple[Secret, ...] = field(default=(), repr=False)
    after: tuple[After, ...] = ()

    @property
    def preflight(self) -> tuple[RoleChecks, ...]:
        """Checks that have to hold before anything is changed on the node, in role order."""
        return self.expansion.preflight

    @property
    def leaves(self) -> tuple[Leftover, ...]:
        """What the roles that are undone here leave behind."""
        return self.expansion.leaves

    @property
    def holds_passwords(self) -> bool:
        """Whether passwords stand in its documents as they are."""
        encryption = self.node.encryption
        return bool(self.credentials) and (encryption is None or not encryption.certificate)

    @property
    def document(self) -> Artifact:
        """The MOF document."""
        return self.documents[MOF]

    @property
    def meta_document(self) -> Artifact:
        """The metaconfiguration."""
        return self.documents[META]


@dataclass(frozen=True, slots=True)
class Compilation:
    """The selected nodes of an inventory, compiled. ``warnings`` did not stop the work."""

    inventory: Inventory
    nodes: Mapping[NodeName, CompiledNode]
    warnings: Diagnostics


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """How an apply may go about it. ``parallel`` is the number of nodes at work at once, 0 for all."""

    allow_reboot: AllowReboot
    parallel: int = 10
    reboot_running_vms: bool = False


def _no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """What to write where. ``jobs`` is the number of processes, 0 for one per processor of this machine.

    ``progress`` is told how many nodes are done, of how many.
    """

    output: Path
    limit: str = ""
    formats: tuple[str, ...] = (MOF,)
    jobs: int = 0
    use_cache: bool = True
    progress: Callable[[int, int], None] = _no_progress


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file of a node.

    ``stamp`` is size, time of modification and inode: while they stay, so does the content.
    """

    name: str
    sha256: str
    stamp: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """What is kept of a node once its files are written.

    ``because`` says why it was compiled; it is empty when it was not, since everything was there already.
    """

    node: NodeName
    configuration: str
    resources: int
    expects_reboot: tuple[str, ...]
    files: tuple[WrittenFile, ...]
    because: tuple[str, ...] = ()

    @property
    def is_cached(self) -> bool:
        """Whether the documents were there already."""
        return not self.because


@dataclass(frozen=True, slots=True)
class Written:
    """A fleet whose documents lie in the output folder. ``warnings`` did not stop the work."""

    inventory: Inventory
    nodes: Mapping[NodeName, NodeSummary]
    warnings: Diagnostics


@dataclass(frozen=True, slots=True)
class Validated:
    """A fleet without errors. ``warnings`` are what was found all the same."""

    nodes: int
    resources: int
    warnings: Diagnostics
