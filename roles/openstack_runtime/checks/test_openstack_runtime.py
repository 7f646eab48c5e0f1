"""What a node with OpenStack's programs must answer."""

from __future__ import annotations


def test_the_wrapper_of_services_is_there(host, variables):
    """Windows starts the services by OpenStackService.exe."""
    assert host.file(variables["openstack_runtime_folder"] + r"\bin\OpenStackService.exe").is_file


def test_nobody_else_changes_the_programs(host, variables):
    """Ordinary users have no rights on what services run as SYSTEM."""
    rights = host.folder_access(variables["openstack_runtime_folder"])
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not rights.allows(account)


def test_the_folder_of_python_is_there(host, variables):
    """The programs lie where the services' command lines look for them."""
    folder = (
        rf"{variables['openstack_runtime_folder']}\{variables['openstack_runtime_python_folder']}\Scripts"
    )
    assert host.file(folder).is_directory
