"""Which PowerShell runs resources, as far as texts in files tell it.

The LCM of Windows runs them in Windows PowerShell 5.1. PowerShell 7 runs them where somebody invokes resources
from there: its cmdlets take text without a mark for UTF-8, and write none where 5.1 does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_ANSI: Final = "cp1252"
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_WRITTEN: Final = {
    "ascii": ("ascii", b""),
    "bigendianunicode": ("utf-16-be", b"\xfe\xff"),
    "bigendianutf32": ("utf-32-be", b"\x00\x00\xfe\xff"),
    "utf8": ("utf-8", b"\xef\xbb\xbf"),
    "utf32": ("utf-32-le", b"\xff\xfe\x00\x00"),
}
#: Bytes that the code page has no character for: .NET takes them for the control characters of the same number.
_UNASSIGNED: Final = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_LAST_OF_PLANE: Final = 0xFFFF


class TextCmdlets(Area["Machine"]):
    """Get-Content and Set-Content of a machine, as texts go in and out."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        #: Whether PowerShell 7 runs resources.
        self.is_core = False

    def decode(self, data: bytes) -> str:
        """Decode as Get-Content does without -Encoding: by the mark, else UTF-8 or the ANSI code page."""
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                return data[len(mark) :].decode(encoding, "replace")
        if self.is_core:
            return data.decode("utf-8", "replace")
        return "".join(chr(byte) if byte in _UNASSIGNED else bytes((byte,)).decode(_ANSI) for byte in data)

    def encode(self, text: str, encoding: str | None) -> bytes:
        """Encode as Set-Content does, by default as it decodes text without a mark."""
        if encoding is None:
            return _utf8(text) if self.is_core else b"".join(map(_ansi, text))
        codec, mark = _WRITTEN[encoding.casefold()]
        if codec == "utf-8":
            return (b"" if self.is_core else mark) + _utf8(text)
        if codec == "ascii":
            return b"".join(char.encode() if char.isascii() else _unknown(char) for char in text)
        return mark + text.encode(codec, "replace")

    def to_plain(self) -> Any:
        """Give which PowerShell it is."""
        return {"core": self.is_core}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self.is_core = bool(plain["core"])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _ansi(char: str) -> bytes:
    if ord(char) in _UNASSIGNED:
        return bytes((ord(char),))
    try:
        return char.encode(_ANSI)
    except UnicodeEncodeError:
        return _unknown(char)


def _unknown(char: str) -> bytes:
    """What stands for a character that has no code: one sign for each half of a pair."""
    return b"??" if ord(char) > _LAST_OF_PLANE else b"?"
