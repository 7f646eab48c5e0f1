"""Read ``dsc_configs/<name>.dsc.yaml``: a list of resources in the shape of a DSC v3 configuration document.

YAML is read before any expression is evaluated: positions survive, and no value can bring structure in.
``$schema``, ``contentVersion`` and ``metadata`` are tolerated as DSC v3 documents have them; its
``[function()]`` texts are plain text here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.expressions import is_expression
from provisioner.roles import masking
from provisioner.roles.checking.services import RESOURCE, check_service
from provisioner.roles.fields import Fields
from provisioner.roles.model import OptionsUse, ResourceTemplate

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner.diagnostics import SourceRange
    from provisioner.documents import Tree

_DOCUMENT_KEYS = ("resources",)
_TOLERATED_KEYS = ("$schema", "contentVersion", "metadata")
_TYPE = re.compile(r"[^/]+(?:/[^/]+)?")
_RESOURCE_KEYS = (
    "name",
    "type",
    "properties",
    "dependsOn",
    "condition",
    "forEach",
    "within",
    "unite",
    "options",
)


def read_resources(path: Path, shown_as: str) -> tuple[tuple[ResourceTemplate, ...], Diagnostics]:
    """Read the resources of one file, in file order."""
    tree, problems = masking.load(path, shown_as)
    fields = Fields.of(tree, "a configuration file", problems)
    if fields is None:
        return (), problems
    fields.only(_DOCUMENT_KEYS, _TOLERATED_KEYS)
    if fields.tree("resources") is None:
        problems.error("Missing key", "A configuration file needs the key 'resources'.", fields.where)
    found = [_resource(item, problems) for item in fields.items("resources")]
    return tuple(each for each in found if each), problems


def _resource(tree: Tree, problems: Diagnostics) -> ResourceTemplate | None:
    fields = Fields.of(tree, "a resource", problems)
    if fields is None:
        return None
    fields.only(_RESOURCE_KEYS, ("metadata",))
    name = fields.required_text("name")
    kind = fields.required_text("type")
    # A name without a module goes on: the check knows which modules have it.
    if kind and not _TYPE.fullmatch(kind.text):
        problems.error(
            "Resource type has another form",
            f"'{kind.text}' is not of the form Module/Resource.",
            kind.where,
            "Write it like 'PSDscResources/Service'.",
        )
        return None
    condition = fields.scalar("condition")
    for_each = fields.tree("forEach")
    properties = fields.mapping("properties")
    depends_on = _depends_on(fields.tree("dependsOn"), problems)
    if name is None or kind is None:
        return None
    pairs = tuple((entry.key, entry.value) for entry in properties.entries) if properties else ()
    within = fields.scalar("within")
    unite = fields.texts("unite")
    _check_united(unite, pairs, problems)
    options = _options(fields.tree("options"), fields.key_where("options"), kind, problems)
    return ResourceTemplate(
        name, kind, pairs, depends_on, condition, for_each, fields.where, within, unite, options
    )


def _options(tree: Tree | None, where: SourceRange, kind: Scalar, problems: Diagnostics) -> OptionsUse | None:
    """Return whose options the text of a resource is held against."""
    fields = Fields.of(tree, "the section 'options'", problems)
    if fields is None:
        return None
    fields.only(("service", "release"))
    if kind.text.rpartition("/")[2].casefold() != RESOURCE.casefold():
        problems.error(
            "Resource has no options of a service",
            f"'options' says which service reads a configuration file, and '{kind.text}' is none.",
            where,
            f"Only ProvisionerDsc/{RESOURCE} takes it.",
        )
        return None
    service, release = fields.required_text("service"), fields.required_text("release")
    if service and not is_expression(service.text):
        check_service(service.text, service.where, problems)
    return OptionsUse(service, release) if service and release else None


def _check_united(
    unite: tuple[Scalar, ...], properties: tuple[tuple[Scalar, Tree], ...], problems: Diagnostics
) -> None:
    """Refuse names of properties that are not there: a list of nothing is written ``[]``."""
    known = [key.text for key, _ in properties]
    for name in unite:
        if name.text.casefold() not in {each.casefold() for each in known}:
            problems.error(
                "United property is not there",
                f"'unite' names '{name.text}', which does not stand below 'properties' of this resource.",
                name.where,
                did_you_mean(name.text, known) or f"Write '{name.text}: []' there if this role adds nothing.",
            )


def _depends_on(tree: Tree | None, problems: Diagnostics) -> tuple[Scalar, ...]:
    """Return the entries; a single one need not stand in a list."""
    match tree:
        case None:
            return ()
        case Sequence():
            entries: tuple[Tree, ...] = tree.items
        case Scalar() | Mapping():
            entries = (tree,)
    for entry in entries:
        if not isinstance(entry, Scalar):
            problems.error("Wrong kind of value", "'dependsOn' is a list of '[Type]Name'.", entry.where)
    return tuple(entry for entry in entries if isinstance(entry, Scalar))
