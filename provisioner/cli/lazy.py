"""A group of verbs that are imported when they are used, so that --help and --version are quick."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import click

from provisioner.cli.exit_codes import ExitCode
from provisioner.diagnostics import did_you_mean

#: verb -> ("module:command", short help).
Verbs = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """A group whose ``verbs`` load on first use; commands added the usual way are there too."""

    def __init__(self, *args: Any, verbs: Verbs, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; an interruption while it is still being imported is one like any other."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(ExitCode.INTERRUPTED)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is meant.

        Raises:
            UsageError: there is none of this name.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0].startswith("-"):
                raise
            meant = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"{error.message} {meant}", ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, sorted."""
        return sorted({*self._verbs, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None when there is no such verb."""
        if cmd_name not in self._verbs:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._verbs[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs with their short help, without importing any."""
        present = {name: command.get_short_help_str(limit=90) for name, command in self.commands.items()}
        texts = present | {name: text for name, (_, text) in self._verbs.items()}
        with formatter.section("Commands"):
            formatter.write_dl([(name, texts[name]) for name in self.list_commands(ctx)])
