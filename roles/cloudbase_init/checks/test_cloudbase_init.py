"""What a Windows with cloudbase-init must answer before an image is made of it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

_SETUP_COMPLETE = r"C:\Windows\Setup\Scripts\SetupComplete.cmd"


def test_the_service_waits_for_windows_setup(host):
    """The service is there, does not run, and starts when Windows Setup says so, not with Windows."""
    service = host.service("cloudbase-init")
    assert service.exists
    assert service.state == "Stopped"
    assert service.start_mode == "Manual"


def test_windows_setup_starts_the_service_at_its_end(host):
    """The script that Windows Setup runs last starts the service."""
    assert host.file(_SETUP_COMPLETE).contains("net.exe start cloudbase-init")


@pytest.mark.parametrize("name", ["cloudbase-init.conf", "cloudbase-init-unattend.conf", "Unattend.xml"])
def test_the_files_of_an_image_are_there(host, variables, name):
    """What the service reads, and what Windows Setup does, is there."""
    assert host.file(f"{variables['cloudbase_init_folder']}\\conf\\{name}").is_file


@pytest.mark.parametrize("name", ["cloudbase-init.conf", "cloudbase-init-unattend.conf"])
def test_a_config_drive_is_looked_for_first(host, variables, name):
    """An instance looks at its config drive before it waits for a network."""
    if "configdrive" not in variables["cloudbase_init_metadata_services"]:
        pytest.skip("cloudbase_init_metadata_services has no configdrive")
    first = r"^metadata_services = cloudbaseinit\.metadata\.services\.configdrive\.ConfigDriveService"
    assert host.file(f"{variables['cloudbase_init_folder']}\\conf\\{name}").contains(first)


def test_windows_setup_is_done_with_this_windows(host):
    """The Windows is installed, and nobody generalized it yet."""
    assert host.windows_image.state == "IMAGE_STATE_COMPLETE"


def test_activation_can_be_reset(host):
    """Sysprep may reset activation at least once more."""
    assert host.windows_image.rearms_left > 0


def test_nothing_waits_for_a_restart(host):
    """Sysprep would refuse, or fail half way, while servicing or an update waits for a restart."""
    assert not host.pending_reboot.is_pending


def test_the_computer_is_in_no_domain(host):
    """Sysprep takes a computer out of its domain; what the domain set up would stay."""
    assert host.computer.domain == ""


def test_the_metadata_service_answers(host, variables):
    """The metadata service answers, on an instance of a cloud."""
    if not variables["cloudbase_init_check_metadata"]:
        pytest.skip("cloudbase_init_check_metadata is not set")
    asked = urlsplit(variables["cloudbase_init_metadata_url"])
    port = asked.port or {"http": 80, "https": 443}[asked.scheme]
    assert host.addr(asked.hostname).port(port).is_reachable
