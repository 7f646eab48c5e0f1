"""The flow of one node: from first contact to a final test that finds nothing to do.

    connect → network → LCM idle → preflight → settings → compare → files → ( push → follow → reboot )* → compare

The preflight's checks are asked once, before the first thing that would be changed: the LCM's settings, or else
what the comparison found to differ. A node on which nothing differs is asked nothing.

Each round of push and follow is a leg, and each leg is exactly one LCM job. Where an earlier process was killed,
the flow first finds out how far the node got, and goes on from there. Every decision is made on what the node
says; the journal only tells which job ids may exist.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.engine.failure import NOTHING_CHANGED, PREFLIGHT_FAILED, Failures, NodeFailure, of_checks
from provisioner.engine.lcm import BUSY, PENDING_REBOOT, Lcm
from provisioner.engine.link import Link
from provisioner.engine.machine import Machine
from provisioner.engine.outcome import Outcome, differing_settings, judge
from provisioner.engine.preflight import refuse_to_cut
from provisioner.engine.reboot import Reboots
from provisioner.engine.uploads import upload
from provisioner.engine.work import PastLegs, job_id
from provisioner.errors import CommandError, LcmError, NodeError
from provisioner.events import (
    Compared,
    Converged,
    JobFinished,
    JobStarted,
    MetaConfigurationApplied,
    NodeDone,
    NodeEvent,
    NodeFailed,
    Problem,
    Pushing,
)
from provisioner.node.base import BootState

if TYPE_CHECKING:
    from datetime import datetime

    from provisioner.engine.work import ApplyOptions, NodeWork, Record
    from provisioner.events import CheckFinished, Event
    from provisioner.node.base import MetaConfiguration, NodeApi, ResourceState, TestOutcome

#: No document can mend this one: the LCM does not know the resource's code.
_NO_MODULE = "DscResourceNotFound"


#: Has the preflight of a node asked and gives how each check ended; they are recorded already.
Preflight = Callable[["NodeFlow"], Awaitable[Sequence["CheckFinished"]]]


class NodeFlow:
    """One node's apply. ``run`` raises what went wrong; ``finish`` and ``fail`` record how it ended."""

    def __init__(  # noqa: PLR0913, PLR0917 - what one node's part of a run is made of
        self,
        run_id: str,
        work: NodeWork,
        options: ApplyOptions,
        record: Record,
        past: PastLegs | None = None,
        preflight: Preflight | None = None,
    ) -> None:
        self.name = work.name
        self.machine = Machine()
        #: Why it failed, in one sentence for the nodes that wait for it; empty while it has not.
        self.cause = ""
        self._run_id = run_id
        self._work = work
        self._options = options
        self._past = past or PastLegs()
        # What a killed run had begun to change cannot be looked at before it is changed.
        is_begun = self._past.legs > 0 and self._past.is_same_document
        self._preflight = preflight if work.has_preflight and not is_begun else None
        self._listener = record
        self._failures = Failures(work.positions, work.resources)
        self._link = Link(work, options, self.record)
        self._lcm = Lcm(work, options, self._link, self.record)
        self._reboots = Reboots(work, options, self._link, self.record)
        self._reboots.count = self._past.reboots
        # A dict keeps the order of the first change of each resource; keys are casefolded ids.
        self._changed: dict[str, str] = {}
        # What differed before the first leg of this flow, and the boot in which the current leg began.
        self._differing = self._past.differing
        self._leg_boot: BootState | None = None
        self._leg_began = 0.0
        self._add_changed(self._past.changed)

    @property
    def api(self) -> NodeApi:
        """The session, for the checks; open while the flow is not closed."""
        return self._link.api

    @property
    def changed(self) -> int:
        """How many resources the run has changed so far."""
        return len(self._changed)

    @property
    def reboots(self) -> int:
        """How often the run has rebooted the node so far."""
        return self._reboots.count

    def record(self, event: Event) -> None:
        """Advance the state machine, then tell the listeners."""
        assert isinstance(event, NodeEvent)  # for mypy: the run's own events are not a node's
        self.machine.advance(event)
        self._listener(event)

    def finish(self, checks: int) -> None:
        """Record that the node is done."""
        work = self._work
        self.record(NodeDone(self.name, self.changed, self.reboots, checks, work.roles, work.leaves))

    def fail(self, error: BaseException) -> None:
        """Record that the node failed because of ``error``."""
        kind, problems = self._failures.of_error(error)
        state = self._link.lcm_state
        self.cause = f"'{self.name}' failed: {problems[0].message if problems else kind}"
        self.record(NodeFailed(self.name, kind, problems, state, self.changed, self.reboots))

    async def close(self) -> None:
        """End the session."""
        await self._link.close()

    async def run(self) -> None:
        """Bring the node into its desired state.

        Raises:
            TransportError: the node cannot be reached, or not any more.
            NodeError, NodeFailure: something on the node failed.
        """
        was_rebooting = bool(self._past.reboot_boot_time)
        past_matters = self._past != PastLegs()
        meta = await self._link.first_contact(self._work.limits.reboot_timeout_s if was_rebooting else 0.0)
        outcome, leg = await self._pick_up()
        if outcome is None:
            await refuse_to_cut(self._link, self._work, self.record)
            # What a killed run left takes time to look at, and the answer grows old meanwhile.
            await self._settle(None if past_matters else meta)
            differing = await self._compare()
            if not differing:
                self._converge()
                return
            await self._ask_preflight()
            await upload(self._link, self._work, self.record)
            leg += 1
            self._differing = differing
            outcome = await self._leg(leg, differing)
        await self._remaining_legs(outcome, leg)
        await self._final_test(leg)
        self._converge()

    async def _pick_up(self) -> tuple[Outcome | None, int]:
        """Find out what a killed run left: the outcome of its last job, if that still matters, and its leg."""
        past = self._past
        before = _boot(past.reboot_boot_time, self._link.boot)
        if before:
            if self._link.boot.is_another_boot(before):
                self._reboots.happened(self._options.clock.now())
            elif self._link.lcm_state == PENDING_REBOOT:
                await self._reboots.ended_by_itself(before)
        if not (past.is_open and past.is_same_document):
            return None, past.legs
        job = job_id(self._run_id, self.name, past.legs)
        if not await self._lcm.has_arrived(job):
            return None, past.legs - 1  # sent, but never arrived: the leg is still free
        was_running = (await self._link.meta_configuration()).state == BUSY
        self.record(JobStarted(self.name, job, past.legs, attached=True))
        outcome = await self._follow(job, past.legs, past.differing)
        # What ended while nobody watched is no verdict for this run: compare and try again, unless it only waits
        # for its reboot.
        is_settled = self._link.lcm_state != PENDING_REBOOT or outcome.has_failed
        return (None if not was_running and is_settled else outcome), past.legs

    async def _settle(self, meta: MetaConfiguration | None) -> None:
        """Bring the LCM into a state in which a comparison means something; ``meta`` is what it just told."""
        if meta is None or meta.state == BUSY:
            meta = await self._lcm.idle()
        if meta.state == PENDING_REBOOT:
            await self._reboots.reboot("the LCM waits for a reboot that an earlier configuration asked for")
            meta = await self._lcm.idle()
        wanted = self._work.meta_settings
        different = differing_settings(wanted, meta.settings)
        if not different:
            return
        await self._ask_preflight()
        await self._lcm.when_idle(lambda api: api.send_meta_configuration(self._work.meta_document))
        self.record(MetaConfigurationApplied(self.name, different))
        meta = await self._link.meta_configuration()
        kept = differing_settings(wanted, meta.settings)
        if kept:
            reason = f"the LCM took its new settings, but these did not change: {', '.join(kept)}"
            raise LcmError(self.name, reason, last_state=meta.state)

    async def _ask_preflight(self) -> None:
        """Have the checks asked that must hold before anything is changed; only the first call asks.

        Raises:
            NodeFailure: one does not hold.
        """
        ask, self._preflight = self._preflight, None
        if ask is None:
            return
        bad = of_checks(await ask(self))
        if bad:
            raise NodeFailure(
                (replace(problem, help=problem.help or NOTHING_CHANGED) for problem in bad), PREFLIGHT_FAILED
            )

    async def _compare(self) -> tuple[str, ...]:
        """Test our document and return the resources that differ.

        A resource whose Test fails differs as far as we can know: its cmdlets may arrive with the push.
        """
        try:
            outcome = await self._test()
        except NodeError as error:
            code = getattr(error, "error_id", getattr(error, "code", ""))
            if not isinstance(error, CommandError | LcmError) or code.startswith(_NO_MODULE):
                raise
            differing = self._failures.mentioned(str(error)) or self._work.resources
            self.record(Compared(self.name, differing, 0, error=error.reason))
            return differing
        missing = [state for state in outcome.differing if state.error_id.startswith(_NO_MODULE)]
        if missing:
            raise NodeFailure(self._problem(state) for state in missing)
        return self._record_comparison(outcome, is_final=False)

    async def _final_test(self, legs: int) -> None:
        """Let the node have the last word.

        Raises:
            NodeFailure: something still differs.
        """
        outcome = await self._test()
        differing = self._record_comparison(outcome, is_final=True)
        if not differing:
            return
        states = {state.resource_id.casefold(): state for state in outcome.differing}
        reason = (
            f"is still not in desired state after {'the job' if legs == 1 else f'{legs} jobs'} ended well"
        )
        advice = "The resource's Set reported success and its Test disagrees: look at what changes it back."
        raise NodeFailure(
            self._failures.of_resource(states[name.casefold()], reason, advice)
            if name.casefold() in states
            else Problem(reason, name, help=advice)
            for name in differing
        )

    async def _test(self) -> TestOutcome:
        return await self._lcm.when_idle(lambda api: api.test(self._work.document))

    def _record_comparison(self, outcome: TestOutcome, *, is_final: bool) -> tuple[str, ...]:
        differing = tuple(self._failures.spelled(state.resource_id) for state in outcome.differing)
        if not differing and not outcome.in_desired_state:
            differing = self._work.resources  # says no without saying which
        in_state = len(outcome.resources) - len(outcome.differing)
        self.record(Compared(self.name, differing, in_state, final=is_final))
        return differing

    async def _leg(self, leg: int, differing: tuple[str, ...]) -> Outcome:
        """Send the document once and follow its job to the end."""
        job = job_id(self._run_id, self.name, leg)
        self._leg_boot = self._link.boot
        self._leg_began = self._options.clock.now()
        self.record(Pushing(self.name, job, leg))
        was_there = await self._lcm.hand_over(job)
        self.record(JobStarted(self.name, job, leg, attached=was_there))
        return await self._follow(job, leg, differing)

    async def _follow(self, job: str, leg: int, differing: tuple[str, ...]) -> Outcome:
        began = self._options.clock.now()
        end = await self._lcm.follow(job)
        outcome = judge(end, [name for name in differing if name.casefold() not in self._changed])
        self._add_changed(outcome.changed)
        self.record(
            JobFinished(
                self.name,
                job,
                leg,
                outcome.status,
                end.meta.state,
                outcome.needs_reboot,
                tuple(self._failures.spelled(name) for name in outcome.changed),
                tuple(self._failures.spelled(state.resource_id) for state in outcome.failed),
                end.status.duration_s if end.status else self._options.clock.now() - began,
            )
        )
        return outcome

    async def _remaining_legs(self, outcome: Outcome, leg: int) -> None:
        """Reboot and send the document again until a job ends without asking for another reboot."""
        first = leg
        while True:
            if outcome.has_failed:
                raise NodeFailure(self._problems(outcome))
            if outcome.is_lost or outcome.needs_reboot:
                # It may have happened already: the node restarted by itself, or somebody was faster.
                self._link.boot = await self._link.ask(lambda api: api.boot_state())
                if self._leg_boot and self._link.boot.is_another_boot(self._leg_boot):
                    self._reboots.happened(self._leg_began)
                elif outcome.needs_reboot:
                    await self._reboots.reboot(self._because(outcome))
                else:
                    return  # the LCM kept no record; the final test tells the truth
            else:
                return
            if leg - first + 1 >= self._options.max_legs:
                raise NodeFailure([self._endless(outcome)])
            leg += 1
            outcome = await self._leg(leg, self._differing)

    def _because(self, outcome: Outcome) -> str:
        asking = ", ".join(self._failures.spelled(name) for name in outcome.asking)
        return f"{asking} asked for it" if asking else "the LCM asked for it"

    def _problems(self, outcome: Outcome) -> list[Problem]:
        problems = [self._problem(state) for state in outcome.failed]
        return problems or [Problem(outcome.error or "the LCM reported a failure without saying of what")]

    def _problem(self, state: ResourceState) -> Problem:
        return self._failures.of_resource(state, "the LCM reported a failure without a message")

    def _endless(self, outcome: Outcome) -> Problem:
        resource = self._failures.spelled(outcome.asking[0]) if outcome.asking else ""
        return Problem(
            f"asked for a reboot after each of {self._options.max_legs} jobs; rebooting again will not help",
            resource,
            self._work.positions.get(resource.casefold(), ""),
            help="Look on the node why the reboot does not settle it.",
        )

    def _converge(self) -> None:
        self.record(Converged(self.name, tuple(self._changed.values()), self.reboots))

    def _add_changed(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._changed.setdefault(name.casefold(), self._failures.spelled(name))


def _boot(time: str, like: BootState) -> BootState | None:
    """Rebuild the boot a journal speaks of; the counter is not in it."""
    if not time:
        return None
    moment: datetime = type(like.boot_time).fromisoformat(time)
    return BootState(moment, None, like.computer_name)
