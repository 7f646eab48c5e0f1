"""The pytest plugin that gives checks their ``host`` and ``variables`` and hears how each one ended.

One object serves one pytest session, which runs the checks of one role; everything it knows was handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from provisioner.errors import NodeError
from provisioner.events import CheckFinished
from provisioner.verify.batch import Batch, Stopped
from provisioner.verify.failure import describe, shorten
from provisioner.verify.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from provisioner.addresses import NodeName, RoleName
    from provisioner.transport.base import Pipeline, Result
    from provisioner.verify.targets import Target


@dataclass(slots=True)
class _Ending:
    """How one check went so far."""

    outcome: str = "passed"
    message: str = ""
    duration_s: float = 0.0


@dataclass(slots=True, eq=False)  # pytest keeps plugins in sets
class RolePlugin:
    """Runs the checks of ``role`` on ``targets`` and reports each of them once per node.

    ``reported`` are the nodes that got at least one report; ``trouble`` is what stopped the session itself.
    """

    role: RoleName
    targets: Sequence[Target]
    batch: Batch
    report: Callable[[CheckFinished], None]
    reported: set[NodeName] = field(default_factory=set)
    trouble: str = ""
    _endings: dict[str, _Ending] = field(default_factory=dict)

    @pytest.fixture
    def host(self, request: pytest.FixtureRequest) -> Host:
        """The node under check."""
        target: Target = request.param

        def ask(pipeline: Pipeline) -> Result:
            return self.batch.ask(target.node, self.role, pipeline)

        return Host(target.node, target.variables, ask)

    @pytest.fixture
    def variables(self, host: Host) -> Mapping[str, Any]:
        """The variables the node's roles were declared with."""
        return host.variables

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check that takes ``host`` once per node."""
        if "host" in metafunc.fixturenames:
            nodes = [str(target.node) for target in self.targets]
            metafunc.parametrize("host", self.targets, ids=nodes, indirect=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the first bad ending of set-up, call and tear-down; report after the tear-down."""
        result = yield
        ending = self._endings.setdefault(item.nodeid, _Ending())
        ending.duration_s += call.duration
        if result.outcome != "passed" and ending.outcome == "passed":
            ending.outcome = _outcome(result, call)
            ending.message = _message(item, result, call)
        if call.when == "teardown":
            self._finish(item, self._endings.pop(item.nodeid))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_assertrepr_compare(self) -> Generator[None, object, list[list[str]]]:
        """Keep pytest from drawing the difference of two values: it would replace where the values came from."""
        yield
        return []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """End the session after the check during which the verification was cancelled."""
        result = yield
        if self.batch.is_stopped:
            item.session.shouldstop = "cancelled"
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Report a check file that cannot be read, for every node of the role."""
        result = yield
        if result.failed:
            call: pytest.CallInfo[Any] | None = getattr(result, "call", None)
            cause = call.excinfo.value if call and call.excinfo else None
            # pytest wraps syntax and import errors of a file in an error of its own.
            error = cause.__cause__ or cause if cause else None
            text = describe(error, collector.path) if error else shorten(result.longreprtext)
            self._report_all(collector.path.name, "error", text)
        return result

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Say so when an option of pytest (PYTEST_ADDOPTS) leaves checks out."""
        for item in items:
            self._finish(item, _Ending("skipped", "deselected by an option of pytest"))

    def pytest_internalerror(self, excrepr: object) -> bool:
        """Keep the text of an error inside pytest away from the terminal; the runner reports it."""
        self.trouble = shorten(str(excrepr))
        return True

    def _finish(self, item: pytest.Item, ending: _Ending) -> None:
        callspec = getattr(item, "callspec", None)
        target = callspec.params.get("host") if callspec else None
        check = getattr(item, "originalname", item.name)
        if target is None:
            self._report_all(item.name, ending.outcome, ending.message, ending.duration_s)
            return
        others = callspec.id.removeprefix(str(target.node)).removeprefix("-") if callspec else ""
        self._report(target.node, f"{check}[{others}]" if others else check, ending)

    def _report_all(self, check: str, outcome: str, message: str, duration_s: float = 0.0) -> None:
        for target in self.targets:
            self._report(target.node, check, _Ending(outcome, message, duration_s))

    def _report(self, node: NodeName, check: str, ending: _Ending) -> None:
        if self.batch.is_stopped:
            return
        self.reported.add(node)
        self.report(CheckFinished(node, self.role, check, ending.outcome, ending.message, ending.duration_s))


def _outcome(result: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    """Tell a failed check (the node answered, and not as wanted) from one that could not be carried out."""
    if result.skipped:
        return "skipped"
    error = call.excinfo.value if call.excinfo else None
    answered = error is None or isinstance(error, AssertionError | NodeError | pytest.fail.Exception)
    return "failed" if call.when == "call" and answered else "error"


def _message(item: pytest.Item, result: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    error = call.excinfo.value if call.excinfo else None
    match error:
        case Stopped():
            return ""
        case None:
            return shorten(result.longreprtext)
        case pytest.skip.Exception():
            return shorten(error.msg or "")
        case _:
            return describe(error, Path(item.path))
