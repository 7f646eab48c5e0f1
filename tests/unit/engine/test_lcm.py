from __future__ import annotations

import pytest

from provisioner.addresses import NodeName
from provisioner.engine.lcm import progress_of
from provisioner.events import ResourceProgress
from provisioner.node.base import JobMessage

HV = NodeName("hv01")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            "verbose",
            "[HV01]: LCM:  [ Start  Set      ]  [[WindowsFeature]Hyper-V]",
            ResourceProgress(HV, "[WindowsFeature]Hyper-V", "Set"),
        ),
        (
            "verbose",
            "[HV01]: LCM:  [ Start  Test     ]  [[File]a [b] c]",
            ResourceProgress(HV, "[File]a [b] c", "Test"),
        ),
        ("verbose", "[HV01]: LCM:  [ End    Test     ]  [[File]a]  True in 1.8140 seconds.", None),
        ("verbose", "[HV01]: LCM:  [ Skip   Set      ]  [[File]a]", None),
        ("verbose", "[HV01]: LCM:  [ Start  Set      ]", None),
        ("verbose", "[HV01]: LCM:  [ Start  Resource ]  [[File]a]", None),
        ("verbose", "[HV01]:                            [[File]a] it says something", None),
        ("verbose", "An LCM method call arrived from computer X with user sid S-1-5-21-1.", None),
        (
            "warning",
            "[HV01]:                            [[File]a] beware",
            ResourceProgress(HV, "[File]a", "Warning", "beware"),
        ),
        (
            "warning",
            "[HV01]:                            [] A reboot is required to progress further.",
            ResourceProgress(HV, "", "Warning", "A reboot is required to progress further."),
        ),
        ("warning", "beware of everything", ResourceProgress(HV, "", "Warning", "beware of everything")),
    ],
)
def test_lines_of_the_lcm_are_read_as_steps(kind: str, text: str, expected: ResourceProgress | None) -> None:
    assert progress_of(HV, JobMessage(kind, text)) == expected
