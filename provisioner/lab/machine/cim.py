"""What WMI says about a machine: instances of the few classes that somebody asks for.

A class that is not here, or is not there yet (Hyper-V before its first boot), gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provisioner.lab.devices import IN_BOX
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.processes import Processes
from provisioner.lab.machine.computer.hardware import Hardware
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.computer.page_file import PageFiles
from provisioner.lab.machine.computer.time_zone import TimeZone, zones
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.machine.hyperv.migration import MigrationNetworks
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.network.ip import DEFAULT_ROUTES, Ip
from provisioner.lab.values import PsObject, UInt16, UInt32, UInt64

_PREFIX = "Microsoft.Management.Infrastructure.CimInstance"
_CIMV2, _POWER, _VIRTUALIZATION = "root/cimv2", "root/cimv2/power", "root/virtualization/v2"
_EDITION = "Microsoft Windows Server {} {}"
#: OperatingSystemSKU.
_EDITIONS = {"Standard": 7, "Datacenter": 8}
_ENABLED_STATES = {"Running": 2, "Off": 3, "Paused": 32768, "Saved": 32769}
#: DomainRole of a server.
_STANDALONE, _MEMBER = 2, 3

Properties = dict[str, Any]


def instances(machine: Machine, namespace: str, class_name: str) -> list[PsObject] | None:
    """Give all instances of a class; None when the namespace or class does not exist on this machine.

    ``namespace`` has forward slashes, as ``root/cimv2``; case does not count in either name.
    """
    spelled = namespace.casefold().replace("\\", "/")
    for (space, name), (bases, read) in _CLASSES.items():
        if space == spelled and name.casefold() == class_name.casefold():
            if space == _VIRTUALIZATION and not machine.hyperv.is_active:
                return None
            return [_instance(space, name, bases, values) for values in read(machine)]
    return None


def _instance(namespace: str, name: str, bases: tuple[str, ...], values: Properties) -> PsObject:
    chain = (name, *bases)
    types = (
        *(f"{_PREFIX}#{namespace}/{item}" for item in chain),
        *(f"{_PREFIX}#{item}" for item in chain),
        _PREFIX,
        "System.Object",
    )
    key = values.get("Name") or values.get("ElementName")
    return PsObject(types, {**values, "PSComputerName": None}, text=f'{name} (Name = "{key}")')


def edition(machine: Machine) -> str:
    """Say how Windows calls itself."""
    return _EDITION.format(machine.release, machine.edition)


def _operating_system(machine: Machine) -> Iterator[Properties]:
    caption = edition(machine)
    yield {
        "Name": f"{caption}|C:\\Windows|\\Device\\Harddisk0\\Partition2",
        "Caption": caption,
        "CSName": machine.computer_name,
        "Description": machine.area(Identity).description,
        "Version": machine.version,
        "BuildNumber": str(machine.build),
        "LastBootUpTime": machine.boot_time,
        "ProductType": UInt32(3),
        "OperatingSystemSKU": UInt32(_EDITIONS[machine.edition]),
        "OSArchitecture": "64-bit",
        "OSLanguage": UInt32(1033),
        "SystemDirectory": "C:\\Windows\\system32",
        "WindowsDirectory": "C:\\Windows",
        "Status": "OK",
        "TotalVisibleMemorySize": UInt64(machine.area(Hardware).memory // 1024),
        "FreePhysicalMemory": UInt64(machine.area(Hardware).free_memory // 1024),
    }


def _computer_system(machine: Machine) -> Iterator[Properties]:
    identity = machine.area(Identity)
    yield {
        "Name": machine.computer_name,
        "DNSHostName": machine.computer_name.casefold(),
        "Domain": identity.domain or identity.workgroup,
        "Workgroup": None if identity.domain else identity.workgroup,
        "PartOfDomain": bool(identity.domain),
        "DomainRole": UInt16(_MEMBER if identity.domain else _STANDALONE),
        "Manufacturer": "Provisioner",
        "Model": "Simulated node",
        "NumberOfProcessors": UInt32(1),
        "NumberOfLogicalProcessors": UInt32(machine.area(Hardware).spec.processors),
        "TotalPhysicalMemory": UInt64(machine.area(Hardware).memory),
        "HypervisorPresent": machine.hyperv.is_active,
        "AutomaticManagedPagefile": machine.area(PageFiles).is_automatic,
        "Status": "OK",
    }


def _processors(machine: Machine) -> Iterator[Properties]:
    """Give the one processor. A hypervisor that runs hides from Windows what it uses itself."""
    hardware, is_hidden = machine.area(Hardware).spec, machine.hyperv.is_active
    yield {
        "Name": "Simulated processor",
        "DeviceID": "CPU0",
        "Manufacturer": "Provisioner",
        "Architecture": UInt16(9),
        "AddressWidth": UInt16(64),
        "NumberOfCores": UInt32(hardware.processors),
        "NumberOfLogicalProcessors": UInt32(hardware.processors),
        "VirtualizationFirmwareEnabled": hardware.virtualization and not is_hidden,
        "SecondLevelAddressTranslationExtensions": hardware.slat and not is_hidden,
        "VMMonitorModeExtensions": not is_hidden,
    }


def _logical_disks(machine: Machine) -> Iterator[Properties]:
    for volume in machine.area(Hardware).volumes():
        yield {
            "Name": volume.name,
            "DeviceID": volume.name,
            "DriveType": UInt32(3),
            "FileSystem": "NTFS",
            "Size": UInt64(volume.size),
            "FreeSpace": UInt64(volume.free),
            "VolumeName": "",
        }


def _providers(machine: Machine) -> Iterator[Properties]:
    """Give the providers of the LCM and its timer: whoever wants to end a stuck LCM looks for their process."""
    for name in ("dsccore", "dsctimer"):
        yield {
            "Namespace": r"root\Microsoft\Windows\DesiredStateConfiguration",
            "Provider": name,
            "HostProcessIdentifier": UInt32(machine.area(Processes).provider_host),
            "HostingGroup": "DefaultLocalSystemHost",
            "User": r"NT AUTHORITY\SYSTEM",
        }


def _time_zone(machine: Machine) -> Iterator[Properties]:
    area = machine.area(TimeZone)
    yield {
        "Bias": zones()[area.current],
        "Caption": area.current,
        "StandardName": area.standard_name(area.current),
        "DaylightName": area.standard_name(area.current).replace("Standard", "Daylight"),
    }


def _page_files(machine: Machine) -> Iterator[Properties]:
    for item in machine.area(PageFiles).files:
        yield {
            "Name": item.name,
            "Caption": f"{item.drive}\\ 'pagefile.sys'",
            "SettingID": f"pagefile.sys @ {item.drive}",
            "InitialSize": UInt32(item.initial),
            "MaximumSize": UInt32(item.maximum),
        }


def _network_configurations(machine: Machine) -> Iterator[Properties]:
    ip = machine.area(Ip)
    for adapter in machine.network.adapters:
        own = [item for _, item in ip.addresses(adapter.name)]
        gateways = [
            item.next_hop
            for _, item in ip.routes(adapter.name)
            if item.destination == DEFAULT_ROUTES[item.family]
        ]
        yield {
            "Caption": f"[{machine.network.index_of(adapter):08}] {adapter.description}",
            "Description": adapter.description,
            "SettingID": adapter.guid,
            "Index": UInt32(machine.network.adapters.index(adapter)),
            "InterfaceIndex": UInt32(machine.network.index_of(adapter)),
            "MACAddress": adapter.mac.replace("-", ":"),
            "IPEnabled": bool(own),
            "IPAddress": [item.text for item in own] or None,
            "DefaultIPGateway": gateways or None,
            "DHCPEnabled": ip.interface(adapter.name, "IPv4").dhcp,
            "DNSHostName": machine.computer_name,
            "DNSServerSearchOrder": ip.dns_servers(adapter.name, "IPv4") or None,
        }


def _services(machine: Machine) -> Iterator[Properties]:
    for service in machine.services:
        is_running = service.status == "Running"
        yield {
            "Name": service.name,
            "DisplayName": service.display_name,
            "Caption": service.display_name,
            "Description": service.description,
            "State": service.status,
            "Started": is_running,
            "StartMode": service.start_mode,
            "StartName": service.start_name,
            "PathName": service.path,
            "DesktopInteract": service.desktop_interact,
            "AcceptStop": is_running,
            "ServiceType": "Share Process" if "svchost.exe" in service.path else "Own Process",
            "ExitCode": UInt32(0 if is_running else 1077),
            "Status": "OK",
            "SystemName": machine.computer_name,
        }


def _power_plans(machine: Machine) -> Iterator[Properties]:
    for plan in machine.power.plans:
        yield {
            "ElementName": plan.name,
            "InstanceID": f"Microsoft:PowerPlan\\{{{plan.guid}}}",
            "IsActive": plan.guid == machine.power.active,
            "Description": "",
        }


def _migration_service(machine: Machine) -> Iterator[Properties]:
    yield {
        "Name": "vmms",
        "ElementName": "Microsoft Virtual System Migration Service",
        "SystemName": machine.computer_name,
        "MigrationServiceListenerIPAddressList": machine.area(MigrationNetworks).listeners(),
    }


def _migration_settings(machine: Machine) -> Iterator[Properties]:
    settings = machine.area(VirtualizationHost).settings()
    yield {
        "InstanceID": "Microsoft:VirtualSystemMigrationService",
        "ElementName": "Microsoft Virtual System Migration Service",
        "EnableVirtualSystemMigration": settings["VirtualMachineMigrationEnabled"],
        "MaximumActiveVirtualSystemMigration": UInt32(settings["MaximumVirtualMachineMigrations"]),
        "MaximumActiveStorageMigration": UInt32(settings["MaximumStorageMigrations"]),
    }


def _system_drivers(machine: Machine) -> Iterator[Properties]:
    """Give the drivers that have a service: those of Hyper-V's devices, and what the node was given."""
    for driver in (*IN_BOX, *machine.installation.drivers):
        if driver.service:
            is_loaded = driver.start == "Boot"
            yield {
                "Name": driver.service,
                "DisplayName": driver.service,
                "PathName": rf"C:\Windows\system32\drivers\{driver.service}.sys",
                "ServiceType": "Kernel Driver",
                "StartMode": driver.start,
                "Started": is_loaded,
                "State": "Running" if is_loaded else "Stopped",
                "Status": "OK",
            }


def _licensing(machine: Machine) -> Iterator[Properties]:
    yield {"Version": machine.version, "RemainingWindowsReArmCount": UInt32(machine.installation.rearms)}


def _computer_systems(machine: Machine) -> Iterator[Properties]:
    """Give the node itself first, then its virtual machines."""
    yield {
        "Name": machine.computer_name,
        "ElementName": machine.computer_name,
        "Caption": "Hosting Computer System",
        "EnabledState": UInt16(2),
    }
    try:
        found = machine.hyperv.machines()
    except MachineError:
        return
    for item in found:
        yield {
            "Name": item.id.upper(),
            "ElementName": item.name,
            "Caption": "Virtual Machine",
            "EnabledState": UInt16(_ENABLED_STATES[item.state]),
        }


_CLASSES: Mapping[tuple[str, str], tuple[tuple[str, ...], Callable[[Machine], Iterator[Properties]]]] = {
    (_CIMV2, "Win32_OperatingSystem"): (
        ("CIM_OperatingSystem", "CIM_LogicalElement", "CIM_ManagedSystemElement"),
        _operating_system,
    ),
    (_CIMV2, "Win32_ComputerSystem"): (
        ("CIM_UnitaryComputerSystem", "CIM_ComputerSystem", "CIM_System"),
        _computer_system,
    ),
    (_CIMV2, "Win32_Processor"): (
        ("CIM_Processor", "CIM_LogicalDevice", "CIM_LogicalElement"),
        _processors,
    ),
    (_CIMV2, "Win32_LogicalDisk"): (
        ("CIM_LogicalDisk", "CIM_StorageExtent", "CIM_LogicalDevice"),
        _logical_disks,
    ),
    (_CIMV2, "Win32_Service"): (("Win32_BaseService", "CIM_Service", "CIM_LogicalElement"), _services),
    (_CIMV2, "Win32_SystemDriver"): (
        ("Win32_BaseService", "CIM_Service", "CIM_LogicalElement"),
        _system_drivers,
    ),
    (_CIMV2, "SoftwareLicensingService"): ((), _licensing),
    (_CIMV2, "Msft_Providers"): ((), _providers),
    (_CIMV2, "Win32_TimeZone"): (("CIM_Setting",), _time_zone),
    (_CIMV2, "Win32_PageFileSetting"): (("CIM_Setting",), _page_files),
    (_CIMV2, "Win32_NetworkAdapterConfiguration"): (("CIM_Setting",), _network_configurations),
    (_POWER, "Win32_PowerPlan"): (("CIM_SettingData", "CIM_ManagedElement"), _power_plans),
    (_VIRTUALIZATION, "Msvm_VirtualSystemMigrationService"): (("CIM_Service",), _migration_service),
    (_VIRTUALIZATION, "Msvm_VirtualSystemMigrationServiceSettingData"): (
        ("CIM_SettingData",),
        _migration_settings,
    ),
    (_VIRTUALIZATION, "Msvm_ComputerSystem"): (("CIM_ComputerSystem", "CIM_System"), _computer_systems),
}
