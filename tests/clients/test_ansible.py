"""ansible-core, unmodified, as a process of its own: raw over ``winrm`` and ``psrp``, files, and what is refused."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests import kerberos
from tests.clients.site import HOST, PASSWORD, USER, Site
from tests.clients.ways import WAYS, Way

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

_RAW = [*WAYS["ansible-core winrm"], *WAYS["ansible-core psrp"]]
_MODULE = """#!powershell
#AnsibleRequires -CSharpUtil Ansible.Basic
$module = [Ansible.Basic.AnsibleModule]::Create($args, @{ options = @{} })
$module.ExitJson()
"""
#: ansible's own ``copy`` and ``fetch`` run modules before they use the connection; this uses it alone.
_ACTION = """from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        given = self._task.args
        if "given" in given:
            self._connection.put_file(given["given"], given["remote"])
        self._connection.fetch_file(given["remote"], given["back"])
        return {"changed": True}
"""


class Ansible:
    """An inventory of one node, and a folder for everything ansible writes."""

    def __init__(self, site: Site, folder: Path, way: Way) -> None:
        if way.auth == "kerberos" and site.realm is None:
            pytest.skip(f"Kerberos: not here: {kerberos.missing()}")
        self.folder = folder
        self.connection = way.client.split()[1]
        variables = {"ansible_host": site.address, "ansible_port": site.port(ssl=way.is_https)}
        variables |= {"ansible_user": USER, "ansible_password": PASSWORD}
        variables |= _winrm(site, way) if way.client.endswith("winrm") else _psrp(site, way)
        hosts = {"all": {"hosts": {"hv01": variables}}}
        (folder / "hosts.json").write_text(json.dumps(hosts), encoding="utf-8")
        (folder / "library").mkdir(exist_ok=True)
        (folder / "library" / "lab_probe.ps1").write_text(_MODULE, encoding="utf-8")
        (folder / "actions").mkdir(exist_ok=True)
        (folder / "actions" / "lab_files.py").write_text(_ACTION, encoding="utf-8")
        self.environment = os.environ | {
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LIBRARY": str(folder / "library"),
            "ANSIBLE_ACTION_PLUGINS": str(folder / "actions"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def run(self, module: str, arguments: str = "") -> subprocess.CompletedProcess[str]:
        given = ["-a", arguments] if arguments else []
        return subprocess.run(
            ["ansible", "hv01", "-i", str(self.folder / "hosts.json"), "-m", module, *given],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def _winrm(site: Site, way: Way) -> dict[str, object]:
    found: dict[str, object] = {
        "ansible_connection": "winrm",
        "ansible_winrm_transport": way.auth,
        "ansible_winrm_scheme": way.scheme,
    }
    if way.is_https:
        found["ansible_winrm_ca_trust_path"] = site.ca
    if way.auth == "kerberos":
        found |= {
            "ansible_user": f"{kerberos.USER}@{kerberos.REALM}",
            "ansible_password": kerberos.PASSWORD,
            "ansible_winrm_kerberos_hostname_override": HOST,
            "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
        }
    return found


def _psrp(site: Site, way: Way) -> dict[str, object]:
    found: dict[str, object] = {
        "ansible_connection": "psrp",
        "ansible_psrp_auth": way.auth,
        "ansible_psrp_protocol": way.scheme,
    }
    if way.is_https:
        found["ansible_psrp_ca_cert"] = site.ca
    if way.auth == "certificate":
        public, private = site.certificate
        found |= {"ansible_psrp_certificate_pem": public, "ansible_psrp_certificate_key_pem": private}
    return found


@pytest.fixture(params=["winrm", "psrp"])
def ansible(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Ansible:
    return Ansible(site, tmp_path, Way(f"ansible-core {request.param}", "ntlm", "http"))


@pytest.mark.parametrize("way", _RAW, ids=lambda way: f"{way.client.split()[1]}-{way}")
def test_raw_runs_commands_and_programs(site: Site, tmp_path: Path, way: Way) -> None:
    ansible = Ansible(site, tmp_path, way)
    before = len(site.names())
    done = ansible.run("raw", "Get-Service -Name WinRM | Select-Object -ExpandProperty Name; whoami")
    assert done.returncode == 0, done.stdout + done.stderr
    heading, *lines = done.stdout.strip().splitlines()
    assert heading == "hv01 | CHANGED | rc=0 >>"
    assert [line.casefold() for line in lines if line] == ["winrm", site.account(way.auth).casefold()]
    assert "Get-Service" in site.names()[before:]


def test_raw_tells_how_a_program_ended(ansible: Ansible) -> None:
    done = ansible.run("raw", "exit 3")
    assert done.returncode == 2
    assert "hv01 | FAILED | rc=3 >>" in done.stdout
    assert "non-zero return code" in done.stdout


def test_raw_shows_the_error_of_a_command(ansible: Ansible) -> None:
    done = ansible.run("raw", "Get-Service -Name nope")
    # Over psrp only a terminating error makes ansible fail.
    assert done.returncode == (2 if ansible.connection == "winrm" else 0)
    assert "Cannot find any service with service name 'nope'." in done.stdout
    assert "NoServiceFoundForGivenName" in done.stdout


def test_raw_refuses_what_the_node_does_not_run(site: Site, ansible: Ansible) -> None:
    paths = site.paths()
    done = ansible.run("raw", "foreach ($i in 1..3) { New-Item C:\\made$i }")
    assert done.returncode == 2
    assert "it does not run the keyword foreach" in " ".join(done.stdout.split())
    assert "ScriptsNotAllowed" in done.stdout
    assert site.paths() == paths


def test_a_module_is_refused_by_its_name(site: Site, ansible: Ansible) -> None:
    names = site.names()
    done = ansible.run("lab_probe")
    assert done.returncode == 2
    text = " ".join(done.stdout.split())
    assert "hv01 | FAILED" in text
    assert "it does not run the module or script 'ansible.legacy.lab_probe'" in text
    assert set(site.names()[len(names) :]) <= {"ansible-core/bootstrap", "cmd.exe"}


def test_a_local_script_is_refused_by_its_name(site: Site, ansible: Ansible) -> None:
    (ansible.folder / "hello.ps1").write_text("Write-Output 'hello'\n", encoding="utf-8")
    paths = site.paths()
    done = ansible.run("ansible.builtin.script", str(ansible.folder / "hello.ps1"))
    assert done.returncode == 2
    assert "it does not run the module or script 'ansible.builtin.script.hello'" in " ".join(
        done.stdout.split()
    )
    made = set(site.paths()) - set(paths)
    # The temporary folder was made, for which ansible asks first.
    assert any("ansible-tmp-" in path for path in made)


@pytest.mark.parametrize("size", [0, 5, 600_000])
def test_the_connections_put_and_fetch_files(site: Site, ansible: Ansible, size: int) -> None:
    content = random.Random(size).randbytes(size)
    (ansible.folder / "given").write_bytes(content)
    remote = f"C:\\Windows\\Temp\\{ansible.connection}-{size}.bin"
    there = {"given": str(ansible.folder / "given"), "remote": remote, "back": str(ansible.folder / "back")}
    done = ansible.run("lab_files", json.dumps(there))
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.file(remote) == content
    assert (ansible.folder / "back").read_bytes() == content


def test_the_connections_say_that_a_file_is_missing(ansible: Ansible) -> None:
    there = {"remote": "C:\\nowhere\\missing.bin", "back": str(ansible.folder / "back")}
    done = ansible.run("lab_files", json.dumps(there))
    assert done.returncode == 2
    assert "missing.bin" in done.stdout
    assert not (ansible.folder / "back").exists()
