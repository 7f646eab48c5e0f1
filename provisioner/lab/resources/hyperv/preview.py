"""HyperVDsc 4, a preview: resources whose logic is that of xHyper-V 3.18, under other names."""

from __future__ import annotations

from provisioner.lab.resources.hyperv.vhd import VHD
from provisioner.lab.resources.hyperv.vm_host import VMHost
from provisioner.lab.resources.hyperv.vm_hyperv import VMHyperV
from provisioner.lab.resources.hyperv.vm_switch import VMSwitch

_MODULE = "HyperVDsc"


class PreviewVhd(VHD):
    """Vhd."""

    class_name = "DSC_Vhd"
    module = _MODULE


class PreviewVMHost(VMHost):
    """VMHost."""

    class_name = "DSC_VMHost"
    module = _MODULE


class PreviewVMHyperV(VMHyperV):
    """VMHyperV."""

    class_name = "DSC_VMHyperV"
    module = _MODULE


class PreviewVMSwitch(VMSwitch):
    """VMSwitch."""

    class_name = "DSC_VMSwitch"
    module = _MODULE
