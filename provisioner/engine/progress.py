"""What a line of LCM output says about progress. Pure.

Source: LCM behaviour facts, 2.9 (lines of real logs).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.events import ResourceProgress

if TYPE_CHECKING:
    from provisioner.addresses import NodeName
    from provisioner.node.base import JobMessage

#: ``[HOST]: LCM:  [ Start  Set      ]  [[Type]Name]``
_STEP = re.compile(r"LCM:\s+\[\s*Start\s+(?P<phase>Test|Set|Get)\s*\]\s+\[(?P<resource>\[\w+\].+)\]\s*$")
#: ``[HOST]:                            [[Type]Name] message``
_TEXT = re.compile(r"^\s*(?:\[[^\]]*\]:)?\s*\[(?P<resource>\[\w+\][^\]]+)\]\s+(?P<text>.+)$", re.DOTALL)


def progress_of(node: NodeName, message: JobMessage) -> ResourceProgress | None:
    """Return the step a line announces: a Test or Set that begins, or a warning of a resource.

    The other lines (ends, skips, chatter of resources) stay in the node's own logs.
    """
    if message.kind == "warning":
        text = _TEXT.match(message.text)
        return ResourceProgress(
            node,
            text["resource"] if text else "",
            "Warning",
            text["text"].strip() if text else message.text.strip(),
        )
    step = _STEP.search(message.text)
    return ResourceProgress(node, step["resource"], step["phase"]) if step else None
