"""``provision bootstrap``: what has to be done once on a Windows machine before it can be managed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import click

from provisioner.addresses import NodeName, is_ip_address
from provisioner.bootstrap.package import ModuleFolder, package, read_module_folder, sha256
from provisioner.bootstrap.script import FirstContact, Listener, write_script
from provisioner.bootstrap.unattend import write_fragment
from provisioner.cli.commands.inventory import loaded
from provisioner.cli.context import verb
from provisioner.cli.new_files import write_files
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError
from provisioner.inventory.model import Node
from provisioner.project import builtin_folder

_MODULE = "ProvisionerDsc"
_USER = "provisioner"


class _Options(TypedDict):
    user: str | None
    listener: str | None
    thumbprint: str
    names: tuple[str, ...]
    port: int | None
    allowed: tuple[str, ...]
    place: str
    keep_network_profile: bool
    unattend: bool
    packed: Path | None
    output: Path | None


@click.command()
@click.argument("inventory", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.argument("node", required=False)
@click.option("--user", help=f"Account to log on with; one of a domain is not made.  [default: {_USER}]")
@click.option("--listener", type=click.Choice([each.value for each in Listener]), help="How to be reached.")
@click.option("--thumbprint", default="", help="Certificate of the machine, for --listener certificate.")
@click.option("--name", "names", multiple=True, help="Name or address of the machine, for its certificate.")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="Port of the listener.")
@click.option(
    "--from", "allowed", multiple=True, metavar="ADDRESS", help="Who may connect: addresses, networks."
)
@click.option("--module", "place", default="embed", show_default=True, metavar="embed|none|PLACE")
@click.option("--keep-network-profile", is_flag=True, help="Leave public networks public.")
@click.option("--unattend", is_flag=True, help="An Unattend.xml that runs the script, instead of the script.")
@click.option(
    "--package", "packed", type=click.Path(path_type=Path, dir_okay=False), help="Also write the .nupkg."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it to a file.")
@verb
def bootstrap(inventory: Path | None, node: str | None, **options: Unpack[_Options]) -> None:
    """Print the PowerShell script that makes a Windows machine manageable, or write it with -o.

    It is run once, on the machine, as administrator: WinRM with https, an account, the firewall, the DSC module.
    With INVENTORY and NODE, what the inventory says of the node's connection is taken; options count more.
    PLACE is where the machine finds the module's package (see --package): a path or URL on it.
    """
    module = read_module_folder(_newest(builtin_folder() / "dsc_configs" / "modules" / _MODULE))
    asked = _with_options(_of_node(inventory, node), options)
    asked = _with_module(asked, module, options["place"])
    text = write_fragment(asked) if options["unattend"] else write_script(asked)
    output, packed = options["output"], options["packed"]
    files = {packed: package(module)} if packed else {}
    if output:
        files[output] = text.replace("\n", "\r\n").encode("ascii")
    write_files(files)
    if output is None:
        click.echo(text, nl=False)
    for path, content in files.items():
        click.echo(f"Wrote {path} (SHA-256 {sha256(content)}).", err=output is None)


def _with_options(asked: FirstContact, options: _Options) -> FirstContact:
    """Let what was said on the command line count more than the inventory."""
    listener, thumbprint, names = options["listener"], options["thumbprint"], options["names"]
    found = replace(
        asked,
        user=options["user"] or asked.user,
        listener=Listener(listener) if listener else (Listener.CERTIFICATE if thumbprint else asked.listener),
        thumbprint=thumbprint,
        port=options["port"] or (0 if listener else asked.port),
        allowed_from=options["allowed"] or ("Any",),
        keeps_network_profile=options["keep_network_profile"],
    )
    return _named(found, names) if names else found


def _of_node(inventory: Path | None, node: str | None) -> FirstContact:
    """Return what the inventory says of a node; the usual things when none is named."""
    if inventory is None:
        return FirstContact(_USER, Listener.SELF_SIGNED)
    if node is None:
        raise UsageError(f"which node of {inventory}?", "Write: provision bootstrap INVENTORY NODE.")
    read = loaded(inventory)
    if node not in read.nodes:
        raise UsageError(f"no node of {read.path} is called '{node}'.", did_you_mean(node, read.nodes))
    return _contact(read.nodes[NodeName(node)])


def _contact(node: Node) -> FirstContact:
    endpoint = node.connection.endpoint
    listener = Listener.SELF_SIGNED if endpoint.tls else Listener.HTTP
    asked = FirstContact(node.connection.user or _USER, listener, port=endpoint.port)
    return _named(asked, [str(node.name), endpoint.host])


def _named(asked: FirstContact, names: Iterable[str]) -> FirstContact:
    """Tell addresses from names: a certificate holds them in different places."""
    unique = list(dict.fromkeys(names))
    addresses = tuple(each for each in unique if is_ip_address(each))
    return replace(
        asked, names=tuple(each for each in unique if each not in addresses), ip_addresses=addresses
    )


def _with_module(asked: FirstContact, module: ModuleFolder, place: str) -> FirstContact:
    if place == "none":
        return asked
    if place == "embed":
        return replace(asked, module=module)
    return replace(asked, module=module, module_source=place, module_hash=sha256(package(module)))


def _newest(folder: Path) -> Path:
    versions = [path for path in folder.iterdir() if path.is_dir()]
    return max(versions, key=lambda path: [int(part) for part in path.name.split(".")])
