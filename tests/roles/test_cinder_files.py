"""What the role cinder_volume writes is what the pinned Cinder, its own Windows drivers and its libraries read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.options.check import check_text
from tests.compiling import REPOSITORY, compile_project, write
from tests.roles.runs import CASES, NODE, inventory_of
from tests.roles.site import running_site
from tests.unit.options.services import Witness
from upkeep.options.environments import NoEnvironment, python_of
from upkeep.options.recipes import RECIPES, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

READER = Path(__file__).with_name("cinder_reads.py")
_CINDER = [recipe for recipe in RECIPES if recipe.service == "cinder"]
#: With what is special to URLs, to oslo.config, to options of shares and to PowerShell.
_SECRETS = {
    "rabbit": "r@b:b/i?t$1%41#",
    "database": "d@t:a/b$$a%41#'",
    "nova": "n$va=`%41",
    "token": '"t$ken"',
    "chap": "tw#lve$c;=%`",
    "share": "sh@re$1%41#=",
}
_ISCSI = {"name": "disks", "kind": "iscsi", "target_ip_address": "127.20.0.11"}
_SMB = {"name": "files", "kind": "smb", "shares": [{"share": "//fs.example/a"}]}


@pytest.fixture(scope="module", params=_CINDER, ids=lambda recipe: recipe.release)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    found: Recipe = request.param
    return found


@pytest.fixture(scope="module")
def witness(recipe: Recipe) -> Iterator[Witness]:
    made = Witness(recipe)
    yield made
    made.close()


def _read_by_cinder(recipe: Recipe, conf: Path, portals: list[str]) -> dict[str, Any]:
    try:
        python = python_of(recipe)
    except NoEnvironment as error:
        pytest.skip(f"no environment for {recipe.service} {recipe.release}: {error}")
    done = subprocess.run(
        [python, "-I", READER],
        input=json.dumps({"conf": str(conf), "portals": portals}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_drivers_read_of_a_node_what_the_inventory_says(
    recipe: Recipe, witness: Witness, tmp_path: Path
) -> None:
    case = yaml.safe_load((CASES / "cinder_volume.yml").read_text("utf-8"))
    case["secrets"] = _SECRETS
    shares = [
        {
            "share": "//fs1.example/a$",
            "credential": {"user": r"EX\cinder", "password": "file:.secrets/share"},
        },
        {"share": "//fs2.example/a$/deep", "pool": "second pool"},
        {"share": "//fs3.example/c", "credential": {"user": "other", "password": "file:.secrets/chap"}},
    ]
    case["variables"] |= {
        "openstack_release": recipe.release,
        "openstack_transport_hosts": ["mq1.example", "mq2.example:5673"],
        "cinder_service_password": "file:.secrets/token",
        "cinder_database_host": "db.example:3307",
        "cinder_account": {"user": r".\cinder", "password": "file:.secrets/token"},
        "cinder_backends": [
            _ISCSI
            | {"use_chap_auth": True, "chap": {"user": "in$1", "password": "file:.secrets/chap"}}
            | {"availability_zone": "east", "target_prefix": "iqn.2026-11.example.st:"},
            _SMB | {"shares": shares, "over_subscription_ratio": 1.5, "volume_backend_name": "shared files"},
        ],
    }
    case["lab"] |= {"users": [{"name": "cinder", "password": "file:.secrets/token"}]}
    with running_site(tmp_path, inventory_of(case, "2022"), _SECRETS) as site:
        applied = site.apply()
        assert not applied.failures, applied.text
        folder = r"C:\OpenStack\cloudbase\cinder\etc"
        conf = site.console(NODE, rf"Get-Content -Raw -Path {folder}\cinder.conf")
        listed = site.console(NODE, rf"Get-Content -Raw -Path {folder}\smbfs_shares_files.txt")
        address = site.address("127.20.0.11")
    assert [each.message for each in check_text(conf, "cinder", recipe.release)] == []
    verdict = witness.judge(conf)
    assert (verdict["parsed"], verdict["bad"], verdict["unknown"]) == (True, [], [])
    here = tmp_path / "shares.txt"
    here.write_text(listed, encoding="utf-8")
    (tmp_path / "cinder.conf").write_text(
        conf.replace(rf"{folder}\smbfs_shares_files.txt", str(here)), encoding="utf-8"
    )
    portal = f"{address}:3260"
    assert _read_by_cinder(recipe, tmp_path / "cinder.conf", [portal, "192.0.2.9:3260"]) == {
        "queue": [["mq1.example", 5672, _SECRETS["rabbit"]], ["mq2.example", 5673, _SECRETS["rabbit"]]],
        "database": ["db.example", 3307, "cinder", _SECRETS["database"]],
        "logons": {
            "nova": ["https://keystone.example:5000/v3", _SECRETS["nova"]],
            "service_user": ["https://keystone.example:5000/v3", _SECRETS["token"]],
        },
        "token": True,
        "backends": {
            "disks": {
                "starts": True,
                "backend": "disks",
                "zone": "east",
                "folder": r"C:\iSCSIVirtualDisks",
                "portals": [portal],
                "target": "iqn.2026-11.example.st:volume-1",
                "chap": ["in$1", _SECRETS["chap"]],
            },
            "files": {
                "starts": True,
                "backend": "shared files",
                "zone": None,
                "shares": {
                    "//fs1.example/a$": [r"EX\cinder", _SECRETS["share"]],
                    "//fs2.example/a$/deep": [None, None],
                    "//fs3.example/c": ["other", _SECRETS["chap"]],
                },
                "pools": {
                    "//fs1.example/a$": "a$",
                    "//fs2.example/a$/deep": "second pool",
                    "//fs3.example/c": "c",
                },
                "base": r"C:\OpenStack\_mnt",
                "format": "vhdx",
                "disk": "dynamic",
                "ratio": "1.5",
            },
        },
    }


_COMBINATIONS: dict[str, dict[str, Any]] = {
    "one target server": {"cinder_backends": [_ISCSI]},
    "every field of iscsi": {
        "cinder_backends": [
            _ISCSI
            | {"lun_path": r"D:\LUNs$", "target_secondary_ip_addresses": ["192.0.2.2", "192.0.2.3"]}
            | {"target_port": 3261, "target_prefix": "iqn.2026-11.example:", "use_chap_auth": True}
            | {"volume_backend_name": "both of them", "availability_zone": "a b", "reserved_percentage": 100}
        ]
    },
    "one share": {"cinder_backends": [_SMB]},
    "every field of smb": {
        "cinder_backends": [
            _SMB
            | {"shares_file": r"D:\shares$.txt", "mount_point_base": r"D:\mnt$", "volume_format": "vhd"}
            | {"provisioning": "thick", "reserved_percentage": 0, "availability_zone": "b"},
            {"name": "more", "kind": "smb", "over_subscription_ratio": 2}
            | {
                "shares": [{"share": "//fs.example/b", "pool": "p"}, {"share": "//fs.example/c", "pool": "q"}]
            },
        ]
    },
    "many of both": {
        "cinder_backends": [_ISCSI, _SMB, _ISCSI | {"name": "d2", "lun_path": r"D:\2"}]
        + [
            {"name": f"f{number}", "kind": "smb", "shares": [{"share": f"//f{number}/a"}]}
            for number in range(5)
        ]
    },
    "everything else": {
        "cinder_backends": [_ISCSI],
        "cinder_host": "stor.example",
        "cinder_my_ip": "192.0.2.1",
        "cinder_database_host": "[fd00::1]:3307",
        "cinder_database_name": "cin/der$",
        "cinder_database_user": "c@in$der",
        "cinder_database_ca_file": r"C:\OpenStack\ca $.pem",
        "cinder_glance_servers": ["http://g1.example:9292", "https://g2.example"],
        "cinder_nova_password": "env:NOVA",
        "cinder_nova_user": "no$va",
        "cinder_service_password": "env:TOKEN",
        "cinder_availability_zone": "windows zone",
        "cinder_coordination_url": "etcd3+http://etcd.example:2379",
        "cinder_key_manager": "cinder.keymgr.conf_key_mgr.ConfKeyManager",
        "openstack_ca_file": r"C:\OpenStack\ca.pem",
        "openstack_transport_tls": True,
        "openstack_debug": True,
        "openstack_region": "Region$One",
        "cinder_options": {
            "DEFAULT": {"rpc_response_timeout": 120, "log_file": None},
            "disks": {"image_volume_cache_enabled": True, "target_prefix": "iqn.2026-11.example.other:"},
            "barbican_service_user": {"auth_type": "password", "password": "@{secret:key}"},
        },
        "cinder_option_secrets": {"key": "env:KEY|oslo"},
    },
}


@pytest.mark.parametrize("named", _COMBINATIONS)
def test_no_combination_is_unknown_to_cinder(
    named: str, recipe: Recipe, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = yaml.safe_load((CASES / "cinder_volume.yml").read_text("utf-8"))["variables"]
    kept = ("openstack_transport_hosts", "openstack_auth_url", "cinder_database_host", "cinder_installer")
    variables = {name: case[name] for name in kept} | {
        "openstack_release": recipe.release,
        "openstack_transport_password": "env:RABBIT",
        "cinder_database_password": "env:DATABASE",
    }
    inventory = f"""\
site: test
connection: {{transport: psrp, user: admin, password: 'env:PASSWORD'}}
encryption: {{certificate: certificates/}}
nodes:
  n1: {{address: 192.0.2.1, roles: [cinder_volume], variables: {json.dumps(variables | _COMBINATIONS[named])}}}
"""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"inventory.yaml": inventory})
    configurations, problems = compile_project(tmp_path, [REPOSITORY])
    assert [problem.render() for problem in problems] == []
    resource = configurations["n1"].resource("[ConfigurationFile]cinder.conf")
    assert resource is not None
    text = re.sub(r"@\{secret:[^}]*\}", "secret", str(resource.properties["Contents"]))
    assert [each.message for each in check_text(text, "cinder", recipe.release)] == []
    verdict = witness.judge(text)
    assert (verdict["parsed"], verdict["bad"], verdict["unknown"]) == (True, [], [])
    is_unsupported = recipe.release >= "2024.1"
    assert text.count("enable_unsupported_driver = true") == is_unsupported * len(
        _COMBINATIONS[named]["cinder_backends"]
    )
