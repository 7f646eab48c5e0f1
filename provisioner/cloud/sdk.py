"""The one place that talks to a cloud: openstacksdk behind the few calls that are needed.

The rule of the room: values in, values out. What a 404 or a 409 means is decided by whoever asked.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import openstack
from openstack import exceptions
from openstack.config import OpenStackConfig
from openstack.config.loader import CONFIG_FILES

from provisioner import __version__
from provisioner.cloud.model import (
    UNKNOWN,
    ComputeService,
    Flavor,
    HostAggregate,
    Hypervisor,
    Image,
    NetworkAgent,
    VolumeService,
)
from provisioner.cloud.sdk_errors import NeverTwice, answering, usable
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError
from provisioner.inventory.model import Cloud
from provisioner.secrets.stores import resolve

# Where nobody listens to it, keystoneauth writes to the terminal what it met; the errors here say it.
logging.getLogger("keystoneauth").addHandler(logging.NullHandler())

T = TypeVar("T")

#: Seconds one answer may take where clouds.yaml says nothing; Nova itself waits 60 for a cell, and answers then.
_ANSWER_S: Final = 90.0
_COMPUTE: Final = "nova-compute"
_VOLUME: Final = "cinder-volume"
#: From 2.88 on Nova asks every host for its uptime, and one that does not answer spoils the whole list.
_HYPERVISORS: Final = "2.53"
_ZONE: Final = "availability_zone"
#: Media type of changes to an image: 'replace' and 'remove' ask for a property that is there, 'add' for none.
_IMAGE_PATCH: Final = "application/openstack-images-v2.1-json-patch"
_WITH_PASSWORD: Final = ("password", "v3password")


def connect(cloud: Cloud, folder: Path, warn: Callable[[str], None]) -> Controller:
    """Log on to a cloud.

    Args:
        cloud: What the inventory says of it.
        folder: The inventory's; paths start here, and a clouds.yaml in it comes before those of the user.
        warn: Called with a sentence when the file of a secret may be read by others.

    Raises:
        UsageError: clouds.yaml does not know the cloud, or cannot be read.
        SecretError: the password cannot be resolved.
        CloudError: Keystone does not let us in.
    """
    if cloud.name:
        with usable(cloud, folder):
            connection = _connection(_from_clouds_yaml(cloud, folder))
    else:
        connection = _connection(_from_inventory(cloud, folder, warn))
    where = cloud.name or cloud.auth_url
    with answering(f"Logging on to {where}"):
        # Not authorize(), which hides what went wrong behind one error.
        connection.session.get_token()
    return Controller(connection)


def _connection(region: Any) -> Any:
    if region.config.get("api_timeout") is None:
        region.config["api_timeout"] = _ANSWER_S
    connection: Any = openstack.connection.Connection(
        config=region, app_name="provisioner", app_version=__version__
    )
    connection.session.auth._lock = NeverTwice()  # noqa: SLF001 - there is no public way
    return connection


def _from_clouds_yaml(cloud: Cloud, folder: Path) -> Any:
    beside = folder / "clouds.yaml"
    said = {"region_name": cloud.region, "interface": cloud.interface if cloud.interface != "public" else ""}
    files = [str(beside), *CONFIG_FILES]
    loader: Any = OpenStackConfig(config_files=files)
    used = loader.config_filename
    # One before that which is read is passed over in silence; a file that the environment names comes before all.
    for path in files[: files.index(used)] if used in files else () if used else files:
        if Path(path).exists():
            raise UsageError(f"{cloud.where}: {path} cannot be read, or is no YAML.")
    # Where there is none at all, the SDK makes one of this name up.
    known = [name for name in loader.get_cloud_names() if name != "defaults"]
    if cloud.name not in known:
        raise UsageError(
            f"{cloud.where}: no clouds.yaml knows a cloud '{cloud.name}'.",
            did_you_mean(cloud.name, known) or f"Write it into {beside} or ~/.config/openstack/clouds.yaml.",
        )
    region = loader.get_one(cloud=cloud.name, **{key: value for key, value in said.items() if value})
    if region.config.get("auth_type") in _WITH_PASSWORD and not region.config["auth"].get("password"):
        raise UsageError(f"{cloud.where}: clouds.yaml has no password for '{cloud.name}'.")
    return region


def _from_inventory(cloud: Cloud, folder: Path, warn: Callable[[str], None]) -> Any:
    assert cloud.password is not None  # the inventory was checked
    secret = resolve(cloud.password, folder, warn)
    trusted = {}
    if cloud.ca_certificates:
        trusted["cacert"] = str(folder / Path(cloud.ca_certificates).expanduser())
        try:
            ssl.create_default_context(cafile=trusted["cacert"])
        except OSError as error:
            why = "It holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise UsageError(
                f"{cloud.where}: 'ca_certificates' cannot be used: {trusted['cacert']}: {why}."
            ) from None
    loader: Any = OpenStackConfig(load_yaml_config=False, load_envvars=False)
    return loader.get_one(
        auth_type="password",
        auth={
            "auth_url": cloud.auth_url,
            "username": cloud.user,
            "password": secret.reveal(),
            "project_name": cloud.project,
            "user_domain_name": cloud.user_domain,
            "project_domain_name": cloud.project_domain,
        },
        region_name=cloud.region or None,
        interface=cloud.interface,
        verify=True,
        **trusted,
    )


class Controller:
    """A cloud that let us in. Every call may raise CloudError, and CloudRefused where the cloud says no."""

    def __init__(self, connection: Any) -> None:
        self._cloud = connection

    def close(self) -> None:
        """Give the connections back."""
        self._cloud.close()

    # -- what is there ------------------------------------------------------------------------------------

    def services(self) -> tuple[ComputeService, ...]:
        """Return every nova-compute that registered."""
        return _all(
            "The list of compute services", lambda: self._cloud.compute.services(binary=_COMPUTE), _service
        )

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """Return every hypervisor."""
        return _all(
            "The list of hypervisors",
            lambda: self._cloud.compute.hypervisors(details=True, microversion=_HYPERVISORS),
            _hypervisor,
        )

    def aggregates(self) -> tuple[HostAggregate, ...]:
        """Return every aggregate."""
        asked = "The list of aggregates"
        return _all(asked, lambda: self._cloud.compute.aggregates(), _aggregate)  # noqa: PLW0108 - see _all

    def agents(self) -> tuple[NetworkAgent, ...] | None:
        """Return every agent of Neutron; None where the cloud has no Neutron."""
        if not self._has("network"):
            return None
        asked = "The list of network agents"
        return _all(asked, lambda: self._cloud.network.agents(), _agent)  # noqa: PLW0108 - see _all

    def volume_services(self) -> tuple[VolumeService, ...] | None:
        """Return every cinder-volume; None where the cloud has no Cinder."""
        if not self._has("block-storage"):
            return None
        return _all(
            "The list of volume services",
            lambda: self._cloud.block_storage.services(binary=_VOLUME),
            _volume_service,
        )

    def flavors(self) -> tuple[Flavor, ...]:
        """Return every flavor, also those that are not public."""
        # Extra specs are a part of each flavor since 2.61; asking for them would be one call more for each.
        return _all(
            "The list of flavors",
            lambda: self._cloud.compute.flavors(details=True, get_extra_specs=False, is_public="None"),
            _flavor,
        )

    def images(self) -> tuple[Image, ...] | None:
        """Return every image; None where the cloud has no Glance."""
        if not self._has("image"):
            return None
        return _all("The list of images", self._images, _image)

    def _images(self) -> Iterator[dict[str, Any]]:
        """Yield images as Glance writes them: the SDK makes numbers of some properties, or stumbles over them."""
        query = ""
        while True:
            answer = self._cloud.image.get(f"/images{query}")
            exceptions.raise_from_response(answer)
            said = answer.json()
            yield from said["images"]
            if not said.get("next"):
                return
            query = "?" + urlsplit(said["next"]).query

    def servers_on(self, host: str) -> tuple[str, ...]:
        """Return the names of the instances on a host, those of all projects."""
        return _all(
            f"The list of instances on {host}",
            lambda: self._cloud.compute.servers(details=False, all_projects=True, compute_host=host),
            lambda server: _text(server.name or server.id),
        )

    def volumes_on(self, host: str) -> tuple[str, ...]:
        """Return the names of the volumes that ``HOST@BACKEND`` keeps, those of all projects."""
        with answering(f"The list of volumes of {host}"):
            found = self._cloud.block_storage.volumes(details=True, all_projects=True)
            return tuple(
                _text(volume.name or volume.id)
                for volume in found
                if (volume.host or "").partition("#")[0].casefold() == host.casefold()
            )

    # -- changes ------------------------------------------------------------------------------------------

    def create_aggregate(self, name: str, zone: str) -> str:
        """Create an aggregate and return its id."""
        zoned = {_ZONE: zone} if zone else {}
        with answering(f"Creating the aggregate '{name}'"):
            return _text(str(self._cloud.compute.create_aggregate(name=name, **zoned).id))

    def set_metadata(self, aggregate: str, values: Mapping[str, str | None], name: str) -> None:
        """Set metadata of the aggregate with this id; None takes a key away."""
        with answering(f"Changing the aggregate '{name}'"):
            self._cloud.compute.set_aggregate_metadata(aggregate, dict(values))

    def add_host(self, aggregate: str, host: str, name: str) -> None:
        """Put a host into the aggregate with this id."""
        with answering(f"Adding {host} to the aggregate '{name}'"):
            self._cloud.compute.add_host_to_aggregate(aggregate, host)

    def remove_host(self, aggregate: str, host: str, name: str) -> None:
        """Take a host out of the aggregate with this id."""
        with answering(f"Removing {host} from the aggregate '{name}'"):
            self._cloud.compute.remove_host_from_aggregate(aggregate, host)

    def set_specs(self, flavor: Flavor, values: Mapping[str, str | None]) -> None:
        """Set extra specs of a flavor; None takes one away."""
        with answering(f"Changing the flavor '{flavor.name}'"):
            given = {key: value for key, value in values.items() if value is not None}
            if given:
                self._cloud.compute.create_flavor_extra_specs(flavor.id, given)
            for key in values.keys() - given.keys():
                self._cloud.compute.delete_flavor_extra_specs_property(flavor.id, key)

    def set_properties(self, image: Image, values: Mapping[str, str | None]) -> None:
        """Set properties of an image; None takes one away."""
        changes = [_patch(name, value, image) for name, value in values.items()]
        with answering(f"Changing the image '{image.name}'"):
            answer = self._cloud.image.patch(
                f"/images/{image.id}", json=changes, headers={"Content-Type": _IMAGE_PATCH}
            )
            exceptions.raise_from_response(answer)

    def disable(self, service: ComputeService, reason: str) -> None:
        """Keep new instances off a host."""
        with answering(f"Disabling nova-compute of {service.host}"):
            self._cloud.compute.disable_service(service.id, service.host, _COMPUTE, disabled_reason=reason)

    def delete_service(self, service: ComputeService) -> None:
        """Delete a nova-compute, and with it the host's mapping and its resource provider."""
        with answering(f"Deleting nova-compute of {service.host}"):
            self._cloud.compute.delete_service(service.id, ignore_missing=False)

    def delete_agent(self, agent: NetworkAgent) -> None:
        """Delete an agent of Neutron."""
        with answering(f"Deleting the {agent.type} of {agent.host}"):
            self._cloud.network.delete_agent(agent.id, ignore_missing=False)

    def disable_volume_service(self, service: VolumeService, reason: str) -> None:
        """Keep new volumes off a back end."""
        body = {"binary": _VOLUME, "host": service.host, "disabled_reason": reason}
        with answering(f"Disabling cinder-volume of {service.host}"):
            answer = self._cloud.block_storage.put("/os-services/disable-log-reason", json=body)
            exceptions.raise_from_response(answer)

    def _has(self, service_type: str) -> bool:
        with answering("The catalogue of services"):
            config = self._cloud.config
            return bool(config.has_service(service_type) and config.get_session_endpoint(service_type))


def _all(asked: str, found: Callable[[], Iterable[Any]], value: Callable[[Any], T]) -> tuple[T, ...]:
    # Where a service is and what it can is asked when it is named, a list while it is read, page by page.
    with answering(asked):
        return tuple(value(each) for each in found())


def _patch(name: str, value: str | None, image: Image) -> dict[str, str]:
    path = "/" + name.replace("~", "~0").replace("/", "~1")  # RFC 6901
    if value is None:
        return {"op": "remove", "path": path}
    return {"op": "replace" if name in image.properties else "add", "path": path, "value": value}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _service(said: Any) -> ComputeService:
    if said.state is None and said.status == UNKNOWN.upper():
        # Compute API guide, "Handling Down Cells": from 2.69 on.
        return ComputeService("", _text(said.host), UNKNOWN, UNKNOWN, "")
    return ComputeService(
        _text(str(said.id)),
        _text(said.host),
        _text(said.state),
        _text(said.status),
        said.availability_zone or "",
        said.disabled_reason or "",
    )


def _hypervisor(said: Any) -> Hypervisor:
    details = said.service_details or {}
    return Hypervisor(
        _text(said.name),
        details.get("host") or _text(said.name),
        said.hypervisor_type or "",
        int(said.hypervisor_version or 0),
        said.state or "",
        said.status or "",
    )


def _agent(said: Any) -> NetworkAgent:
    alive, admin_up = said.is_alive, said.is_admin_state_up
    return NetworkAgent(
        _text(said.id), said.host or "", _text(said.agent_type), alive is True, admin_up is True
    )


def _volume_service(said: Any) -> VolumeService:
    return VolumeService(
        _text(said.host), _text(said.state), _text(said.status), said.availability_zone or ""
    )


def _aggregate(said: Any) -> HostAggregate:
    metadata = {str(key): str(value) for key, value in (said.metadata or {}).items()}
    zone = metadata.pop(_ZONE, "") or said.availability_zone or ""
    hosts = tuple(_text(host) for host in said.hosts or ())
    return HostAggregate(_text(str(said.id)), _text(said.name), zone, hosts, metadata)


def _flavor(said: Any) -> Flavor:
    specs = {str(key): str(value) for key, value in (said.extra_specs or {}).items()}
    return Flavor(_text(said.id), _text(said.name), specs)


def _image(said: Any) -> Image:
    properties = {key: value for key, value in said.items() if isinstance(value, str)}
    return Image(_text(said["id"]), said.get("name") or "", said.get("disk_format") or "", properties)
