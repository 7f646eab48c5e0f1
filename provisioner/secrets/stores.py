"""Turn secret references into secrets: environment variables and files.

The rule of the room: errors name the reference and what to do, never the content.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.errors import SecretError
from provisioner.secrets.encodings import ENCODINGS
from provisioner.secrets.model import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.addresses import SecretRef

#: Largest secret file that is read, in bytes.
MAX_SIZE_BYTES: Final = 64 * 1024
#: Stores that can be named before the colon of a reference.
STORES: Final = ("env", "file")

_OTHERS_MAY_READ: Final = stat.S_IROTH


def resolve(ref: SecretRef, base: Path, on_warning: Callable[[str], None] | None = None) -> Secret:
    """Return the secret behind a reference.

    Args:
        ref: ``env:NAME`` or ``file:PATH``, with the encodings that are applied to what was read, in their order.
        base: Folder that relative paths start from: the one of the inventory.
        on_warning: Called with a full sentence when a file may be read by every user of this machine.

    A file is read as UTF-8, and one line end at its end is dropped.

    Raises:
        SecretError: The store or an encoding is unknown, the variable or file is missing, or it holds no text that
            could be used or encoded.
    """
    _refuse_unknown_encodings(ref)
    secret = _read(ref, base, on_warning)
    for name in ref.encodings:
        secret = _encoded(secret, name, ref)
    return secret


def _encoded(secret: Secret, name: str, ref: SecretRef) -> Secret:
    try:
        text = ENCODINGS[name](secret.reveal())
    except ValueError as error:
        raise SecretError(str(ref), f"it {error}", "Choose another password.") from None
    return Secret(text, secret)


def _refuse_unknown_encodings(ref: SecretRef) -> None:
    for name in ref.encodings:
        if name not in ENCODINGS:
            reason = f"there is no encoding '{name}'"
            raise SecretError(str(ref), reason, did_you_mean(name, ENCODINGS))


def _read(ref: SecretRef, base: Path, on_warning: Callable[[str], None] | None) -> Secret:
    match ref.store:
        case "env":
            return _from_environment(ref)
        case "file":
            return _from_file(ref, base, on_warning)
        case _:
            known = " and ".join(f"{store}:" for store in STORES)
            raise SecretError(str(ref), f"there is no store '{ref.store}'", f"Known stores are {known}.")


def _from_environment(ref: SecretRef) -> Secret:
    text = os.environ.get(ref.key)
    if text is None:
        raise SecretError(
            str(ref),
            "the environment variable is not set",
            f"Set it before the start: export {ref.key}=...",
        )
    if not text:
        raise SecretError(str(ref), "the environment variable is empty", "Put the secret into it.")
    return Secret(text)


def _from_file(ref: SecretRef, base: Path, on_warning: Callable[[str], None] | None) -> Secret:
    path = base / Path(ref.key).expanduser()
    help_ = f"Put the secret into {path}, readable by you alone."
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_SIZE_BYTES + 1)
            mode = os.fstat(stream.fileno()).st_mode
    except FileNotFoundError:
        raise SecretError(str(ref), f"there is no file {path}", help_) from None
    except IsADirectoryError:
        raise SecretError(str(ref), f"{path} is a folder", help_) from None
    except PermissionError:
        raise SecretError(str(ref), f"{path} may not be read by this user", help_) from None
    except (OSError, ValueError):
        raise SecretError(str(ref), f"{path} cannot be opened", help_) from None
    if len(raw) > MAX_SIZE_BYTES:
        raise SecretError(str(ref), f"{path} has more than {MAX_SIZE_BYTES // 1024} KiB", help_)
    decoded = _decoded(raw)
    if decoded is None:
        raise SecretError(str(ref), f"{path} is not UTF-8", "Save the file as UTF-8.")
    text = decoded.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretError(str(ref), f"{path} is empty", help_)
    if on_warning and mode & _OTHERS_MAY_READ:
        on_warning(f"Every user of this machine may read {path}; run: chmod 600 {path}")
    return Secret(text)


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Raising from here would chain an exception that holds the bytes.
        return None
