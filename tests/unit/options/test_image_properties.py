"""The properties of an image that guest_image asks for, in Nova's own fields."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from provisioner.cloud.guest_images import properties
from upkeep.options.environments import NoEnvironment, python_of
from upkeep.options.recipes import RECIPES, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_NOVA = [recipe for recipe in RECIPES if recipe.service == "nova"]
_READS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from nova.objects import fields
from nova.objects.image_meta import ImageMeta
answers = []
for said in json.loads(sys.stdin.readline()):
    try:
        read = ImageMeta.from_dict({"properties": said}).properties
        answers.append({key: read.get(key) for key in read.fields if read.obj_attr_is_set(key)})
    except Exception as error:
        answers.append(f"{type(error).__name__}: {error}")
print(json.dumps(answers, default=str))
"""
#: Fields Nova reads under another name, and those the driver of Hyper-V looks for itself.
_RENAMED = {"hypervisor_type": "img_hv_type"}
_OF_THE_DRIVER = {
    "os_vtpm",
    "img_pdk_reference",
    "hw_cpu_features",
    "logging_serial_port",
    "interactive_serial_port",
}
_ALL: dict[str, Any] = {
    "guest_image_generation": 2,
    "guest_image_secure_boot": True,
    "guest_image_vtpm": True,
    "guest_image_password_injection": True,
    "guest_image_pdk_reference": "https://barbican.example/v1/containers/1",
    "guest_image_nested": True,
    "guest_image_logging_serial_port": 1,
    "guest_image_interactive_serial_port": 2,
    "guest_image_serial_ports": 2,
    "guest_image_disk_bus": "scsi",
}


def told(python: str, *said: dict[str, str]) -> list[Any]:
    """Ask Nova what it reads of some images."""
    done = subprocess.run(
        [python, "-I", "-c", _READS], input=json.dumps(said), capture_output=True, text=True, check=True
    )
    answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("recipe", _NOVA, ids=lambda recipe: recipe.release)
def test_nova_reads_every_property_as_it_was_meant(recipe: Recipe) -> None:
    try:
        python = str(python_of(recipe))
    except NoEnvironment as error:
        pytest.skip(str(error))
    cases = [
        properties(_ALL | {"guest_image_hypervisor": hypervisor, "guest_image_generation": generation})
        for hypervisor in ("hyperv", "kvm")
        for generation in (1, 2)
    ]
    said = [{key: value for key, value in each.items() if value is not None} for each in cases]
    for wanted, read in zip(said, told(python, *said), strict=True):
        assert isinstance(read, dict), read
        for key, value in wanted.items():
            if key not in _OF_THE_DRIVER:
                assert str(read[_RENAMED.get(key, key)]) == value
    [refused] = told(python, {"hw_firmware_type": "efi"})
    assert "ValueError" in refused
