"""Where the verbs meet the rest: the options they share, and how an error looks on the terminal."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from errno import EDQUOT, EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import click
from click.core import ParameterSource

from provisioner.cli.exit_codes import ExitCode
from provisioner.errors import InputError, ProvisionerError, SecretError, UsageError

P = ParamSpec("P")

#: What is short or broken here, also where no file is named: standard output has no name.
_OF_THE_MACHINE = frozenset({ENOSPC, EDQUOT, EROFS, EIO, EMFILE, ENFILE, ENOMEM})


def _some_nodes(context: click.Context, option: click.Parameter, value: str) -> str:
    """Refuse ``--limit "$NODES"`` with nothing in the variable: it must never mean the whole fleet."""
    is_given = context.get_parameter_source(str(option.name)) is not ParameterSource.DEFAULT
    if is_given and not value.replace(",", "").strip():
        raise click.BadParameter("it names no node. Leave the option out for all nodes.", context, option)
    return value


inventory_argument = click.argument(
    "inventory", type=click.Path(path_type=Path, dir_okay=False), metavar="INVENTORY"
)
limit_option = click.option(
    "--limit",
    metavar="NODES",
    default="",
    callback=_some_nodes,
    help="Only these nodes: names, globs, @groups; '!' takes away. Example: 'hv*,@storage,!hv03'.",
)
parallel_option = click.option(
    "--parallel",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many nodes are worked on at once; 0 for all.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    help="How many processes share the work; one for each processor when left out.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object per line on stdout.")


def verb(function: Callable[P, None]) -> Callable[P, None]:
    """Add ``--debug`` and turn our errors into a sentence and an exit code."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        debug = bool(kwargs.pop("debug", False))
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            leave(ExitCode.INTERRUPTED, "interrupted")
        except ProvisionerError as error:
            if debug:
                raise
            leave(_code_of(error), *_sentences(error))
        except BrokenPipeError:
            # Whoever read our output went away (`| head`): nothing is left to say to them.
            sys.stderr.close()
            sys.exit(ExitCode.FAILED)
        except Exception as error:
            if debug:
                raise
            leave(ExitCode.FAILED, *_unexpected(error))

    decorated: Callable[P, None] = click.option(
        "--debug", is_flag=True, help="Show a traceback when something goes wrong."
    )(run)
    return decorated


def _code_of(error: ProvisionerError) -> ExitCode:
    wrong_input = isinstance(error, InputError | UsageError | SecretError)
    return ExitCode.USAGE if wrong_input else ExitCode.FAILED


def _sentences(error: ProvisionerError) -> list[str]:
    if isinstance(error, InputError):
        count = len(error.problems)
        return [str(error), f"\n{counted(count, 'problem')} found. Nothing was done."]
    return [f"error: {error}", *([error.help] if error.help else [])]


def _unexpected(error: Exception) -> list[str]:
    if isinstance(error, OSError) and error.filename is not None:
        # A named file that cannot be read or written is the state of this machine, not a bug.
        return [f"error: {error.filename}: {error.strerror}"]
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return [f"error: {error.strerror}"]
    return [
        f"error: {type(error).__name__}: {error}",
        "This is a bug in provisioner. Run again with --debug for a traceback, and please report it.",
    ]


def leave(code: ExitCode, *sentences: str) -> NoReturn:
    """Print sentences to stderr and end with ``code``."""
    for sentence in sentences:
        click.echo(sentence, err=True)
    sys.exit(code)


def say(text: Any = "") -> None:
    """Print one line of ordinary output."""
    click.echo(text)


def counted(number: int, noun: str) -> str:
    """Return ``1 node``, ``2 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def has_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
