"""The shipped facts equal the reference catalogue, and look-ups are forgiving where DSC is."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Qualifier, ResourceKind
from tests.shared_data import shared


def test_every_property_order_equals_a_sighting_of_the_reference() -> None:
    rows = json.loads(shared("mof-goldens", "property-orders.json").read_text(encoding="utf-8"))["rows"]
    registry = Registry.builtin()
    node_rows = [row["order"] for row in rows if "ResourceID" in row["order"]]
    assert len(node_rows) > 80
    for order in node_rows:
        kept = tuple(name for name in order if name not in {"DependsOn", "ConfigurationName"})
        assert tuple(map(str.casefold, registry.property_order(kept) or ())) == tuple(map(str.casefold, kept))


def test_a_set_of_names_nobody_saw_has_no_order() -> None:
    assert Registry.builtin().property_order(["ResourceID", "Nonsense"]) is None


def test_look_ups_ignore_case_and_answer_in_the_spelling_of_the_schema() -> None:
    found = Registry.builtin().resource_type("psdscresources", "WINDOWSFEATURE")
    assert found is not None
    assert (found.module, found.version, found.name) == ("PSDscResources", "2.12.0.0", "WindowsFeature")
    name = found.property("name")
    assert name is not None
    assert name.qualifier is Qualifier.KEY


def test_an_unknown_module_version_or_resource_is_none() -> None:
    registry = Registry.builtin()
    assert registry.module("PSDscResources", "1.0") is None
    assert registry.resource_type("NoSuchModule", "Service") is None
    assert registry.resource_type("PSDscResources", "NoSuchResource") is None


def texts(*versions: str) -> dict[tuple[str, str], Callable[[], str]]:
    text = '{"module": "M", "version": "%s", "resources": []}'
    return {("M", version): (lambda version=version: text % version) for version in versions}  # type: ignore[misc]


def version(registry: Registry, wanted: str | None = None) -> str | None:
    found = registry.module("m", wanted)
    return found.version if found else None


def test_versions_stand_newest_first_and_the_newest_release_is_taken_when_none_is_named() -> None:
    registry = Registry(texts("9.1.0", "10.0.0", "11.0.0-preview0002", "9.1.0-dev", "9.1"), lambda: "[]")
    assert registry.versions("m") == ("11.0.0-preview0002", "10.0.0", "9.1.0", "9.1", "9.1.0-dev")
    assert registry.modules == {"M": registry.versions("M")}
    assert version(registry) == "10.0.0"
    assert version(registry, "9.1") == "9.1"
    assert version(registry, "11.0.0") is None
    assert version(registry, "11.0.0-PREVIEW0002") == "11.0.0-preview0002"
    assert version(Registry(texts("1.0-preview1", "1.0-preview2"), lambda: "[]")) == "1.0-preview2"
    assert Registry({}, lambda: "[]").find("M") is None


def test_a_document_s_module_version_leads_to_all_it_may_mean() -> None:
    registry = Registry(texts("5.0.0.0", "5.0.0.0-dev", "6.0.0-preview1"), lambda: "[]")
    assert registry.written_as("m", "5.0.0.0") == ("5.0.0.0", "5.0.0.0-dev")
    assert registry.written_as("M", "6.0.0") == ("6.0.0-preview1",)
    assert registry.written_as("M", "7.0") == ()
    development = registry.module("M", "5.0.0.0-dev")
    assert development is not None
    assert development.module_version == "5.0.0.0"


def test_the_in_box_module_has_three_names_for_one_version() -> None:
    registry = Registry.builtin()
    for written in ("0.0", "1.0", "1.1"):
        found = registry.resource_type("PsDesiredStateConfiguration", "file", written)
        assert found is not None
        assert (found.class_name, found.version) == ("MSFT_FileDirectoryConfiguration", "1.1")
    assert registry.written_as("PSDesiredStateConfiguration", "1.0") == ("1.1",)
    assert registry.find("PSDesiredStateConfiguration", "1.2") is None
    assert registry.find("PSDscResources", "1.0") is None


def test_a_module_is_read_only_when_it_is_asked_for() -> None:
    read: list[str] = []

    def source() -> str:
        read.append("M")
        return '{"module": "M", "version": "1", "resources": []}'

    registry = Registry({("M", "1"): source}, lambda: "[]")
    assert registry.modules == {"M": ("1",)}
    assert read == []
    registry.module("M")
    registry.module("M")
    assert read == ["M"]


def test_a_composite_of_the_set_kind_says_what_it_becomes() -> None:
    found = Registry.builtin().resource_type("PSDscResources", "ServiceSet")
    assert found is not None
    assert (found.kind, found.class_name) == (ResourceKind.COMPOSITE, "")
    assert (found.expands_to, found.split_by) == ("Service", "Name")
    assert found.module_version == "2.12.0.0"


def test_an_embedded_class_is_the_module_s_own_or_a_common_one() -> None:
    registry = Registry.builtin()
    found = registry.embedded_class("accesscontroldsc", "1.4.3", "ntfsaccesscontrollist")
    assert found is not None
    principal = found.property("PRINCIPAL")
    assert principal is not None
    assert principal.name == "Principal"
    assert found.property("nothing") is None
    credential = registry.embedded_class("xHyper-V", None, "msft_credential")
    assert credential is not None
    assert [each.name for each in credential.properties] == ["UserName", "Password"]
    pair = registry.embedded_class("NoSuchModule", "1.0", "MSFT_KeyValuePair")
    assert pair is not None
    assert [each.qualifier for each in pair.properties] == [Qualifier.KEY, Qualifier.WRITE]
    assert registry.embedded_class("xHyper-V", None, "NoSuchClass") is None


def test_a_resource_that_embeds_itself_is_found_as_a_class() -> None:
    registry = Registry.builtin()
    file = registry.resource_type("PSDesiredStateConfiguration", "File")
    assert file is not None
    items = file.property("SubItems")
    assert items is not None
    found = registry.embedded_class("PSDesiredStateConfiguration", "1.0", items.embedded_class)
    assert found is not None
    assert found.properties == file.properties


def test_a_resource_is_found_by_its_class() -> None:
    module = Registry.builtin().module("PSDscResources")
    assert module is not None
    found = module.resource_of_class("msft_serviceresource")
    assert found is not None
    assert found.name == "Service"
    assert module.resource_of_class("") is None


def test_classes_of_the_metaconfiguration_are_found_by_class_and_by_keyword() -> None:
    registry = Registry.builtin()
    settings = registry.meta_class("settings")
    assert settings is not None
    assert settings.name == "MSFT_DSCMetaConfigurationV2"
    manager = registry.meta_class("MSFT_WEBDOWNLOADMANAGER")
    assert manager is not None
    assert (manager.keyword, manager.base) == (
        "ConfigurationRepositoryWeb",
        "OMI_ConfigurationDownloadManager",
    )
    assert registry.meta_class("NoSuchClass") is None


def test_a_composite_key_order_is_remembered_whatever_form_the_names_come_in() -> None:
    registry = Registry.builtin()
    names = ("ResourceID", "Ensure", "Name", "SourceInfo", "ModuleName", "ModuleVersion")
    order = registry.property_order(names)
    assert order is not None
    assert order == registry.property_order(frozenset(names)) == registry.property_order(iter(names))
    assert order == registry.property_order([name.upper() for name in names])


def test_values_of_the_schema_survive_being_sent_to_another_process() -> None:
    found = Registry.builtin().module("AccessControlDsc")
    assert found is not None
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert again.resource("ntfsaccessentry").property("path").name == "Path"


def test_our_own_module_is_known() -> None:
    found = Registry.builtin().resource_type("ProvisionerDsc", "ConfigurationFile", "0.3.0")
    assert found is not None
    assert found.class_name == "PROV_ConfigurationFile"
    assert [key.name for key in found.keys] == ["Path"]


def test_integer_types_know_their_range() -> None:
    found = Registry.builtin().resource_type("iSCSIDsc", "iSCSIVirtualDisk")
    assert found is not None
    size = found.property("SizeBytes")
    assert size is not None
    assert size.type is CimType.UINT64
    assert size.type.integer_range == (0, 2**64 - 1)


def test_importing_the_registry_reads_no_data() -> None:
    code = (
        "import provisioner.catalogue.registry, sys; "
        "print('json' in sys.modules and any('data' in m for m in sys.modules if 'catalogue' in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
