"""Ask for the Local Configuration Manager.

``GetMetaConfiguration`` is the one call the LCM answers while it is Busy.
"""

from __future__ import annotations

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

QUESTION = Pipeline.of(
    "Invoke-CimMethod",
    Namespace="root/Microsoft/Windows/DesiredStateConfiguration",
    ClassName="MSFT_DSCLocalConfigurationManager",
    MethodName="GetMetaConfiguration",
)


class Lcm:
    """The LCM of a node: its state and its settings."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<lcm on {self._asked.node}>"

    @property
    def state(self) -> str:
        """Return Idle, Busy, PendingReboot or PendingConfiguration."""
        return text_of(self._settings["LCMState"])

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing is pending."""
        return self.state == "Idle"

    @property
    def mode(self) -> str:
        """Return ApplyOnly, ApplyAndMonitor, ApplyAndAutoCorrect or MonitorOnly."""
        return text_of(self._settings["ConfigurationMode"])

    @property
    def reboots_node_if_needed(self) -> bool:
        """Whether the LCM may restart the node by itself."""
        return bool(self._settings["RebootNodeIfNeeded"])

    @property
    def action_after_reboot(self) -> str:
        """Return StopConfiguration or ContinueConfiguration."""
        return text_of(self._settings["ActionAfterReboot"])

    @property
    def _settings(self) -> Record:
        rows = table_of(self._asked, QUESTION)
        settings = only_row(self._asked.node, rows, "answer of the LCM").get("MetaConfiguration")
        if not isinstance(settings, Record):
            raise NodeError(self._asked.node, "the LCM answered without its meta-configuration")
        return settings
