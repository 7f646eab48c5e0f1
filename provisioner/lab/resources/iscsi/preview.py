"""iSCSIDsc 2, a preview: the logic of 1.5, classes with another prefix."""

from __future__ import annotations

from provisioner.lab.resources.iscsi.iscsi_initiator import IscsiInitiator
from provisioner.lab.resources.iscsi.iscsi_server_target import IscsiServerTarget
from provisioner.lab.resources.iscsi.iscsi_virtual_disk import IscsiVirtualDisk


class PreviewInitiator(IscsiInitiator):
    """iSCSIInitiator."""

    class_name = "DSC_iSCSIInitiator"


class PreviewServerTarget(IscsiServerTarget):
    """iSCSIServerTarget."""

    class_name = "DSC_iSCSIServerTarget"


class PreviewVirtualDisk(IscsiVirtualDisk):
    """iSCSIVirtualDisk."""

    class_name = "DSC_iSCSIVirtualDisk"
