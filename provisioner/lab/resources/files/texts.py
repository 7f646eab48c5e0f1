"""Text files as the FileContentDsc module sees them: encodings by first bytes, regular expressions of .NET.

Windows PowerShell 5.1 reads and writes: no mark means the ANSI code page (Windows-1252 here), UTF8 writes a mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.files import parent_of
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, invalid_argument, is_same, thrown

ENCODINGS: Final = ("ASCII", "BigEndianUnicode", "BigEndianUTF32", "UTF8", "UTF32")
ANSI: Final = "cp1252"
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WRITTEN: Final[Mapping[str, tuple[str, bytes]]] = {
    "ascii": ("ascii", b""),
    "bigendianunicode": ("utf-16-be", b"\xfe\xff"),
    "bigendianutf32": ("utf-32-be", b"\x00\x00\xfe\xff"),
    "utf8": ("utf-8", b"\xef\xbb\xbf"),
    "utf32": ("utf-32-le", b"\xff\xfe\x00\x00"),
}
_RUNTIME: Final = "System.Management.Automation.RuntimeException"
_GET_CONTENT: Final = "Microsoft.PowerShell.Commands.GetContentCommand"

#: What the three resources share: the kind of text and the secret.
TYPE = Rule("Type", allowed=("Text", "Secret"))
SECRET = Rule("Secret", "any")
TEXT = Rule("Text")


def check_parent(path: str, context: ResourceContext) -> None:
    """Refuse a path whose folder is missing."""
    if not context.machine.files.is_folder(parent_of(path)):
        raise invalid_argument(f"File parent path '{parent_of(path)}' not found.", "Path")


def decode(data: bytes) -> str:
    """Decode as Get-Content does without -Encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode(ANSI, "surrogateescape")


def named_encoding(data: bytes) -> str:
    """Name the encoding as the module does: two bytes FF FE are UTF32 to it, no mark is ASCII."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "UTF8"
    if data.startswith(b"\xff\xfe"):
        return "UTF32"
    if data.startswith(b"\xfe\xff"):
        return "BigEndianUnicode"
    return "BigEndianUTF32" if data.startswith(b"\x00\x00\xfe\xff") else "ASCII"


def encode(text: str, encoding: str | None) -> bytes:
    """Encode as Set-Content does, by default in the ANSI code page."""
    if encoding is None:
        return b"".join(_ansi(char) for char in text)
    codec, mark = _WRITTEN[encoding.casefold()]
    return mark + text.encode(codec, "replace")


def _ansi(char: str) -> bytes:
    try:
        return char.encode(ANSI, "surrogateescape")
    except UnicodeEncodeError:
        return b"?"


def write(path: str, text: str, encoding: str | None, context: ResourceContext) -> None:
    """Set-Content; its failure is an error that does not end the resource."""
    try:
        context.machine.ledger.attempt("Set-Content")
        context.machine.files.write(path, encode(text, encoding))
    except MachineError as error:
        context.nonterminating.append(thrown(error, "Microsoft.PowerShell.Commands.SetContentCommand"))


def wanted_text(bound: Mapping[str, Any], context: ResourceContext) -> str:
    """Give the text a document wants, from the password for Type Secret."""
    if not is_same(bound.get("Type", "Text"), "Secret"):
        text = bound.get("Text")
        return "" if text is None else str(text)
    secret = bound.get("Secret")
    if secret is None:
        complain(context, "You cannot call a method on a null-valued expression.", "InvokeMethodOnNull")
        return ""
    return str(secret["Password"])


def complain(context: ResourceContext, message: str, error_id: str) -> None:
    """Write an error of a statement; the resource goes on with the next one."""
    context.nonterminating.append(ResourceError(message, error_id, "InvalidOperation", _RUNTIME))


def complain_of_nothing(context: ResourceContext) -> None:
    """Complain as the module's look at the first bytes of an empty or missing file does."""
    complain(context, "Cannot index into a null array.", "NullArray")


def complain_of_path(path: str, context: ResourceContext, command: str = _GET_CONTENT) -> None:
    """Complain of a file that is not there."""
    context.nonterminating.append(
        ResourceError(
            f"Cannot find path '{path}' because it does not exist.",
            f"PathNotFound,{command}",
            "ObjectNotFound",
            "System.Management.Automation.ItemNotFoundException",
        )
    )


def complain_of_pattern(error: re.error, context: ResourceContext) -> None:
    """Complain of a regular expression that is none."""
    text = f'Exception calling "Matches" with "2" argument(s): "parsing "{error.pattern!s}" - {error.msg}"'
    context.nonterminating.append(
        ResourceError(
            text,
            "RegexParseException",
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
        )
    )


def pattern(text: str, *, ignores_case: bool = False, is_multiline: bool = False) -> re.Pattern[str]:
    """Compile a regular expression of .NET.

    Raises:
        re.error: it is none, or one that Python has no like of.
    """
    translated = re.sub(r"\(\?<([A-Za-z_]\w*)>", r"(?P<\1>", text)
    translated = re.sub(r"\(\?'([A-Za-z_]\w*)'", r"(?P<\1>", translated)
    translated = re.sub(r"\\k<(\w+)>", r"(?P=\1)", translated)
    translated = re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1(?=\\n?\\Z)", translated).replace(r"\z", r"\Z")
    flags = (re.IGNORECASE if ignores_case else 0) | (re.MULTILINE if is_multiline else 0)
    return re.compile(translated, flags)


_SUBSTITUTION = re.compile(r"\$(?:(\$)|(&)|(`)|(')|(\+)|(_)|(\d+)|\{(\w+)\})")


def replace(found: re.Pattern[str], replacement: str, text: str) -> str:
    """Regex.Replace: ``$1``, ``${name}``, ``$&``, ``$$`` and their like mean something in the replacement."""
    return found.sub(lambda match: _substitute(match, replacement), text)


def _substitute(match: re.Match[str], replacement: str) -> str:
    def put(found: re.Match[str]) -> str:
        dollar, whole, before, after, last, everything, number, name = found.groups()
        simple = (
            (dollar, "$"),
            (whole, match[0]),
            (before, match.string[: match.start()]),
            (after, match.string[match.end() :]),
            (last, match[match.re.groups]),
            (everything, match.string),
        )
        for is_it, text in simple:
            if is_it:
                return text or ""
        return _group(match, number or name, found[0])

    return _SUBSTITUTION.sub(put, replacement)


def _group(match: re.Match[str], name: str, literal: str) -> str:
    """Give what a group caught; a group the pattern does not have stays as it is written."""
    if name.isdigit():
        return match[int(name)] or "" if int(name) <= match.re.groups else literal
    return match[name] or "" if name in match.re.groupindex else literal
