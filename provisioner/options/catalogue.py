"""The options that a service of a release has: read from ``data/``, one JSON file for each service and release.

The files are written by ``make options`` from the real packages and hold facts only. File names alone say what
there is; a file is read when it is first asked for. Options are found without regard to the case of a section's
name, as oslo.config finds them; only DEFAULT has to be written so.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provisioner import documents
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError

#: What may well be a release, only not one that was listed: nobody mistyped it.
_SERIES: Final = re.compile(r"20[0-9]{2}\.[12]|[0-9]+\.[0-9]+\.[0-9]+")
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Option:
    """An option. ``section`` is spelt as the service registers it, ``facts`` are those of the file.

    ``was`` are its old names, each with its section.
    """

    section: str
    name: str
    facts: Mapping[str, Any]
    was: tuple[tuple[str, str], ...] = ()

    @property
    def is_multi(self) -> bool:
        """Whether it may be given several times."""
        return bool(self.facts.get("multi"))

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be shown."""
        return bool(self.facts.get("secret"))


@dataclass(frozen=True, slots=True)
class NamedSections:
    """Sections whose names are the values of an option. With ``like`` empty they take any option."""

    named_by: tuple[str, str]
    like: tuple[str, ...]
    prefix: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What one service of one release knows. ``plugins`` maps each ``auth_type`` to its options' facts."""

    service: str
    release: str
    packages: Mapping[str, str]
    sections: Mapping[str, Mapping[str, Option]]
    plugins: Mapping[str, Mapping[str, Mapping[str, Any]]]
    named_sections: tuple[NamedSections, ...]
    tolerated: frozenset[tuple[str, str]]

    def __len__(self) -> int:
        return sum(map(len, self.sections.values()))

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.service} {self.release}"


def folded(section: str) -> str:
    """Return the name under which oslo.config looks a section up."""
    return section if section == "DEFAULT" else section.lower()


def releases() -> dict[str, tuple[str, ...]]:
    """Return the known releases of each known service, sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted(_DATA.glob("*@*.json")):
        service, _, release = path.name.removesuffix(".json").partition("@")
        found.setdefault(service, []).append(release)
    return {service: tuple(sorted(each, key=_by_number)) for service, each in found.items()}


def is_known(service: str, release: str) -> bool:
    """Whether there is a catalogue: files of other releases cannot be checked."""
    return release in releases().get(service, ())


@functools.lru_cache(maxsize=16)
def catalogue(service: str, release: str) -> Catalogue:
    """Read a catalogue.

    Raises:
        UsageError: There is none; the message says which there are.
    """
    known = releases()
    if service not in known:
        there = ", ".join(sorted(known))
        help_ = did_you_mean(service, known)
        raise UsageError(
            f"no service is called '{service}'. There are: {there}.", help_ if "mean" in help_ else ""
        )
    if release not in known[service]:
        near = "" if _SERIES.fullmatch(release) else did_you_mean(release, known[service])
        raise UsageError(
            f"the options of {service} {release} are not known, so they cannot be checked.",
            f"Known releases of {service}: {', '.join(known[service])}.{f' {near}' if 'mean' in near else ''}",
        )
    text, _, problems = documents.read_text(_DATA / f"{service}@{release}.json")
    problems.raise_errors()
    facts: dict[str, Any] = json.loads(text or "")
    return Catalogue(
        service,
        release,
        facts["packages"],
        {name: options_of(name, options) for name, options in facts["options"].items()},
        facts["plugins"],
        tuple(
            NamedSections(tuple(each["named_by"]), tuple(each["like"]), each["prefix"], each["needed"])
            for each in facts["dynamic"]
        ),
        frozenset((section, name) for section, name in facts["tolerated"]),
    )


def options_of(section: str, facts: Mapping[str, Mapping[str, Any]], template: str = "") -> dict[str, Option]:
    """Return the options of a section; old names in the section ``template`` are then in this one."""
    return {
        name: Option(
            section,
            name,
            each,
            tuple((section if old == template else old, name_) for old, name_ in each.get("was", ())),
        )
        for name, each in facts.items()
    }


def _by_number(release: str) -> list[int]:
    return [int(part) if part.isdecimal() else 0 for part in release.split(".")]
