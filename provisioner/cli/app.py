"""The ``provision`` command: names its verbs and loads the one that is asked for."""

from __future__ import annotations

import click

from provisioner import __version__
from provisioner.cli.lazy import LazyGroup

VERBS = {
    "apply": ("provisioner.cli.commands.apply:apply", "Make the nodes what the inventory says."),
    "bootstrap": (
        "provisioner.cli.commands.bootstrap:bootstrap",
        "What is done once on a new Windows machine.",
    ),
    "catalog": ("provisioner.cli.commands.catalog:catalog", "The DSC resources that are known here."),
    "certificate": (
        "provisioner.cli.commands.certificate:certificate",
        "Certificates that passwords are encrypted to.",
    ),
    "compile": (
        "provisioner.cli.commands.compile:compile_documents",
        "Write each node's documents to a folder.",
    ),
    "config": ("provisioner.cli.commands.config:config", "Configuration files of OpenStack's services."),
    "explain": ("provisioner.cli.commands.explain:explain", "Show where each value of a node comes from."),
    "import": ("provisioner.cli.commands.import_mof:import_mof", "Turn compiled MOFs into a project."),
    "init": ("provisioner.cli.commands.init:init", "Start a project folder."),
    "inventory": ("provisioner.cli.commands.inventory:inventory", "What an inventory holds."),
    "lab": ("provisioner.cli.commands.lab:lab", "Simulated Windows nodes on loopback."),
    "lcm": ("provisioner.cli.commands.lcm:lcm", "Write the metaconfigurations of an LCM profile."),
    "new": ("provisioner.cli.commands.new:new", "First files of a role, a configuration, a check."),
    "openstack": (
        "provisioner.cli.commands.openstack:openstack",
        "What an OpenStack cloud knows of the nodes.",
    ),
    "roles": ("provisioner.cli.commands.roles:roles", "Which roles there are, and what they say."),
    "schema": ("provisioner.cli.commands.schema:schema", "Write JSON Schemas for editors."),
    "validate": ("provisioner.cli.commands.validate:validate", "Check everything that needs no node."),
    "verify": ("provisioner.cli.commands.verify:verify", "Run the roles' checks against the nodes."),
}


@click.group(cls=LazyGroup, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="provision")
def main() -> None:
    """Put Windows machines into an OpenStack cloud.

    Compiles each node's DSC configuration on this machine, pushes it over WinRM, owns the reboots and verifies
    the result.

    Exit codes: 0 done, 1 a node or check failed, 2 wrong usage or input (nothing was done), 130 interrupted.
    """
