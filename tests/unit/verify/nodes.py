"""Nodes that answer pipelines from a table, for the tests of verify."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provisioner.addresses import NodeName, RoleName
from provisioner.events import CheckFinished
from provisioner.roles.model import RoleChecks
from provisioner.transport.base import Pipeline, Record, Result
from provisioner.verify.runner import verify
from provisioner.verify.targets import Target


def rows(*properties: Mapping[str, Any]) -> Result:
    return Result(tuple(Record(("Some.Type", "System.Object"), one) for one in properties))


def services(**states: str) -> Result:
    return rows(
        *(
            {
                "Name": name,
                "State": state,
                "StartMode": "Auto",
                "StartName": "LocalSystem",
                "PathName": "x.exe",
            }
            for name, state in states.items()
        )
    )


class TableNode:
    """Answers by the name of the pipeline, counts what it was asked and refuses two questions at a time."""

    def __init__(self, name: str, answers: Mapping[str, Result | Exception], delay_s: float = 0.0) -> None:
        self.name = NodeName(name)
        self.answers = dict(answers)
        self.delay_s = delay_s
        self.asked: list[str] = []
        self.is_busy = False
        self.was_asked = asyncio.Event()

    async def run(self, pipeline: Pipeline) -> Result:
        assert not self.is_busy, "two questions at a time"
        self.is_busy = True
        try:
            self.asked.append(str(pipeline))
            self.was_asked.set()
            await asyncio.sleep(self.delay_s)
            answer = self.answers[str(pipeline)]
        finally:
            self.is_busy = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def target(self, variables: Mapping[str, Any] | None = None, **roles: Path) -> Target:
        checks = tuple(RoleChecks(RoleName(role), path) for role, path in roles.items())
        return Target(self.name, checks, self.run, variables or {})


def write_checks(folder: Path, text: str, name: str = "test_role.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


async def verified(targets: Sequence[Target]) -> list[CheckFinished]:
    seen: list[CheckFinished] = []
    await verify(targets, seen.append)
    return seen


def endings(events: Sequence[CheckFinished]) -> list[tuple[str, str, str]]:
    return [(event.node, event.check, event.outcome) for event in events]
