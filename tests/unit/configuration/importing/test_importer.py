"""What a compiled document becomes as a project, and what is refused about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner import documents
from provisioner.catalogue.registry import Registry
from provisioner.configuration.importing.importer import Import, import_documents
from provisioner.configuration.importing.project_files import INVENTORY
from provisioner.diagnostics import Diagnostic, Severity, SourceFile
from provisioner.documents import plain

REGISTRY = Registry.builtin()
BLOCK = 'instance of OMI_ConfigurationDocument {{ Version="2.0.0"; Name="{name}"; {more} }};\n'
PASSWORD = "hunter2-clear"


def resource(
    body: str,
    class_name: str = "MSFT_ServiceResource",
    resource_id: str = "[Service]one",
    module: str = "PSDscResources",
    version: str = "2.12.0.0",
) -> str:
    return (
        f'instance of {class_name} {{ ResourceID = "{resource_id}"; ModuleName = "{module}"; '
        f'ModuleVersion = "{version}"; SourceInfo = "x"; ConfigurationName = "Web"; {body} }};\n'
    )


def document(*instances: str, name: str = "Web", node: str = "n1", more: str = "") -> bytes:
    head = f"/*\n@TargetNode='{node}'\n*/\n"
    return (head + "".join(instances) + BLOCK.format(name=name, more=more)).encode()


META = "instance of MSFT_DSCMetaConfiguration as $m { };\n"
SERVICE = resource('Name = "w3svc";')


def imported(*files: tuple[str, bytes]) -> tuple[Import, list[Diagnostic]]:
    found, problems = import_documents(files, REGISTRY)
    assert found is not None, [each.render() for each in problems]
    return found, list(problems)


def refusals(*files: tuple[str, bytes]) -> list[tuple[str, str]]:
    found, problems = import_documents(files, REGISTRY)
    assert found is None
    return [(each.summary, str(each.where)) for each in problems if each.severity is Severity.ERROR]


def parsed(found: Import, path: str | Path) -> Any:
    text = found.files[Path(path)]
    tree, problems = documents.parse(text, SourceFile(str(path), text))
    assert tree is not None, list(problems)
    return plain(tree)


def resources(found: Import, role: str = "Web") -> Any:
    return parsed(found, f"dsc_configs/{role}.dsc.yaml")["resources"]


def test_a_document_becomes_an_inventory_a_role_and_a_configuration() -> None:
    found, problems = imported(("n1.mof", document(SERVICE)))

    assert problems == []
    assert list(found.files) == [
        INVENTORY,
        Path("roles/Web/role.yaml"),
        Path("dsc_configs/Web.dsc.yaml"),
    ]
    assert parsed(found, INVENTORY)["nodes"] == {"n1": {"address": "n1", "roles": ["Web"]}}
    role = parsed(found, "roles/Web/role.yaml")
    assert role["modules"] == {"PSDscResources": "2.12.0.0"}
    assert role["configurations"] == ["Web"]
    assert resources(found) == [
        {"name": "one", "type": "PSDscResources/Service", "properties": {"Name": "w3svc"}}
    ]


def test_without_a_comment_the_file_names_the_node() -> None:
    found, _ = imported(("some/hv07.mof", (SERVICE + BLOCK.format(name="Web", more="")).encode()))

    assert dict(found.nodes) == {"hv07": "Web"}


def test_nodes_with_the_same_content_share_a_role() -> None:
    found, _ = imported(("a.mof", document(SERVICE, node="a")), ("b.mof", document(SERVICE, node="b")))

    assert dict(found.nodes) == {"a": "Web", "b": "Web"}
    assert len(found.files) == 3


def test_nodes_of_one_configuration_with_other_content_get_roles_of_their_own() -> None:
    other = resource('Name = "spooler";')
    found, _ = imported(("a.mof", document(SERVICE, node="a")), ("b.mof", document(other, node="b")))

    assert dict(found.nodes) == {"a": "Web", "b": "Web_b"}
    assert resources(found, "Web_b")[0]["properties"] == {"Name": "spooler"}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("a b/../c", "a_b_c"),
        ("9lives", "r9lives"),
        ("..", "imported"),
        ("x" * 80, "x" * 63),
        ("-_-", "imported"),
    ],
)
def test_any_name_of_a_configuration_becomes_a_role(name: str, role: str) -> None:
    found, _ = imported(("n1.mof", document(SERVICE, name=name)))

    assert dict(found.nodes) == {"n1": role}


def test_a_node_name_no_inventory_takes_is_changed_and_the_address_is_not() -> None:
    found, _ = imported(("x.mof", document(SERVICE, node="_web_01_")))

    assert parsed(found, INVENTORY)["nodes"] == {"web-01": {"address": "_web_01_", "roles": ["Web"]}}


def test_composites_and_dependencies_are_kept() -> None:
    one = resource('Name = "a";', resource_id="[Service]one::[Farm]big")
    two = resource('Name = "b"; DependsOn = {"[service]ONE::[farm]big"};', resource_id="[Service]two")
    found, _ = imported(("n1.mof", document(one, two)))

    assert [{key: each.get(key) for key in ("name", "within", "dependsOn")} for each in resources(found)] == [
        {"name": "one", "within": "[Farm]big", "dependsOn": None},
        {"name": "two", "within": None, "dependsOn": ["[service]ONE::[farm]big"]},
    ]


def test_what_looks_like_an_expression_is_escaped() -> None:
    found, _ = imported(
        (
            "n1.mof",
            document(resource('Name = "w3svc"; Description = "{{ x }}";', resource_id="[Service]{{ y }}")),
        )
    )

    assert resources(found)[0]["properties"]["Description"] == "{{ '{{' }} x }}"
    assert resources(found)[0]["name"] == "{{ '{{' }} y }}"


def test_a_dependency_that_looks_like_an_expression_is_escaped() -> None:
    one = resource('Name = "a";', resource_id="[Service]{{ y }}")
    two = resource('Name = "b"; DependsOn = {"[Service]{{ y }}"};', resource_id="[Service]two")
    found, _ = imported(("n1.mof", document(one, two)))

    assert resources(found)[1]["dependsOn"] == ["[Service]{{ '{{' }} y }}"]


def test_null_is_not_set() -> None:
    found, _ = imported(("n1.mof", document(resource('Name = "w3svc"; Description = NULL;'))))

    assert resources(found)[0]["properties"] == {"Name": "w3svc"}


def credential(number: int = 1, user: str = "DOM\\\\svc", password: str = PASSWORD) -> str:
    return (
        f'instance of MSFT_Credential as $MSFT_Credential{number}ref {{ Password = "{password}"; '
        f'UserName = "{user}"; }};\n'
    )


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ('Passwort = "kanari"; UserName = "u";', "this one has 'Passwort'"),
        ('Password = {"kanari"}; UserName = "u";', "the Password of this one is none"),
        ('Password = "kanari"; UserName = 5;', "the UserName of this one is none"),
    ],
)
def test_a_credential_an_lcm_would_refuse_is_refused(odd: str, said: str) -> None:
    written = f"instance of MSFT_Credential as $MSFT_Credential1ref {{ {odd} }};"
    _, problems = import_documents([("n1.mof", document(written, *with_credentials(1)))], REGISTRY)
    [told] = [each for each in problems if each.summary == "Credential has another form"]
    assert said in told.detail
    assert "kanari" not in "".join(problems.rendered())


def with_credentials(*uses: int) -> list[str]:
    return [
        resource(f'Name = "s{n}"; Credential = $MSFT_Credential{number}ref;', resource_id=f"[Service]s{n}")
        for n, number in enumerate(uses)
    ]


def test_a_password_becomes_a_reference_and_is_written_nowhere() -> None:
    found, problems = imported(("n1.mof", document(credential(), *with_credentials(1))))

    assert resources(found)[0]["properties"]["Credential"] == {
        "user": "DOM\\svc",
        "password": "env:DOM_SVC_PASSWORD",
    }
    assert [(each.reference, each.owner, each.used_by) for each in found.secrets] == [
        ("env:DOM_SVC_PASSWORD", "DOM\\svc", ("[Service]s0",))
    ]
    assert parsed(found, INVENTORY)["encryption"] == {"certificate": "certificates/"}
    assert PASSWORD not in repr(found)
    assert PASSWORD not in "".join(each.render() for each in problems)


def test_one_password_has_one_reference_and_two_have_two() -> None:
    found, _ = imported(
        (
            "n1.mof",
            document(
                credential(1), credential(2), credential(3, password="other"), *with_credentials(1, 2, 3)
            ),
        )
    )

    assert [each["properties"]["Credential"]["password"] for each in resources(found)] == [
        "env:DOM_SVC_PASSWORD",
        "env:DOM_SVC_PASSWORD",
        "env:DOM_SVC_PASSWORD_2",
    ]
    assert [each.used_by for each in found.secrets] == [("[Service]s0", "[Service]s1"), ("[Service]s2",)]


@pytest.mark.parametrize("more", ["", 'ContentType = "PasswordEncrypted";'])
def test_encrypted_passwords_of_one_user_count_as_one(more: str) -> None:
    lead = "" if more else "-----BEGIN CMS-----\\n"
    one, two = credential(1, password=f"{lead}AAAA"), credential(2, password=f"{lead}BBBB")
    found, _ = imported(("n1.mof", document(one, two, *with_credentials(1, 2), more=more)))

    assert len(found.secrets) == 1
    assert "AAAA" not in repr(found)


def test_the_account_a_resource_runs_as_is_kept() -> None:
    body = 'Name = "w3svc"; PsDscRunAsCredential = $MSFT_Credential1ref;'
    found, _ = imported(("n1.mof", document(credential(user="9 lives!"), resource(body))))

    assert resources(found)[0]["properties"]["PsDscRunAsCredential"] == {
        "user": "9 lives!",
        "password": "env:_9_LIVES_PASSWORD",
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("a.mof", b"instance")], [("Document has another structure", "a.mof:1:9")]),
        ([("a.mof", SERVICE.encode())], [("Document has no closing block", "a.mof:1:1")]),
        (
            [("a.mof", document(SERVICE, BLOCK.format(name="x", more="")))],
            [("Document has two closing blocks", "a.mof:6:1")],
        ),
        ([("a.mof", document("instance of X { };\n"))], [("Instance is no resource", "a.mof:4:1")]),
        (
            [("a.mof", document(resource('Name = "a";', resource_id="Service one")))],
            [("ResourceID has another form", "a.mof:4:49")],
        ),
        (
            [("a.mof", document(SERVICE, resource('Name = "b";', resource_id="[service]ONE")))],
            [("Resource is declared twice", "a.mof:5:49")],
        ),
        (
            [("a.mof", document(resource('Name = "b"; DependsOn = {"[Service]gone"};')))],
            [("Dependency not found", "a.mof:4:193")],
        ),
        (
            [("a.mof", document(resource("", class_name="Cats", resource_id="[Cats]a")))],
            [("Class is not in the catalogue", "a.mof:4:1")],
        ),
        (
            [("a.mof", document(*(resource("", "Cats", f"[Cats]a{n}", module="Zoo") for n in range(3))))],
            [("Class is not in the catalogue", "a.mof:4:1")],
        ),
        (
            [("a.mof", document(resource('Name = "a";', resource_id="[Group]a")))],
            [("ResourceID has another type than its class", "a.mof:4:49")],
        ),
        (
            [("a.mof", document('instance of X { ResourceID = "[X]a"; };\n'))],
            [("Resource names no module", "a.mof:4:1")],
        ),
        (
            [("a.mof", document(resource('Name = "a"; Colour = "red"; StartupType = {"x"};')))],
            [("Unknown property", "a.mof:4:190"), ("Property has the wrong type", "a.mof:4:211")],
        ),
        (
            [("a.mof", document(resource("", version="2.12.0.0")))],
            [("Missing property", "a.mof:4:1")],
        ),
        (
            [("a.mof", document(SERVICE)), ("b.mof", document(SERVICE, node="N1"))],
            [("Two documents for one node", "b.mof:4:1")],
        ),
        (
            [("a.meta.mof", document(META, META.replace("$m", "$n")))],
            [("Document has settings twice", "a.meta.mof:5:1")],
        ),
        (
            [("a.meta.mof", document(META.replace("}", "Colour = 1; LCMState = 2; }")))],
            [("Unknown property", "a.meta.mof:4:56"), ("Unknown property", "a.meta.mof:4:70")],
        ),
        (
            [
                (
                    "a.meta.mof",
                    document("instance of X as $x { };\n", META.replace("}", "ReportManagers = {$x}; }")),
                )
            ],
            [("Class is not one of the LCM's", "a.meta.mof:4:1")],
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place_in_the_document(
    files: list[tuple[str, bytes]], expected: list[tuple[str, str]]
) -> None:
    assert refusals(*files) == expected


def test_unknown_classes_of_all_documents_come_at_once() -> None:
    files = [
        (f"{n}.mof", document(resource("", f"Zoo{n}", "[Zoo]a", module=f"Zoo{n}"), node=f"n{n}"))
        for n in range(3)
    ]

    found, problems = import_documents(files, REGISTRY)

    assert found is None
    assert [each.summary for each in problems] == ["Class is not in the catalogue"] * 3
    assert all("provision catalog import" in each.help for each in problems)


def test_an_unknown_version_is_replaced_by_the_nearest_with_a_warning() -> None:
    found, [warning] = imported(("a.mof", document(resource('Name = "a";', version="2.11.0.0"))))

    assert parsed(found, "roles/Web/role.yaml")["modules"] == {"PSDscResources": "2.12.0.0"}
    assert (warning.severity, warning.summary) == (Severity.WARNING, "Version is not in the catalogue")
    assert "2.11.0.0" in warning.detail
    assert "2.12.0.0" in warning.detail


def test_a_version_of_the_in_box_module_stays_what_was_written() -> None:
    body = 'Name = "w3svc";'
    one = resource(body, module="PsDesiredStateConfiguration", version="1.0")
    found, _ = imported(("a.mof", document(one)))

    assert parsed(found, "roles/Web/role.yaml")["modules"] == {"PSDesiredStateConfiguration": "1.0"}
    assert resources(found)[0]["type"] == "PsDesiredStateConfiguration/Service"


def test_a_metaconfiguration_becomes_a_profile() -> None:
    server = (
        'instance of MSFT_WebDownloadManager as $w { ResourceID = "[ConfigurationRepositoryWeb]Pull"; '
        f'ServerURL = "https://pull"; RegistrationKey = "{PASSWORD}"; SourceInfo = "x"; }};\n'
    )
    partials = "".join(
        f'instance of MSFT_PartialConfiguration as $p{n} {{ ResourceID = "[PartialConfiguration]{n}"; {more} }};\n'
        for n, more in (("a", ""), ("b", 'DependsOn = {"[PartialConfiguration]a"}; Description = "{{ b }}";'))
    )
    settings = META.replace(
        "}",
        'RefreshMode = "pull"; ConfigurationDownloadManagers = {$w}; PartialConfigurations = {$p_a, $p_b}; }',
    ).replace("$p_", "$p")
    found, problems = imported(("n1.meta.mof", document(server, partials, settings, name="Lcm")))

    assert problems == []
    assert list(found.files) == [Path("dsc_configs/lcm/Lcm.yaml")]
    profile = parsed(found, "dsc_configs/lcm/Lcm.yaml")
    assert profile["managers"] == [
        {
            "type": "ConfigurationRepositoryWeb",
            "name": "Pull",
            "properties": {"ServerURL": "https://pull", "RegistrationKey": "env:REGISTRATION_KEY"},
        }
    ]
    assert profile["partials"] == [
        {"name": "a"},
        {"name": "b", "properties": {"Description": "{{ b }}", "DependsOn": ["[PartialConfiguration]a"]}},
    ]
    assert profile["settings"] == {"RefreshMode": "pull"}
    assert PASSWORD not in repr(found)


def test_settings_and_what_a_node_should_be_are_imported_together() -> None:
    found, _ = imported(
        ("n1.mof", document(SERVICE)), ("n1.meta.mof", document(META)), ("n2.meta.mof", document(META))
    )

    assert list(found.files)[-1] == Path("dsc_configs/lcm/Web.yaml")
    assert len(found.files) == 4
    assert "encryption" not in parsed(found, INVENTORY)
