"""Calls to the Local Configuration Manager of one node, each a local Invoke-CimMethod.

Local calls reach the LCM through COM: no WinRM listener for DSC is needed and no envelope limits a document.
Source: LCM class facts 1.2, 1.3; LCM behaviour facts 2.1, 2.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from provisioner.errors import CommandError, LcmError, NodeError, TransportError
from provisioner.inventory.model import Framing
from provisioner.node import lcm_answers
from provisioner.node.base import ConfigurationStatus, JobOutput, MetaConfiguration, TestOutcome
from provisioner.node.framing import frame, settle
from provisioner.transport.base import Pipeline

if TYPE_CHECKING:
    from provisioner.node.session import Session

T = TypeVar("T")

NAMESPACE = "root/Microsoft/Windows/DesiredStateConfiguration"
CLASS_NAME = "MSFT_DSCLocalConfigurationManager"
STATUS_FOLDER = r"C:\Windows\System32\Configuration\ConfigurationStatus"

#: Resources are tested one after another, and a slow one takes minutes.
TEST_LIMIT_S = 3600.0
#: The prompt calls may wait behind another one, so they get longer than other commands.
CALL_LIMIT_S = 180.0

_NO_HISTORY_TEXT = "no status information available"


class LocalConfigurationManager:
    """The LCM of the node at the other end of ``session``. Every method may raise ``LcmError``.

    With ``Framing.AUTO`` the node is asked before the first document; the answer holds as long as this object.
    """

    def __init__(self, session: Session, framing: Framing) -> None:
        self._session = session
        self._framing = framing

    async def meta_configuration(self) -> MetaConfiguration:
        """GetMetaConfiguration."""
        output = await self._invoke("GetMetaConfiguration")
        return self._present(lcm_answers.read_meta_configuration(output), "GetMetaConfiguration")

    async def send_meta_configuration(self, document: bytes) -> None:
        """SendMetaConfigurationApply with force."""
        arguments = {"ConfigurationData": await self._framed(document), "force": True}
        await self._call("SendMetaConfigurationApply", arguments)

    async def test(self, document: bytes) -> TestOutcome:
        """TestConfiguration with reference data."""
        return await self._test(await self._framed(document))

    async def start(self, document: bytes, job_id: str) -> None:
        """SendConfigurationApplyAsync with force."""
        arguments = {"ConfigurationData": await self._framed(document), "force": True, "jobId": job_id}
        await self._call("SendConfigurationApplyAsync", arguments)

    async def statuses(self) -> tuple[ConfigurationStatus, ...]:
        """GetConfigurationStatus of all jobs, newest first; empty when the node has no history."""
        try:
            output = await self._call("GetConfigurationStatus", {"All": True})
        except LcmError as error:
            if _NO_HISTORY_TEXT in str(error).casefold():
                return ()
            raise
        return lcm_answers.read_statuses(output)

    async def output(self, job_id: str, bookmark: bytes | None) -> JobOutput:
        """GetConfigurationResultOutput since ``bookmark``; empty when the node does not serve it now."""
        arguments: dict[str, Any] = {"jobId": job_id}
        if bookmark is not None:
            arguments["resumeOutputBookmark"] = bookmark
        try:
            output = await self._invoke("GetConfigurationResultOutput", arguments)
        except NodeError:
            # Whether a busy LCM serves this is not known for sure; the details file and status tell it later.
            return JobOutput(bookmark=bookmark)
        return lcm_answers.read_output(output, bookmark)

    async def job_exists(self, job_id: str) -> bool:
        """Whether a details file or a status record of this job is on the node."""
        files = Pipeline.of("Get-ChildItem", Path=STATUS_FOLDER, Filter=f"{job_id}-*.details.json")
        try:
            if await self._session.ask(files):
                return True
        except CommandError as error:
            if error.category != "ObjectNotFound":
                raise
        wanted = job_id.casefold()
        return any(status.job_id.casefold() == wanted for status in await self.statuses())

    async def _framed(self, document: bytes) -> bytes:
        if self._framing is Framing.AUTO:
            self._framing = await settle(self._session.node, self._test)
        return frame(document, self._framing)

    async def _test(self, data: bytes) -> TestOutcome:
        output = await self._call("TestConfiguration", {"configurationData": data}, timeout_s=TEST_LIMIT_S)
        return self._present(lcm_answers.read_test(output), "TestConfiguration")

    async def _call(
        self, method: str, arguments: dict[str, Any], *, timeout_s: float = CALL_LIMIT_S
    ) -> tuple[Any, ...]:
        """Invoke a method; its error also tells the state the LCM is in."""
        try:
            return await self._invoke(method, arguments, timeout_s=timeout_s)
        except LcmError as error:
            try:
                state = (await self.meta_configuration()).state
            except (NodeError, TransportError):
                state = ""  # the refusal is the news, not that the question after it failed
            error.last_state = state
            raise

    async def _invoke(
        self, method: str, arguments: dict[str, Any] | None = None, *, timeout_s: float = CALL_LIMIT_S
    ) -> tuple[Any, ...]:
        parameters: dict[str, Any] = {
            "Namespace": NAMESPACE,
            "ClassName": CLASS_NAME,
            "MethodName": method,
        }
        if arguments:
            parameters["Arguments"] = arguments
        try:
            result = await self._session.run(
                Pipeline.of("Invoke-CimMethod", **parameters), timeout_s=timeout_s
            )
        except CommandError as error:
            raise self._failed(method, error.message, error.error_id) from None
        if result.errors:
            # One error per resource may come first; the last one is that of the call itself.
            reason = "; ".join(dict.fromkeys(error.message for error in result.errors))
            raise self._failed(method, reason, result.errors[-1].error_id)
        returned = lcm_answers.read_return_value(result.output)
        if returned:
            raise self._failed(method, f"it returned {returned}", f"MI RESULT {returned}")
        return result.output

    def _failed(self, method: str, reason: str, error_id: str) -> LcmError:
        # "MI RESULT 1,Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"
        return LcmError(self._session.node, f"{method}: {reason}", code=error_id.partition(",")[0])

    def _present(self, answer: T | None, method: str) -> T:
        if answer is None:
            raise self._failed(method, "the answer has none of the documented properties", "")
        return answer
