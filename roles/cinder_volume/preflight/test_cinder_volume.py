"""What has to be so before anything is changed on a node that is to serve volumes."""

from __future__ import annotations

import pytest

from provisioner.transport.base import Pipeline


def _backends(variables, kind):
    found = [backend for backend in variables["cinder_backends"] if backend["kind"] == kind]
    if not found:
        pytest.skip(f"no back end is of kind {kind}")
    return found


def test_the_node_has_every_address_that_initiators_are_sent_to(host, variables):
    """Cinder does not start on an address that no adapter of the node has."""
    answer = host.ask(Pipeline.of("Get-NetIPAddress", AddressFamily="IPv4"))
    addresses = {str(row["IPAddress"]) for row in answer.output}
    for backend in _backends(variables, "iscsi"):
        for address in [backend["target_ip_address"], *backend["target_secondary_ip_addresses"]]:
            assert address in addresses, (
                f"no adapter of {host.node} has the address {address} of the back end '{backend['name']}'; it has "
                f"{', '.join(sorted(addresses))}"
            )


def test_the_drive_of_every_folder_is_there(host, variables):
    """No folder of volumes or images is on a drive that the node does not have."""
    folders = [variables["cinder_image_conversion_folder"], variables["cinder_folder"]]
    folders += [backend["lun_path"] for backend in variables["cinder_backends"] if backend["lun_path"]]
    for drive in sorted({folder[:3].upper() for folder in folders}):
        assert host.file(drive).is_directory, f"the node has no drive {drive}"


def test_the_host_of_every_share_answers(host, variables):
    """The driver opens its shares when it starts; one of a host that is silent is left out."""
    shares = [share for backend in _backends(variables, "smb") for share in backend["shares"]]
    for name in sorted({_host(share) for share in shares}):
        assert host.addr(name).port(445).is_reachable, (
            f"{host.node} does not reach the file server {name} on port 445: start it, mend its name, or let "
            "firewalls between them pass SMB"
        )


def test_somebody_may_open_the_shares(host, variables):
    """LocalSystem is nobody on other machines, unless the node is a member of a domain."""
    shares = [share for backend in _backends(variables, "smb") for share in backend["shares"]]
    if variables["cinder_account"] or variables["windows_domain"] or host.computer.domain:
        pytest.skip("the service, or the node itself, has an account that other machines know")
    own = {host.computer.name.casefold(), "localhost"}
    for share in shares:
        is_own = _host(share).partition(".")[0].casefold() in own
        assert share["credential"] or is_own, (
            f"{host.node} is in no domain, so its LocalSystem is nobody at {share['share']}: give the share a "
            "credential, the service an account, or the node a domain"
        )


def _host(share):
    return share["share"].split("/")[2]
