"""The checks of the built-in roles: a node as wanted passes, each planted drift is found and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.transport.base import ErrorRecord, Record, Result
from tests.unit.verify import nodes as tables
from tests.unit.verify.nodes import TableNode, endings, rows, verified, write_checks

ROLES = Path(__file__).parents[3] / "roles"

VARIABLES: dict[str, Any] = {
    "hyperv_switch_name": "external",
    "hyperv_switch_adapters": ["Ethernet 2"],
    "hyperv_switch_management": True,
    "hyperv_switch_vlan": 20,
    "hyperv_switch_iov": False,
    "hyperv_switch_load_balancing": "Dynamic",
    "hyperv_mac_pool": "00155D0B0C",
    "hyperv_vm_path": None,
    "hyperv_disk_path": None,
    "hyperv_numa_spanning": None,
    "hyperv_enhanced_session": False,
    "hyperv_firewall_rules": ["VIRT-MIGL-In-TCP-NoScope"],
    "iscsi_targets": [
        {
            "name": "volumes",
            "initiators": ["iqn.1991-05.com.microsoft:hv01", "iqn.1991-05.com.microsoft:HV02"],
            "disks": [{"path": r"D:\a.vhdx", "size_gb": 1}, {"path": r"D:\b.vhdx", "size_gb": 1}],
            "chap": {"user": "hv", "password": "env:CHAP"},
            "reverse_chap": None,
            "ensure": "Present",
        },
        {
            "name": "old",
            "initiators": [],
            "disks": [],
            "chap": None,
            "reverse_chap": None,
            "ensure": "Absent",
        },
    ],
    "iscsi_portals": ["192.0.2.21"],
    "iscsi_initiator_san_policy": "OfflineShared",
    "iscsi_initiator_targets": [
        {
            "target": "iqn.1991-05.com.microsoft:st01-volumes-target",
            "portals": ["192.0.2.21@192.0.2.11", "[FD00:0::21]:3261"],
            "multipath": True,
            "chap": {"user": "hv", "password": "env:CHAP"},
            "exclusive": True,
            "ensure": "Present",
        },
        {
            "target": "iqn.1991-05.com.microsoft:st01-old-target",
            "portals": [],
            "multipath": False,
            "chap": None,
            "exclusive": True,
            "ensure": "Absent",
        },
    ],
    "mpio_bus_types": ["iSCSI"],
    "mpio_load_balance_policy": "RR",
    "smb_shares": [
        {
            "name": "instances",
            "path": r"D:\Instances",
            "access": [{"account": r"CONTOSO\HV01$", "right": "Change"}],
            "exclusive": True,
            "encrypt": True,
            "description": None,
            "ensure": "Present",
        },
        {"name": "old", "path": r"D:\Old", "access": [], "encrypt": False, "ensure": "Absent"},
    ],
}
FEATURES = (
    "Hyper-V",
    "Hyper-V-PowerShell",
    "RSAT-Hyper-V-Tools",
    "Multipath-IO",
    "FS-iSCSITarget-Server",
    "FS-FileServer",
)
SERVICES = ("vmms", "MSiSCSI", "WinTarget")


def features(**states: str) -> Result:
    return rows(*({"Name": name, "InstallState": states.get(name, "Installed")} for name in FEATURES))


def services(state: str = "Running", mode: str = "Auto", of: str = "") -> Result:
    return rows(
        *(
            {
                "Name": name,
                "State": state if name == of else "Running",
                "StartMode": mode if name == of else "Auto",
            }
            for name in SERVICES
        )
    )


def switches(**properties: Any) -> Result:
    return rows(
        {
            "Name": "external",
            "SwitchType": "External",
            "NetAdapterInterfaceDescription": "Card #2",
            "NetAdapterInterfaceDescriptions": ["Card #2"],
            "AllowManagementOS": True,
            "EmbeddedTeamingEnabled": False,
            "IovEnabled": False,
        }
        | properties
    )


def targets(initiators: tuple[str, ...] = ("hv01", "hv02"), disks: str = "ab", **more: Any) -> Result:
    return rows(
        {
            "EnableChap": True,
            "ChapUserName": "hv",
            "EnableReverseChap": False,
            "TargetName": "volumes",
            "InitiatorIds": [f"Iqn:iqn.1991-05.com.microsoft:{name}" for name in initiators],
            "LunMappings": [Record((), {"Path": rf"D:\{name}.vhdx"}) for name in disks],
        }
        | more
    )


def sessions(*others: dict[str, Any], **properties: Any) -> Result:
    """Two paths to one target; ``properties`` are of the second."""
    path = {
        "TargetNodeAddress": "iqn.1991-05.com.microsoft:st01-volumes-target",
        "IsConnected": True,
        "IsPersistent": True,
        "AuthenticationType": "ONEWAYCHAP",
    }
    return rows(path, path | properties, *(path | other for other in others))


def connections(*others: dict[str, Any], **properties: Any) -> Result:
    """Where these paths go; ``properties`` are of the second."""
    first = {"TargetAddress": "192.0.2.21", "TargetPortNumber": 3260, "InitiatorAddress": "192.0.2.11"}
    second = {"TargetAddress": "fd00::21", "TargetPortNumber": 3261, "InitiatorAddress": "::"}
    return rows(first, second | properties, *(first | other for other in others))


def access(*others: dict[str, Any], **properties: Any) -> Result:
    """Who may use a share; ``properties`` are of the account that the inventory names."""
    right = {"AccountName": r"CONTOSO\HV01$", "AccessControlType": "Allow", "AccessRight": "Change"}
    everybody = {
        "AccountName": r"BUILTIN\Administrators",
        "AccessControlType": "Allow",
        "AccessRight": "Full",
    }
    return rows(everybody, right | properties, *(right | other for other in others))


HOST = {
    "MacAddressMinimum": "00155D0B0C00",
    "MacAddressMaximum": "00155D0B0CFF",
    "VirtualMachinePath": r"D:\VMs",
    "VirtualHardDiskPath": r"C:\Disks",
    "NumaSpanningEnabled": True,
    "EnableEnhancedSessionMode": False,
}
FIREWALL_RULE = {
    "Name": "VIRT-MIGL-In-TCP-NoScope",
    "Enabled": "True",
    "Action": "Allow",
    "Direction": "Inbound",
    "Group": "Hyper-V",
}
FIREWALL = "Get-NetFirewallRule | Select-Object"
SHARE = {"Name": "instances", "Path": r"D:\Instances", "EncryptData": True, "CachingMode": "None"}
CONNECTIONS = "Get-IscsiTarget | Get-IscsiConnection"
CLAIMS, POLICY = "Get-MSDSMAutomaticClaimSettings", "Get-MSDSMGlobalDefaultLoadBalancePolicy"
GOOD: dict[str, Result | Exception] = {
    "Get-VMHost": rows(HOST),
    "Get-VMNetworkAdapterVlan": rows({"OperationMode": "Access", "AccessVlanId": 20}),
    FIREWALL: rows(FIREWALL_RULE, FIREWALL_RULE | {"Name": "MsiScsi-In-TCP"}),
    "Get-WindowsFeature | Select-Object": features(),
    "Get-CimInstance": services(),
    "Get-VMSwitch": switches(),
    "Get-VMSwitchTeam": rows({"LoadBalancingAlgorithm": "Dynamic"}),
    "Get-NetAdapter": rows(
        {"Name": "Ethernet", "InterfaceDescription": "Card"},
        {"Name": "Ethernet 2", "InterfaceDescription": "Card #2"},
    ),
    "Get-IscsiServerTarget": targets(),
    "Get-IscsiTargetServerSetting": rows({"Portals": ["-198.51.100.21:3260", "+192.0.2.21:3260"]}),
    "Get-StorageSetting": rows({"NewDiskPolicy": "OfflineShared"}),
    "Get-IscsiSession": sessions(),
    CONNECTIONS: connections(),
    CLAIMS: rows({"iSCSI": True, "SAS": False}),
    POLICY: Result(("RR",)),
    "Get-SmbShare": rows(SHARE),
    "Get-SmbShareAccess": access(),
    "Get-Acl": rows({"AccessToString": "CONTOSO\\HV01$ Allow  Modify, Synchronize"}),
    "Get-Item": rows({"Name": "x", "PSIsContainer": False}),
}
NOT_THERE = Result(
    errors=(
        ErrorRecord("no path", "PathNotFound,Microsoft.PowerShell.Commands.GetItemCommand", "ObjectNotFound"),
    )
)

DRIFTS = [
    ("hyperv_host", "Get-WindowsFeature | Select-Object", features(**{"Hyper-V": "InstallPending"}),
     "feature Hyper-V is_installed: False"),
    ("hyperv_host", "Get-CimInstance", services("Stopped", of="vmms"), "service vmms is_running: False"),
    ("hyperv_host", "Get-CimInstance", services(mode="Manual", of="vmms"), "service vmms is_enabled: False"),
    ("hyperv_host", "Get-VMHost", rows(HOST | {"MacAddressMaximum": "00155D0B0DFF"}), "assert '00155D0B0C' == "),
    ("hyperv_host", "Get-VMHost", rows(HOST | {"MacAddressMinimum": "00155D0B0C10"}), "assert ('10', 'FF') == "),
    ("hyperv_host", "Get-VMHost", rows(HOST | {"EnableEnhancedSessionMode": True}), "assert True is False"),
    ("hyperv_host", FIREWALL, rows(FIREWALL_RULE | {"Enabled": "False"}),
     "firewall rule VIRT-MIGL-In-TCP-NoScope is_enabled: False"),
    ("hyperv_host", FIREWALL, rows(FIREWALL_RULE | {"Group": None}),
     "firewall rule VIRT-MIGL-In-TCP-NoScope group: '': Windows has no rule of this name"),
    ("hyperv_vswitch", "Get-VMSwitch", rows(), "vswitch external exists: False"),
    ("hyperv_vswitch", "Get-VMSwitch", switches(SwitchType="Internal"), "vswitch external type: 'Internal'"),
    ("hyperv_vswitch", "Get-VMSwitch", switches(NetAdapterInterfaceDescriptions=["Card"]),
     "assert 'ethernet 2' in "),
    ("hyperv_vswitch", "Get-VMSwitch", switches(NetAdapterInterfaceDescriptions=["Card", "Card #2"]),
     "vswitch external adapter_descriptions: "),
    ("hyperv_vswitch", "Get-VMSwitch", switches(AllowManagementOS=False),
     "vswitch external allows_management_os: False"),
    ("hyperv_vswitch", "Get-VMSwitch", switches(IovEnabled=True), "vswitch external has_iov: True"),
    ("hyperv_vswitch", "Get-VMSwitchTeam", rows({"LoadBalancingAlgorithm": "HyperVPort"}),
     "vswitch external load_balancing: 'HyperVPort'"),
    ("hyperv_vswitch", "Get-VMNetworkAdapterVlan", rows({"OperationMode": "Untagged", "AccessVlanId": 0}),
     "vswitch external management_vlan: 0"),
    ("iscsi_target", "Get-WindowsFeature | Select-Object", features(**{"FS-iSCSITarget-Server": "Available"}),
     "feature FS-iSCSITarget-Server is_installed: False"),
    ("iscsi_target", "Get-CimInstance", services("Stopped", of="WinTarget"), "service WinTarget is_running: False"),
    ("iscsi_target", "Get-IscsiServerTarget", targets(("hv01",)), "iscsi target volumes initiator_ids: ['iqn."),
    ("iscsi_target", "Get-IscsiServerTarget", targets(disks="a"), r"iscsi target volumes disks: ['d:\\a.vhdx']"),
    ("iscsi_target", "Get-IscsiServerTarget", targets(EnableChap=False), "iscsi target volumes chap_user: ''"),
    ("iscsi_target", "Get-IscsiServerTarget", targets(EnableReverseChap=True, ReverseChapUserName="st"),
     "iscsi target volumes reverse_chap_user: 'st'"),
    ("iscsi_target", "Get-IscsiServerTarget",
     Result((*targets().output, Record((), {"TargetName": "old"}))), "iscsi target old exists: True"),
    ("iscsi_target", "Get-IscsiTargetServerSetting",
     rows({"Portals": ["+198.51.100.21:3260", "+192.0.2.21:3260"]}), "iscsi portals listening: frozenset"),
    ("iscsi_target", "Get-Item", NOT_THERE, r"file D:\a.vhdx is_file: False"),
    ("iscsi_initiator", "Get-CimInstance", services("Stopped", of="MSiSCSI"), "service MSiSCSI is_running: False"),
    ("iscsi_initiator", "Get-CimInstance", services(mode="Manual", of="MSiSCSI"),
     "service MSiSCSI is_enabled: False"),
    ("iscsi_initiator", "Get-StorageSetting", rows({"NewDiskPolicy": "OnlineAll"}), "storage setting new_disk_policy: 'OnlineAll'"),
    ("iscsi_initiator", FIREWALL, rows(FIREWALL_RULE | {"Name": "MsiScsi-In-TCP", "Enabled": "False"}),
     "firewall rule MsiScsi-In-TCP is_enabled: False"),
    ("iscsi_initiator", "Get-IscsiSession", rows(),
     "iscsi session iqn.1991-05.com.microsoft:st01-volumes-target is_persistent: False"),
    ("iscsi_initiator", "Get-IscsiSession", sessions(IsPersistent=False),
     "iscsi session iqn.1991-05.com.microsoft:st01-volumes-target is_persistent: False"),
    ("iscsi_initiator", "Get-IscsiSession", sessions(AuthenticationType="NONE"),
     "iscsi session iqn.1991-05.com.microsoft:st01-volumes-target authentication: frozenset"),
    ("iscsi_initiator", "Get-IscsiSession",
     sessions({"TargetNodeAddress": "iqn.1991-05.com.microsoft:ST01-old-target"}),
     "iscsi session iqn.1991-05.com.microsoft:st01-old-target exists: True"),
    ("iscsi_initiator", CONNECTIONS, connections(TargetPortNumber=3260),
     "iscsi session iqn.1991-05.com.microsoft:st01-volumes-target goes_over('[FD00:0::21]:3261'): False"),
    ("iscsi_initiator", CONNECTIONS, connections({"InitiatorAddress": "192.0.2.12"}),
     "iscsi session iqn.1991-05.com.microsoft:st01-volumes-target paths: frozenset"),
    ("iscsi_initiator", CLAIMS, rows({"iSCSI": False, "SAS": True}), "mpio claimed: frozenset({'SAS'})"),
    ("mpio", "Get-WindowsFeature | Select-Object", features(**{"Multipath-IO": "InstallPending"}),
     "feature Multipath-IO is_installed: False"),
    ("mpio", CLAIMS, rows({"iSCSI": False, "SAS": False}), "mpio claimed: frozenset()"),
    ("mpio", CLAIMS, rows({"iSCSI": True, "SAS": True}), "mpio claimed: frozenset({"),
    ("mpio", POLICY, Result(("FOO",)), "mpio load_balance_policy: 'FOO'"),
    ("smb_share", "Get-WindowsFeature | Select-Object", features(**{"FS-FileServer": "Available"}),
     "feature FS-FileServer is_installed: False"),
    ("smb_share", "Get-SmbShare", rows(), "smb share instances exists: False"),
    ("smb_share", "Get-SmbShare", rows(SHARE | {"Path": r"D:\Else"}), "smb share instances path: "),
    ("smb_share", "Get-SmbShare", rows(SHARE | {"EncryptData": False}), "smb share instances encrypts: False"),
    ("smb_share", "Get-SmbShare", rows(SHARE | {"CachingMode": "Manual"}), "smb share instances caching: 'Manual'"),
    ("smb_share", "Get-SmbShare", rows(SHARE, {"Name": "OLD"}), "smb share old exists: True"),
    ("smb_share", "Get-SmbShareAccess", access(AccessRight="Full"), "smb share instances access: "),
    ("smb_share", "Get-SmbShareAccess", access({"AccountName": "Everyone"}), "smb share instances access: "),
    ("smb_share", "Get-Acl", rows({"AccessToString": "CONTOSO\\HV01$ Allow  ReadAndExecute, Synchronize"}),
     r"folder access D:\Instances allows("),
]  # fmt: skip


ROLES_CHECKED = sorted({drift[0] for drift in DRIFTS})


def checks_of(role: str) -> Path:
    return ROLES / role / "checks" / f"test_{role}.py"


@pytest.mark.parametrize("role", ROLES_CHECKED)
async def test_a_node_as_wanted_passes_every_check(role: str) -> None:
    events = await verified([TableNode("n1", GOOD).target(VARIABLES, **{role: checks_of(role)})])
    assert events
    assert {
        (event.check, event.message) for event in events if event.outcome not in {"passed", "skipped"}
    } == set()


@pytest.mark.parametrize(
    ("role", "command", "answer", "message"), DRIFTS, ids=[drift[3][:50] for drift in DRIFTS]
)
async def test_a_planted_drift_is_found_and_named(
    role: str, command: str, answer: Result, message: str
) -> None:
    node = TableNode("n1", GOOD | {command: answer})
    events = await verified([node.target(VARIABLES, **{role: checks_of(role)})])
    failed = [event for event in events if event.outcome not in {"passed", "skipped"}]
    assert {event.outcome for event in failed} == {"failed"}
    assert any(event.message.startswith(message) for event in failed), [event.message for event in failed]


@pytest.mark.parametrize(
    ("ports", "addresses", "message"),
    [
        ("10000", ["192.0.2.0/255.255.255.0", "2001:DB8::5"], ""),
        ("10000-10001", ["192.0.2.0/24", "2001:db8::5"], "local_ports: ['10000-10001']"),
        ("Any", ["192.0.2.0/24", "2001:db8::5"], "local_ports: ['Any']"),
        ("10000-10000", "Any", "remote_addresses: ['Any']"),
        (
            "10000",
            ["192.0.2.0/24", "192.0.2.1-192.0.2.9"],
            "remote_addresses: ['192.0.2.0/24', '192.0.2.1-192.0.2.9']",
        ),
    ],
)
async def test_a_rule_for_others_than_the_proxies_of_consoles_is_found(
    ports: str, addresses: Any, message: str
) -> None:
    rule = FIREWALL_RULE | {"Name": "OpenStack-SerialConsole-In-TCP"}
    answers = {
        FIREWALL: rows(rule),
        "Get-NetFirewallRule | Get-NetFirewallPortFilter": rows({"LocalPort": ports}),
        "Get-NetFirewallRule | Get-NetFirewallAddressFilter": rows({"RemoteAddress": addresses}),
    }
    wanted = {
        "serial_console_first_port": 10000,
        "serial_console_last_port": 10000,
        "serial_console_clients": ["192.0.2.0/24", "2001:db8::5"],
    }
    events = await verified(
        [TableNode("n1", answers).target(wanted, serial_console=checks_of("serial_console"))]
    )
    failed = [event.message for event in events if event.outcome != "passed"]
    assert failed == ([f"firewall rule OpenStack-SerialConsole-In-TCP {message}"] if message else [])


async def test_what_the_inventory_does_not_want_is_not_checked() -> None:
    node = TableNode(
        "n1",
        GOOD | {"Get-VMHost": rows(HOST | {"EnableEnhancedSessionMode": True})},
    )
    wanted = VARIABLES | {"hyperv_enhanced_session": None}
    events = await verified([node.target(wanted, hyperv_host=checks_of("hyperv_host"))])
    assert {event.outcome for event in events} <= {"passed", "skipped"}


async def test_a_service_of_an_older_package_of_cinder_is_found(tmp_path: Path) -> None:
    check = "test_no_service_of_an_older_package_is_left"
    text = (ROLES / "cinder_volume/checks/test_cinder_volume.py").read_text("utf-8")
    start = text.index(f"def {check}")
    checks = write_checks(tmp_path, text[start : text.index("\n\n\n", start)])
    answers = [
        tables.services(**{"cinder-volume": "Running"}),
        tables.services(**{"cinder-volume-smb": "Running"}),
    ]
    nodes = [TableNode(f"st{n}", {"Get-CimInstance": answer}) for n, answer in enumerate(answers)]
    events = await verified([node.target(cinder_volume=checks) for node in nodes])
    assert endings(events) == [("st0", check, "passed"), ("st1", check, "failed")]


def one_check(folder: Path, role: str, check: str) -> Path:
    """Give one check of a role alone, for a node that answers nothing else."""
    text = (ROLES / role / "checks" / f"test_{role}.py").read_text("utf-8")
    start = text.index(f"def {check}")
    return write_checks(folder, text[start:].partition("\n\n\n")[0])


@pytest.mark.parametrize(
    "role",
    ["nova_compute", "neutron_hyperv_agent", "neutron_ovs_agent", "ceilometer_agent", "freerdp_webconnect"],
)
async def test_a_file_with_passwords_that_everybody_reads_is_found(role: str, tmp_path: Path) -> None:
    check = "test_file_with_secrets_is_for_few"
    checks = one_check(tmp_path, role, check)
    variables = {"openstack_runtime_folder": r"C:\OpenStack", "freerdp_folder": r"C:\OpenStack"}
    few = r"NT AUTHORITY\SYSTEM Allow  FullControl"
    answers = [few, f"{few}\n" + r"BUILTIN\Users Allow  Read, Synchronize"]
    nodes = [
        TableNode(f"hv{n}", {"Get-Acl": rows({"AccessToString": answer})}) for n, answer in enumerate(answers)
    ]
    events = await verified([node.target(variables, **{role: checks}) for node in nodes])
    assert endings(events) == [("hv0", check, "passed"), ("hv1", check, "failed")]


async def test_a_database_of_open_vswitch_that_does_not_start_with_windows_is_found(tmp_path: Path) -> None:
    check = "test_daemon_waits_for_hyper_v"
    checks = one_check(tmp_path, "openvswitch", check)
    nodes = [
        TableNode(
            f"hv{n}",
            {
                "Get-CimInstance": rows(
                    {"Name": "ovsdb-server", "State": "Running", "StartMode": mode},
                    {"Name": "ovs-vswitchd", "State": "Running", "StartMode": "Manual"},
                )
            },
        )
        for n, mode in enumerate(["Auto", "Manual"])
    ]
    events = await verified([node.target(openvswitch=checks) for node in nodes])
    assert endings(events) == [("hv0", check, "passed"), ("hv1", check, "failed")]


async def test_all_checks_of_a_role_cost_one_question_per_distinct_pipeline() -> None:
    nodes = [TableNode(f"n{number}", GOOD) for number in range(3)]
    await verified([node.target(VARIABLES, hyperv_host=checks_of("hyperv_host")) for node in nodes])
    for node in nodes:
        assert sorted(node.asked) == [
            "Get-CimInstance", FIREWALL, "Get-VMHost", "Get-WindowsFeature | Select-Object",
        ]  # fmt: skip
