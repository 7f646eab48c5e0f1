"""The schema files of script based resources, read by pywbem's MOF compiler.

The compiler wants everything declared before it is used. What Windows declares for every schema (the base
class, credentials, pairs, the usual qualifiers) stands here; classes that a file embeds are announced to it
before, and a qualifier nobody knows is declared by the form of its value. pywbem takes half a second to load,
so it is loaded when the first schema is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    EmbeddedClass,
    Property,
    Qualifier,
    ResourceType,
)
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

if TYPE_CHECKING:
    import pywbem

_NAMESPACE = "root/dsc"
_BASE = "OMI_BaseResource"
_FLAGS = ("Key", "Required", "Write", "Read", "Abstract", "Experimental", "NotNull", "Static", "Association")
_TEXTS = ("ClassVersion", "FriendlyName", "Description", "EmbeddedInstance", "Version", "Override", "Locale")
_LISTS = ("ValueMap", "Values", "Provider", "MappingStrings")

_PRELUDE = (
    "".join(f"Qualifier {name} : boolean = false, Scope(any);\n" for name in _FLAGS)
    + "".join(f"Qualifier {name} : string = null, Scope(any);\n" for name in _TEXTS)
    + "".join(f"Qualifier {name} : string[], Scope(any);\n" for name in _LISTS)
    + f"class {_BASE} {{ }};\nclass {CREDENTIAL_CLASS} {{ }};\nclass {PAIR_CLASS} {{ }};\n"
)
_KNOWN = {name.casefold() for name in (*_FLAGS, *_TEXTS, *_LISTS)}
_UNKNOWN_QUALIFIER = re.compile(r"specifying qualifier '([^']{1,200})'")
_UNKNOWN_BASE = re.compile(r"Cannot compile class \S*?:?(\w+) because its superclass '([^']{1,200})'")
_EMBEDDED = re.compile(r'EmbeddedInstance\s*\(\s*"(\w{1,200})"\s*\)', re.IGNORECASE)
_TYPES = {each.value: each for each in CimType}
_STRICTEST_FIRST = (Qualifier.KEY, Qualifier.REQUIRED, Qualifier.READ)
#: A schema uses a handful of qualifiers; more unknown ones than this is no schema.
_MOST_UNKNOWN = 50
_UNREADABLE = "Schema file cannot be read"


def read_schema(
    text: str, path: str, module: str, version: str, problems: Diagnostics
) -> tuple[list[ResourceType], list[EmbeddedClass]]:
    """Return the resources of a ``*.schema.mof`` and the classes that are only embedded.

    Args:
        text: The schema, line ends of any kind.
        path: The file, as shown to the user.
        module: Name of the module.
        version: Its version.
        problems: Told what is wrong; then nothing is returned for the file or for the class.
    """
    schema = _Schema(text.replace("\r\n", "\n"), path, problems)
    classes = schema.compile()
    resources: list[ResourceType] = []
    embedded: list[EmbeddedClass] = []
    for each in classes.values():
        chain = list(_chain(each, classes))
        properties = schema.properties(chain)
        if properties is None:
            continue
        if any((base.superclass or "").casefold() == _BASE.casefold() for base in chain):
            friendly = each.qualifiers.get("FriendlyName")
            name = str(friendly.value) if friendly and friendly.value else each.classname
            resources.append(ResourceType(name, each.classname, module, version, properties))
        else:
            embedded.append(EmbeddedClass(each.classname, properties))
    return resources, embedded


def _chain(declared: pywbem.CIMClass, classes: dict[str, pywbem.CIMClass]) -> Iterator[pywbem.CIMClass]:
    """Give a class and those of its bases that the file declares."""
    seen = set()
    following: pywbem.CIMClass | None = declared
    while following is not None and following.classname.casefold() not in seen:
        seen.add(following.classname.casefold())
        yield following
        following = classes.get((following.superclass or "").casefold())


class _Schema:
    def __init__(self, text: str, path: str, problems: Diagnostics) -> None:
        self._source = SourceFile(path, text)
        self._problems = problems

    def compile(self) -> dict[str, pywbem.CIMClass]:
        """Return the classes the text declares, by folded name."""
        text = self._source.text
        if include := re.search(r"#\s*pragma\s+include", text, re.IGNORECASE):
            self._error("The file includes another one, which is not followed.", self._at(include.start()))
            return {}
        unknown: list[str] = []
        while len(unknown) < _MOST_UNKNOWN:
            try:
                return self._compiled(_PRELUDE + "".join(_declaration(name, text) for name in unknown))
            except _Refused as refused:
                qualifier = _UNKNOWN_QUALIFIER.search(refused.message)
                if qualifier is None or qualifier[1].casefold() in {*_KNOWN, *map(str.casefold, unknown)}:
                    self._refuse(refused)
                    return {}
                unknown.append(qualifier[1])
        self._error("It uses more unknown qualifiers than any schema has.", self._at(0))
        return {}

    def properties(self, chain: list[pywbem.CIMClass]) -> tuple[Property, ...] | None:
        """Return the properties of a class, inherited ones last; None when one cannot be known."""
        found: dict[str, Property] = {}
        is_known = True
        for each in chain:
            for declared in each.properties.values():
                if declared.name.casefold() in found:
                    continue
                prop = self._property(each.classname, declared)
                is_known &= prop is not None
                if prop:
                    found[declared.name.casefold()] = prop
        return tuple(found.values()) if is_known else None

    def _property(self, class_name: str, declared: pywbem.CIMProperty) -> Property | None:
        # Where it stands is looked up for a mistake only: a search of the whole text each would be quadratic.
        cim_type = _TYPES.get(declared.type)
        if cim_type is None:
            self._error(
                f"The property '{declared.name}' of '{class_name}' has the type '{declared.type}', which cannot "
                "stand in a document.",
                self._find(class_name, declared.name),
            )
            return None
        value_map = tuple(map(str, _qualifier(declared, "ValueMap") or ()))
        values = tuple(map(str, _qualifier(declared, "Values") or ()))
        if value_map and values and len(value_map) != len(values):
            sentence = f"ValueMap and Values of '{class_name}.{declared.name}' differ in length."
            self._error(sentence, self._find(class_name, declared.name))
            return None
        return Property(
            declared.name,
            cim_type,
            bool(declared.is_array),
            # Schemas exist with several of them: the strictest counts.
            next((each for each in _STRICTEST_FIRST if _qualifier(declared, each.value)), Qualifier.WRITE),
            value_map or values,
            values if value_map and values != value_map else (),
            _spelled(str(_qualifier(declared, "EmbeddedInstance") or "")),
        )

    def _compiled(self, prelude: str) -> dict[str, pywbem.CIMClass]:
        import pywbem  # noqa: PLC0415 - half a second that only an import of schemas has to pay

        library: Any = pywbem  # it has no type hints here
        handle = library.MOFWBEMConnection(conn=None)
        compiler = library.MOFCompiler(handle, log_func=None)
        text = self._source.text
        announced = "".join(f"class {name} {{ }};\n" for name in dict.fromkeys(_EMBEDDED.findall(text)))
        try:
            compiler.compile_string(prelude + announced, _NAMESPACE)
            before = dict(handle.classes[_NAMESPACE].items())
            compiler.compile_string(text, _NAMESPACE, self._source.path)
        except pywbem.MOFCompileError as error:
            raise _Refused(str(error.msg), error.lineno, error.column) from error
        except Exception as error:
            # Found by feeding it broken schemas: pywbem lets whatever its parts raise through (ValueError for a
            # number out of range, AttributeError for a pragma, RecursionError), all meaning the same here.
            raise _Refused(f"pywbem refuses it: {error}", None, None) from error
        # A class that was announced and then declared is another object than before.
        declared = handle.classes[_NAMESPACE].items()
        return {name.casefold(): each for name, each in declared if each is not before.get(name)}

    def _refuse(self, refused: _Refused) -> None:
        where = self._line(refused.line, refused.column)
        if base := _UNKNOWN_BASE.search(refused.message):
            sentence = (
                f"The class '{base[1]}' inherits from '{base[2]}', which the file does not declare; what "
                "properties it gets from it is unknown."
            )
            self._error(sentence, self._find(base[1]))
        else:
            first = refused.message.strip().partition("\n")[0].rstrip(".")
            self._error(f"The MOF compiler says: {first}.", where)

    def _error(self, detail: str, where: SourceRange) -> None:
        self._problems.error(_UNREADABLE, detail, where)

    def _find(self, class_name: str, property_name: str = "") -> SourceRange:
        """Return where a class, or a property of it, is declared."""
        text = self._source.text
        found = re.search(rf"\bclass\s+{re.escape(class_name)}\b", text, re.IGNORECASE)
        at = found.start() if found else 0
        if property_name and (
            inner := re.compile(
                rf"\b{re.escape(property_name)}\b\s*(?:\[\w*\]\s*)?[;=]", re.IGNORECASE
            ).search(text, at)
        ):
            at = inner.start()
        return self._at(at)

    def _at(self, offset: int) -> SourceRange:
        before = self._source.text[:offset]
        return self._line(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def _line(self, line: int | None, column: int | None) -> SourceRange:
        if line is None:  # the end of the file came too early
            line, column = self._source.text.rstrip().count("\n") + 1, 1
        start = max(1, column or 1)
        return SourceRange(self._source, line, start, line, start + 1)


class _Refused(Exception):
    """What the compiler did not take."""

    def __init__(self, message: str, line: int | None, column: int | None) -> None:
        self.message = message
        self.line = line
        self.column = column
        super().__init__(message)


def _spelled(class_name: str) -> str:
    """Return the name of an embedded class; the common ones in the spelling everything else compares with."""
    common = {name.casefold(): name for name in (CREDENTIAL_CLASS, PAIR_CLASS)}
    return common.get(class_name.casefold(), class_name)


def _qualifier(declared: pywbem.CIMProperty, name: str) -> Any:
    found = declared.qualifiers.get(name)
    return found.value if found else None


def _declaration(name: str, text: str) -> str:
    """Declare a qualifier by the form its value has in the text."""
    if not re.fullmatch(r"\w+", name):
        return ""
    use = re.search(rf"\b{name}\s*([({{]?)\s*([^\s,\])}}]?)", text, re.IGNORECASE)
    bracket, first = (use[1], use[2]) if use else ("", "")
    if not bracket or first.casefold() in {"t", "f"}:
        kind = "boolean"
    else:
        kind = "string" if first in {'"', ""} else "sint64"
    array = "[]" if bracket == "{" else ""
    return f"Qualifier {name} : {kind}{array}, Scope(any);\n"
