"""The documents stay true: every room is described, every example names something that exists."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from provisioner.events import Event
from provisioner.inventory.schema import ConnectionModel
from provisioner.lab import spec

ROOT = Path(__file__).resolve().parents[2]


def _rooms() -> set[str]:
    """Packages and lone modules directly below the package."""
    package = ROOT / "provisioner"
    folders = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    return folders | modules


def test_architecture_has_one_paragraph_per_room_and_no_other() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    described = re.findall(r"^\*\*`(\w+)`\*\*", text, re.MULTILINE)
    assert sorted(described) == sorted(_rooms())


def test_every_role_has_a_readme_and_is_listed() -> None:
    listed = (ROOT / "README.md").read_text(encoding="utf-8")
    for role in sorted(path.parent.name for path in ROOT.glob("roles/*/role.yaml")):
        assert (ROOT / "roles" / role / "README.md").exists(), role
        assert f"`{role}`" in listed, role


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("roles/*/README.md"),
    ]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_nothing_names_a_path_of_the_machine_it_was_written_on() -> None:
    suspicious = re.compile(r"/(?:work|farm|root)/\w")
    found = []
    for folder in ["provisioner", "roles", "dsc_configs", "inventories", "docs", "tests", "benchmarks"]:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".md", ".yaml", ".yml", ".json", ".psm1", ".psd1", ".mof", ".sh"}:
                text = path.read_text(encoding="utf-8", errors="replace")
                if path != Path(__file__).resolve() and suspicious.search(text):
                    found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_the_lab_page_lists_the_keys_of_the_lab_section() -> None:
    text = (ROOT / "docs/lab.md").read_text(encoding="utf-8")
    section = text[text.index("## What a node is made of") : text.index("## Where the behaviour comes from")]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(spec._SETTINGS)


def test_the_inventory_page_lists_the_keys_of_a_connection() -> None:
    text = (ROOT / "docs/inventory.md").read_text(encoding="utf-8")
    section = text[text.index("## Connection") : text.index("## Lab")]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(
        ConnectionModel.model_fields
    )


def test_the_json_page_lists_every_event_with_its_fields() -> None:
    text = (ROOT / "docs/json-lines.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z]\w+)` \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    documented = {name: re.findall(r"`(\w+)`", fields) for name, fields in rows}
    assert documented == {
        kind.__name__: [field.name for field in dataclasses.fields(kind)] for kind in Event.__args__
    }
