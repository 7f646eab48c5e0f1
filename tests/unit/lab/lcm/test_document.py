"""What the LCM refuses, row by row of the answers a real one gave (LCM facts 8)."""

from __future__ import annotations

import re

import pytest

from provisioner.lab.lcm.documents.document import check
from provisioner.lab.lcm.documents.schema import NodeClasses
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.machine.powershell.modules import IN_BOX
from tests.shared_data import shared
from tests.unit.lab.lcm.building import HEADER, MODULE, MODULES, document, fake, meta, service

CLASSES = NodeClasses(
    lambda name, version: name.casefold() == IN_BOX.casefold() or (name, version) in MODULES
)
SWITCH = (
    'instance of MSFT_xVMSwitch {{ ResourceID = "[VMSwitch]{0}"; ModuleName = "xHyper-V"; ModuleVersion = "3.18.0"; '
    'Name = "{0}"; Type = "External"; }};\n'
)


def refusal(data: bytes) -> LcmError:
    with pytest.raises(LcmError) as caught:
        check(data, CLASSES)
    return caught.value


REFUSED = {
    "bad syntax": (document("instance of X {"), "MI RESULT 1", "Syntax error:"),
    "lone backslash": (
        document(service("a", r'DisplayName = "c:\dir";')),
        "MI RESULT 1",
        "Unrecognized escaped character: d",
    ),
    "unknown class": (
        document(service("a").replace("MSFT_ServiceResource", "MSFT_Nope")),
        "MI RESULT 1",
        "Undefined class: MSFT_Nope",
    ),
    "unknown class without module": (
        document("instance of Nope { };\n"),
        "MI RESULT 1",
        "Undefined class: Nope",
    ),
    "unknown property": (document(service("a", "Bogus = 1;")), "MI RESULT 1", "Undefined property Bogus"),
    "scalar for an array": (
        document(service("a", 'DependsOn = "[Service]b";')),
        "MI RESULT 1",
        "Convert property 'DependsOn' value from type 'STRING' to type 'STRING[]' failed",
    ),
    "array for a scalar": (
        document(service("a", 'DisplayName = {"x"};')),
        "MI RESULT 1",
        "Convert property 'DisplayName' value from type 'STRING[]' to type 'STRING' failed",
    ),
    "string for a number": (
        document(service("a", 'StartupTimeout = "5";')),
        "MI RESULT 1",
        "Convert property 'StartupTimeout' value from type 'STRING' to type 'UINT32' failed",
    ),
    "number out of range": (
        document(service("a", "StartupTimeout = -1;")),
        "MI RESULT 1",
        "out of range: -1",
    ),
    "string for an instance": (
        document(service("a", 'Credential = "x";')),
        "MI RESULT 1",
        "Convert property 'Credential' value from type 'STRING' to type 'INSTANCE' failed",
    ),
    "instance of another class": (
        document(
            'instance of MSFT_KeyValuePair as $k { Key = "k"; Value = "v"; };\n',
            service("a", "Credential = $k;"),
        ),
        "MI RESULT 1",
        "is of class type 'MSFT_KeyValuePair', which is not 'MSFT_Credential'",
    ),
    "duplicate alias": (
        document(
            "instance of MSFT_Credential as $a {};\ninstance of MSFT_Credential as $a {};\n", service("a")
        ),
        "MI RESULT 1",
        "already declared",
    ),
    "duplicate property": (document(service("a", 'Name = "b";')), "MI RESULT 1", "already defined: Name"),
    "unknown alias": (
        document(service("a", "Credential = $c;")),
        "MI RESULT 1",
        "Undefined instance alias: $c",
    ),
    "trailing comma": (document(service("a", 'DependsOn = {"x",};')), "MI RESULT 1", "Syntax error:"),
    "missing key": (
        document(service("a").replace('Name = "a";', "")),
        "MI RESULT 6",
        "Could not find mandatory property Name",
    ),
    "missing ResourceID": (
        document(service("a").replace('ResourceID = "[Service]a";', "")),
        "MI RESULT 6",
        "Could not find mandatory property ResourceID",
    ),
    "missing ModuleName": (
        document(service("a").replace('ModuleName = "PSDscResources";', "")),
        "MI RESULT 6",
        "Could not find mandatory property ModuleName",
    ),
    "missing ModuleVersion": (
        document(service("a").replace('ModuleVersion = "2.12.0.0";', "")),
        "MI RESULT 6",
        "Could not find mandatory property ModuleVersion",
    ),
    "duplicate ResourceID": (
        document(service("a"), service("b", resource_id="[service]A")),
        "MI RESULT 1",
        "Found more than one instance with the same ResourceId [service]A",
    ),
    "equal keys": (
        document(service("a"), service("A", resource_id="[Service]other")),
        "MI RESULT 11",
        "have the same key property",
    ),
    "missing dependency": (
        document(fake("a", 'DependsOn = {"[x]nope"};')),
        "MI RESULT 4",
        "ResourceId [x]nope could not be found",
    ),
    "circular dependency": (
        document(fake("a", 'DependsOn = {"[Fake]b"};'), fake("b", 'DependsOn = {"[Fake]a"};')),
        "MI RESULT 4",
        "A circular dependency was found",
    ),
    "self dependency": (
        document(fake("a", 'DependsOn = {"[fake]A"};')),
        "MI RESULT 4",
        "A circular dependency was found",
    ),
    "no document instance": (service("a").encode(), "MI RESULT 4", "has no OMI_ConfigurationDocument"),
    "two document instances": (document(service("a"), HEADER), "MI RESULT 4", "has more than one OMI_"),
    "only a document instance": (document(), "MI RESULT 4", "does not specify any resource"),
    "document version": (
        document(service("a")).decode("utf-16").replace('"2.0.0"', '"2.0"').encode(),
        "MI RESULT 4",
        "The Version property",
    ),
    "unknown document property": (
        (service("a") + 'instance of OMI_ConfigurationDocument { Version = "2.0.0"; Bogus = 1; };').encode(),
        "MI RESULT 1",
        "Undefined property Bogus",
    ),
    "meta-configuration": (
        meta("RebootNodeIfNeeded = False;"),
        "MI RESULT 4",
        "contains Local Configuration Manager settings, which is not supported",
    ),
    "a length in front, little-endian": (
        b"\x34\x05\x00\x00" + document(service("a")),
        "MI RESULT 1",
        "Buffer is not supported",
    ),
    "UTF-16 without a byte order mark": (
        document(service("a"))[2:],
        "MI RESULT 1",
        "Syntax error:",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_document_is_refused(case: str) -> None:
    data, error_id, text = REFUSED[case]
    error = refusal(data)

    assert error.message.error_id == error_id
    assert text in error.message.text


ACCEPTED = {
    "no SourceInfo, ConfigurationName or alias": document(service("a")),
    "the document instance first": (HEADER + service("a")).encode(),
    "DependsOn in another case": document(fake("a"), fake("b", 'DependsOn = {"[FAKE]A"};')),
    "a ResourceID without brackets": document(service("a", resource_id="plain")),
    "NULL properties": document(service("a", "DisplayName = NULL;")),
    "adjacent strings": document(service("a", 'DisplayName = "one " "two";')),
    "a newline in a string": document(service("a", 'DisplayName = "one\ntwo";')),
    "a value outside its ValueMap": document(service("a", 'Ensure = "maybe";')),
    "only Version in the document instance": (
        service("a") + 'instance of OMI_ConfigurationDocument { Version = "10.20.30"; };'
    ).encode(),
    "UTF-8": document(service("a")).decode("utf-16").encode(),
    "UTF-8 with BOM": document(service("a")).decode("utf-16").encode("utf-8-sig"),
    "CRLF": document(service("a")).decode("utf-16").replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_unusual_document_is_taken(case: str) -> None:
    assert check(ACCEPTED[case], CLASSES).resources


def test_a_module_that_is_not_there_is_named_with_its_version() -> None:
    error = refusal(document(service("a").replace("2.12.0.0", "9.9"), service("b")))

    assert error.message.text == (
        "The PowerShell DSC resource Service from module <PSDscResources,9.9> does not exist at the PowerShell module "
        "path nor is it registered as a WMI DSC resource."
    )
    assert (error.message.error_id, error.message.category) == ("DscResourceNotFound", "InvalidOperation")


def test_a_newer_version_of_a_module_does_not_do() -> None:
    data = document(SWITCH.format("s"))

    with pytest.raises(LcmError, match=re.escape("<xHyper-V,3.18.0> does not exist")):
        check(data, NodeClasses(lambda name, version: (name, version) == ("xHyper-V", "4.0.0")))
    assert check(data, NodeClasses(lambda name, version: (name, version) == ("xHyper-V", "3.18.0"))).resources


def test_resources_keep_document_order_except_for_what_they_depend_on() -> None:
    found = check(
        document(fake("c", 'DependsOn = {"[Fake]z", "[Fake]a"};'), fake("a"), fake("b"), fake("z")), CLASSES
    )

    assert [resource.instance_name for resource in found.resources] == ["z", "a", "c", "b"]


def test_only_bound_properties_reach_a_resource() -> None:
    credential = 'instance of MSFT_Credential as $c { UserName = "u"; Password = "geheim"; };\n'
    found = check(
        document(credential, service("a", "Credential = $c; DisplayName = NULL;")), CLASSES
    ).resources

    assert len(found) == 1
    assert found[0].properties == {"Name": "a", "Credential": {"UserName": "u", "Password": "geheim"}}
    assert "geheim" not in repr(found[0])


def test_an_instance_nobody_uses_is_not_a_resource_when_its_class_is_a_value() -> None:
    assert len(check(document("instance of MSFT_Credential { };\n", service("a")), CLASSES).resources) == 1


def test_instance_names_keep_their_brackets_and_colons() -> None:
    resource = check(document(service("a", resource_id="[Service]a[x]::[Set]b")), CLASSES).resources[0]

    assert (resource.type_name, resource.instance_name) == ("Service", "a[x]::[Set]b")


def test_metadata_is_one_line_as_in_status_records() -> None:
    header = 'instance of OMI_ConfigurationDocument { Version="2.0.0"; Author="A"; Name="N"; GenerationHost="H"; };'

    assert check((service("a") + header).encode(), CLASSES).metadata == (
        "Author: A; Name: N; Version: 2.0.0; GenerationDate: ; GenerationHost: H;"
    )


def test_a_chain_of_many_dependencies_is_no_matter() -> None:
    chain = [fake(f"n{number}", f'DependsOn = {{"[Fake]n{number + 1}"}};') for number in range(3000)]
    found = check(document(*chain, fake("n3000")), CLASSES)

    assert found.resources[0].instance_name == "n3000"


@pytest.mark.parametrize("name", ["016.mof", "018.mof", "063.mof"])
def test_documents_of_the_module_in_windows_pass_although_the_lab_has_no_schema_for_it(name: str) -> None:
    assert check((shared("mof-goldens") / name).read_bytes(), CLASSES).resources


def test_the_module_line_of_these_tests_names_a_module_of_the_catalogue() -> None:
    assert CLASSES.find("msft_serviceresource", "psdscresources", "2.12.0.0") is not None
    assert MODULE
