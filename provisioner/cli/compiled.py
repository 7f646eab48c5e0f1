"""What a compile wrote, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from provisioner.cli.context import counted, say
from provisioner.project import NodeSummary, Written

#: A longer list is no help on a terminal; --json has every node.
_LISTED = 50


def show_facts(written: Written, output: Path) -> None:
    """Print one JSON object for each node."""
    for node in written.nodes.values():
        say(json.dumps(_facts(node, output)))


def show_list(written: Written, output: Path, seconds: float) -> None:
    """Print a line for each node worth one, and what came of all together."""
    nodes = list(written.nodes.values())
    unchanged = sum(node.is_cached for node in nodes)
    # When everything is compiled the reason is the same for all, and no news.
    listed = nodes if len(nodes) <= _LISTED else [node for node in nodes if not node.is_cached and unchanged]
    for node in listed[:_LISTED]:
        notes = "; ".join(
            (*(node.because if unchanged else ()), *(["may restart"] if node.expects_reboot else []))
        )
        line = f"  {node.node:<15} {node.resources:>3} resources  {output / node.files[0].name}"
        say(f"{line}  ({notes})" if notes else line)
    restarts = sum(bool(node.expects_reboot) for node in nodes)
    parts = [f"{len(nodes) - unchanged} compiled, {unchanged} unchanged"] if unchanged else []
    parts += [f"{restarts} may restart"] if restarts and len(nodes) > _LISTED else []
    detail = f" ({'; '.join(parts)})" if parts else ""
    say(f"Compiled {counted(len(nodes), 'node')} into {output} in {seconds:.1f} s{detail}.")


def _facts(node: NodeSummary, output: Path) -> dict[str, object]:
    found: dict[str, object] = {
        "node": node.node,
        "configuration": node.configuration,
        "resources": node.resources,
        "cached": node.is_cached,
        "because": list(node.because),
        "expects_reboot": list(node.expects_reboot),
        "files": {str(output / file.name): file.sha256 for file in node.files},
    }
    for key, digest, suffix in [
        ("meta_document", "meta_sha256", ".meta.mof"),
        ("document", "sha256", ".mof"),
    ]:
        file = next((each for each in node.files if each.name == f"{node.node}{suffix}"), None)
        if file is not None:
            found |= {key: str(output / file.name), digest: file.sha256}
    return found
