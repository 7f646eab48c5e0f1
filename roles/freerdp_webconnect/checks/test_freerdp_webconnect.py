"""What a node with FreeRDP-WebConnect must answer."""

from __future__ import annotations

from urllib.parse import urlsplit


def test_the_gateway_runs(host, variables):
    """The service of the package runs, starts with Windows, and as the account that may read its file."""
    service = host.service("wsgate")
    assert service.exists
    assert service.is_running
    assert service.is_enabled
    wanted = variables["freerdp_service_account"].rpartition("\\")[2].casefold()
    account = service.start_name.rpartition("\\")[2].casefold()
    assert account == wanted, (
        f"wsgate runs as {service.start_name}, and {wanted} is the one that may read "
        "wsgate.ini: repair the package, which alone knows the password of its account, or name the other one in "
        "freerdp_service_account"
    )


def test_the_firewall_lets_browsers_in(host):
    """The rules for both ports are on, and let in."""
    for name in ("HTTP", "HTTPS"):
        rule = host.firewall_rule(f"OpenStack-FreeRDP-{name}-In-TCP")
        assert rule.is_enabled
        assert rule.direction == "Inbound"
        assert rule.action == "Allow"


def test_there_is_a_certificate(host, variables):
    """The file of certificate and key is there; its text holds a private key and is not looked at."""
    path = variables["freerdp_certificate_file"] or variables["freerdp_folder"] + r"\etc\server.cer"
    assert host.file(path).exists


def test_file_with_secrets_is_for_few(host, variables):
    """wsgate.ini holds passwords, and is not for everybody."""
    access = host.folder_access(variables["freerdp_folder"] + r"\etc\wsgate.ini")
    for account in ("Everyone", r"BUILTIN\Users", r"NT AUTHORITY\Authenticated Users"):
        assert not access.allows(account)


def test_keystone_is_reached(host, variables):
    """The node opens a connection to Keystone, which is asked for each console."""
    url = urlsplit(variables["openstack_auth_url"])
    port = url.port or (443 if url.scheme == "https" else 80)
    assert host.addr(url.hostname).port(port).is_reachable
