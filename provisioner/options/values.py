"""What a service makes of a value: ``$name`` replaced by values of other options, then the option's type.

Source of the rules: ConfigOpts._substitute, StrSubWrapper and _do_get of oslo_config.cfg.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any, Final

from provisioner.options.catalogue import Option, folded
from provisioner.options.contents import Contents
from provisioner.options.oslo import Converter, converter

#: The value follows from the machine the service runs on.
UNKNOWN: Final = object()


#: Options that every service has, and whose values follow from its command line.
_OF_THE_COMMAND_LINE: Final = frozenset({"config_file", "config_dir"})
#: How far references lead on. A service's own reader comes to its end somewhat later.
_DEEPEST: Final = 50
#: How long values may become by references: each may double what the next refers to.
_LONGEST: Final = 1 << 20


class WrongReference(Exception):
    """``$name`` cannot be replaced. ``name`` may be a piece of a secret; ``reason`` is not."""

    def __init__(self, name: str, reason: str, help: str) -> None:
        self.name = name
        self.reason = reason
        self.help = help
        super().__init__(reason)


class _Template(string.Template):
    # As ConfigOpts.Template: a dot belongs to the name.
    idpattern = r"[_a-z][\._a-z0-9]*"


class Values:
    """The values of a file's options."""

    def __init__(self, contents: Contents, placeholder: re.Pattern[str] | None = None) -> None:
        """``placeholder`` stands for a part of a value that is not known yet."""
        self._contents = contents
        self._placeholder = placeholder
        self._converters: dict[int, Converter] = {}
        self._asked: list[Option] = []
        self._known: dict[int, Any] = {}

    def convert(self, option: Option, text: str) -> Any:
        """Return what the service gets, or UNKNOWN.

        Raises:
            ValueError: The option's type does not take it.
            WrongReference: A ``$name`` in it cannot be replaced.
        """
        if self._placeholder and self._placeholder.search(text):
            return UNKNOWN
        self._asked.append(option)
        try:
            replaced = self._replaced(text, option)
        finally:
            self._asked.pop()
        return UNKNOWN if replaced is UNKNOWN else self._converter(option)(replaced)

    def _converter(self, option: Option) -> Converter:
        key = id(option.facts)
        if key not in self._converters:
            self._converters[key] = converter(option.facts)
        return self._converters[key]

    def _value(self, option: Option) -> Any:
        key = id(option)
        if key not in self._known:
            self._known[key] = self._worked_out(option)
        return self._known[key]

    def _worked_out(self, option: Option) -> Any:
        assigned = self._contents.effective(option)
        if assigned and option.is_multi:
            return [self.convert(option, each.value) for each in assigned]
        if assigned:
            return self.convert(option, assigned[-1].value)
        if option.facts.get("computed"):
            return UNKNOWN
        default = option.facts.get("default")
        if isinstance(default, str):
            return self.convert(option, default)
        return default

    def _replaced(self, text: str, option: Option) -> Any:
        # A backslash before a dollar sign escapes it as a second one does.
        template = _Template(text.replace(r"\$", "$$"))
        others = _Others(self, option)
        replaced = template.safe_substitute(others)
        return UNKNOWN if others.met_unknown else replaced

    def referred(self, name: str, option: Option) -> Any:
        """Return the value of the option that ``$name`` means in a value of ``option``."""
        contents = self._contents
        section, dot, rest = name.partition(".")
        found: Option | None = None
        if dot:
            if section not in contents.spelt or section == "DEFAULT":
                raise WrongReference(
                    name,
                    "stands for an option of a section, and there is no such section",
                    "Write ${name} where a dot follows the name.",
                )
            found = contents.option(folded(section), rest)
            is_old = contents.is_old(rest, {folded(section)})
        else:
            if option.section != "DEFAULT":
                found = contents.option(folded(option.section), name)
            if found is None and name in contents.spelt:
                raise WrongReference(
                    name, "is the name of a section, not of an option", "Name its option too."
                )
            found = found or contents.option("DEFAULT", name)
            is_old = contents.is_old(name, {folded(option.section), "DEFAULT"})
            is_old = is_old or name in _OF_THE_COMMAND_LINE
        if found is None and is_old:
            # By an old name a reference finds an option, but not always the value that its own section sets.
            return UNKNOWN
        if found is None:
            raise WrongReference(
                name,
                "stands for the value of an option, and there is none of this name",
                "Write $$ for a '$' that is meant as one.",
            )
        if found in self._asked:
            raise WrongReference(name, "leads back to this option itself", "Write the value out.")
        if len(self._asked) > _DEEPEST:
            reason = f"leads from one option to the next, more than {_DEEPEST} times"
            raise WrongReference(name, reason, "Write the value out.")
        try:
            return self._value(found)
        except ValueError as error:
            raise WrongReference(
                name, "is an option whose own value is wrong", "Correct that one."
            ) from error


class _Others(Mapping[str, Any]):
    """The options that ``$name`` may mean."""

    def __init__(self, values: Values, option: Option) -> None:
        self._values = values
        self._option = option
        self.met_unknown = False
        self._length = 0

    def __getitem__(self, name: str) -> Any:
        value = self._values.referred(name, self._option)
        if value is UNKNOWN:
            self.met_unknown = True
        text = "" if value is None or value is UNKNOWN else str(value)
        self._length += len(text)
        if self._length > _LONGEST:
            raise WrongReference(
                name, f"makes the value longer than {_LONGEST} letters", "Write the value out."
            )
        return text

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0
