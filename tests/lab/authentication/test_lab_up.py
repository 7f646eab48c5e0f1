"""Accounts, schemes and HTTPS of a whole lab come from the inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pypsrp.exceptions import AuthenticationError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.kerberos import REALM, USER, needs_kerberos, running_realm
from tests.lab.labs import LabRun, running_lab

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know

_INVENTORY = """
site: test
connection: {transport: psrp, user: provisioner, password: "file:.secrets/hv01", tls: true}
lab:
  authentication: {schemes: [Negotiate, Basic]}
  users:
    - {name: operator, password: "file:.secrets/operator", groups: [Remote Management Users]}
nodes:
  hv01: {address: 127.20.0.11}
"""


def _answers(run: LabRun, user: str, secret: str, auth: str, *, tls: bool) -> list[str]:
    """Ask for the LCM's state, which is for administrators; returns the ids of the errors."""
    authority: Any = run.folder / "labs" / "test" / "certificates" / "ca.pem"
    connection = WSMan(
        f"{run.network}.11",
        ssl=tls,
        auth=auth,
        username=user,
        password=(run.folder / ".secrets" / secret).read_text().strip(),
        cert_validation=authority,
    )
    with connection, RunspacePool(connection) as pool:
        shell = PowerShell(pool).add_cmdlet("Invoke-CimMethod")
        shell.add_parameters(
            {
                "Namespace": "root/Microsoft/Windows/DesiredStateConfiguration",
                "ClassName": "MSFT_DSCLocalConfigurationManager",
                "MethodName": "GetMetaConfiguration",
            }
        )
        shell.invoke()
        return [str(error.fq_error).partition(",")[0] for error in shell.streams.error]


def test_a_lab_has_the_accounts_and_listeners_of_its_inventory(tmp_path: Path) -> None:
    with running_lab(tmp_path, _INVENTORY) as run:
        assert _answers(run, "provisioner", "hv01", "basic", tls=True) == []
        assert _answers(run, "provisioner", "hv01", "ntlm", tls=False) == []
        assert _answers(run, "operator", "operator", "negotiate", tls=True) == ["HRESULT 0x80041003"]
        with pytest.raises(AuthenticationError):
            _answers(run, "operator", "hv01", "ntlm", tls=True)
        key = run.folder / "labs" / "test" / "certificates" / "ca.key"
        assert key.stat().st_mode & 0o077 == 0
        for path in (run.folder / "labs").rglob("*"):
            secret = (run.folder / ".secrets" / "operator").read_bytes().strip()
            assert not path.is_file() or secret not in path.read_bytes()


def test_a_password_in_the_settings_of_a_lab_is_refused(tmp_path: Path) -> None:
    run = LabRun(tmp_path, _INVENTORY.replace("file:.secrets/operator", "Second-Window-9"))
    done = run.provision("lab", "up", str(run.inventory), "--name", "test")
    assert done.returncode != 0
    assert "A password stands here" in done.stderr


_OVER_HTTPS = """
site: test
connection:
  tls: true
  authentication: basic
  ca_certificates: labs/test/certificates/ca.pem
  user: provisioner
  password: file:.secrets/hv01
lab:
  authentication: {schemes: [Negotiate, Basic], channel_binding: Strict}
nodes:
  hv01:
    address: 127.20.0.11
    roles: [iscsi_target]
    variables:
      iscsi_targets:
        - name: volumes
          initiators: ['iqn.1991-05.com.microsoft:hv01']
          disks: [{path: 'D:\\volumes01.vhdx', size_gb: 10}]
"""


@pytest.mark.slow
def test_the_controller_applies_over_https_it_can_verify(tmp_path: Path) -> None:
    with running_lab(tmp_path, _OVER_HTTPS) as run:
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        run.write(_OVER_HTTPS.replace("  ca_certificates: labs/test/certificates/ca.pem\n", ""))
        refused = run.verify()
        assert refused.returncode != 0
        assert "its certificate is not trusted" in refused.stdout + refused.stderr
        run.write(_OVER_HTTPS.replace("authentication: basic", "authentication: auto"))
        assert run.verify().returncode == 0


@pytest.mark.slow
@needs_kerberos
def test_the_controller_applies_with_a_ticket_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_realm(tmp_path) as realm:
        for name, value in realm.environment.items():
            monkeypatch.setenv(name, value)
        connection = f"{{authentication: kerberos, service_principal: WSMAN/{realm.host}}}"
        members = f"  users: [{{name: {USER}@{REALM}, groups: [Administrators]}}]\n  kerberos: {{keytab: node.keytab}}\n"
        role = _OVER_HTTPS[_OVER_HTTPS.index("nodes:") :]
        with running_lab(tmp_path, f"site: test\nconnection: {connection}\nlab:\n{members}{role}") as run:
            without = run.verify()
            assert without.returncode != 0
            assert "there is no Kerberos ticket" in without.stdout + without.stderr
            realm.kinit()
            done = run.apply()
            assert done.returncode == 0, done.stdout + done.stderr
            assert run.verify().returncode == 0
