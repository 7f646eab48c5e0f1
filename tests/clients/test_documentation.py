"""docs/lab.md says of foreign clients and their scripts what the suite runs, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.foreign.registry import known_scripts
from tests.clients.ways import WAYS, version_of

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "lab.md"


def _table(heading: str) -> list[list[str]]:
    """Rows of the table that has this heading."""
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    start = lines.index(heading) + 2
    rows: list[list[str]] = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _clients() -> dict[str, list[str]]:
    return {
        client: rest
        for client, *rest in _table(
            "| client | version | ways | what works | what is refused, and why |",
        )
    }


def test_the_page_lists_the_ways_that_are_run() -> None:
    found = {}
    for client, (_, ways, *_) in _clients().items():
        pairs = [part.rstrip(")").split(" (") for part in ways.split("; ")]
        found[client] = {(auth, scheme) for auth, schemes in pairs for scheme in schemes.split(", ")}
    assert found == {client: {(way.auth, way.scheme) for way in ways} for client, ways in WAYS.items()}


def test_every_row_says_what_works_and_what_is_refused() -> None:
    for client, (_, _, works, refused) in _clients().items():
        assert works, client
        assert refused, client


@pytest.mark.parametrize("client", WAYS)
def test_the_page_names_the_version_that_was_run(client: str) -> None:
    if not version_of(client):
        pytest.skip(f"{client} is not installed")
    assert _clients()[client][0] == version_of(client)


def test_the_page_lists_the_known_scripts() -> None:
    rows = _table("| client | script | versions | what it does |")
    listed = {(client, script, versions) for client, script, versions, _ in rows}
    assert listed == {(script.client, script.name, script.versions) for script in known_scripts()}
    for client, script, _, does in rows:
        (known,) = [one for one in known_scripts() if (one.client, one.name) == (client, script)]
        assert does.startswith(known.does)
