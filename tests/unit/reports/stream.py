"""One recorded run with everything in it: no change, reboot, failure twice for one cause, cut, hostile text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provisioner.addresses import NodeName
from provisioner.events import (
    PREFLIGHT,
    CheckFinished,
    Compared,
    Connected,
    Connecting,
    ConnectionLost,
    Converged,
    Event,
    FileUploaded,
    JobFinished,
    JobStarted,
    LcmBusy,
    MetaConfigurationApplied,
    NodeDone,
    NodeFailed,
    NodeSkipped,
    Problem,
    Pushing,
    RebootFinished,
    RebootStarted,
    Recorded,
    ResourceProgress,
    RunFinished,
    RunStarted,
    Uploading,
    Waiting,
)
from provisioner.roles.model import Leftover

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
RUN = "20260101-120000-5f0c"
NODES = ("hv01", "hv02", "hv03", "st01", "st02", "st03")
HV01, HV02, HV03, ST01, ST02, ST03 = (NodeName(name) for name in NODES)
JOB = "{6A0F7D0C-1B5E-5A53-8C55-0F2A7A11D001}"
HYPERV = "[WindowsFeature]Hyper-V"
LEFT = (
    Leftover("smb_share", "The data of the share: remove it by hand."),
    Leftover("mpio", "The feature, since disks\x1b[2J are reached through it."),
)

_BAD_NAME = Problem(
    "The requested feature Hyper-VV could not be found on the target machine.\x1b]0;owned\x07",
    "[WindowsFeature]Hyper-VV",
    "roles/hyperv_host/role.yaml:31:11",
    "ProviderOperationExecutionFailure",
    "InvalidOperation",
)
_REFUSED = Problem(
    "http://127.0.1.4:5985/wsman: nothing answers", help="Check that the node is up and WinRM listens."
)

_EVENTS: list[tuple[float, Event]] = [
    (0.0, RunStarted(RUN, "inventories/lab", "apply", NODES, 9, {})),
    (0.0, Waiting(ST03, ("st01", "st02"), "their disks are the cluster's")),
    (0.0, Connecting(HV01)),
    (0.0, Connecting(HV02)),
    (0.0, Connecting(HV03)),
    (0.1, Connecting(ST01)),
    (0.1, Connecting(ST02)),
    (0.2, Connected(HV01, "2025-12-31T08:00:00+00:00", "Idle")),
    (0.2, Connected(HV02, "2025-12-31T08:00:00+00:00", "Busy")),
    (0.2, LcmBusy(HV02, "LCM is performing a consistency check.")),
    (0.3, Connected(ST01, "2025-12-31T08:00:00+00:00", "Idle")),
    (0.3, Connected(HV03, "2025-12-31T08:00:00+00:00", "Idle")),
    (0.5, MetaConfigurationApplied(HV01, ("ConfigurationMode", "RebootNodeIfNeeded"))),
    (0.6, Compared(ST01, (), 6)),
    (0.6, Converged(ST01, (), 0)),
    (0.7, Compared(HV01, (HYPERV, "[VMSwitch]external", "[Service]nova-compute", "[File]nova.conf"), 3)),
    (0.8, CheckFinished(ST01, "iscsi_target", "test_the_service_runs", "passed")),
    (0.7, CheckFinished(HV01, "hyperv_host", "test_there_is_room", "skipped", stage=PREFLIGHT)),
    (0.72, Uploading(HV01, r"C:\Setup\nova.msi", 73_400_320)),
    (0.73, Uploading(HV01, r"C:\Setup\nova.msi", 73_400_320, 36_700_160)),
    (0.75, FileUploaded(HV01, r"C:\Setup\nova.msi", 73_400_320)),
    (0.8, Pushing(HV01, JOB, 1)),
    (0.9, JobStarted(HV01, JOB, 1)),
    (0.9, CheckFinished(ST01, "iscsi_target", "test_the_disk_is_there", "passed")),
    (0.9, NodeDone(ST01, 0, 0, 2)),
    (1.0, ResourceProgress(HV01, HYPERV, "Test")),
    (1.4, Connecting(ST02, 2, "nothing answers")),
    (1.5, ResourceProgress(HV01, HYPERV, "Set")),
    (1.6, NodeFailed(ST02, "ConnectError", (_REFUSED,))),
    (2.0, Compared(HV02, ("[WindowsFeature]Hyper-VV",), 6)),
    (2.1, Pushing(HV02, JOB, 1)),
    (2.2, JobStarted(HV02, JOB, 1)),
    (2.2, Compared(HV03, ("[WindowsFeature]Hyper-VV",), 6)),
    (2.3, Pushing(HV03, JOB, 1)),
    (2.4, JobStarted(HV03, JOB, 1)),
    (3.0, ConnectionLost(HV01, "connection reset [bold]by peer[/bold]", "Busy")),
    (3.0, Connecting(HV01, 1, "connection reset [bold]by peer[/bold]")),
    (
        4.0,
        JobFinished(
            HV02, JOB, 1, "Failure", "PendingConfiguration", False, (), ("[WindowsFeature]Hyper-VV",), 1.5
        ),
    ),
    (4.0, NodeFailed(HV02, "LcmError", (_BAD_NAME,), "PendingConfiguration")),
    (
        4.2,
        JobFinished(
            HV03, JOB, 1, "Failure", "PendingConfiguration", False, (), ("[WindowsFeature]Hyper-VV",), 1.5
        ),
    ),
    (4.2, NodeFailed(HV03, "LcmError", (_BAD_NAME,), "PendingConfiguration")),
    (8.0, Connected(HV01, "2025-12-31T08:00:00+00:00", "Busy")),
    (41.0, JobFinished(HV01, JOB, 1, "Success", "PendingReboot", True, (HYPERV,), (), 40.1)),
    (41.1, RebootStarted(HV01, f"{HYPERV} asked for it", "2025-12-31T08:00:00+00:00")),
    (101.1, RebootFinished(HV01, "2026-01-01T12:01:30+00:00", 60.0)),
    (101.2, Pushing(HV01, JOB, 2)),
    (101.3, JobStarted(HV01, JOB, 2)),
    (102.0, ResourceProgress(HV01, "[VMSwitch]external", "Set")),
    (
        110.0,
        ResourceProgress(HV01, "[VMSwitch]external", "Warning", "the adapter\r\nlost its address\x1b[2J"),
    ),
    (
        120.0,
        JobFinished(
            HV01, JOB, 2, "Success", "Idle", False, ("[VMSwitch]external", "[File]nova.conf"), (), 18.7
        ),
    ),
    (121.0, Compared(HV01, (), 7, final=True)),
    (121.0, Converged(HV01, (HYPERV, "[VMSwitch]external", "[File]nova.conf"), 1)),
    (122.0, CheckFinished(HV01, "hyperv_host", "test_the_switch_is_there", "passed")),
    (
        122.1,
        CheckFinished(HV01, "windows_base", "test_the_time_zone", "skipped", "windows_time_zone is not set"),
    ),
    (122.5, NodeDone(HV01, 3, 1, 1, ("hyperv_host",), LEFT)),
    (
        123.0,
        NodeSkipped(ST03, "waits for 'st02' (their disks are the cluster's), but 'st02' failed: no answer"),
    ),
    (123.0, RunFinished(RUN, 1, 1, 3, 1, 1, interrupted=True)),
]

STREAM = [
    Recorded(RUN, number, (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds"), event)
    for number, (seconds, event) in enumerate(_EVENTS, 1)
]
