"""What a node that serves Cinder's volumes must answer."""

from __future__ import annotations

import re

import pytest

_EVERYBODY = ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users")


def _backends(variables, kind):
    found = [backend for backend in variables["cinder_backends"] if backend["kind"] == kind]
    if not found:
        pytest.skip(f"no back end is of kind {kind}")
    return found


def _portals(variables):
    return {
        address
        for backend in _backends(variables, "iscsi")
        for address in [backend["target_ip_address"], *backend["target_secondary_ip_addresses"]]
    }


def _folder(backend):
    return backend["lun_path"] or r"C:\iSCSIVirtualDisks"


def _shares_file(variables, backend):
    return backend["shares_file"] or rf"{variables['cinder_folder']}\etc\smbfs_shares_{backend['name']}.txt"


def test_volume_service_runs(host):
    """The service is there, runs and starts with Windows."""
    service = host.service("cinder-volume")
    assert service.exists
    assert service.is_running
    assert service.is_enabled


def test_volume_service_runs_as_wanted(host, variables):
    """The service starts this program with this file, as this account."""
    service = host.service("cinder-volume")
    folder = variables["cinder_folder"]
    program = rf"{folder}\{variables['cinder_python_folder']}\Scripts\cinder-volume.exe"
    assert program.casefold() in service.path.casefold()
    assert host.file(program).is_file
    assert rf'--config-file "{folder}\etc\cinder.conf"'.casefold() in service.path.casefold()
    account = variables["cinder_account"]
    wanted = account["user"] if account else "LocalSystem"
    assert service.start_name.casefold() == wanted.casefold()


def test_no_service_of_an_older_package_is_left(host):
    """Services for one driver each would open the same volumes a second time."""
    for name in ("cinder-volume-iscsi", "cinder-volume-smb"):
        assert not host.service(name).exists


def test_target_server_runs(host, variables):
    """The iSCSI Target Server is installed, runs and starts with Windows."""
    _backends(variables, "iscsi")
    assert host.feature("FS-iSCSITarget-Server").is_installed
    assert host.service("WinTarget").is_running
    assert host.service("WinTarget").is_enabled


def test_only_the_wanted_addresses_listen(host, variables):
    """Exactly the addresses of the inventory listen: those of the back ends, and of the role iscsi_target."""
    wanted = _portals(variables) | set(variables.get("iscsi_portals") or ())
    assert host.iscsi_portals.listening == wanted


def test_initiators_may_come(host, variables):
    """The firewall lets initiators come."""
    _backends(variables, "iscsi")
    rule = host.firewall_rule("OpenStack-Cinder-iSCSI-In-TCP")
    assert rule.exists
    assert rule.is_enabled
    assert rule.action == "Allow"


def test_folders_of_disks_are_there(host, variables):
    """The driver finds the folders of its disks, and nobody else reads volumes there."""
    for backend in _backends(variables, "iscsi"):
        assert host.file(_folder(backend)).is_directory
        for account in _EVERYBODY:
            assert not host.folder_access(_folder(backend)).allows(account)


def test_folder_of_images_is_there(host, variables):
    """Images are converted in a folder that is there."""
    assert host.file(variables["cinder_image_conversion_folder"]).is_directory


def test_defender_leaves_volumes_and_images_alone(host, variables):
    """Defender does not scan disks that are written all the time."""
    if not variables["cinder_defender_exclusions"]:
        pytest.skip("cinder_defender_exclusions is false")
    wanted = [_folder(backend) for backend in variables["cinder_backends"] if backend["kind"] == "iscsi"]
    wanted.append(variables["cinder_image_conversion_folder"])
    assert {folder.casefold().rstrip("\\") for folder in wanted} <= host.defender.paths


def test_configuration_follows_the_inventory(host, variables):
    """cinder.conf has the back ends of the inventory with what is no secret of them."""
    wanted = {"enabled_backends": [",".join(backend["name"] for backend in variables["cinder_backends"])]}
    for backend in variables["cinder_backends"]:
        if backend["kind"] == "iscsi":
            wanted.setdefault("windows_iscsi_lun_path", []).append(_folder(backend))
            wanted.setdefault("target_ip_address", []).append(backend["target_ip_address"])
        else:
            wanted.setdefault("smbfs_shares_config", []).append(_shares_file(variables, backend))
    overlaid = {option for section in variables["cinder_options"].values() for option in section or ()}
    configuration = host.file(variables["cinder_folder"] + r"\etc\cinder.conf")
    for option, values in wanted.items():
        for value in values if option not in overlaid else ():
            line = value.replace("$", "$$")
            assert configuration.contains(rf"^{option} = {re.escape(line)}$")


def test_files_with_secrets_are_for_few(host, variables):
    """cinder.conf and the lists of shares are there, and not for everybody; nobody looks into the lists."""
    paths = [variables["cinder_folder"] + r"\etc\cinder.conf"]
    paths += [
        _shares_file(variables, backend)
        for backend in variables["cinder_backends"]
        if backend["kind"] == "smb"
    ]
    for path in paths:
        assert host.file(path).is_file
        for account in _EVERYBODY:
            assert not host.folder_access(path).allows(account)


def test_shares_can_be_reached(host, variables):
    """The file servers answer."""
    shares = [share["share"] for backend in _backends(variables, "smb") for share in backend["shares"]]
    for name in sorted({share.split("/")[2] for share in shares}):
        assert host.addr(name).port(445).is_reachable


def test_message_queue_can_be_reached(host, variables):
    """Each host of the message queue answers."""
    default = 5671 if variables["openstack_transport_tls"] else 5672
    for queue in variables["openstack_transport_hosts"]:
        name, port = _endpoint(queue, default)
        assert host.addr(name).port(port).is_reachable


def test_database_can_be_reached(host, variables):
    """Cinder's database answers."""
    name, port = _endpoint(variables["cinder_database_host"], 3306)
    assert host.addr(name).port(port).is_reachable


def _endpoint(text, default):
    """Return host and port of ``host``, ``host:port``, ``[v6]`` or ``[v6]:port``."""
    name, bracket, port = text.partition("]") if text.startswith("[") else text.partition(":")
    return name.lstrip("["), int(port.removeprefix(":") if bracket and port else default)
