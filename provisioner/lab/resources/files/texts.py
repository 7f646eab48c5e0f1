"""Text files as the FileContentDsc module sees them, and the errors its functions write and survive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.text_cmdlets import TextCmdlets
from provisioner.lab.machine.ground.files import parent_of
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, invalid_argument, is_same, thrown

_T = TypeVar("_T")

ENCODINGS: Final = ("ASCII", "BigEndianUnicode", "BigEndianUTF32", "UTF8", "UTF32")
_RUNTIME: Final = "System.Management.Automation.RuntimeException"
_INVOCATION: Final = "System.Management.Automation.MethodInvocationException"
_CMDLETS: Final = "Microsoft.PowerShell.Commands."

#: What the three resources share: the kind of text and the secret.
TYPE = Rule("Type", allowed=("Text", "Secret"))
SECRET = Rule("Secret", "credential")
TEXT = Rule("Text")


def check_parent(path: str, context: ResourceContext) -> None:
    """Refuse a path whose folder is missing."""
    if not context.machine.files.is_folder(parent_of(path)):
        raise invalid_argument(f"File parent path '{parent_of(path)}' not found.", "Path")


def content(path: str, context: ResourceContext, *, is_silent: bool = False) -> str | None:
    """Get-Content -Raw: a file without any text gives null, as one that cannot be read."""
    data = _read(path, context, is_silent=is_silent)
    return (context.machine.area(TextCmdlets).decode(data) if data else "") or None


def encoding(path: str, context: ResourceContext, *, is_silent: bool = False) -> str | None:
    """Name the encoding as the module does: two bytes FF FE are UTF32 to it, no mark is ASCII."""
    data = _read(path, context, is_silent=is_silent)
    if not data:
        if not is_silent:
            complain(context, "Cannot index into a null array.", "NullArray")
        return None
    if data.startswith(b"\xef\xbb\xbf"):
        return "UTF8"
    if data.startswith(b"\xff\xfe"):
        return "UTF32"
    if data.startswith(b"\xfe\xff"):
        return "BigEndianUnicode"
    return "BigEndianUTF32" if data.startswith(b"\x00\x00\xfe\xff") else "ASCII"


def _read(path: str, context: ResourceContext, *, is_silent: bool) -> bytes | None:
    try:
        context.machine.ledger.attempt("Get-Content")
    except MachineError as error:
        if not is_silent or error.is_terminating:
            context.nonterminating.append(thrown(error, _CMDLETS + "GetContentCommand"))
        return None
    if context.machine.files.is_file(path):
        return context.machine.files.read(path)
    if not is_silent:
        complain_of_path(path, context, _CMDLETS + "GetContentCommand")
    return None


def write(path: str, text: str, encoding: str | None, context: ResourceContext) -> None:
    """Set-Content; its failure is an error that does not end the resource."""
    try:
        context.machine.ledger.attempt("Set-Content")
        context.machine.files.write(path, context.machine.area(TextCmdlets).encode(text, encoding))
    except MachineError as error:
        context.nonterminating.append(thrown(error, _CMDLETS + "SetContentCommand"))


def wanted_text(bound: Mapping[str, Any], context: ResourceContext) -> str:
    """Give the text a document wants, from the password for Type Secret."""
    if not is_same(bound.get("Type", "Text"), "Secret"):
        text = bound.get("Text")
        return "" if text is None else str(text)
    secret = bound.get("Secret")
    if secret is None:
        complain(context, "You cannot call a method on a null-valued expression.", "InvokeMethodOnNull")
        text = bound.get("Text")
        return "" if text is None else str(text)
    return str(secret["Password"])


def complain(context: ResourceContext, message: str, error_id: str) -> None:
    """Write an error of a statement; the resource goes on with the next one."""
    context.nonterminating.append(ResourceError(message, error_id, "InvalidOperation", _RUNTIME))


def complain_of_empty_text(parameter: str, function: str, context: ResourceContext) -> None:
    """Complain of an empty text for a parameter that is mandatory."""
    context.nonterminating.append(
        ResourceError(
            f"Cannot bind argument to parameter '{parameter}' because it is an empty string.",
            f"ParameterArgumentValidationErrorEmptyStringNotAllowed,{function}",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
    )


def complain_of_path(path: str, context: ResourceContext, command: str) -> None:
    """Complain of a file that is not there."""
    context.nonterminating.append(
        ResourceError(
            f"Cannot find path '{path}' because it does not exist.",
            f"PathNotFound,{command}",
            "ObjectNotFound",
            "System.Management.Automation.ItemNotFoundException",
        )
    )


def matching(search: Callable[[], _T], context: ResourceContext) -> _T | None:
    """Do what ``[regex]::Matches`` does; a pattern that is none is complained of, and gives None."""
    try:
        return search()
    except re.error as error:
        _complain_of_call(f'parsing "{error.pattern!s}" - {error.msg}', "RegexParseException", context)
        return None


def complain_of_no_input(context: ResourceContext) -> None:
    """Complain as ``[regex]::Matches`` does of null."""
    _complain_of_call("Value cannot be null.\r\nParameter name: input", "ArgumentNullException", context)


def _complain_of_call(why: str, error_id: str, context: ResourceContext) -> None:
    text = f'Exception calling "Matches" with "2" argument(s): "{why}"'
    context.nonterminating.append(ResourceError(text, error_id, "NotSpecified", _INVOCATION))


def complain_of_count(context: ResourceContext) -> None:
    """Complain of the count of matches that were never found, and leave out what hangs on it."""
    context.nonterminating.append(
        ResourceError(
            "The property 'Count' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict",
            "NotSpecified",
            "System.Management.Automation.PropertyNotFoundException",
        )
    )
