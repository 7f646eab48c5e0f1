"""A small project with every kind of input a document can be made of, and how tests compile it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisioner.project import CompileRequest, Project, Written

MODULE = (
    '{"module": "Mine", "version": "1.0.0", "source": "a test", "resources": [{"name": "Thing", '
    '"class": "MSFT_Thing", "properties": [{"name": "Name", "type": "string", "qualifier": "Key"}, '
    '{"name": "Size", "type": "uint32"}]}]}'
)

FILES = {
    "roles/base/role.yaml": """\
description: What every node has.
variables:
  owner: {type: string, default: nobody, description: Who owns the node.}
modules: {PSDscResources: "2.12.0.0"}
configurations: [base]
""",
    "roles/base/templates/motd.txt": "Property of {{ owner }}\n",
    "dsc_configs/base.dsc.yaml": """\
resources:
  - name: spooler
    type: PSDscResources/Service
    properties: {Name: Spooler, State: Stopped}
  - name: motd
    type: PSDscResources/Registry
    properties: {Key: 'HKLM:\\SOFTWARE\\M', ValueName: motd, ValueData: ["{{ template('motd.txt') }}"]}
""",
    "roles/web/role.yaml": """\
description: A web server.
requires: [base]
variables:
  port: {type: integer, default: 80, description: Where it listens.}
modules: {PSDscResources: "2.12.0.0", Mine: "1.0.0"}
configurations: [web]
""",
    "dsc_configs/web.dsc.yaml": """\
resources:
  - name: site
    type: PSDscResources/Environment
    properties: {Name: SITE, Value: '{{ site }}-{{ node.address }}-{{ port }}', Target: [Machine]}
  - name: thing
    type: Mine/Thing
    properties: {Name: '{{ node.name }}', Size: 7}
    dependsOn: '[Environment]site'
""",
    "dsc_configs/catalogue/Mine@1.0.0.json": MODULE,
    "inventory.yaml": """\
site: here
variables: {owner: us}
connection: {user: admin, password: 'env:PASSWORD'}
groups:
  east: {roles: [base], variables: {owner: east}}
  west: {roles: [web]}
nodes:
  e1: {address: 192.0.2.1, groups: [east]}
  e2: {address: 192.0.2.2, groups: [east], variables: {owner: nobody else}}
  w1: {address: 192.0.2.11, groups: [west], variables: {port: 8080}}
  w2: {address: 192.0.2.12, groups: [west]}
""",
}
NAMES = {"e1", "e2", "w1", "w2"}


def write_files(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """Write the project and return its inventory."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "inventory.yaml"


def many_nodes(folder: Path, count: int, more: str = "") -> Path:
    """Write the project with so many nodes that the work is shared."""
    nodes = "".join(
        f"  n{number:03}: {{address: 198.51.100.{number}, groups: [{'east' if number % 3 else 'west'}]}}\n"
        for number in range(count)
    )
    head = FILES["inventory.yaml"].split("nodes:\n")[0]
    return write_files(folder, {**FILES, "inventory.yaml": f"{head}nodes:\n{nodes}{more}"})


def compiled(
    inventory: Path,
    output: str = "out",
    *,
    jobs: int = 1,
    formats: tuple[str, ...] = ("mof",),
    use_cache: bool = True,
) -> Written:
    """Compile into a folder beside the inventory."""
    request = CompileRequest(inventory.parent / output, "", formats, jobs, use_cache)
    return Project(inventory.parent).write(inventory, request)


def made(written: Written) -> set[str]:
    """Return the nodes that were compiled, as opposed to found unchanged."""
    return {str(name) for name, node in written.nodes.items() if not node.is_cached}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
