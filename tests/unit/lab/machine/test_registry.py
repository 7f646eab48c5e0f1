"""Keys and values of HKLM, by any spelling of the hive."""

from __future__ import annotations

from provisioner.lab.machine.area import Ledger
from provisioner.lab.machine.ground.registry import PREFETCH, Registry


def test_hive_prefixes_and_case_lead_to_the_same_key() -> None:
    registry = Registry(Ledger())
    registry.set(r"HKLM:\SOFTWARE\Contoso", "Name", "x")
    assert registry.get(r"hkey_local_machine\software\CONTOSO", "NAME") == "x"
    assert registry.subkeys(r"HKLM:\SOFTWARE") == ["Contoso", "Microsoft", "Wow6432Node"]
    assert registry.subkeys("HKLM:\\") == ["SOFTWARE", "SYSTEM"]


def test_kinds_follow_the_data() -> None:
    registry = Registry(Ledger())
    registry.set(PREFETCH, "BootId", 7)
    registry.set(PREFETCH, "Many", ["a"])
    kinds = {value.name: value.kind for value in registry.values(PREFETCH).values()}
    assert kinds == {"BootId": "DWord", "Many": "MultiString"}


def test_a_removed_key_takes_its_subkeys_along() -> None:
    registry = Registry(Ledger())
    registry.set(r"SOFTWARE\A\B", "x", 1)
    registry.set(r"SOFTWARE\AB", "x", 1)
    registry.delete_key(r"SOFTWARE\A")
    assert not registry.has_key(r"SOFTWARE\A\B")
    assert registry.has_key(r"SOFTWARE\AB")


def test_values_can_be_removed_twice() -> None:
    registry = Registry(Ledger())
    registry.set(PREFETCH, "BootId", 7)
    registry.delete_value(PREFETCH, "bootid")
    registry.delete_value(PREFETCH, "bootid")
    assert registry.get(PREFETCH, "BootId") is None
