"""A lab made by ``provision lab up`` from an inventory takes foreign clients like a node made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import winrm
from pypsrp.client import Client
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from tests.lab.labs import LabRun, running_lab

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

_INVENTORY = """\
site: clients
connection: {transport: psrp, port: 27985, user: provisioner, password: 'file:.secrets/hv01'}
lab:
  endpoints:
    Narrow: {commands: [Get-Service], language: no_language}
nodes:
  hv01: {address: 127.20.0.11}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRun]:
    with running_lab(tmp_path_factory.mktemp("lab"), _INVENTORY) as run:
        yield run


def _wsman(lab: LabRun) -> WSMan:
    node = lab.status()["hv01"]
    return WSMan(
        node["address"],
        port=node["port"],
        ssl=False,
        auth="ntlm",
        username="provisioner",
        password=lab.password("hv01"),
    )


def test_scripts_and_files_of_clients_reach_the_nodes_own_record(lab: LabRun, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"over there")
    node = lab.status()["hv01"]
    account = {"username": "provisioner", "password": lab.password("hv01")}
    with Client(node["address"], port=node["port"], ssl=False, auth="ntlm", **account) as client:
        client.copy(str(tmp_path / "given"), "C:\\Windows\\Temp\\given.txt")
        assert client.execute_ps("Get-Content C:\\Windows\\Temp\\given.txt")[0].strip() == "over there"
    url = f"http://{node['address']}:{node['port']}/wsman"
    session = winrm.Session(url, (account["username"], account["password"]), transport="ntlm")
    assert session.run_ps("Get-Content C:\\Windows\\Temp\\given.txt").std_out == b"over there\r\n"
    assert "pypsrp/copy" in [entry["name"] for entry in lab.journal("hv01", "command")]


def test_the_endpoints_of_the_inventory_are_there(lab: LabRun) -> None:
    with _wsman(lab) as wsman, RunspacePool(wsman, configuration_name="Narrow") as pool:
        assert PowerShell(pool).add_cmdlet("Get-Service").add_parameter("Name", "WinRM").invoke()
        refused = PowerShell(pool).add_script("Get-Service")
        refused.invoke()
        assert refused.streams.error[-1].fq_error == "ScriptsNotAllowed"
    with _wsman(lab) as wsman, pytest.raises(WSManFaultError):
        RunspacePool(wsman, configuration_name="Broad").open()
