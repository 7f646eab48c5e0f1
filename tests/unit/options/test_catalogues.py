"""The catalogue files: facts only, and the bytes that the real packages give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.options import catalogue as module
from provisioner.options.catalogue import catalogue, releases
from provisioner.options.oslo import converter
from upkeep.options.__main__ import DATA, catalogue_text
from upkeep.options.environments import NoEnvironment, registered_options
from upkeep.options.recipes import RECIPES, Recipe

FILES = sorted(Path(module.__file__).parent.glob("data/*.json"))
FACTS = {
    *("type", "of", "default", "computed", "multi", "was", "removal", "secret"),
    *(
        "choices",
        "min",
        "max",
        "quotes",
        "regex",
        "ignore_case",
        "max_length",
        "min_length",
        "bounds",
        "inclusive",
    ),
    *("item_type", "value_type", "key_value_separator", "version", "schemes"),
}


def described(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_there_is_one_file_for_each_recipe() -> None:
    assert {path.name for path in FILES} == {f"{each.service}@{each.release}.json" for each in RECIPES}
    assert sum(map(len, releases().values())) == len(RECIPES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_facts_only_and_one_option_in_a_line(path: Path) -> None:
    facts = described(path)
    lines = set(path.read_text(encoding="utf-8").splitlines())
    for options in [*facts["options"].values(), *facts["plugins"].values()]:
        assert list(options) == sorted(options)
        for name, each in options.items():
            assert set(each) <= FACTS, name
            line = f'"{name}": {json.dumps(each, separators=(",", ":"))}'
            assert line in lines or f"{line}," in lines
    assert facts["packages"]
    assert max(map(len, lines)) < 3000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_type_can_be_made_and_takes_its_own_default(path: Path) -> None:
    service, _, release = path.stem.partition("@")
    for options in catalogue(service, release).sections.values():
        for option in options.values():
            takes = converter(option.facts)
            default = option.facts.get("default")
            if default is not None and "$" not in str(default) and option.facts["type"] != "any":
                values = default if option.is_multi else [default]
                for each in values:
                    takes(each)


#: Types and defaults that the reference data names. Source: facts about options, read in the packages.
KNOWN = [
    ("nova", "2023.1", "hyperv", "dynamic_memory_ratio", {"type": "Float", "default": 1.0}),
    ("nova", "2023.1", "hyperv", "volume_attach_retry_count", {"type": "Integer", "min": 0, "default": 10}),
    ("nova", "2023.1", "DEFAULT", "reserved_host_memory_mb", {"default": 512}),
    ("nova", "2023.1", "DEFAULT", "block_device_allocate_retries", {"default": 60}),
    ("nova", "2023.1", "DEFAULT", "transport_url", {"secret": True}),
    ("nova", "2023.1", "coordination", "backend_url", {"default": "file:///C:/OpenStack/Lock"}),
    ("nova", "2023.2", "hyperv", "max_failover_count", {"min": 1, "default": 1}),
    ("neutron-hyperv-agent", "2023.1", "AGENT", "polling_interval", {"min": 1, "default": 2}),
    ("neutron-hyperv-agent", "2023.1", "AGENT", "worker_count", {"min": 1, "default": 10}),
    ("neutron-hyperv-agent", "2023.1", "NVGRE", "provider_vlan_id", {"min": 0, "max": 4096}),
    ("neutron-hyperv-agent", "2023.1", "AGENT", "neutron_metadata_address", {"type": "IPAddress"}),
    ("neutron-ovs-agent", "2023.1", "OVS", "ovsdb_connection", {"default": "tcp:127.0.0.1:6640"}),
    ("cinder", "2025.2", "backend_defaults", "smbfs_default_volume_format", {"choices": ["vhd", "vhdx"]}),
    ("cinder", "2025.2", "backend_defaults", "target_port", {"type": "Port", "default": 3260}),
    ("cloudbase-init", "1.1.9", "DEFAULT", "username", {"default": "Admin"}),
    ("cloudbase-init", "1.1.9", "config_drive", "raw_hdd", {"was": [["DEFAULT", "config_drive_raw_hhd"]]}),
]


@pytest.mark.parametrize(("service", "release", "section", "name", "facts"), KNOWN)
def test_facts_that_are_known_from_elsewhere_stand_in_the_files(
    service: str, release: str, section: str, name: str, facts: dict[str, Any]
) -> None:
    known = catalogue(service, release).sections
    spelt = next(each for each in known if each.lower() == section.lower())
    assert facts.items() <= dict(known[spelt][name].facts).items()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe.service}-{recipe.release}")
def test_the_real_packages_give_the_same_bytes(recipe: Recipe) -> None:
    try:
        found = registered_options(recipe)
    except NoEnvironment as error:
        pytest.skip(str(error))
    path = DATA / f"{recipe.service}@{recipe.release}.json"
    assert catalogue_text(recipe, found) == path.read_text(encoding="utf-8")
