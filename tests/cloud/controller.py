"""A controller for tests: paths, bodies, status codes and microversions as the API references of OpenStack say.

Identity v3, Compute v2.1, Networking v2.0, Image v2 and Block Storage v3, only as much of each as is about hosts,
zones and properties. It is strict where the real services are: an unknown path is 404, an unknown key in a body
400, another media type 415, a version out of range 406. The client is always the unmodified openstacksdk.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.networks import own_network

PROJECT = "6f70656e737461636b0000000000aaaa"
PASSWORD = "canary-Kh3!of the operator"
_LARGEST_COMPUTE = (2, 96)
_PATCH = "application/openstack-images-v2.1-json-patch"
#: Images on a page; Glance's own limit is 25.
_IMAGES = 3

Body = dict[str, Any]


class Refusal(Exception):
    """An answer that is an error, with the status and the sentence of the service."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass
class World:
    """What the cloud holds. Tests write into it, and read from ``calls`` what was changed by whom."""

    services: list[Body] = field(default_factory=list)
    hypervisors: list[Body] = field(default_factory=list)
    aggregates: list[Body] = field(default_factory=list)
    unmapped: set[str] = field(default_factory=set)
    #: Whether a host in no cell may not join an aggregate, as in older releases; newer ones look into every cell.
    refuses_unmapped: bool = False
    #: Hosts whose nova-compute does not answer Nova's own calls, and is not known to be down yet.
    silent: set[str] = field(default_factory=set)
    servers: list[Body] = field(default_factory=list)
    flavors: list[Body] = field(default_factory=list)
    agents: list[Body] = field(default_factory=list)
    volume_services: list[Body] = field(default_factory=list)
    volumes: list[Body] = field(default_factory=list)
    images: list[Body] = field(default_factory=list)
    without: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    #: Called before a request is answered, with method and path; may change the world or raise a Refusal.
    before: Callable[[str, str], None] | None = None
    #: Path pattern -> raw bytes answered instead with 200.
    garbage: dict[str, bytes] = field(default_factory=dict)

    def add_compute(self, host: str, **more: Any) -> None:
        number = len(self.services) + 1
        base = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, host)),
            "binary": "nova-compute",
            "host": host,
            "zone": "nova",
            "status": "enabled",
            "state": "up",
            "updated_at": "2026-11-21T10:00:00.000000",
            "disabled_reason": None,
            "forced_down": False,
        }
        self.services.append(base | more)
        self.hypervisors.append(
            {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, host)),
                "hypervisor_hostname": host,
                "hypervisor_type": "hyperv",
                "hypervisor_version": 10000,
                "host_ip": f"192.0.2.{number}",
                "state": self.services[-1]["state"],
                "status": self.services[-1]["status"],
                "service": {"id": base["id"], "host": host, "disabled_reason": None},
                "uptime": None,
            }
        )

    def add_agent(self, host: str, kind: str = "HyperV agent", **more: Any) -> None:
        base = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, host + kind)),
            "agent_type": kind,
            "binary": "neutron-hyperv-agent",
            "topic": "N/A",
            "host": host,
            "admin_state_up": True,
            "alive": True,
            "availability_zone": None,
            "configurations": {},
            "created_at": "2026-11-21 10:00:00",
            "started_at": "2026-11-21 10:00:00",
            "heartbeat_timestamp": "2026-11-21 10:00:00",
            "description": None,
            "resources_synced": None,
        }
        self.agents.append(base | more)

    def add_volume_service(self, host: str, **more: Any) -> None:
        base = {
            "binary": "cinder-volume",
            "host": host,
            "zone": "nova",
            "status": "enabled",
            "state": "up",
            "updated_at": "2026-11-21T10:00:00.000000",
            "disabled_reason": None,
            "frozen": False,
            "replication_status": "disabled",
            "active_backend_id": None,
        }
        self.volume_services.append(base | more)

    def add_server(self, host: str, name: str) -> None:
        self.servers.append({"id": str(uuid.uuid4()), "name": name, "host": host})

    def add_flavor(self, name: str, **specs: str) -> None:
        self.flavors.append({"id": name + "-id", "name": name, "extra_specs": specs})

    def add_image(self, name: str, disk_format: str = "vhd", **properties: str) -> Body:
        image = {
            "id": str(uuid.uuid4()),
            "name": name,
            "status": "active",
            "visibility": "public",
            "disk_format": disk_format,
            "container_format": "bare",
            "min_disk": 0,
            "min_ram": 0,
            "protected": False,
            "tags": [],
            "owner": PROJECT,
            "schema": "/v2/schemas/image",
            **properties,
        }
        self.images.append(image)
        return image

    def aggregate(self, name: str) -> Body:
        return next(each for each in self.aggregates if each["name"] == name)

    def changes(self) -> list[str]:
        """Return the calls that change something; logging on is none."""
        return [call for call in self.calls if not call.startswith("GET ") and "/auth/tokens" not in call]


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: ClassVar[World]
    base: ClassVar[str]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        path = urlsplit(self.path).path
        self.world.calls.append(f"{self.command} {path}")
        try:
            if self.world.before:
                self.world.before(self.command, path)
            for pattern, answer in self.world.garbage.items():
                if re.search(pattern, path):
                    self._send(200, answer)
                    return
            status, body, headers = self._routed(path, raw)
        except Refusal as refusal:
            status, body, headers = refusal.status, _error(path, refusal), {}
        self._send(status, b"" if body is None else json.dumps(body).encode(), headers)

    def _send(self, status: int, raw: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if raw:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _routed(self, path: str, raw: bytes) -> tuple[int, Any, dict[str, str]]:
        body = json.loads(raw) if raw else None
        rest = path.rstrip("/")
        if rest == "/identity/v3":
            version = {
                "id": "v3.14",
                "status": "stable",
                "links": self._links("identity/v3/"),
                "media-types": [],
            }
            return 200, {"version": version}, {}
        if rest == "/identity/v3/auth/tokens" and self.command == "POST":
            return self._token(body)
        for prefix, discover, serve in (
            ("/compute/v2.1", self._compute_version, self._compute),
            ("/network", self._network_version, self._network),
            ("/image", self._image_version, self._image),
            (f"/volume/v3/{PROJECT}", self._volume_version, self._volume),
            ("/volume/v3", self._volume_version, self._volume),
        ):
            if rest == prefix:
                return 200, discover(), {}
            if rest.startswith(prefix + "/"):
                if self.headers.get("X-Auth-Token") != "a-token":
                    raise Refusal(401, "The request you have made requires authentication.")
                return serve(rest.removeprefix(prefix), body)
        raise Refusal(404, "The resource could not be found.")

    def _links(self, path: str) -> list[Body]:
        return [{"rel": "self", "href": f"{self.base}/{path}"}]

    # -- Identity -----------------------------------------------------------------------------------------

    def _token(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        user = body["auth"]["identity"]["password"]["user"]
        if user["name"] != "admin" or user["password"] != PASSWORD:
            raise Refusal(401, "The request you have made requires authentication.")
        places = {
            "identity": "identity/v3",
            "compute": "compute/v2.1",
            "network": "network",
            "image": "image",
            "volumev3": f"volume/v3/{PROJECT}",
        }
        catalogue = [
            {
                "id": uuid.uuid4().hex,
                "type": kind,
                "name": kind,
                "endpoints": [
                    {
                        "id": uuid.uuid4().hex,
                        "interface": interface,
                        "region": "RegionOne",
                        "region_id": "RegionOne",
                        "url": f"{self.base}/{place}",
                    }
                    for interface in ("public", "internal", "admin")
                ],
            }
            for kind, place in places.items()
            if kind not in self.world.without
        ]
        token = {
            "methods": ["password"],
            "user": {"id": "u", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": PROJECT, "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r", "name": "admin"}],
            "catalog": catalogue,
            "issued_at": "2026-11-21T10:00:00.000000Z",
            "expires_at": "2099-11-21T10:00:00.000000Z",
            "audit_ids": ["x"],
        }
        return 201, {"token": token}, {"X-Subject-Token": "a-token"}

    # -- Compute ------------------------------------------------------------------------------------------

    def _compute_version(self) -> Body:
        largest = ".".join(map(str, _LARGEST_COMPUTE))
        return {
            "version": {
                "id": "v2.1",
                "status": "CURRENT",
                "version": largest,
                "min_version": "2.1",
                "links": self._links("compute/v2.1/"),
                "media-types": [],
            }
        }

    def _microversion(self) -> tuple[int, int]:
        said = self.headers.get("OpenStack-API-Version", "compute 2.1").removeprefix("compute ")
        major, _, minor = said.partition(".")
        version = int(major), int(minor)
        if not (2, 1) <= version <= _LARGEST_COMPUTE:
            raise Refusal(406, f"Version {said} is not supported by the API.")
        return version

    def _compute(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:  # noqa: C901, PLR0912 - one arm per call
        version = self._microversion()
        query = parse_qs(urlsplit(self.path).query)
        world = self.world
        match self.command, path.strip("/").split("/"):
            case "GET", ["os-services"]:
                found = [
                    each
                    for each in world.services
                    if query.get("binary", ["nova-compute"]) == [each["binary"]]
                    and query.get("host", [each["host"]]) == [each["host"]]
                ]
                return 200, {"services": found}, {}
            case "PUT", ["os-services", id_] if version >= (2, 53):
                service = _with_id(world.services, id_, "Compute service")
                _only(body, {"status", "disabled_reason", "forced_down"})
                service |= body
                return 200, {"service": service}, {}
            case "DELETE", ["os-services", id_] if version >= (2, 53):
                service = _with_id(world.services, id_, f"Compute service {id_}")
                if any(server["host"] == service["host"] for server in world.servers):
                    raise Refusal(
                        409,
                        "Unable to delete compute service that is hosting instances. Migrate or delete the "
                        "instances first.",
                    )
                world.services.remove(service)
                world.hypervisors = [
                    each for each in world.hypervisors if each["service"]["host"] != service["host"]
                ]
                return 204, None, {}
            case "GET", ["os-hypervisors", "detail"]:
                if version >= (2, 88) and world.silent:
                    raise Refusal(
                        500, "Unexpected API Error. <class 'oslo_messaging.exceptions.MessagingTimeout'>"
                    )
                shown = [
                    each for each in world.hypervisors if each["hypervisor_hostname"] not in world.unmapped
                ]
                return 200, {"hypervisors": shown}, {}
            case "GET", ["servers"]:
                if query.get("all_tenants") not in (["True"], ["1"], ["true"]):
                    return 200, {"servers": []}, {}
                host = query.get("host", [None])[0]
                found = [
                    {"id": each["id"], "name": each["name"], "links": []}
                    for each in world.servers
                    if host in {None, each["host"]}
                ]
                return 200, {"servers": found}, {}
            case "GET", ["flavors", "detail"]:
                shown = [
                    {
                        **each,
                        "ram": 64,
                        "vcpus": 1,
                        "disk": 0,
                        "os-flavor-access:is_public": True,
                        "links": [],
                    }
                    for each in world.flavors
                ]
                return 200, {"flavors": shown if version >= (2, 61) else []}, {}
            case "POST", ["flavors", id_, "os-extra_specs"]:
                flavor = _with_id(world.flavors, id_, "Flavor")
                _only(body, {"extra_specs"})
                flavor["extra_specs"] |= body["extra_specs"]
                return 200, body, {}
            case "DELETE", ["flavors", id_, "os-extra_specs", key]:
                flavor = _with_id(world.flavors, id_, "Flavor")
                if key not in flavor["extra_specs"]:
                    raise Refusal(404, f"Flavor {id_} has no extra specs with key {key}.")
                del flavor["extra_specs"][key]
                return 200, None, {}
            case method, ["os-aggregates", *rest]:
                return self._aggregates(method, rest, body)
        raise Refusal(404, "The resource could not be found.")

    def _aggregates(self, method: str, rest: list[str], body: Any) -> tuple[int, Any, dict[str, str]]:
        world = self.world
        match method, rest:
            case "GET", []:
                return 200, {"aggregates": [_shown(each) for each in world.aggregates]}, {}
            case "POST", []:
                _only(body, {"aggregate"})
                _only(body["aggregate"], {"name", "availability_zone"})
                name = body["aggregate"]["name"]
                if any(each["name"] == name for each in world.aggregates):
                    raise Refusal(409, f"Aggregate {name} already exists.")
                zone = body["aggregate"].get("availability_zone")
                made = {
                    "id": len(world.aggregates) + 1,
                    "uuid": str(uuid.uuid4()),
                    "name": name,
                    "hosts": [],
                    "metadata": {"availability_zone": zone} if zone else {},
                    "created_at": "2026-11-21T10:00:00.000000",
                    "updated_at": None,
                    "deleted_at": None,
                    "deleted": False,
                }
                world.aggregates.append(made)
                return 200, {"aggregate": _shown(made)}, {}
            case "POST", [id_, "action"]:
                aggregate = _with_id(world.aggregates, id_, f"Aggregate {id_}")
                ((action, said),) = body.items()
                self._action(aggregate, action, said)
                return 200, {"aggregate": _shown(aggregate)}, {}
        raise Refusal(404, "The resource could not be found.")

    def _action(self, aggregate: Body, action: str, said: Body) -> None:  # noqa: C901 - one arm per action
        world, id_ = self.world, aggregate["id"]
        match action:
            case "set_metadata":
                for key, value in said["metadata"].items():
                    if value is None:
                        aggregate["metadata"].pop(key, None)
                    else:
                        aggregate["metadata"][key] = value
            case "add_host":
                host = said["host"]
                known = {each["host"] for each in world.services}
                if host not in known or (world.refuses_unmapped and host in world.unmapped):
                    raise Refusal(404, f"Compute host {host} could not be found.")
                if host in aggregate["hosts"]:
                    raise Refusal(409, f"Cannot add host {host} in aggregate {id_}: host already exists")
                zone = aggregate["metadata"].get("availability_zone")
                for other in world.aggregates:
                    theirs = other["metadata"].get("availability_zone")
                    if host in other["hosts"] and zone and theirs and theirs != zone:
                        raise Refusal(
                            409,
                            f"Cannot add host to aggregate {id_}. Reason: One or more hosts already in "
                            f"availability zone(s) {[theirs]}.",
                        )
                aggregate["hosts"].append(host)
            case "remove_host":
                if said["host"] not in aggregate["hosts"]:
                    raise Refusal(404, f"Aggregate {id_} has no host {said['host']}.")
                aggregate["hosts"].remove(said["host"])
            case _:
                raise Refusal(400, f"There is no such action: {action}.")

    # -- Networking ---------------------------------------------------------------------------------------

    def _network_version(self) -> Body:
        return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": self._links("network/v2.0/")}]}

    def _network(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        match self.command, path.strip("/").split("/"):
            case "GET", ["v2.0"]:
                return 200, {"resources": []}, {}
            case "GET", ["v2.0", "agents"]:
                return 200, {"agents": self.world.agents}, {}
            case "DELETE", ["v2.0", "agents", id_]:
                self.world.agents.remove(_with_id(self.world.agents, id_, f"Agent {id_}"))
                return 204, None, {}
        raise Refusal(404, "The resource could not be found.")

    # -- Image --------------------------------------------------------------------------------------------

    def _image_version(self) -> Body:
        return {"versions": [{"id": "v2.16", "status": "CURRENT", "links": self._links("image/v2/")}]}

    def _image(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        match self.command, path.strip("/").split("/"):
            case "GET", ["v2", "images"]:
                marker = parse_qs(urlsplit(self.path).query).get("marker", [""])[0]
                ids = [each["id"] for each in self.world.images]
                start = ids.index(marker) + 1 if marker else 0
                page = self.world.images[start : start + _IMAGES]
                more = {"next": f"/v2/images?marker={page[-1]['id']}"} if ids[start + _IMAGES :] else {}
                return (
                    200,
                    {"images": page, "schema": "/v2/schemas/images", "first": "/v2/images", **more},
                    {},
                )
            case "PATCH", ["v2", "images", id_]:
                if self.headers.get("Content-Type") != _PATCH:
                    raise Refusal(415, "Unsupported media type.")
                image = _with_id(self.world.images, id_, f"Image {id_}")
                for change in body:
                    _change_image(image, change)
                return 200, image, {}
        raise Refusal(404, "The resource could not be found.")

    # -- Block Storage ------------------------------------------------------------------------------------

    def _volume_version(self) -> Body:
        version = {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.71",
            "min_version": "3.0",
            "links": self._links("volume/v3/"),
            "media-types": [],
        }
        return {"versions": [version]}

    def _volume(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        query = parse_qs(urlsplit(self.path).query)
        match self.command, path.strip("/").split("/"):
            case "GET", ["os-services"]:
                found = [
                    each
                    for each in self.world.volume_services
                    if query.get("binary", [each["binary"]]) == [each["binary"]]
                ]
                return 200, {"services": found}, {}
            case "PUT", ["os-services", "disable-log-reason"]:
                _only(body, {"binary", "host", "disabled_reason", "service", "cluster"})
                for service in self.world.volume_services:
                    if (service["host"], service["binary"]) == (body["host"], body["binary"]):
                        service |= {"status": "disabled", "disabled_reason": body["disabled_reason"]}
                        return (
                            200,
                            {**body, "service": body["binary"], "status": "disabled", "disabled": True},
                            {},
                        )
                raise Refusal(404, "Service could not be found.")
            case "GET", ["volumes", "detail"]:
                everything = query.get("all_tenants") in (["True"], ["1"], ["true"])
                return 200, {"volumes": self.world.volumes if everything else []}, {}
        raise Refusal(404, "The resource could not be found.")


def _shown(aggregate: Body) -> Body:
    return {**aggregate, "availability_zone": aggregate["metadata"].get("availability_zone")}


def _with_id(items: list[Body], id_: str, what: str) -> Body:
    for item in items:
        if str(item["id"]) == id_:
            return item
    raise Refusal(404, f"{what} could not be found.")


def _only(body: Any, known: set[str]) -> None:
    unknown = set(body) - known
    if unknown:
        raise Refusal(400, f"Additional properties are not allowed ({sorted(unknown)} were unexpected)")


def _change_image(image: Body, change: Body) -> None:
    """RFC 6902 as Glance narrows it: 'add' for what is not there, 'replace' and 'remove' for what is."""
    name = change["path"].removeprefix("/").replace("~1", "/").replace("~0", "~")
    match change["op"]:
        case "add" if name in image:
            raise Refusal(409, f"Property {name} already present.")
        case "replace" | "remove" if name not in image:
            raise Refusal(409, f"Property {name} does not exist.")
        case "add" | "replace":
            image[name] = change["value"]
        case "remove":
            del image[name]


def _error(path: str, refusal: Refusal) -> Any:
    """Return an error in the form its service gives it."""
    if path.startswith("/network"):
        return {"NeutronError": {"type": "Error", "message": refusal.said, "detail": ""}}
    if path.startswith("/identity"):
        return {"error": {"code": refusal.status, "message": refusal.said, "title": "Error"}}
    words = {400: "badRequest", 404: "itemNotFound", 409: "conflictingRequest"}
    return {words.get(refusal.status, "computeFault"): {"code": refusal.status, "message": refusal.said}}


@contextmanager
def serving(world: World, tls: ssl.SSLContext | None = None, host: str = "") -> Iterator[str]:
    """Serve a cloud on an address of its own; yield the address of its Keystone."""
    host = host or f"{own_network()}.1"

    class Handler(_Answers):
        pass

    Handler.world = world
    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    Handler.base = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{Handler.base}/identity/v3"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
