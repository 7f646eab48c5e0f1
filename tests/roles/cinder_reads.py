"""Runs in a virtual environment with the pinned Cinder: what its own Windows drivers make of the files of a node.

Reads one JSON object, ``{"conf": PATH, "portals": [ADDRESS:PORT]}``, and writes one JSON line. Nothing of Windows is
there: what the drivers ask of it is answered by the stand-ins below, and only what they read and decide is told.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from types import SimpleNamespace
from typing import Any

warnings.simplefilter("ignore")


def loaded(name: str) -> Any:
    return importlib.import_module(name)


class Targets:
    """The iSCSI Target Server as os-win shows it."""

    def __init__(self, portals: list[str]) -> None:
        self.portals = portals
        self.given: list[str] = []

    def get_portal_locations(self, **_: Any) -> list[str]:
        return self.portals

    def iscsi_target_exists(self, _name: str) -> bool:
        return False

    def create_iscsi_target(self, name: str) -> None:
        self.given.append(name)

    def set_chap_credentials(self, _name: str, user: str, password: str) -> None:
        self.given += [user, password]

    def add_disk_to_target(self, *_: Any) -> None: ...

    def get_target_information(self, name: str) -> dict[str, Any]:
        return {"target_iqn": name}


def disks(driver: Any, portals: list[str]) -> dict[str, Any]:
    driver._tgt_utils = Targets(portals)
    volume = SimpleNamespace(name="volume-1", id="1", provider_auth=None)
    updates = driver.create_export(None, volume, None)
    volume.provider_auth = updates.get("provider_auth")
    told = driver._get_host_information(volume, True)
    return {
        "folder": driver.configuration.windows_iscsi_lun_path,
        "portals": sorted(told["target_portals"]),
        "target": driver._tgt_utils.given[0],
        "chap": [told.get("auth_username"), told.get("auth_password")],
    }


def files(driver: Any) -> dict[str, Any]:
    client = object.__new__(loaded("os_brick.remotefs.windows_remotefs").WindowsRemoteFsClient)
    driver._load_shares_config(driver.configuration.smbfs_shares_config)
    driver._setup_pool_mappings()
    return {
        "shares": {name: client._parse_credentials(options) for name, options in driver.shares.items()},
        "pools": driver._pool_mappings,
        "base": driver.configuration.smbfs_mount_point_base,
        "format": driver.configuration.smbfs_default_volume_format,
        "disk": driver._get_vhd_type(qemu_subformat=True),
        "ratio": driver.configuration.max_over_subscription_ratio,
    }


def backend(name: str, portals: list[str]) -> dict[str, Any]:
    base, settings = loaded("cinder.volume.driver"), loaded("cinder.volume.configuration")
    configuration = settings.Configuration(
        loaded("cinder.volume.manager").volume_backend_opts, config_group=name
    )
    configuration.append_config_values(base.volume_opts)
    kind = loaded("oslo_utils.importutils").import_class(configuration.volume_driver)
    driver = object.__new__(kind)
    driver.configuration = configuration
    driver.configuration.append_config_values(kind.get_driver_options())
    remote = loaded("cinder.volume.drivers.remotefs")
    driver.configuration.append_config_values(remote.nas_opts + remote.volume_opts)
    said = {
        "starts": bool(driver.supported or configuration.enable_unsupported_driver),
        "backend": configuration.volume_backend_name,
        "zone": configuration.backend_availability_zone,
    }
    return said | (disks(driver, portals) if kind.__name__ == "WindowsISCSIDriver" else files(driver))


def main() -> None:
    asked = json.loads(sys.stdin.read())
    objects = loaded("cinder.objects")
    objects.register_all()
    loaded("cinder.volume.manager")
    loaded("cinder.compute.nova")
    loaded("cinder.service_auth")
    conf = loaded("oslo_config.cfg").CONF
    loaded("oslo_db.options").set_defaults(conf)
    conf([], project="cinder", default_config_files=[asked["conf"]])
    queue = loaded("oslo_messaging").TransportURL.parse(conf)
    database = loaded("sqlalchemy.engine").make_url(conf.database.connection)
    auth = loaded("keystoneauth1.loading")
    logons = {}
    for section in ("nova", "service_user"):
        plugin = auth.load_auth_from_conf_options(conf, section)
        logons[section] = plugin and [plugin.auth_url, plugin._password]
    said = {
        "queue": [[each.hostname, each.port, each.password] for each in queue.hosts],
        "database": [database.host, database.port, database.database, database.password],
        "logons": logons,
        "token": conf.service_user.send_service_user_token,
        "backends": {name: backend(name, asked["portals"]) for name in conf.enabled_backends},
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
