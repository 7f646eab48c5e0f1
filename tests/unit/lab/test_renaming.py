"""A document that renames a node: the name counts after the restart, and the run goes on from there."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lab.lcm.building import JOB, document, meta
from tests.unit.lab.test_simulated_node import booted, make
from tests.unit.lab.waiting import idle

_MODULE = 'ModuleName = "ComputerManagementDsc"; ModuleVersion = "10.0.0";'
_RENAME = f'instance of DSC_Computer {{ ResourceID = "[Computer]name"; {_MODULE} Name = "HV77"; }};\n'
_PENDING = (
    f'instance of DSC_PendingReboot {{ ResourceID = "[PendingReboot]any"; {_MODULE} Name = "any"; '
    'DependsOn = {"[Computer]name"}; };\n'
)
_SETTINGS = 'RebootNodeIfNeeded = True; ActionAfterReboot = "ContinueConfiguration";'


async def test_a_node_that_renames_itself_comes_back_under_its_name_and_ends_the_run(tmp_path: Path) -> None:
    node = make(tmp_path)
    await node.start()
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta(_SETTINGS)})
    data = document(_RENAME, _PENDING)
    await node.lcm.invoke(
        "SendConfigurationApplyAsync", {"ConfigurationData": data, "force": True, "jobId": JOB}
    )
    assert node.computer_name == "HV01"

    await booted(node)
    await idle(node)

    assert node.computer_name == "HV77"
    assert node.lcm.state == "Idle"
    assert [each["changed"] for each in node.journal.entries("job-ended")] == [1, 0]
    assert not node.journal.entries("resource-failed")
    await node.stop()
