"""What is said of an option that the service does not have: what was meant, or where it went.

Services ignore such an option without a word, so this is where most of the help is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from provisioner.options.catalogue import Option, folded, releases
from provisioner.options.contents import Contents
from provisioner.options.faults import Fault, Kind, printable
from provisioner.options.reading import Assignment
from provisioner.options.wording import suggestion

#: Options that went long before the first release with a catalogue, and what took their place.
_GONE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "rabbit_host",
            "rabbit_hosts",
            "rabbit_port",
            "rabbit_userid",
            "rabbit_password",
            "rabbit_virtual_host",
        ),
        "Write transport_url = rabbit://USER:PASSWORD@HOST:5672/ in [DEFAULT].",
    ),
    "sql_connection": "Write connection in [database].",
    "auth_plugin": "Write auth_type.",
    **dict.fromkeys(("config_file", "config_dir"), "It counts only on the command line of the service."),
}
#: The same of names that other sections still have.
_RENAMED: Mapping[str, str] = {"os_region_name": "region_name"}
_MOST_NAMED = 3
_REMOVE = "Remove it, or look its name up."


def unknown_option(assignment: Assignment, contents: Contents, *, searches: bool = True) -> Fault:
    """Return the fault of an option that nothing reads.

    ``searches`` looks for near names and in other releases too, which takes milliseconds.
    """
    section, name = folded(assignment.section), assignment.name
    title = contents.catalogue.title
    if section not in contents.sections:
        message = f"{title} has no section [{printable(assignment.section)}], so nothing reads the option."
        return Fault(
            assignment.line,
            Kind.UNKNOWN_SECTION,
            assignment.section,
            name,
            message,
            _meant_section(assignment.section, contents) if searches else _REMOVE,
        )
    elsewhere = _elsewhere(name, contents)
    kind = Kind.WRONG_SECTION if elsewhere else Kind.UNKNOWN_OPTION
    message = f"{title} has no such option in [{printable(assignment.section)}], so nothing reads it."
    help_ = (
        _underscores(name, contents.sections[section])
        or _of_a_plugin(section, name, contents)
        or (_in_another_release(section, name, contents) if searches else "")
        or (f"Write {_RENAMED[name]}." if _RENAMED.get(name) in contents.sections[section] else "")
        or (f"It belongs in {_places(elsewhere)}." if elsewhere else "")
        or _GONE.get(name, "")
        or (suggestion(name, contents.sections[section]) if searches else "")
        or (_near_elsewhere(name, contents) if searches else "")
        or _REMOVE
    )
    return Fault(assignment.line, kind, assignment.section, name, message, help_)


def _meant_section(written: str, contents: Contents) -> str:
    if written.lower() == "default":
        return "The section is read only when its name is written in capitals: [DEFAULT]."
    own = {each.name for each in contents.lines.assignments if each.section == written}
    for rule in contents.catalogue.named_sections:
        known = {name for like in rule.like for name in contents.catalogue.sections.get(like, {})}
        if own & known:
            section, name = rule.named_by
            return f"Name it in {name} of [{section}] to have it read."
    near = suggestion(written, [*contents.catalogue.sections, *(each.name for each in contents.named)])
    return near or _REMOVE


def _elsewhere(name: str, contents: Contents) -> list[str]:
    """Return the sections that have an option of this name, by its present name."""
    return [options[name].section for options in contents.sections.values() if name in options]


def _places(sections: list[str]) -> str:
    told = " or ".join(f"[{each}]" for each in sections[:_MOST_NAMED])
    more = len(sections) - _MOST_NAMED
    return f"{told} or {more} other sections" if more > 0 else told


def _underscores(name: str, options: Mapping[str, Option]) -> str:
    written = re.sub("[-. ]", "_", name)
    return f"Write it with underscores: {written}." if written != name and written in options else ""


def _of_a_plugin(section: str, name: str, contents: Contents) -> str:
    if not contents.logs_on(section):
        return ""
    having = [plugin for plugin, options in contents.catalogue.plugins.items() if name in options]
    if not having:
        return ""
    plugin = "password" if "password" in having else having[0]
    chosen = contents.text(contents.sections[section]["auth_type"])
    if chosen:
        return f"With auth_type = {chosen} there is none; {plugin} has it."
    return f"It needs auth_type = {plugin} in the same section."


def _in_another_release(section: str, name: str, contents: Contents) -> str:
    own = contents.catalogue
    known = releases()[own.service]
    for release in known:
        if release == own.release:
            continue
        other = contents.in_release(release)
        option = other.option(section, name)
        successors = other.formerly(section, name)
        was = "had it" if known.index(release) < known.index(own.release) else "has it"
        if option is not None:
            return f"{own.service} {release} {was}."
        if successors:
            successor = successors[0]
            there = contents.option(folded(successor.section), successor.name)
            told = f"{successor.name} of [{successor.section}]"
            if there is not None:
                return f"It was an old name, which {own.service} {release} still took: write {told}."
    return ""


def _near_elsewhere(name: str, contents: Contents) -> str:
    every = {
        each: option.section for options in contents.sections.values() for each, option in options.items()
    }
    near = suggestion(name, every)
    match = re.search("'(.+)'", near)
    return f"Did you mean {match[1]} of [{every[match[1]]}]?" if match else ""
