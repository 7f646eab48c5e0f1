"""Makes MOF documents, good ones and ones with one mistake, from a seed: the same number gives the same document.

Classes are those of the catalogue, so that what is written is what nodes get. A good document uses what the grammar
allows in many spellings. A bad one is a good one with one mistake of a named kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Property, ResourceType

MODULES = ("PSDscResources", "xHyper-V", "iSCSIDsc", "NetworkingDsc", "ComputerManagementDsc", "StorageDsc")
_BASE = ("ResourceID", "ModuleName", "ModuleVersion", "SourceInfo", "ConfigurationName")
_LETTERS = "abcXYZ 019-_.:;,{}[]()$=/*#'äß漢\U0001f600"


@dataclass(frozen=True)
class Line:
    """One property of an instance as text."""

    prop: Property
    name: str
    value: str


@dataclass
class Part:
    """One instance. ``alias`` is empty when it has none."""

    kind: ResourceType | None
    class_name: str
    alias: str
    lines: list[Line]


def types() -> list[ResourceType]:
    """Give the classes documents are made of, with the properties that can be set."""
    registry = Registry.builtin()
    found = [each for name in MODULES if (module := registry.module(name)) for each in module.resources]
    return sorted((each for each in found if each.class_name), key=lambda each: each.class_name)


def good(seed: int, known: Sequence[ResourceType]) -> str:
    """Give a document without mistakes."""
    dice = random.Random(seed)
    return _text(_parts(dice, known), dice)


def bad(seed: int, known: Sequence[ResourceType]) -> tuple[str, str]:
    """Give the kind of mistake and a document that has it."""
    kind = list(MISTAKES)[seed % len(MISTAKES)]
    for attempt in range(100):
        dice = random.Random(seed * 1000 + attempt)
        parts = _parts(dice, known)
        text = MISTAKES[kind](parts, dice)
        if text is not None:
            return kind, text
    raise AssertionError(f"no document can have the mistake '{kind}'")


# -- values -------------------------------------------------------------------------------------------------------


def _string(dice: random.Random) -> str:
    text = "".join(dice.choice(_LETTERS) for _ in range(dice.randrange(12)))
    escaped = text + dice.choice(["", "\\\\", '\\"', "\\n", "\\t", "\\x0041"])
    if dice.random() < 0.1:
        return f'"{escaped}" {dice.choice(["", chr(10), "/* c */ "])}"{dice.choice("abc")}"'
    return f'"{escaped}"'


def _number(dice: random.Random, low: int, high: int) -> str:
    value = dice.choice([low, high, 0, 1, dice.randint(max(low, -(10**6)), min(high, 10**6))])
    if value >= 0 and dice.random() < 0.2:
        return dice.choice([hex(value), f"0{value:o}" if value else "0", f"{value:b}b", f"+{value}"])
    return str(value)


def _scalar(dice: random.Random, prop: Property) -> str:
    bounds = prop.type.integer_range
    if bounds:
        return _number(dice, *bounds)
    match prop.type:
        case CimType.BOOLEAN:
            return dice.choice(["True", "False", "true", "FALSE"])
        case CimType.REAL32 | CimType.REAL64:
            return dice.choice(["1.5", "-0.25", "2.0E+2"])
        case CimType.DATETIME:
            return dice.choice(['"20260102030405.678900+060"', '"00000001020304.000000:000"'])
        case _:
            return _string(dice)


def _value(dice: random.Random, prop: Property) -> str:
    if dice.random() < 0.05:
        return "NULL"
    if not prop.is_array:
        return _scalar(dice, prop)
    return "{" + ", ".join(_scalar(dice, prop) for _ in range(dice.randrange(4))) + "}"


# -- documents ----------------------------------------------------------------------------------------------------


def _parts(dice: random.Random, known: Sequence[ResourceType]) -> list[Part]:
    parts: list[Part] = []
    for number in range(dice.randint(1, 4)):
        kind = dice.choice(known)
        lines = [_line(name, f'"{value}"') for name, value in zip(_BASE, _base(kind, number), strict=True)]
        for prop in kind.properties:
            if prop.embedded_class == "MSFT_Credential" and not prop.is_array and dice.random() < 0.5:
                parts.append(_credential(len(parts)))
                lines.append(Line(prop, prop.name, parts[-1].alias))
            elif prop.is_settable and not prop.embedded_class and dice.random() < 0.6:
                lines.append(Line(prop, _spelled(dice, prop.name), _value(dice, prop)))
        lines.append(_line("DependsOn", _value(dice, _DEPENDS_ON), _DEPENDS_ON))
        dice.shuffle(lines)
        parts.append(Part(kind, kind.class_name, dice.choice(["", f"$Alias{number}"]), lines))
    header = [_line("Version", '"2.0.0"'), _line("Name", _string(dice))]
    parts.append(Part(None, "OMI_ConfigurationDocument", "", header))
    return parts


_DEPENDS_ON = Property("DependsOn", CimType.STRING, is_array=True)


def _base(kind: ResourceType, number: int) -> tuple[str, ...]:
    return (f"[{kind.name}]r{number}", kind.module, kind.module_version, "a.ps1::1::2::X", "c")


def _line(name: str, value: str, prop: Property | None = None) -> Line:
    return Line(prop or Property(name, CimType.STRING), name, value)


def _credential(number: int) -> Part:
    lines = [_line("UserName", '"u"'), _line("Password", '"p"')]
    return Part(None, "MSFT_Credential", f"$Credential{number}", lines)


def _spelled(dice: random.Random, name: str) -> str:
    return dice.choice([name, name, name.upper(), name.lower()])


def _text(parts: Sequence[Part], dice: random.Random | None = None) -> str:
    """Write a document; with dice in one of the many ways the grammar allows."""
    end = dice.choice(["\n", "\r\n", "\n\n"]) if dice else "\n"
    comment = dice.choice(["", "", f"// c; {{ }}{end}", "/* c\n; } */ "]) if dice else ""
    blank = dice.choice(["", " ", "\t"]) if dice else " "
    written = []
    for part in parts:
        word = dice.choice(["instance of", "INSTANCE OF", "Instance  of"]) if dice else "instance of"
        alias = f" as {part.alias}" if part.alias else ""
        lines = end.join(f" {line.name}{blank}={blank}{comment}{line.value}{blank};" for line in part.lines)
        written.append(f"{comment}{word} {part.class_name}{alias}{end}{{{end}{lines}{end}}};{end}")
    return end.join(written)


# -- mistakes -----------------------------------------------------------------------------------------------------

Mistake = Callable[[list[Part], random.Random], "str | None"]


def _cut(pattern: str, replacement: str) -> Mistake:
    """Replace one of the places where the pattern matches."""

    def make(parts: list[Part], dice: random.Random) -> str | None:
        text = _text(parts)
        found = list(re.finditer(pattern, text))
        if not found:
            return None
        place = dice.choice(found)
        return text[: place.start()] + place.expand(replacement) + text[place.end() :]

    return make


def _line_mistake(fits: Callable[[Line], bool], value: str) -> Mistake:
    """Give a property that fits another value."""

    def make(parts: list[Part], dice: random.Random) -> str | None:
        places = [(part, at) for part in parts for at, line in enumerate(part.lines) if fits(line)]
        if not places:
            return None
        part, at = dice.choice(places)
        part.lines[at] = Line(part.lines[at].prop, part.lines[at].name, value)
        return _text(parts)

    return make


def _twice(parts: list[Part], dice: random.Random) -> str | None:
    part = dice.choice(parts)
    line = dice.choice(part.lines)
    part.lines.append(Line(line.prop, dice.choice([line.name, line.name.swapcase()]), line.value))
    return _text(parts)


def _same_alias(parts: list[Part], dice: random.Random) -> str | None:
    if len(parts) < 2:
        return None
    first, second = dice.sample(parts, 2)
    first.alias = second.alias = "$Same"
    return _text(parts)


def _alias_below(parts: list[Part], dice: random.Random) -> str | None:
    places = [part for part in parts if part.class_name == "MSFT_Credential"]
    if not places:
        return None
    moved = dice.choice(places)
    parts.remove(moved)
    parts.append(moved)
    return _text(parts)


def _alone(line: Line) -> bool:
    return not line.prop.is_array and not line.prop.embedded_class and line.value != "NULL"


def _is_text(line: Line) -> bool:
    return _alone(line) and line.prop.type is CimType.STRING


def _is_number(line: Line) -> bool:
    return _alone(line) and line.prop.type.integer_range is not None


def _is_boolean(line: Line) -> bool:
    return _alone(line) and line.prop.type is CimType.BOOLEAN


def _is_array(line: Line) -> bool:
    return line.prop.is_array and line.prop.type is CimType.STRING and not line.prop.embedded_class


MISTAKES: dict[str, Mistake] = {
    "no semicolon after a property": _cut(r"( = [^\n]*) ;\n", r"\1 \n"),
    "no semicolon after an instance": _cut(r"\n\};", r"\n}"),
    "no opening brace": _cut(r"\n\{\n", "\n\n"),
    "no closing brace": _cut(r"\n\};\n", "\n"),
    "two closing braces": _cut(r"\n\};", r"\n}};"),
    "no equals sign": _cut(r" = ", " "),
    "two equals signs": _cut(r" = ", " = = "),
    "no value": _cut(r" = [^\n]* ;\n", " = ;\n"),
    "no name": _cut(r"\n \w+ = ", "\n = "),
    "a name with a sign in it": _cut(r"\n (\w)(\w+) = ", r"\n \1-\2 = "),
    "no word of": _cut(r"instance of ", "instance "),
    "a word that is none": _cut(r"instance of", "instnce of"),
    "no class name": _cut(r"instance of \w+", "instance of"),
    "an alias without its sign": _cut(r" as \$", " as "),
    "trailing comma": _cut(r' = \{("[^"\\\n]*")\} ;', r" = {\1,} ;"),
    "no comma": _cut(r' = \{"[^"\\\n]*"\} ;', ' = {"a" 5} ;'),
    "open string": _cut(r'" ;\n', " ;\n"),
    "lone backslash": _line_mistake(_is_text, r'"C:\dir"'),
    "backslash at the end": _line_mistake(_is_text, '"C:\\"'),
    "open comment": _cut(r"\n\};\n", "\n};\n/* "),
    "a number that is none": _line_mistake(_is_number, "12abc"),
    "an octal number that is none": _line_mistake(_is_number, "0x"),
    "a word as value": _line_mistake(_is_text, "Present"),
    "unknown class": _cut(r"instance of \w+", "instance of MSFT_Nobody"),
    "unknown property": _cut(r"\n (?!Module)(\w+) = ", r"\n \1Bogus = "),
    "property twice": _twice,
    "unknown alias": _line_mistake(_is_text, "$Nobody"),
    "alias twice": _same_alias,
    "alias declared below": _alias_below,
    "number for text": _line_mistake(_is_text, "5"),
    "boolean for text": _line_mistake(_is_text, "True"),
    "text for a number": _line_mistake(_is_number, '"5"'),
    "words for a number": _line_mistake(_is_number, '"five"'),
    "boolean for a number": _line_mistake(_is_number, "True"),
    "real for a number": _line_mistake(_is_number, "1.5"),
    "too large a number": _line_mistake(_is_number, "18446744073709551616"),
    "text for a boolean": _line_mistake(_is_boolean, '"True"'),
    "words for a boolean": _line_mistake(_is_boolean, '"yes"'),
    "number for a boolean": _line_mistake(_is_boolean, "1"),
    "one for several": _line_mistake(_is_array, '"[A]b"'),
    "several for one": _line_mistake(_is_text, '{"a"}'),
    "numbers for texts": _line_mistake(_is_array, "{5}"),
}
