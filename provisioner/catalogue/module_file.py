"""The JSON form of one module version, ``Module@Version.json``, read into the schema.

Both the shipped facts and what ``provision catalog import`` writes have this form; docs/catalogue.md describes
it. What equals the default is left out. A file that cannot be believed is refused as a whole, with every place
that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from provisioner import documents
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    EmbeddedClass,
    Limits,
    Module,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange, did_you_mean

Steps = tuple["str | int", ...]
Built = TypeVar("Built")

#: Classes every module may embed.
_COMMON = {CREDENTIAL_CLASS, PAIR_CLASS}

_TYPES = {each.value: each for each in CimType}
_QUALIFIERS = {each.value: each for each in Qualifier}
_KINDS = {each.value: each for each in ResourceKind}

_TEXT, _FLAG, _TEXTS, _PAIR, _PLAIN, _LIST = (
    "text",
    "true or false",
    "a list of texts",
    "two numbers, the smaller one first",
    "",
    "a list",
)

_MODULE_FIELDS = {
    "module": _TEXT,
    "version": _TEXT,
    "channel": _TEXT,
    "source": _TEXT,
    "licence": _TEXT,
    "notes": _TEXTS,
    "resources": _LIST,
    "classes": _LIST,
}
_RESOURCE_FIELDS = {
    "name": _TEXT,
    "class": _TEXT,
    "kind": _TEXT,
    "expands_to": _TEXT,
    "split_by": _TEXT,
    "summary": _TEXT,
    "properties": _LIST,
}
_CLASS_FIELDS = {"name": _TEXT, "keyword": _TEXT, "base": _TEXT, "properties": _LIST}
_PROPERTY_FIELDS = {
    "name": _TEXT,
    "type": _TEXT,
    "array": _FLAG,
    "qualifier": _TEXT,
    "value_map": _TEXTS,
    "values": _TEXTS,
    "embedded_class": _TEXT,
    "range": _PAIR,
    "length": _PAIR,
    "count": _PAIR,
    "pattern": _TEXT,
    "not_empty": _FLAG,
    "allowed": _TEXTS,
    "needed_on_node": _FLAG,
    "secret_lines": _FLAG,
    "default": _PLAIN,
}
_LIMITS = ("range", "length", "count", "pattern", "not_empty", "allowed")


def read_module(text: str, path: str, channel: str = "") -> Module:
    """Build a module version from the text of its file.

    Args:
        text: The JSON text.
        path: The file, as shown to the user.
        channel: Overrides what the file says, for a user's own folder.

    Raises:
        InputError: The file is not such a file; every problem with its position.
    """
    reader = _Reader(text, path)
    plain = reader.parsed()
    module = reader.module(plain, channel)
    reader.raise_errors()
    return module


def read_classes(text: str, path: str) -> tuple[EmbeddedClass, ...]:
    """Build the classes of a file that has ``classes`` only."""
    reader = _Reader(text, path)
    plain = reader.parsed()
    found = reader.each(plain, "classes", (), reader.embedded)
    reader.raise_errors()
    return found


class _Reader:
    """Builds the values and keeps every problem. After a problem the value built is a stand-in."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._wrong: list[tuple[Steps, str, str]] = []

    def parsed(self) -> Mapping[str, Any]:
        try:
            plain = json.loads(self._text, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            self._syntax(error.msg, error.lineno, error.colno)
        except RecursionError:
            self._syntax("it is nested too deeply", 1, 1)
        except ValueError as error:  # a number of more digits than Python takes
            self._syntax(str(error), 1, 1)
        else:
            if isinstance(plain, dict):
                return plain
            self._wrong.append(((), "A JSON object is expected here.", ""))
            self.raise_errors()
        return {}

    def raise_errors(self) -> None:
        """Raise what was found. Positions are only looked for now, since good files do not need them."""
        if not self._wrong:
            return
        source = SourceFile(self._path, self._text)
        tree, _ = documents.parse(self._text, source)
        problems = Diagnostics()
        for path, detail, advice in self._wrong:
            where = documents.locate(tree, path) if tree else SourceRange(source, 1, 1, 1, 1)
            place = _shown(path)
            problems.error("Catalogue file is not as it must be", f"{place}{detail}", where, advice)
        problems.raise_errors()

    def module(self, plain: Mapping[str, Any], channel: str) -> Module:
        plain = self._fields(plain, _MODULE_FIELDS, ("module", "version", "resources"), ())
        name, version = str(plain.get("module", "")), str(plain.get("version", ""))
        resources = self.each(
            plain, "resources", (), lambda each, path: self._resource(each, path, name, version)
        )
        self._unique(resources, "resources")
        classes = self.each(plain, "classes", (), self.embedded)
        self._unique(classes, "classes")
        module = Module(
            name,
            version,
            resources,
            classes,
            channel or str(plain.get("channel", "stable")),
            str(plain.get("source", "")),
            str(plain.get("licence", "")),
            tuple(plain.get("notes", ())),
        )
        if not self._wrong:  # else what is missing may be what could not be read
            self._references(module)
        return module

    def _references(self, module: Module) -> None:
        """Check that what a file names is in the file."""
        for index, resource in enumerate(module.resources):
            if resource.expands_to and not module.resource(resource.expands_to):
                known = [each.name for each in module.resources]
                self._wrong.append(
                    (
                        ("resources", index, "expands_to"),
                        f"There is no resource '{resource.expands_to}'.",
                        did_you_mean(resource.expands_to, known),
                    )
                )
        for place, owners in (
            ("resources", [each.properties for each in module.resources]),
            ("classes", [each.properties for each in module.classes]),
        ):
            for index, properties in enumerate(owners):
                for number, prop in enumerate(properties):
                    name = prop.embedded_class
                    if name and name not in _COMMON and not module.embedded_class(name):
                        path = (place, index, "properties", number, "embedded_class")
                        self._wrong.append((path, f"The class '{name}' is not below 'classes'.", ""))

    def embedded(self, plain: Mapping[str, Any], path: Steps) -> EmbeddedClass:
        plain = self._fields(plain, _CLASS_FIELDS, ("name", "properties"), path)
        properties = self._properties(plain, path, is_on_node=True)
        return EmbeddedClass(
            str(plain.get("name", "")), properties, str(plain.get("keyword", "")), str(plain.get("base", ""))
        )

    def each(
        self,
        plain: Mapping[str, Any],
        name: str,
        path: Steps,
        build: Callable[[Mapping[str, Any], Steps], Built],
    ) -> tuple[Built, ...]:
        items = plain.get(name, [])
        if not isinstance(items, list):
            return ()
        found = []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                found.append(build(item, (*path, name, index)))
            else:
                self._wrong.append(((*path, name, index), "A JSON object is expected here.", ""))
        return tuple(found)

    def _resource(self, plain: Mapping[str, Any], path: Steps, module: str, version: str) -> ResourceType:
        plain = self._fields(plain, _RESOURCE_FIELDS, ("name", "properties"), path)
        kind = self._word(plain, "kind", _KINDS, ResourceKind.MOF, path)
        is_composite = kind is ResourceKind.COMPOSITE
        if is_composite == bool(plain.get("class")):
            sentence = (
                "A composite has no class." if is_composite else "The CIM class is missing: add 'class'."
            )
            self._wrong.append((path, sentence, ""))
        resource = ResourceType(
            str(plain.get("name", "")),
            str(plain.get("class", "")),
            module,
            version,
            self._properties(plain, path, is_on_node=not is_composite),
            kind,
            str(plain.get("expands_to", "")),
            str(plain.get("split_by", "")),
            str(plain.get("summary", "")),
        )
        if resource.split_by and not resource.property(resource.split_by):
            self._wrong.append(((*path, "split_by"), f"There is no property '{resource.split_by}'.", ""))
        return resource

    def _properties(self, plain: Mapping[str, Any], path: Steps, *, is_on_node: bool) -> tuple[Property, ...]:
        found = self.each(
            plain, "properties", path, lambda each, where: self._property(each, where, is_on_node=is_on_node)
        )
        self._unique(found, "properties", path)
        return found

    def _property(self, plain: Mapping[str, Any], path: Steps, *, is_on_node: bool) -> Property:
        plain = self._fields(plain, _PROPERTY_FIELDS, ("name",), path)
        value_map, values = plain.get("value_map", ()), plain.get("values", ())
        if values and len(values) != len(value_map):
            self._wrong.append(((*path, "values"), "It must be as long as 'value_map'.", ""))
        default = plain.get("default")
        return Property(
            name=str(plain.get("name", "")),
            type=self._word(plain, "type", _TYPES, CimType.STRING, path),
            is_array=plain.get("array", False),
            qualifier=self._word(plain, "qualifier", _QUALIFIERS, Qualifier.WRITE, path),
            value_map=tuple(value_map),
            values=tuple(values),
            embedded_class=plain.get("embedded_class", ""),
            limits=_limits(plain, is_on_node=is_on_node),
            is_secret_lines=plain.get("secret_lines", False),
            is_needed_on_node=plain.get("needed_on_node", False),
            default=tuple(default) if isinstance(default, list) else default,
        )

    def _fields(
        self, plain: Mapping[str, Any], known: Mapping[str, str], needed: tuple[str, ...], path: Steps
    ) -> Mapping[str, Any]:
        """Check the fields of an object; return it without those of the wrong kind."""
        wrong = []
        for name, value in plain.items():
            if name not in known:
                self._wrong.append(((*path, name), "There is no such field.", did_you_mean(name, known)))
            elif not _fits(value, known[name]):
                self._wrong.append(((*path, name), f"It must be {known[name] or 'a plain value'}.", ""))
                wrong.append(name)
        for name in needed:
            # An empty list is a value; an empty name is none.
            if plain.get(name, "") == "":
                self._wrong.append((path, f"The field '{name}' is missing or empty.", ""))
        return {name: value for name, value in plain.items() if name not in wrong} if wrong else plain

    def _word(
        self, plain: Mapping[str, Any], name: str, known: Mapping[str, Built], otherwise: Built, path: Steps
    ) -> Built:
        word = plain.get(name)
        if word is None:
            return otherwise
        found = known.get(word) if isinstance(word, str) else None
        if found is None and isinstance(word, str):
            self._wrong.append(((*path, name), f"'{word}' is not known here.", did_you_mean(word, known)))
        return found or otherwise

    def _unique(self, items: tuple[Any, ...], name: str, path: Steps = ()) -> None:
        seen: set[str] = set()
        for index, item in enumerate(items):
            if item.name.casefold() in seen:
                self._wrong.append(((*path, name, index), f"'{item.name}' is here twice.", ""))
            seen.add(item.name.casefold())

    def _syntax(self, reason: str, line: int, column: int) -> None:
        where = SourceRange(SourceFile(self._path, self._text), line, column, line, column + 1)
        problems = Diagnostics()
        problems.error("File is not JSON", f"The text cannot be read as JSON: {reason}.", where)
        problems.raise_errors()


def _limits(plain: Mapping[str, Any], *, is_on_node: bool) -> Limits | None:
    if not any(name in plain for name in _LIMITS):
        return None

    def pair(name: str) -> Any:
        return tuple(plain[name]) if name in plain else None

    return Limits(
        range=pair("range"),
        length=pair("length"),
        count=pair("count"),
        pattern=plain.get("pattern", ""),
        refuses_empty=plain.get("not_empty", False),
        is_checked_on_node=is_on_node,
        values=tuple(plain.get("allowed", ())),
    )


def _fits(value: Any, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, str)
    if kind == _FLAG:
        return isinstance(value, bool)
    if kind == _TEXTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if kind == _PAIR:
        is_pair = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))  # noqa: PLR2004 - a pair
        return is_pair and value[0] <= value[1]
    if kind == _LIST:
        return isinstance(value, list)
    return _is_plain(value) or (isinstance(value, list) and all(map(_is_plain, value)))


def _refuse_constant(word: str) -> None:
    """Refuse what Python takes for a number in JSON and nothing else does: NaN, Infinity."""
    raise ValueError(f"{word} is no number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _shown(path: Steps) -> str:
    """Return ``resources[3].properties[2].type: `` for a path; nothing for the whole file."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return f"{text}: " if text else ""
