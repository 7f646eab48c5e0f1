"""The ``provision`` command: names its verbs and loads the one that is asked for."""

from __future__ import annotations

import importlib

import click

from provisioner import __version__

#: verb -> ("module:command", short help). A verb is imported only when it is used, so that --version and --help
#: are quick.
VERBS = {
    "apply": ("provisioner.cli.commands.apply:apply", "Make the nodes what the inventory says."),
    "compile": (
        "provisioner.cli.commands.compile:compile_documents",
        "Write each node's documents to a folder.",
    ),
    "init": ("provisioner.cli.commands.init:init", "Start a project folder."),
    "lab": ("provisioner.cli.commands.lab:lab", "Simulated Windows nodes on loopback."),
    "validate": ("provisioner.cli.commands.validate:validate", "Check everything that needs no node."),
    "verify": ("provisioner.cli.commands.verify:verify", "Run the roles' checks against the nodes."),
}


class _Verbs(click.Group):
    """A group whose commands load on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in sorted(VERBS.items())])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="provision")
def main() -> None:
    """Put Windows machines into an OpenStack cloud.

    Compiles each node's DSC configuration on this machine, pushes it over WinRM, owns the reboots and verifies
    the result.

    Exit codes: 0 done, 1 a node or check failed, 2 wrong usage or input (nothing was done), 130 interrupted.
    """
