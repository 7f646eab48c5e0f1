"""A file and the options its service would register for it: which section has which, and which line counts.

Some sections follow from the file itself: back ends that ``enabled_backends`` names, the options of an
``auth_type``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from provisioner.options.catalogue import Catalogue, NamedSections, Option, catalogue, folded, options_of
from provisioner.options.reading import Assignment, Lines

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class NamedSection:
    """A section whose name stands in the value of an option: the folded name, and the line that names it."""

    name: str
    rule: NamedSections
    naming: Assignment


class Contents:
    """A file's lines beside a catalogue. Sections are asked for by their folded names."""

    def __init__(self, known: Catalogue, lines: Lines) -> None:
        self.catalogue = known
        self.lines = lines
        self.assigned: dict[Key, list[Assignment]] = defaultdict(list)
        for each in lines.assignments:
            self.assigned[folded(each.section), each.name].append(each)
        #: Sections as the service registers them, for ``$section.option``, which does not fold.
        self.spelt: set[str] = set(known.sections)
        self.sections: dict[str, dict[str, Option]] = {}
        for name, options in known.sections.items():
            self.sections.setdefault(folded(name), {}).update(options)
        self.free: set[str] = set()
        self.named: list[NamedSection] = []
        for rule in known.named_sections:
            self._add_named(rule)
        for section in list(self.sections):
            if self.logs_on(section):
                self._add_plugin(section)
        self._releases: dict[str, Contents] = {}
        self._old: dict[Key, list[Option]] = defaultdict(list)
        for option in self.options():
            for section, name in option.was:
                self._old[folded(section), name].append(option)

    def in_release(self, release: str) -> Contents:
        """Return the same file beside another release's catalogue."""
        if release not in self._releases:
            self._releases[release] = Contents(catalogue(self.catalogue.service, release), self.lines)
        return self._releases[release]

    def options(self) -> Iterator[Option]:
        """All options that are registered for this file."""
        for section in self.sections.values():
            yield from section.values()

    def option(self, section: str, name: str) -> Option | None:
        """Find an option by its present name."""
        return self.sections.get(section, {}).get(name)

    def formerly(self, section: str, name: str) -> list[Option]:
        """Return the options that had this name."""
        return self._old.get((section, name), [])

    def logs_on(self, section: str) -> bool:
        """Whether a section has the options of keystoneauth: Castellan's ``auth_type`` stands alone."""
        return self.sections.get(section, {}).keys() >= {"auth_type", "auth_section"}

    def is_old(self, name: str, sections: set[str]) -> bool:
        """Whether ``$name`` finds an option of these sections by an old name.

        An old section alone is not enough, and an old name without one is looked up in DEFAULT. Source:
        ConfigOpts._track_deprecated_opts.
        """
        return any(
            name == old and option.name != old and (section in sections or section == folded(option.section))
            for (section, old), options in self._old.items()
            for option in options
        )

    def effective(self, option: Option) -> list[Assignment]:
        """Return the assignments that count: the last one, all of an option that may be given several times.

        The present name wins over old ones, these in their order. Source: oslo_config.cfg._Namespace.
        """
        keys = [(folded(option.section), option.name), *((folded(old), name) for old, name in option.was)]
        found = [self.assigned[key] for key in dict.fromkeys(keys) if key in self.assigned]
        if option.is_multi:
            return [each for assignments in found for each in assignments]
        return found[0][-1:] if found else []

    def _add_named(self, rule: NamedSections) -> None:
        section, name = rule.named_by
        option = self.option(folded(section), name)
        for naming in self.effective(option) if option else []:
            for each in _items(naming.value):
                named = f"{rule.prefix}{each}"
                self.named.append(NamedSection(folded(named), rule, naming))
                self.spelt.add(named)
                if not rule.like:
                    self.free.add(folded(named))
                for template in rule.like:
                    options = self.catalogue.sections.get(template, {})
                    facts = {option.name: option.facts for option in options.values()}
                    added = options_of(named, facts, template)
                    self.sections[folded(named)] = added | self.sections.get(folded(named), {})

    def _add_plugin(self, section: str) -> None:
        """Add the options of the section's ``auth_type``, to the section where that stands."""
        own = self.sections[section]
        target, spelt = section, own["auth_type"].section
        if "auth_section" in own:
            elsewhere = self.text(own["auth_section"]) or own["auth_section"].facts.get("default")
            if elsewhere:
                target, spelt = folded(elsewhere), elsewhere
        options = self.sections.setdefault(target, {})
        self.spelt.add(spelt)
        for name in ("auth_type", "auth_section"):
            if name in own:
                options.setdefault(name, options_of(spelt, {name: own[name].facts}, section)[name])
        plugin = self.text(options["auth_type"])
        for name, option in options_of(spelt, self.catalogue.plugins.get(plugin or "", {})).items():
            options.setdefault(name, option)

    def text(self, option: Option) -> str | None:
        """Return the text of an option's value as it stands in the file."""
        found = self.effective(option)
        return found[-1].value.strip() if found else None


def _items(value: str) -> Iterable[str]:
    return dict.fromkeys(each.strip() for each in value.split(",") if each.strip())
