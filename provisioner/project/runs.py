"""Apply and verify: what was compiled becomes work for the engine, with secrets resolved at the last moment."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.configuration.rules.switches import is_team, taken_adapters
from provisioner.diagnostics import Diagnostics
from provisioner.engine.executor import RunSummary
from provisioner.engine.link import run_again
from provisioner.engine.local import LocalExecutor
from provisioner.engine.resume import adopt
from provisioner.engine.verify_run import VerifyWork, run_checks
from provisioner.engine.work import (
    ApplyOptions,
    Limits,
    LoopClock,
    NodeWork,
    PollPolicy,
    Verifier,
)
from provisioner.errors import SecretError
from provisioner.events import PREFLIGHT, VERIFY, CheckFinished, Event, RunStarted
from provisioner.inventory.model import Node
from provisioner.node.base import NodeApi
from provisioner.node.managed import ManagedNode
from provisioner.project.model import ApplyRequest, Compilation, CompiledNode
from provisioner.reports.base import Reporter
from provisioner.reports.recorder import Recorder
from provisioner.secrets.model import Secret
from provisioner.secrets.redact import Redactor
from provisioner.secrets.sealing import within_reach
from provisioner.secrets.stores import resolve
from provisioner.state.base import StateStore
from provisioner.state.memory import MemoryStateStore
from provisioner.transport.registry import create_for
from provisioner.verify.targets import Target


async def apply(  # noqa: PLR0913, PLR0917 - what a run is made of
    compilation: Compilation,
    inventory: str,
    request: ApplyRequest,
    passwords: Mapping[NodeName, Secret],
    store: StateStore,
    reporter: Reporter,
) -> RunSummary:
    """Apply the compiled nodes, going on with a killed run of the same inventory."""
    digests = {name: node.digest for name, node in compilation.nodes.items()}
    adopted = adopt(store, inventory, digests)
    run_id = adopted.run_id if adopted else _new_run_id()
    record = Recorder(
        run_id,
        store,
        reporter,
        now=_now,
        next_sequence=adopted.next_sequence if adopted else 1,
        redact=_redactor(compilation, passwords),
    )
    options = ApplyOptions(
        parallel=request.parallel,
        allow_reboot=request.allow_reboot,
        reboot_running_vms=request.reboot_running_vms,
    )
    base = Path(compilation.inventory.path).parent
    works = [_work(node, passwords.get(name), base) for name, node in compilation.nodes.items()]
    try:
        record(_started(run_id, inventory, compilation, "apply", resumed=adopted is not None))
        return await LocalExecutor().run(
            run_id,
            works,
            options,
            verifier=_verifier(compilation, VERIFY),
            record=record,
            past=adopted.past if adopted else None,
            preflight=_verifier(compilation, PREFLIGHT),
        )
    finally:
        reporter.close()


async def verify(
    compilation: Compilation,
    inventory: str,
    passwords: Mapping[NodeName, Secret],
    parallel: int,
    reporter: Reporter,
) -> RunSummary:
    """Run the checks of the compiled nodes."""
    run_id = _new_run_id()
    record = Recorder(
        run_id, MemoryStateStore(), reporter, now=_now, redact=_redactor(compilation, passwords)
    )
    base = Path(compilation.inventory.path).parent
    works = [
        VerifyWork(name, lambda node=node, name=name: _connect(node.node, passwords.get(name), base))  # type: ignore[misc]
        for name, node in compilation.nodes.items()
    ]
    try:
        record(_started(run_id, inventory, compilation, "verify"))
        return await run_checks(run_id, works, _verifier(compilation, VERIFY), record, parallel)
    finally:
        reporter.close()


def _work(compiled: CompiledNode, password: Secret | None, base: Path) -> NodeWork:
    resources = compiled.configuration.resources
    connection = compiled.node.connection
    return NodeWork(
        name=compiled.node.name,
        document=compiled.document.content,
        digest=compiled.digest,
        meta_document=compiled.meta_document.content,
        meta_settings=compiled.meta_settings,
        connect=lambda: _connect(compiled.node, password, base),
        resources=tuple(str(resource.id) for resource in resources),
        positions={str(resource.id).casefold(): str(resource.where) for resource in resources},
        # Of a team the compiler has warned where the adapter is named; a switch may name it in another way.
        taken_adapters={
            str(each.id): taken
            for each in resources
            if (taken := taken_adapters(each))
            and not (compiled.node.management_adapter and is_team(each.type.name))
        },
        management_adapter=compiled.node.management_adapter or "",
        address=connection.endpoint.host,
        after=compiled.after,
        roles=tuple(use.name for use in compiled.node.roles),
        leaves=compiled.leaves,
        has_preflight=bool(compiled.preflight),
        uploads=compiled.expansion.uploads,
        limits=Limits(
            connect_timeout_s=connection.connect_timeout_s,
            reconnect_timeout_s=connection.reconnect_timeout_s,
            reboot_timeout_s=connection.reboot_timeout_s,
            job_timeout_s=connection.job_timeout_s,
            lcm_timeout_s=connection.lcm_timeout_s,
        ),
    )


def _connect(node: Node, password: Secret | None, base: Path) -> NodeApi:
    return ManagedNode(node.name, create_for(node, password, base), node.connection.framing)


def _verifier(compilation: Compilation, stage: str) -> Verifier:
    """Bring the checks of each node's roles, those of one stage, together with its open session."""
    # pytest takes half a second to load, which validate and compile need not wait for.
    from provisioner.verify.runner import verify  # noqa: PLC0415

    async def check(nodes: Mapping[NodeName, NodeApi], report: Callable[[CheckFinished], None]) -> None:
        targets = []
        for name, api in nodes.items():
            expansion = compilation.nodes[name].expansion
            checks = expansion.preflight if stage == PREFLIGHT else expansion.checks
            ask = partial(run_again, api, clock=LoopClock(), poll=PollPolicy())
            targets.append(Target(name, checks, ask, expansion.variables))
        await verify(targets, lambda event: report(replace(event, stage=stage)))

    return check


def taken_roles(compilation: Compilation, had: Mapping[NodeName, tuple[str, ...]]) -> Diagnostics:
    """Warn of roles that nodes had when they were last done, and that were taken from them without being undone.

    ``had`` is what the journal knows. A role that another one requires still is not gone.
    """
    problems = Diagnostics()
    for name, node in compilation.inventory.nodes.items():
        compiled = compilation.nodes.get(name)
        if compiled is None and node.roles:
            continue  # not selected
        kept = {use.name for use in (*node.roles, *node.decommission)}
        kept.update(compiled.expansion.roles if compiled else ())
        for role in had.get(name, ()):
            if role not in kept:
                problems.warning(
                    "Role taken away",
                    f"Node '{name}' had the role '{role}' when it was last done, and has it no more. Nothing is "
                    "undone by leaving a role out: what it has set stays on the node.",
                    node.where,
                    f"Write 'decommission: [{role}]' at the node, or at one of its groups, to have it undone. "
                    "Or leave it: this is said until the node is done without the role.",
                )
    return problems


def passwords_of(compilation: Compilation) -> dict[NodeName, Secret]:
    """Resolve the password of every node that has one before anything is contacted; all failures at once."""
    problems = Diagnostics()
    found = {}
    base = Path(compilation.inventory.path).parent
    for name, compiled in compilation.nodes.items():
        connection = compiled.node.connection
        if connection.password is None:
            continue  # a ticket or a certificate will do
        try:
            found[name] = resolve(connection.password, base)
        except SecretError as error:
            problems.error(
                "Secret cannot be resolved",
                f"The password of node '{name}' is {error.reference}: {error.reason}.",
                connection.where,
                error.help,
            )
    problems.raise_errors()
    return found


def _redactor(compilation: Compilation, passwords: Mapping[NodeName, Secret]) -> Redactor:
    """Know every secret of the run: those that open the nodes, and those that are in their documents."""
    redactor = Redactor()
    for password in passwords.values():
        redactor.add(password)
    for node in compilation.nodes.values():
        # A run that sends nothing has opened none, but may read files that hold them.
        for secret in node.opened or within_reach(node.credentials, Path(compilation.inventory.path).parent):
            redactor.add(secret)
    return redactor


def _started(
    run_id: str, inventory: str, compilation: Compilation, operation: str, *, resumed: bool = False
) -> Event:
    return RunStarted(
        run_id=run_id,
        inventory=inventory,
        operation=operation,
        nodes=tuple(compilation.nodes),
        total=len(compilation.inventory.nodes),
        digests={name: node.digest for name, node in compilation.nodes.items()},
        resumed=resumed,
    )


def _new_run_id() -> str:
    return f"{_now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _now() -> datetime:
    return datetime.now(UTC)
