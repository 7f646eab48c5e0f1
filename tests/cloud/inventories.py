"""Inventories that name a cloud, and the command that is given one."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.cloud.controller import PASSWORD

HEAD = """\
site: {site}
connection: {{user: provisioner, password: env:WINRM}}
openstack:
  auth_url: {url}
  user: admin
  project: admin
  password: file:.secrets/keystone
"""

BERLIN = """\
  aggregates:
    windows-berlin: {zone: windows-berlin, properties: {hypervisor: hyperv}}
groups:
  compute: {roles: [hyperv_host], openstack: {aggregates: [windows-berlin]}}
nodes:
  hv01: {groups: [compute]}
  hv02: {groups: [compute]}
"""


def written(
    folder: Path, url: str, body: str = BERLIN, *, site: str = "berlin", password: str = PASSWORD
) -> Path:
    """Write an inventory with its secret beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".secrets").mkdir(exist_ok=True)
    secret = folder / ".secrets" / "keystone"
    secret.write_text(password + "\n", encoding="utf-8")
    secret.chmod(0o600)
    path = folder / "inventory.yaml"
    path.write_text(HEAD.format(site=site, url=url) + body, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    """Run ``provision openstack``."""
    return CliRunner().invoke(main, ["openstack", *map(str, arguments)])
