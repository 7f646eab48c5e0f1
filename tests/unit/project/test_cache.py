"""A node is compiled again exactly when something its documents are made of has changed."""

from __future__ import annotations

import dataclasses
import importlib
import os
import pkgutil
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import provisioner
from provisioner.addresses import NodeName
from provisioner.errors import InputError, UsageError
from provisioner.project import cache, fingerprints
from provisioner.project.cache import DocumentCache
from provisioner.project.fingerprints import Fingerprints, canonical
from provisioner.project.model import WrittenFile
from tests.unit.project.fleets import FILES, NAMES, compiled, contents, made, write_files

E1 = NodeName("e1")


def test_the_first_compile_makes_every_node_and_the_second_none(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    first = compiled(inventory)
    assert made(first) == NAMES
    assert first.nodes[E1].because == ("it was not compiled here before",)
    stamps = {path: path.stat() for path in (tmp_path / "out").iterdir()}
    second = compiled(inventory)
    assert made(second) == set()
    assert {path: path.stat() for path in (tmp_path / "out").iterdir()} == stamps
    for name in NAMES:
        assert dataclasses.replace(first.nodes[NodeName(name)], because=()) == second.nodes[NodeName(name)]


#: What is changed in which file, the nodes that depend on it, and the reason given.
CHANGES = [
    ("inventory.yaml", "192.0.2.1,", "192.0.2.3,", {"e1"}, "node changed"),
    ("inventory.yaml", "port: 8080", "port: 8081", {"w1"}, "node changed"),
    ("inventory.yaml", "owner: east", "owner: easy", {"e1"}, "node changed"),
    ("inventory.yaml", "{owner: us}", "{owner: we}", {"w1", "w2"}, "node changed"),
    ("inventory.yaml", "site: here", "site: gone", NAMES, "site changed"),
    ("inventory.yaml", "user: admin,", "user: admin, encoding: utf-8,", NAMES, "node changed"),
    ("inventory.yaml", "[east], v", "[east, west], v", {"e2"}, "node changed"),
    ("roles/base/role.yaml", "default: nobody", "default: someone", NAMES, "role base changed"),
    ("roles/base/templates/motd.txt", "Property", "Possession", NAMES, "role base changed"),
    ("dsc_configs/base.dsc.yaml", "State: Stopped", "State: Running", NAMES, "role base changed"),
    ("dsc_configs/base.dsc.yaml", "resources:", "# moved\nresources:", NAMES, "role base changed"),
    ("roles/web/role.yaml", "default: 80", "default: 81", {"w1", "w2"}, "role web changed"),
    ("dsc_configs/web.dsc.yaml", "Size: 7", "Size: 8", {"w1", "w2"}, "role web changed"),
    (
        "dsc_configs/catalogue/Mine@1.0.0.json",
        "MSFT_Thing",
        "MSFT_Other",
        {"w1", "w2"},
        "module Mine 1.0.0 changed",
    ),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]} {change[2]}")
def test_a_change_compiles_the_nodes_that_depend_on_it_and_no_other(
    tmp_path: Path, change: tuple[str, str, str, set[str], str]
) -> None:
    file, old, new, nodes, reason = change
    inventory = write_files(tmp_path)
    compiled(inventory)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    again = compiled(inventory)
    assert made(again) == nodes
    assert all(reason in again.nodes[NodeName(name)].because for name in nodes)
    compiled(inventory, "fresh", use_cache=False)
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize("ingredient", ["node", "site", "role base", "role web", "module Mine 1.0.0"])
def test_a_key_that_forgot_an_ingredient_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ingredient: str
) -> None:
    honest = Fingerprints.of
    forgetful = lambda self, name: {**(honest(self, name) or {}), ingredient: ""}  # noqa: E731
    monkeypatch.setattr(Fingerprints, "of", forgetful)
    stale = 0
    for number, (file, old, new, _, reason) in enumerate(CHANGES):
        if reason != f"{ingredient} changed":
            continue
        folder = tmp_path / str(number)
        inventory = write_files(folder)
        compiled(inventory)
        write_files(folder, {**FILES, file: FILES[file].replace(old, new)})
        compiled(inventory)
        compiled(inventory, "fresh", use_cache=False)
        stale += contents(folder / "out") != contents(folder / "fresh")
    assert stale


def test_what_no_document_is_made_of_compiles_nothing(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    text = FILES["inventory.yaml"].replace("nodes:\n", "nodes:\n  # a comment moves all of them\n")
    text = text.replace("  w2:", "  w0: {address: 192.0.2.10, groups: [west]}\n  w2:")
    write_files(tmp_path, {"inventory.yaml": text, "roles/web/README.md": "Read me.", "roles/other/x": ""})
    assert made(compiled(inventory)) == {"w0"}


def test_a_newer_program_compiles_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    monkeypatch.setattr(fingerprints, "_program", lambda: "another")
    again = compiled(inventory)
    assert made(again) == NAMES
    assert again.nodes[E1].because == ("program changed",)


def test_another_format_is_another_compile_and_both_are_kept(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    assert made(compiled(inventory, formats=("mof", "ps1"))) == NAMES
    assert made(compiled(inventory)) == set()
    assert made(compiled(inventory, formats=("mof", "ps1"))) == set()


@pytest.mark.parametrize("name", ["e1.mof", "e1.meta.mof"])
def test_a_document_that_is_missing_or_was_changed_is_made_again(tmp_path: Path, name: str) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    before = contents(tmp_path / "out")
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"x"), lambda path: path.write_bytes(b"")):
        spoil(tmp_path / "out" / name)
        again = compiled(inventory)
        assert made(again) == {"e1"}
        assert again.nodes[E1].because == (f"{name} is missing or was changed",)
        assert contents(tmp_path / "out") == before


def test_documents_that_were_copied_count_by_their_content(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    assert made(compiled(inventory, "copy")) == set()


def test_an_earlier_state_is_found_again_as_long_as_its_documents_are_there(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    shutil.copytree(tmp_path / "out", tmp_path / "kept")
    write_files(tmp_path, {"roles/base/templates/motd.txt": "Other"})
    compiled(inventory)
    write_files(tmp_path)
    again = compiled(inventory)
    assert made(again) == NAMES
    assert contents(tmp_path / "out") == contents(tmp_path / "kept")


WARNED = "  - {name: plain, type: PSDscResources/Service, properties: {Name: x, StartupTimeout: 0755}}\n"


def test_warnings_of_nodes_that_are_unchanged_are_told_again(tmp_path: Path) -> None:
    base = FILES["dsc_configs/base.dsc.yaml"]
    inventory = write_files(tmp_path, {**FILES, "dsc_configs/base.dsc.yaml": base + WARNED})
    first = [problem.render() for problem in compiled(inventory).warnings]
    second = compiled(inventory)
    assert made(second) == set()
    assert first
    assert [problem.render() for problem in second.warnings] == first


# --- a cache that is damaged, full, in the way or not there -------------------------------------------------


def _database(folder: Path) -> Path:
    return folder / ".provisioner" / "cache" / cache.FILE_NAME


def _flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    dice = random.Random(1)
    for _ in range(200):
        raw[dice.randrange(len(raw))] ^= 0xFF
    path.write_bytes(raw)


def _become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "noise": lambda path: path.write_bytes(b"noise" * 4000),
    "flipped": _flip,
    "another database": lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(84)),
    "a folder": _become_folder,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path: Path, damage: str) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "e1.mof").unlink()
    DAMAGE[damage](_database(tmp_path))
    assert "e1" in made(compiled(inventory))
    assert contents(tmp_path / "out") == before
    if damage != "a folder":
        assert made(compiled(inventory)) == set()


def test_an_entry_with_a_flipped_bit_is_no_entry(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    compiled(inventory)
    raw = _database(tmp_path).read_bytes()
    digest = contents(tmp_path / "out")["e1.mof"]
    for _ in range(3):
        raw = raw.replace(b'"resources":2', b'"resources":3')
    _database(tmp_path).write_bytes(raw)
    again = compiled(inventory)
    assert again.nodes[E1].resources == 2
    assert contents(tmp_path / "out")["e1.mof"] == digest


def test_the_cache_is_the_owners_alone(tmp_path: Path) -> None:
    compiled(write_files(tmp_path))
    assert _database(tmp_path).stat().st_mode & 0o777 == 0o600


def test_no_cache_means_none_is_read_and_none_is_written(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    assert made(compiled(inventory, use_cache=False)) == NAMES
    assert not (tmp_path / ".provisioner").exists()
    compiled(inventory)
    again = compiled(inventory, use_cache=False)
    assert made(again) == NAMES
    assert again.nodes[E1].because == ("the cache is not used",)


def test_a_failed_compile_leaves_no_cache_and_no_folder(tmp_path: Path) -> None:
    inventory = write_files(tmp_path, {**FILES, "roles/base/templates/motd.txt": "{{ nobody_knows_this }}"})
    with pytest.raises(InputError):
        compiled(inventory, "deep/er/out")
    assert not (tmp_path / ".provisioner").exists()
    assert not (tmp_path / "deep").exists()


def test_the_cache_forgets_what_was_not_needed_for_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST_ENTRIES", 5)
    kept = DocumentCache(tmp_path)
    for day in range(5):
        monkeypatch.setattr(kept, "_today", day)
        kept.remember(
            [(f"{day}-{number}", {"n": number}) for number in range(4)],
            [(f"/out/{day}-{number}", WrittenFile("x", "0", (1, 2, 3))) for number in range(4)],
            [],
            [("documents", "0-0")],
        )
    assert [kept.entry(f"{day}-0") is not None for day in range(5)] == [True, False, False, False, True]
    kept.close()


def test_an_output_folder_that_cannot_be_made_is_told_as_one(tmp_path: Path) -> None:
    inventory = write_files(tmp_path)
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(UsageError, match="nothing was replaced"):
        compiled(inventory)
    assert (tmp_path / "out").read_text() == "in the way"


# --- whatever is changed, in whatever order ------------------------------------------------------------------


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(FILES)), st.integers(0, 2000), st.sampled_from("a0Z -1'")),
        min_size=1,
        max_size=3,
    )
)
def test_after_any_change_of_any_byte_the_documents_are_those_of_a_fresh_compile(
    tmp_path: Path, steps: list[tuple[str, int, str]]
) -> None:
    for name in ("out", "fresh"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    inventory = write_files(tmp_path)
    compiled(inventory)
    for file, place, character in steps:
        text = (tmp_path / file).read_text(encoding="utf-8")
        index = place % len(text)
        (tmp_path / file).write_text(text[:index] + character + text[index + 1 :], encoding="utf-8")
        before = contents(tmp_path / "out")
        try:
            compiled(inventory, "fresh", use_cache=False)
        except (InputError, UsageError):
            with pytest.raises((InputError, UsageError)):
                compiled(inventory)
            assert contents(tmp_path / "out") == before
            write_files(tmp_path)
            continue
        nodes = compiled(inventory).nodes
        fresh = contents(tmp_path / "fresh")
        assert {name: raw for name, raw in contents(tmp_path / "out").items() if name in fresh} == fresh
        assert {f"{name}.mof" for name in nodes} <= set(fresh)
        shutil.rmtree(tmp_path / "fresh")


# --- fingerprints --------------------------------------------------------------------------------------------


def test_a_kind_of_value_that_is_not_known_has_no_fingerprint() -> None:
    with pytest.raises(TypeError, match="no fingerprint"):
        canonical({"a": object()}, positions=False)


#: Fields that do not count when values are compared, and so not in a fingerprint; each for a reason.
NOT_COMPARED = {
    "SourceFile.text",  # a position names the file; what it holds counts by the values read from it
    "Located.tree",  # the positions of parts
    "Node.layers",  # count by the values they bind to the variables of roles
    "Node.rules",
    "Declaration.may_recur",  # says what is worth remembering, and nothing of a document
}


def test_every_field_that_does_not_count_is_known() -> None:
    found = set()
    for room in ("diagnostics", "addresses", "documents", "inventory", "roles", "catalogue"):
        module = importlib.import_module(f"provisioner.{room}")
        names = [module.__name__]
        if hasattr(module, "__path__"):
            names += [each.name for each in pkgutil.walk_packages(module.__path__, f"{module.__name__}.")]
        for name in names:
            for kind in vars(importlib.import_module(name)).values():
                if isinstance(kind, type) and dataclasses.is_dataclass(kind):
                    found |= {
                        f"{kind.__name__}.{f.name}"
                        for f in dataclasses.fields(kind)
                        if not f.compare and f.init
                    }
    assert found == NOT_COMPARED


def test_the_program_is_known_by_its_own_code() -> None:
    code = list(fingerprints._code())
    names = {path.name for path in code}
    assert {"mof.py", "evaluation.py", "check.py", "property-orders.json", "addresses.py"} <= names
    # Options of services decide what is told of a text; modules are counted one by one.
    assert {path.parts[-3] for path in code if "@" in path.name} == {"options"}
    assert os.path.commonpath([provisioner.__path__[0], *map(str, fingerprints._code())])
