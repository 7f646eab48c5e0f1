"""What each catalogue of options is made from: packages, their namespaces, and what the service's process imports.

A list of namespaces alone is not what a service knows: the agents of Neutron register more when they start. So the
modules of the process are imported first, as its own main function does, and the namespaces are added.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PINS = Path(__file__).parent / "pins"

_OSLO = ("oslo.concurrency", "oslo.log", "oslo.messaging")
_SERVER = (
    *("castellan.config", "keystonemiddleware.audit", "keystonemiddleware.auth_token", "os_brick", "os_win"),
    *("oslo.cache", "oslo.db", "oslo.middleware", "oslo.policy", "oslo.privsep", "oslo.reports"),
    *("oslo.service.periodic_task", "oslo.service.service", "oslo.service.sslutils", "oslo.service.wsgi"),
    "oslo.versionedobjects",
)


@dataclass(frozen=True, slots=True)
class Sections:
    """Sections whose names are values of another option.

    ``named_by`` is the section and the option that lists them, ``prefix`` stands before each name, and they have
    the options of the sections ``like``; with none, any option.
    """

    named_by: tuple[str, str]
    like: tuple[str, ...] = ()
    prefix: str = ""
    #: A name without its section is a mistake.
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """One catalogue.

    ``pins`` names the file of pinned packages, ``packages`` those whose versions are told, ``registers`` what the
    process imports: modules, ``module:function`` to call, ``module:function(conf)`` to call with its ConfigOpts,
    ``module:LIST`` of options to register.
    ``tolerated`` are names that the service's own installer writes and that mean nothing any more.
    """

    service: str
    release: str
    pins: str
    packages: tuple[str, ...]
    namespaces: tuple[str, ...]
    registers: tuple[str, ...]
    dynamic: tuple[Sections, ...] = ()
    tolerated: tuple[tuple[str, str], ...] = ()
    plugins: bool = True

    @property
    def requirements(self) -> Path:
        """The file of pinned packages."""
        return PINS / f"{self.pins}.txt"

    def asked(self) -> dict[str, Any]:
        """Return what the probe is told."""
        wanted = asdict(self)
        return {name: wanted[name] for name in ("packages", "namespaces", "registers", "plugins")}


_SOURCES = Sections(("DEFAULT", "config_source"))


def _nova(release: str) -> Recipe:
    return Recipe(
        "nova",
        release,
        release,
        ("nova", "compute-hyperv", "os-win", "oslo.config", "oslo.messaging", "oslo.log", "keystoneauth1"),
        (*("nova.conf", "compute_hyperv"), *_OSLO, *_SERVER, "os_vif", "oslo.limit"),
        (
            "nova.conf",
            "nova.config",
            "compute_hyperv.nova.driver",
            "nova.cmd.compute",
            "nova.compute.manager",
            "nova.conf.neutron:register_dynamic_opts(conf)",
            "os_vif:initialize",
        ),
        (
            _SOURCES,
            *(Sections(("devices", "enabled_mdev_types"), prefix=prefix) for prefix in ("mdev_", "vgpu_")),
            Sections(("neutron", "physnets"), ("neutron_tunnel",), prefix="neutron_physnet_"),
        ),
    )


def _cinder(release: str) -> Recipe:
    return Recipe(
        "cinder",
        release,
        release,
        ("cinder", "os-brick", "os-win", "oslo.config", "oslo.messaging", "oslo.log", "keystoneauth1"),
        ("cinder", *_OSLO, *_SERVER, "osprofiler"),
        ("cinder.cmd.volume", "cinder.objects:register_all", "cinder.volume.manager"),
        (
            _SOURCES,
            Sections(("DEFAULT", "enabled_backends"), ("backend_defaults", "backend"), needed=True),
            Sections(("fc-zone-manager", "fc_fabric_names"), ("brcd_fabric_example", "cisco_fabric_example")),
        ),
    )


def _ceilometer(release: str) -> Recipe:
    return Recipe(
        "ceilometer",
        release,
        release,
        ("ceilometer", "os-win", "oslo.config", "oslo.messaging", "oslo.log", "keystoneauth1"),
        (
            "ceilometer",
            "ceilometer-auth",
            *_OSLO,
            "os_win",
            "oslo.cache",
            "oslo.privsep",
            "oslo.reports",
            "cotyledon",
        ),
        (
            "ceilometer.cmd.polling:CLI_OPTS",
            "oslo_log.log:register_options(conf)",
            "ceilometer.keystone_client:register_keystoneauth_opts(conf)",
        ),
        (_SOURCES,),
    )


def _neutron(
    service: str, packages: tuple[str, ...], namespaces: tuple[str, ...], main: tuple[str, ...]
) -> Recipe:
    return Recipe(
        service,
        "2023.1",
        "2023.1",
        (
            *packages,
            "neutron",
            "neutron-lib",
            "os-win",
            "oslo.config",
            "oslo.messaging",
            "oslo.log",
            "keystoneauth1",
        ),
        (*namespaces, *_OSLO, "os_win"),
        (
            *main,
            "neutron.conf.agent.common:register_agent_state_opts_helper(conf)",
            "neutron.common.config:register_common_config_options",
        ),
        (_SOURCES,),
    )


def _cloudbase_init(release: str, pins: str) -> Recipe:
    return Recipe(
        "cloudbase-init",
        release,
        pins,
        ("cloudbase-init", "oslo.config", "oslo.log"),
        ("cloudbaseinit.conf", "oslo.log"),
        ("cloudbaseinit.conf",),
        (_SOURCES,),
        tolerated=(("DEFAULT", "verbose"),),
        plugins=False,
    )


RECIPES = (
    _nova("2023.1"),
    _nova("2023.2"),
    _neutron(
        "neutron-hyperv-agent",
        ("networking-hyperv",),
        ("networking_hyperv",),
        ("networking_hyperv.neutron.agent.hyperv_neutron_agent",),
    ),
    _neutron(
        "neutron-ovs-agent",
        (),
        ("neutron.ml2.ovs.agent", "neutron", "neutron.agent"),
        (
            "neutron.plugins.ml2.drivers.openvswitch.agent.main",
            "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent",
            # The agent's main function, and what it loads when its extensions name it.
            "neutron.conf.plugins.ml2.config:register_ml2_plugin_opts",
            "neutron.agent.l2.extensions.fdb_population",
        ),
    ),
    _cinder("2023.1"),
    _cinder("2025.2"),
    _ceilometer("2023.1"),
    _ceilometer("2023.2"),
    _cloudbase_init("1.1.4", "2023.1"),
    _cloudbase_init("1.1.9", "cloudbase-init-1.1.9"),
)
