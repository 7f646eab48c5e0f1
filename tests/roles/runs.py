r"""Carry out what ``tests/cases/role_runs/<role>.yml`` says of a role: whole applies against simulated nodes.

    role: mpio                     # the role under test, or `roles: [..]`
    windows: ["2016", "2022"]      # releases it runs on, each from bare
    variables: {...}               # of the node
    inventory: {...}               # instead of one node: a whole inventory; addresses are 127.20.0.x
    lab: {...}                     # lab settings of the node
    secrets: {join: Passw0rd!}     # files .secrets/<name>
    bare: {reboots: 1, sets: [..]} # from bare: reboots (a number, or by node); `sets` only where it matters
    state: {services: {...}}       # what the machine is then: see `Site.change` for names; a mapping is a part
    drift:                         # each changes the converged node and has it mended
      - case: A sentence.
        node: hv01                 # which node, when there are several
        console: ["Stop-Service -Name MSiSCSI"]
        given: {name of state: values merged into it}
        sets: ["[Service]MSiSCSI"] # exactly these are set (on that node), nothing on others
        reboots: 0
    changes:                       # other variables change only what they must
      - {case: ..., node: ..., variables: {...}, sets: [...], reboots: 0, state: {...}}
    refused:                       # told before anything is contacted
      - {case: ..., variables: {...}, inventory: {...}, message: part of what is said}
    fails:                         # only a node can tell; it starts bare, then `console` and `given`
      - {case: ..., lab: {...}, console: [...], given: {...}, variables: {...}, message: part of what is said}
    decommission: {reboots: 0, sets: [...], state: {...}}   # the role is taken away from the converged node

After every apply that ended well another one must set nothing and boot nothing, and nothing may be generic. In
``variables`` null takes one away. ``state`` may be by node: ``{hv01: {...}}`` where there is an ``inventory``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.compiling import REPOSITORY
from tests.roles.site import Applied, Site, running_site
from tests.yaml_files import read_yaml

CASES = Path(__file__).parents[1] / "cases" / "role_runs"
NODE = "node1"
_PORT = 15985


def case_files() -> list[tuple[str, dict[str, Any]]]:
    """Every file with its name."""
    return [(path.stem, read_yaml(path)) for path in sorted(CASES.glob("*.yml"))]


def case_of(role: str) -> dict[str, Any]:
    """The runs of one role."""
    case: dict[str, Any] = read_yaml(CASES / f"{role}.yml")
    return case


def inventory_of(
    case: Mapping[str, Any], windows: str, step: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give the inventory of a case on a release; ``step`` has what is different in it."""
    step = step or {}
    base: dict[str, Any] = {
        "site": "test",
        "connection": {
            "transport": "psrp",
            "port": _PORT,
            "user": "provisioner",
            "password": "file:.secrets/lab",
        },
        "lab": {"windows": windows},
    }
    if "inventory" in case:
        made: dict[str, Any] = _over(base, _over(case["inventory"], step.get("inventory", {})))
        if "variables" in step:
            made["nodes"][step["node"]]["variables"] = _over(
                made["nodes"][step["node"]].get("variables", {}), step["variables"]
            )
        return made
    node = {
        "address": "127.20.0.11",
        "roles": list(case.get("roles", [case.get("role")])),
        "variables": _over(case.get("variables", {}), step.get("variables", {})),
        "lab": _over(case.get("lab", {}), step.get("lab", {})),
    }
    extra = {key: case[key] for key in ("groups", "encryption") if key in case}
    whole: dict[str, Any] = _over(base | extra | {"nodes": {NODE: node}}, step.get("inventory", {}))
    return whole


def run(case: Mapping[str, Any], windows: str, folder: Path) -> None:
    """Bare, then every drift, every change and the way out, on one release."""
    inventory = inventory_of(case, windows)
    with running_site(folder, inventory, case.get("secrets")) as site:
        _bring_up(site, case)
        _expect_nothing_to_do(site)
        for step in case.get("drift", ()):
            drift(site, step)
            _mend(site, step)
        for step in case.get("changes", ()):
            site.write(inventory_of(case, windows, step))
            _mend(site, step)
            _expect_nothing_to_do(site)
            site.write(inventory)
            assert not site.apply().failures
        if case.get("drift") or case.get("changes"):
            _expect_nothing_to_do(site)
        if "decommission" in case:
            _take_away(site, case, inventory)


def _bring_up(site: Site, case: Mapping[str, Any]) -> None:
    expected = case.get("bare", {})
    applied = site.apply()
    assert not applied.failures, applied.text
    assert applied.done == set(site.machines)
    assert applied.generic == []
    reboots = expected.get("reboots", 0)
    assert applied.boots == (
        reboots if isinstance(reboots, dict) else dict.fromkeys(applied.boots, reboots)
    ), applied.sets
    if "sets" in expected:
        assert _only(applied) == expected["sets"]
    _expect_state(site, case.get("state", {}))


def drift(site: Site, step: Mapping[str, Any]) -> None:
    node = step.get("node", site.machines[0])
    for line in step.get("console", ()):
        site.console(node, site.address(line))
    for name, values in step.get("given", {}).items():
        site.change(node, name, values)


def _mend(site: Site, step: Mapping[str, Any]) -> None:
    applied = site.apply()
    assert not applied.failures, (step["case"], applied.text)
    node = step.get("node", site.machines[0])
    seen = sorted(applied.sets.pop(node))
    assert seen == sorted(step["sets"]), (step["case"], seen)
    assert applied.boots.pop(node) == step.get("reboots", 0), step["case"]
    assert not any(applied.sets.values()), (step["case"], applied.sets)
    assert not any(applied.boots.values()), (step["case"], applied.boots)
    assert applied.generic == []
    _expect_state(site, step.get("state", {}), node)


def _expect_nothing_to_do(site: Site) -> None:
    again = site.apply()
    assert not again.failures, again.text
    assert not any(again.sets.values()), again.sets
    assert not any(again.boots.values()), again.boots


def _take_away(site: Site, case: Mapping[str, Any], inventory: Mapping[str, Any]) -> None:
    expected = case["decommission"]
    without = _over(inventory, {})
    node = without["nodes"][expected.get("node", site.machines[0])]
    roles = case.get("roles", [case.get("role")])
    gone = expected.get("roles", roles)
    left = [role for role in node.get("roles", roles) if role not in gone]
    node["roles"] = left or [role for role in ["windows_base"] if role not in gone]
    node["decommission"] = gone
    site.write(without)
    applied = site.apply()
    assert not applied.failures, applied.text
    name = expected.get("node", site.machines[0])
    assert applied.boots[name] == expected.get("reboots", 0)
    assert sorted(applied.leaves[name]) == sorted(_leftovers(site.folder, gone))
    if "sets" in expected:
        assert sorted(applied.sets[name]) == sorted(expected["sets"])
    assert applied.generic == []
    _expect_state(site, expected.get("state", {}), name)
    _expect_nothing_to_do(site)


def _leftovers(project: Path, roles: list[str]) -> list[tuple[str, str]]:
    """Read from the roles' own files what they do not undo."""
    found = []
    for role in roles:
        own, ours = (folder / "roles" / role / "role.yaml" for folder in (project, REPOSITORY))
        file = read_yaml(own if own.exists() else ours)
        found += [(role, what.strip()) for what in file["decommission"].get("leaves", ())]
    return found


def refuse(case: Mapping[str, Any], step: Mapping[str, Any], windows: str, folder: Path) -> None:
    """What is wrong is said before anything is contacted."""
    site = Site(folder, inventory_of(case, step.get("windows", windows), step), case.get("secrets", {}))
    said = "\n".join(site.validate())
    assert _same_line(step["message"]) in _same_line(said), said


def fail(case: Mapping[str, Any], step: Mapping[str, Any], windows: str, folder: Path) -> None:
    """What is wrong shows on the node; the run says it."""
    inventory = inventory_of(case, step.get("windows", windows), step)
    with running_site(folder, inventory, case.get("secrets")) as site:
        drift(site, step)
        applied = site.apply()
        assert applied.failures, "the apply ended well"
        assert _same_line(step["message"]) in _same_line(applied.text), applied.text


def _expect_state(site: Site, wanted: Mapping[str, Any], node: str = "") -> None:
    if not node and wanted and set(wanted) <= set(site.machines):
        for name, parts in wanted.items():
            _expect_state(site, parts, name)
        return
    for name, values in wanted.items():
        differences = list(_differences(name, values, site.state(node or site.machines[0], name)))
        assert differences == []


def _differences(where: str, wanted: Any, actual: Any) -> list[str]:
    """A mapping wants what it names (null: not there), anything else all of it."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return [
            difference
            for key, value in wanted.items()
            for difference in _differences(f"{where}.{key}", value, actual.get(key))
        ]
    return [] if wanted == actual else [f"{where}: wanted {wanted!r}, got {actual!r}"]


def _only(applied: Applied) -> list[str]:
    """What was set on the only node, each once, in the order of the first time."""
    (sets,) = applied.sets.values()
    return list(dict.fromkeys(sets))


def _over(old: Any, new: Any) -> Any:
    """Lay ``new`` over ``old``; null takes a key away. The result shares no mapping with either."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    kept = {key: _over({}, value) if isinstance(value, dict) else value for key, value in old.items()}
    for key, value in new.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = _over(kept.get(key, {}) if isinstance(value, dict) else None, value)
    return kept


def _same_line(text: str) -> str:
    return " ".join(text.split())
