"""Names: resource ids, endpoints, secret references."""

from __future__ import annotations

import pytest

from provisioner.addresses import Endpoint, ResourceId, SecretRef


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("[Service]vmms", ResourceId("Service", "vmms")),
        (" [xVMSwitch]external ", ResourceId("xVMSwitch", "external")),
        ("[Registry]HKLM:\\A [b]", ResourceId("Registry", "HKLM:\\A [b]")),
        ("[concat('a')]", None),
        ("[]name", None),
        ("Service", None),
        ("[Service]", None),
    ],
)
def test_a_resource_id_is_bracketed_type_and_name(text: str, parsed: ResourceId | None) -> None:
    assert ResourceId.parse(text) == parsed


def test_resource_ids_fold_case_on_both_parts() -> None:
    assert ResourceId("SERVICE", "VMMS").folded == ResourceId("service", "vmms").folded


def test_an_endpoint_prints_as_a_url_also_for_ipv6() -> None:
    assert str(Endpoint("hv01", 5985)) == "http://hv01:5985/wsman"
    assert str(Endpoint("::1", 5986, tls=True)) == "https://[::1]:5986/wsman"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("env:LAB", SecretRef("env", "LAB")),
        ("file:a:b", SecretRef("file", "a:b")),
        ("Passw0rd!", None),
        ("env:", None),
        ("my password: x", None),
    ],
)
def test_a_secret_reference_has_a_store_and_a_key(text: str, parsed: SecretRef | None) -> None:
    assert SecretRef.parse(text) == parsed
