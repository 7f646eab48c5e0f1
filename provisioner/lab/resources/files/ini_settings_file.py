"""IniSettingsFile of FileContentDsc 1.3 (class DSR_IniSettingsFile)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.profile_strings import read_value, write_value
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, thrown
from provisioner.lab.resources.files import texts

_KEYS = tuple(Rule(name, may_be_empty=False) for name in ("Path", "Section", "Key"))
_RULES = (*_KEYS, texts.TYPE, texts.TEXT, texts.SECRET)
_RESOLVE = "Microsoft.PowerShell.Commands.ResolvePathCommand"
_OUT_FILE = "Microsoft.PowerShell.Commands.OutFileCommand"
_WRITER = "Set-IniSettingFileValue"
#: Characters of the buffer that a value is read into, the last of them a zero.
_BUFFER = 500


class IniSettingsFile:
    """Stateless. Values are compared without regard to case; an empty one cannot be written."""

    class_name = "DSR_IniSettingsFile"
    module = "FileContentDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        texts.check_parent(bound["Path"], context)
        return {**bound, "Type": "Text", "Text": _read(bound, context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: a missing key is equal to an empty text."""
        bound = bind("Test-TargetResource", _RULES, properties)
        texts.check_parent(bound["Path"], context)
        if not context.machine.files.is_file(bound["Path"]):
            return False
        wanted = texts.wanted_text(bound, context)
        return is_same(_read(bound, context), wanted)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: nobody looks whether the writing worked."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, files = bound["Path"], context.machine.files
        texts.check_parent(path, context)
        if not files.is_file(path):
            try:
                context.machine.ledger.attempt("Out-File")
                files.write(path, b"")
            except MachineError as error:
                context.nonterminating.append(thrown(error, _OUT_FILE))
        wanted = texts.wanted_text(bound, context)
        if "Secret" in bound and not is_same(bound.get("Type", "Text"), "Secret"):
            context.nonterminating.append(
                _binding_error(
                    "A parameter cannot be found that matches parameter name 'Secret'.",
                    "NamedParameterNotFound",
                    "InvalidArgument",
                    "System.Management.Automation.ParameterBindingException",
                )
            )
            return
        if not wanted:
            texts.complain_of_empty_text("Value", _WRITER, context)
            return
        entry = files.find(path)
        if entry is None:
            texts.complain_of_path(path, context, _RESOLVE)
            return
        if "ReadOnly" in entry.attributes:
            return
        try:
            context.machine.ledger.attempt("WritePrivateProfileString")
            files.write(path, write_value(files.read(path), bound["Section"], bound["Key"], wanted))
        except MachineError as error:
            context.verbose(error.message)


def _binding_error(message: str, name: str, category: str, exception: str) -> ResourceError:
    return ResourceError(message, f"{name},{_WRITER}", category, exception)


def _read(bound: Mapping[str, Any], context: ResourceContext) -> str:
    path, files = bound["Path"], context.machine.files
    if not files.is_file(path):
        texts.complain_of_path(path, context, _RESOLVE)
        return ""
    return read_value(files.read(path), bound["Section"], bound["Key"], _BUFFER)
