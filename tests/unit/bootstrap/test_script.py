"""The script of a first contact: PowerShell 5.1 that calls documented cmdlets, with values that cannot be code."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from provisioner.bootstrap.package import ModuleFolder, package, read_module_folder, sha256
from provisioner.bootstrap.script import FirstContact, Listener, write_script
from provisioner.bootstrap.unattend import PLACEHOLDER, SCRIPT_PATH, write_fragment
from provisioner.errors import UsageError
from tests.unit.modules import script_rules
from tests.unit.modules.resource_rules import documented
from tests.unit.modules.script_rules import Script
from upkeep.module import MODULE
from upkeep.pages import FIRST_CONTACT, script_calls
from upkeep.powershell import commands, faults, parse_text

PACKED = ModuleFolder("Own", "1.0.0", {"Own.psd1": b"@{ ModuleVersion = '1.0.0' }", "a/b.psm1": b"# b"})
USUAL = FirstContact(
    "provisioner", Listener.SELF_SIGNED, names=("hv01",), ip_addresses=("192.0.2.11",), module=PACKED
)
VARIANTS = {
    "self-signed": USUAL,
    "certificate": replace(USUAL, listener=Listener.CERTIFICATE, thumbprint="a" * 40, names=()),
    "http in a domain": FirstContact("EXAMPLE\\deploy", Listener.HTTP),
    "module from a share": replace(USUAL, module_source="\\\\files\\tools\\Own.nupkg", module_hash="b" * 64),
    "module from the web": replace(USUAL, module_source="https://files/Own.nupkg", module_hash="b" * 64),
    "no module": replace(USUAL, module=None),
    "network left": replace(USUAL, keeps_network_profile=True, allowed_from=("10.0.0.0/8", "LocalSubnet")),
}
RULES = [
    script_rules.parses,
    script_rules.is_plain_text,
    script_rules.braces_stand_on_lines_of_their_own,
    script_rules.is_strict_and_stops,
    script_rules.calls_only_what_is_documented,
    script_rules.null_stands_on_the_left,
    script_rules.a_colon_after_a_variable_is_no_scope,
    script_rules.formats_get_all_their_values,
    script_rules.failures_are_not_swallowed,
    script_rules.cmdlets_of_other_modules_are_told_to_stop,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_obeys_the_rules_for_scripts(variant: str, rule: script_rules.Rule) -> None:
    script = Script.of(FIRST_CONTACT, write_script(VARIANTS[variant]), documented(), {})
    assert rule(script) == []


def test_a_fault_in_the_script_would_be_told() -> None:
    source = write_script(USUAL)
    for rule, old, new in [
        (script_rules.parses, "if ($isChanged)\n{", "if ($isChanged {"),
        (script_rules.calls_only_what_is_documented, "Set-Service -Name", "Set-Service -Named"),
        (script_rules.calls_only_what_is_documented, "Enable-PSRemoting", "Enable-Remoting"),
        (script_rules.null_stands_on_the_left, "$null -eq $listener", "$listener -eq $null"),
    ]:
        assert old in source
        assert rule(Script.of(FIRST_CONTACT, source.replace(old, new), documented(), {}))


def test_the_source_itself_is_a_whole_script() -> None:
    assert faults(parse_text(FIRST_CONTACT.read_text("ascii"))) == []
    assert documented().missing(script_calls(FIRST_CONTACT)) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variable_that_is_read_is_assigned_and_every_assigned_one_is_read(variant: str) -> None:
    source = write_script(VARIANTS[variant])
    assigned = set(re.findall(r"(?m)^\s*\$(\w+)\s*\+?=", source)) | set(
        re.findall(r"foreach \(\$(\w+) in", source)
    )
    used = re.findall(r"[$@](\w+)\b(?!:)", re.sub(r"#.*|^[\w+/=]+$", "", source, flags=re.MULTILINE))
    automatic = {"null", "_", "true", "false", "ErrorActionPreference"}
    assert set(used) - assigned - automatic == set()
    assert {each for each in assigned - automatic if used.count(each) < 2} == set()


def test_every_step_says_why() -> None:
    steps = FIRST_CONTACT.read_text("ascii").split("#region ")[2:]
    silent = [step.partition("\n")[0] for step in steps if not step.partition("\n")[2].startswith("# ")]
    assert silent == []


def test_only_what_is_asked_for_is_done() -> None:
    whole = set(commands(parse_text(write_script(USUAL))))
    http = set(commands(parse_text(write_script(VARIANTS["http in a domain"]))))
    assert {"Read-Host", "New-LocalUser", "New-WSManInstance", "New-NetFirewallRule", "Add-Type"} <= whole
    assert not {"Read-Host", "New-LocalUser", "New-WSManInstance", "New-NetFirewallRule", "Add-Type"} & http
    assert {"Enable-PSRemoting", "Add-LocalGroupMember", "Set-Item"} <= http
    assert "Set-NetConnectionProfile" not in write_script(VARIANTS["network left"])


def test_the_embedded_archive_is_the_module_and_its_hash_is_the_one_compared() -> None:
    source = write_script(USUAL)
    packed = re.search(r"@'\n([\w+/=\n]+)\n'@", source)
    assert packed is not None
    content = base64.b64decode(packed[1])
    assert f"$moduleHash = '{sha256(content)}'" in source
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == dict(PACKED.files)


def test_what_can_be_read_of_our_own_module_is_short() -> None:
    module = read_module_folder(MODULE)
    lines = write_script(replace(USUAL, module=module)).splitlines()
    readable = [line for line in lines if not re.fullmatch(r"[\w+/=]{40,}", line)]
    assert len(readable) < 260


def test_no_password_stands_in_the_script_and_one_is_asked_for_without_showing_it() -> None:
    source = write_script(USUAL)
    assert "-AsSecureString" in source
    assert "ConvertTo-SecureString" not in source
    assert not re.search(r"(?i)password\s*=\s*['\"]", source)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user": "a'; Remove-Item C:\\"}, "cannot be used"),
        ({"user": "a\u2019; x"}, "cannot be used"),
        ({"user": "a" * 21}, "at most 20"),
        ({"names": ()}, "needs the machine's name"),
        ({"names": ("hv01'",)}, "cannot be used"),
        ({"ip_addresses": ("192.0.2.1&DNS=x",)}, "cannot be used"),
        ({"allowed_from": ("everywhere",)}, "cannot be used"),
        ({"thumbprint": "a" * 40}, "belongs to the listener"),
        ({"listener": Listener.CERTIFICATE}, "belongs to the listener"),
        ({"listener": Listener.CERTIFICATE, "thumbprint": "xyz"}, "40 hexadecimal"),
        ({"listener": Listener.HTTP, "port": 5986}, "not the one Windows listens on"),
        ({"listener": Listener.HTTP, "allowed_from": ("10.0.0.1",)}, "cannot be said for HTTP"),
        ({"module_source": "ftp://files/Own.nupkg", "module_hash": "b" * 64}, "cannot be used"),
        ({"module_source": "https://files/Own.nupkg"}, "64 hexadecimal"),
    ],
)
def test_what_cannot_stand_in_the_script_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_script(replace(USUAL, **changed))
    assert message in f"{caught.value} {caught.value.help}"


def test_the_answer_file_is_xml_with_the_parts_setup_knows() -> None:
    root = ET.fromstring(write_fragment(USUAL))
    space = {"u": "urn:schemas-microsoft-com:unattend"}
    assert [each.get("pass") for each in root] == ["specialize", "oobeSystem"]
    assert root.findtext(".//u:ComputerName", "", space) == "hv01"
    assert {each.text for each in root.iterfind(".//u:Password/u:Value", space)} == {PLACEHOLDER}
    first, last = [each.text or "" for each in root.iterfind(".//u:CommandLine", space)]
    assert first.endswith(SCRIPT_PATH)
    assert last == "logoff.exe"
    assert all(len(each) < 1024 for each in (first, last))


def test_an_answer_file_names_no_account_of_a_domain_and_no_name_that_is_too_long() -> None:
    with pytest.raises(UsageError, match="joined none"):
        write_fragment(VARIANTS["http in a domain"])
    assert "<ComputerName>" not in write_fragment(replace(USUAL, names=("a-name-of-16-long",)))


def test_the_package_named_elsewhere_is_checked_by_its_own_hash() -> None:
    asked = replace(USUAL, module_source="\\\\files\\Own.nupkg", module_hash=sha256(package(PACKED)))
    assert f"$moduleHash = '{sha256(package(PACKED))}'" in write_script(asked)
