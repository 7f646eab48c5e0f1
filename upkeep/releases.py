"""Which releases of OpenStack and Windows each role is for, found by asking: every pair is compiled.

What a role is given besides is what its runs give it (``tests/cases/role_runs``), so the same pairs are applied to
simulated nodes by tests.
"""

from __future__ import annotations

import functools
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.diagnostics import Diagnostic, Diagnostics
from provisioner.errors import InputError
from provisioner.inventory.loader import load_inventory
from provisioner.options.catalogue import is_known
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from provisioner.roles.model import Declaration
from tests.roles.runs import case_of, inventory_of
from upkeep.module import ROOT

PAGE = ROOT / "docs/releases.md"
COMMON = "openstack_node"
#: Roles that all services stand on; they are no service by themselves.
_BELOW = frozenset({COMMON, "openstack_runtime"})
#: Roles of the same domain that no release of OpenStack means anything to.
_WITHOUT_RELEASE = ("cloudbase_init", "guest_image", "openvswitch")
#: Stands in sentences for the release and the node that they are about.
RELEASE, WINDOWS, NODE = "RELEASE", "WINDOWS", "NODE"
_REFUSED = "Role refuses this"
_SAID = re.compile(r"Role '(?P<role>\w+)' on node '(?P<node>[^']+)': (?P<reason>.*)", re.DOTALL)

_WORD = re.compile(r"[\w.]*\w|\W")

_case = functools.cache(case_of)

#: A release of OpenStack and one of Windows.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one role says of a pair: why not, and what would work. ``NODE`` stands for the node."""

    role: str
    reason: str
    help: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one pair.

    ``is_checked``: the files the role writes were held against the options of that release; None where it writes
    none that a catalogue is about.
    """

    refusals: tuple[Refusal, ...]
    is_checked: bool | None


def asked_roles(library: RoleLibrary) -> list[str]:
    """Return the roles of services that a release of OpenStack means something to."""
    return [name for name in library.names if name not in _BELOW and COMMON in _required(name, library)]


def roles_without_release(library: RoleLibrary) -> list[str]:
    """Return the roles of the same domain that work alike whatever the release."""
    return [name for name in _WITHOUT_RELEASE if library.has(name)]


def _required(name: str, library: RoleLibrary) -> set[str]:
    role, _ = library.load(name)
    return {name}.union(*(_required(each.name, library) for each in role.requires)) if role else set()


def pairs(library: RoleLibrary) -> list[Pair]:
    """Return every pair that the variables of the roles can say."""
    windows = _choices(library, "windows_base", "windows_version")
    return [(each, other) for each in _choices(library, COMMON, "openstack_release") for other in windows]


def _choices(library: RoleLibrary, role: str, variable: str) -> list[str]:
    found, problems = library.load(role)
    problems.raise_errors()
    assert found is not None
    return [str(each) for each in found.variables[variable].choices]


def example(role: str, release: str, windows: str) -> dict[str, Any]:
    """Return the inventory of the runs of a role with every node of these releases; an empty one is left out."""
    inventory = inventory_of(_case(role), windows)
    said = {"windows_version": windows} | ({"openstack_release": release} if release else {})
    nodes: Mapping[str, Any] = inventory["nodes"]
    return inventory | {
        "nodes": {
            name: node | {"variables": node.get("variables", {}) | said} for name, node in nodes.items()
        }
    }


def verdicts(role: str, asked: Iterable[Pair], library: RoleLibrary) -> dict[Pair, Verdict]:
    """Compile a role for each pair, and return what came of it.

    Raises:
        InputError: something else than the pair is wrong, so that nothing can be said of the role.
    """
    registry, memo = Registry.builtin(), Memo()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inventory.yaml"
        for release, windows in asked:
            path.write_text(json.dumps(example(role, release, windows)), encoding="utf-8")
            inventory, problems = load_inventory(path)
            problems.raise_errors()
            assert inventory is not None
            checked: list[bool] = []
            for node in inventory.nodes.values():
                expansion, told = expand(node, library, registry, site="example", memo=memo)
                problems.extend(told)
                if not told.has_errors:
                    problems.extend(build(node, expansion, registry)[1])
                checked += _checked(role, expansion.declarations)
            found[release, windows] = _verdict(problems, all(checked) if checked else None)
    return found


def _checked(role: str, declarations: Iterable[Declaration]) -> Iterator[bool]:
    """Yield for each file a role writes for a service whether the options of the release are known."""
    for each in declarations:
        if each.options is not None and each.role == role:
            yield is_known(each.options.service, each.options.release)


def _verdict(problems: Diagnostics, is_checked: bool | None) -> Verdict:  # noqa: FBT001 - passed on
    refused = [each for each in problems if each.summary == _REFUSED]
    Diagnostics(each for each in problems if each not in refused).raise_errors()
    return Verdict(tuple(dict.fromkeys(map(_refusal, refused))), is_checked)


def _refusal(problem: Diagnostic) -> Refusal:
    said = _SAID.fullmatch(problem.detail)
    assert said is not None, problem.detail
    name = re.compile(rf"(?<![\w.-]){re.escape(said['node'])}(?![\w-])")
    return Refusal(said["role"], name.sub(NODE, said["reason"]), name.sub(NODE, problem.help))


def releases_text(problems: list[str]) -> str:
    """Return the page: a table of roles and releases, and every refusal with the releases it is for.

    A role of which nothing can be said is left out; ``problems`` gets why.
    """
    library = RoleLibrary([ROOT])
    every = pairs(library)
    found = {}
    without = [("", windows) for windows in dict.fromkeys(windows for _, windows in every)]
    beside = {}
    for role in (*asked_roles(library), *roles_without_release(library)):
        try:
            if role in _WITHOUT_RELEASE:
                beside[role] = verdicts(role, without, library)
            else:
                found[role] = verdicts(role, every, library)
        except (InputError, OSError) as error:
            problems.append(f"docs/releases.md: {role}: {error}")
    tables = [*_table(found, every), "", _WITHOUT, *_table(beside, without)]
    return "\n".join([_HEAD, *tables, "", *_refusals(found | beside), ""])


_WITHOUT = """\
## Roles of no release

What these make of a node is the same whatever the release of the control plane.
"""


_HEAD = """\
# Releases of OpenStack and Windows

Which role is for which releases. `make module` writes this page by asking the roles: each is compiled for every
pair of `openstack_release` and `windows_version`. A pair that cannot be is refused by `provision validate`, in the
sentence below, before any node is contacted. Each pair that can be is brought up from bare in the lab by a test.

| sign | meaning |
|---|---|
| ✓ | compiles, and configuration files are held against the options of that release |
| ○ | compiles; *options not checked*: there is no [catalogue](config-check.md) of that release |
| + | compiles; the role writes no file of a service of OpenStack |
| no | is refused |
"""


def _table(found: Mapping[str, Mapping[Pair, Verdict]], every: Sequence[Pair]) -> Iterator[str]:
    releases = list(dict.fromkeys(release for release, _ in every))
    titles = [release or "any" for release in releases]
    windows = list(dict.fromkeys(each for _, each in every))
    yield f"| role | Windows | {' | '.join(titles)} |"
    yield f"|---|---|{'---|' * len(releases)}"
    for role, verdict in found.items():
        rows: dict[str, list[str]] = {}
        for each in windows:
            signs = " | ".join(_sign(verdict[release, each]) for release in releases)
            rows.setdefault(signs, []).append(each)
        for signs, alike in rows.items():
            yield f"| [`{role}`](../roles/{role}/README.md) | {', '.join(alike)} | {signs} |"


def _sign(verdict: Verdict) -> str:
    if verdict.refusals:
        return "no"
    return {True: "✓", False: "○", None: "+"}[verdict.is_checked]


def _refusals(found: Mapping[str, Mapping[Pair, Verdict]]) -> Iterator[str]:
    yield "## What is refused"
    yield ""
    yield f"`{RELEASE}`, `{WINDOWS}` and `{NODE}` stand for those that are asked for. A role also refuses what one"
    yield "that it requires refuses."
    for role, verdict in found.items():
        of_sentence = _alike([(pair, each) for pair, said in verdict.items() for each in said.refusals])
        yield from ("", f"### {role}", "")
        if not of_sentence:
            yield "Nothing."
            continue
        yield "| OpenStack | Windows | said by | why | what would work |"
        yield "|---|---|---|---|---|"
        for refusal, refused in of_sentence:
            releases = ", ".join(dict.fromkeys(release or "any" for release, _ in refused))
            windows = ", ".join(dict.fromkeys(each for _, each in refused))
            cells = [releases, windows, f"`{refusal.role}`", _cell(refusal.reason), _cell(refusal.help)]
            yield f"| {' | '.join(cells)} |"


def _alike(said: Iterable[tuple[Pair, Refusal]]) -> list[tuple[Refusal, list[Pair]]]:
    """Put together what differs only in the releases it is said of, with a word for these where they stand."""
    groups: list[tuple[Refusal, list[Pair]]] = []
    for pair, refusal in said:
        for index, (known, pairs_) in enumerate(groups):
            common = _common(known, pairs_[0], refusal, pair)
            if common is not None:
                groups[index] = (common, [*pairs_, pair])
                break
        else:
            groups.append((refusal, [pair]))
    return groups


def _common(known: Refusal, known_pair: Pair, refusal: Refusal, pair: Pair) -> Refusal | None:
    reason = _joined(known.reason, known_pair, refusal.reason, pair)
    help_ = _joined(known.help, known_pair, refusal.help, pair)
    if known.role != refusal.role or reason is None or help_ is None:
        return None
    return Refusal(known.role, reason, help_)


def _joined(known: str, known_pair: Pair, text: str, pair: Pair) -> str | None:
    """Return the text both are, with names for releases; None when they differ in more than these."""
    words, others = _WORD.findall(known), _WORD.findall(text)
    if len(words) != len(others):
        return None
    joined = []
    for word, other in zip(words, others, strict=True):
        names = [
            name
            for name, before, now in zip((RELEASE, WINDOWS), known_pair, pair, strict=True)
            if word in {before, name} and other == now and (word == name or before != now)
        ]
        if word != other and not names:
            return None
        joined.append(word if word == other else names[0])
    return "".join(joined)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
