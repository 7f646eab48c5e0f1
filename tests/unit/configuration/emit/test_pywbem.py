"""pywbem's compiler reads back what was written, for every class of the catalogue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings

from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.model import Configuration, Credential, Instance
from provisioner.inventory.model import MofEncoding
from tests.unit.configuration.builders import REGISTRY
from tests.unit.configuration.emit import reading_with_pywbem as pywbem_reader
from tests.unit.configuration.emit.generated import configurations, types

SEALED = '-----BEGIN CMS-----\nab"\\c\n-----END CMS-----'


class Sealer:
    is_encrypted = True

    def seal(self, _credential: Credential) -> str:
        return SEALED


def same(read: Any, written: Any) -> bool:
    match written:
        case Credential() | Instance():
            return True  # an alias: taken, and not kept; the goldens are the judges of these
        case ():
            return not read  # an empty array is nothing to it
        case tuple():
            return len(read) == len(written) and all(map(same, read, written))
        case float():
            return bool(float(read) == written)
        case str():
            return str(read) == _line_ends(written) or _moment(read) == written
        case _:
            return bool(read == written)


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n")


def _moment(read: Any) -> str:
    return str(read) if hasattr(read, "is_interval") else ""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(configurations())
def test_an_independent_reader_gets_back_any_configuration(found: Configuration) -> None:
    kept = [each for each in found.resources if pywbem_reader.can_read(each)]
    ids = {each.id for each in kept}
    readable = [
        replace(each, depends_on=tuple(target for target in each.depends_on if target in ids))
        for each in kept
    ]
    document = replace(found, resources=tuple(readable))
    text = emit_mof(document, MofEncoding.UTF8, REGISTRY, Sealer()).content.decode()
    read = pywbem_reader.read(text, [each.type for each in readable])
    by_id = {each["ResourceId"]: each for each in read if "ResourceId" in each}
    for resource in readable:
        instance = by_id[_line_ends(str(resource.id))]
        assert instance.classname == resource.type.class_name
        for name, value in resource.properties.items():
            assert same(instance[name], value), name
        targets = [_line_ends(str(target)) for target in resource.depends_on]
        assert instance.get("DependsOn") == (targets or None)
    [last] = [each for each in read if each.classname == "OMI_ConfigurationDocument"]
    has_credentials = (
        any(each.classname == "MSFT_Credential" for each in read) or "MSFT_Credential1ref" in text
    )
    assert last.get("ContentType") == ("PasswordEncrypted" if has_credentials else None)


def test_the_whole_catalogue_is_drawn_from() -> None:
    assert len({(each.module, each.version, each.name) for each in types()}) > 300
