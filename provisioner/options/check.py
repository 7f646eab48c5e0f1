"""Is a configuration file what its service reads? Pure: text in, faults out.

This is the function that whoever renders a file calls with the text, the service and its release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from provisioner.options.catalogue import Catalogue, Option, catalogue, folded
from provisioner.options.contents import Contents
from provisioner.options.faults import Fault, Kind, shown
from provisioner.options.reading import Assignment, decoded, read_lines
from provisioner.options.unknown import unknown_option
from provisioner.options.values import Values, WrongReference
from provisioner.options.wording import suggestion, wanted

#: Unknown options whose near names are looked for: of a file with more of them nobody reads the help of each.
_MOST_SEARCHED: Final = 200
_UNKNOWN: Final = frozenset({Kind.UNKNOWN_OPTION, Kind.UNKNOWN_SECTION, Kind.WRONG_SECTION})
#: A password in an address.
_PASSWORD = re.compile(r"://[^/\s]*:[^\s]+@")


def check_text(
    text: str, service: str, release: str, *, placeholder: re.Pattern[str] | None = None
) -> list[Fault]:
    """Hold the text of a file against the options of a service.

    Args:
        text: The file.
        service: Who reads it.
        release: A series of OpenStack; for cloudbase-init a package version.
        placeholder: What stands for a secret that is not known yet. A value with one in it is let pass, and one
            of a secret option without it is told.

    Returns:
        The faults in the order of their lines; warnings are among them (``Fault.severity``).

    Raises:
        UsageError: There is no catalogue for this service and release (``catalogue.is_known`` tells before).
    """
    known = catalogue(service, release)
    lines = read_lines(text)
    found = list(lines.faults)
    contents = Contents(known, lines)
    unknown = 0
    for assignment in lines.assignments:
        of_name = list(_name_faults(assignment, contents, searches=unknown < _MOST_SEARCHED))
        unknown += any(fault.kind in _UNKNOWN for fault in of_name)
        found += of_name
        found += _swallowed(assignment, contents)
        found += _letters(assignment)
    found += _value_faults(contents, placeholder)
    if placeholder:
        found += _clear_secrets(contents, placeholder)
    found += _overridden(contents)
    found += _section_faults(contents)
    found += _plugin_faults(contents)
    return sorted(dict.fromkeys(found), key=lambda fault: fault.line)


def check_bytes(raw: bytes, service: str, release: str) -> list[Fault]:
    """Do the same for the bytes of a file."""
    text, faults = decoded(raw)
    if text is None:
        catalogue(service, release)
        return faults
    return sorted([*faults, *check_text(text, service, release)], key=lambda fault: fault.line)


def _name_faults(assignment: Assignment, contents: Contents, *, searches: bool) -> Iterator[Fault]:
    section, name = folded(assignment.section), assignment.name
    known = contents.option(section, name)
    if known is not None:
        yield from _removal(assignment, known)
        return
    if section in contents.free or (section, name) in contents.catalogue.tolerated:
        return
    successors = contents.formerly(section, name)
    if not successors:
        yield unknown_option(assignment, contents, searches=searches)
    elif any(assignment in contents.effective(each) for each in successors):
        told = " and ".join(f"{each.name} of [{each.section}]" for each in successors[:3])
        message = f"This name is deprecated: the option is {told}."
        yield Fault(
            assignment.line, Kind.DEPRECATED, assignment.section, name, message, "Write the new name."
        )
    else:
        first = successors[0]
        told = f"{first.name} of [{first.section}]"
        message = f"This name is deprecated: the option is {told}, which is set too and wins."
        yield Fault(assignment.line, Kind.DEPRECATED, assignment.section, name, message, "Remove it.")


def _removal(assignment: Assignment, option: Option) -> Iterator[Fault]:
    since = option.facts.get("removal")
    if since is not None:
        message = f"The option is deprecated{f' since {since}' if since else ''} and will be removed."
        yield Fault(
            assignment.line,
            Kind.DEPRECATED,
            assignment.section,
            assignment.name,
            message,
            "The release notes say what to do instead, if anything.",
        )


def _swallowed(assignment: Assignment, contents: Contents) -> Iterator[Fault]:
    """Tell lines that look like another option or a comment and continue the value before."""
    for line, text in assignment.more:
        name = re.split("[=:]", text, maxsplit=1)[0].strip()
        is_option = re.search("[=:]", text) and contents.option(folded(assignment.section), name) is not None
        if is_option or text.startswith(("#", ";")):
            what = name if is_option else "a comment"
            yield Fault(
                line,
                Kind.SWALLOWED,
                assignment.section,
                name if is_option else assignment.name,
                f"The line starts with a blank, so that {what} becomes a piece of the value of {assignment.name}.",
                "Remove the blanks before it.",
                only_a_warning=not is_option,
            )


def _letters(assignment: Assignment) -> Iterator[Fault]:
    for line, text in [(assignment.line, assignment.value.split("\n")[0]), *assignment.more]:
        if not text.isascii():
            message = (
                "The value has letters beyond ASCII, and services on Windows read the file in the code page"
            )
            yield Fault(
                line,
                Kind.ENCODING,
                assignment.section,
                assignment.name,
                f"{message} of the machine, not as UTF-8.",
                "Write plain ASCII where you can.",
                only_a_warning=True,
            )


def _value_faults(contents: Contents, placeholder: re.Pattern[str] | None) -> Iterator[Fault]:
    values = Values(contents, placeholder)
    for option in _touched(contents):
        for assignment in contents.effective(option):
            try:
                values.convert(option, assignment.value)
            except WrongReference as error:
                seen = "A '$' with the letters behind it" if option.is_secret else shown(f"${error.name}")
                message = f"{seen} {error.reason}."
                yield Fault(
                    assignment.line, Kind.REFERENCE, assignment.section, assignment.name, message, error.help
                )
            except ValueError:
                yield _wrong_value(assignment, option)


def _clear_secrets(contents: Contents, placeholder: re.Pattern[str]) -> Iterator[Fault]:
    """Tell secrets that stand where others read them. Without a password in it, an address is none."""
    for option in _touched(contents):
        for assignment in contents.effective(option):
            value = assignment.value.strip()
            is_harmless = "://" in value and not _PASSWORD.search(value)
            if (
                option.is_secret
                and value
                and "$" not in value
                and not placeholder.search(value)
                and not is_harmless
            ):
                yield Fault(
                    assignment.line,
                    Kind.CLEAR_SECRET,
                    assignment.section,
                    assignment.name,
                    "The value is a secret, and it stands in clear where the file is made.",
                    "Write a placeholder for it, and keep the secret where the placeholder refers to.",
                )


def _wrong_value(assignment: Assignment, option: Option) -> Fault:
    seen = "The value" if option.is_secret else shown(assignment.value)
    help_ = ""
    if "choices" in option.facts and not option.is_secret:
        help_ = suggestion(assignment.value, map(str, option.facts["choices"]))
    elif re.search(r"\s[#;]", assignment.value):
        help_ = "A comment needs a line of its own."
    message = f"{seen} is not what it takes: {wanted(option.facts)}."
    return Fault(assignment.line, Kind.VALUE, assignment.section, assignment.name, message, help_)


def _touched(contents: Contents) -> list[Option]:
    """Return the options that the file sets, each once, by whatever name."""
    found: dict[int, Option] = {}
    for section, name in list(contents.assigned):
        present = contents.option(section, name)
        for each in [*([present] if present else []), *contents.formerly(section, name)]:
            found[id(each)] = each
    return list(found.values())


def _overridden(contents: Contents) -> Iterator[Fault]:
    for (section, name), assignments in contents.assigned.items():
        option = contents.option(section, name)
        options = [option] if option else contents.formerly(section, name)
        if section in contents.free or any(each.is_multi for each in options):
            continue
        for each in assignments[:-1]:
            message = f"It is set again in line {assignments[-1].line}, and only that one counts."
            yield Fault(each.line, Kind.DUPLICATE, each.section, each.name, message, "Remove one of them.")


def _section_faults(contents: Contents) -> Iterator[Fault]:
    present = {folded(each) for each in contents.lines.sections}
    for each in contents.named:
        if each.rule.needed and each.name not in present:
            message = f"It names '{each.name}', and there is no section [{each.name}]."
            help_ = suggestion(each.name, contents.lines.sections) or "Write the section, or remove the name."
            naming = each.naming
            yield Fault(naming.line, Kind.MISSING_SECTION, naming.section, naming.name, message, help_)


def _plugin_faults(contents: Contents) -> Iterator[Fault]:
    plugins = contents.catalogue.plugins
    for name, section in contents.sections.items():
        if not plugins or not contents.logs_on(name):
            continue
        for each in contents.effective(section["auth_type"]):
            value = each.value.strip()
            if value and "$" not in value and value not in plugins:
                message = f"{shown(value)} is no way to log on that this release has."
                help_ = suggestion(value, plugins) or "The usual one is password."
                yield Fault(each.line, Kind.AUTH_TYPE, each.section, each.name, message, help_)


def summary(known: Catalogue) -> str:
    """Return what a file was held against, as in "nova 2023.1 (nova 27.1.0, oslo.config 9.1.1)"."""
    packages = ", ".join(f"{name} {version}" for name, version in known.packages.items())
    return f"{known.title} ({packages})"
