"""A secret in memory: a value that can be used and cannot be shown by accident.

The rule of the room: a secret leaves its box only through ``reveal``, which is easy to search for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable

#: What stands in the place of a secret wherever it would be printed.
MASK: Final = "<secret>"


class Secret:
    """One secret text.

    Printing, formatting and interpolation yield ``<secret>``. Pickling raises ``TypeError``; copying yields
    the same object, so ``dataclasses.asdict`` keeps the box closed. Compared by identity.
    """

    __slots__ = ("__reveal", "__reveal_origin")

    def __init__(self, text: str, origin: Secret | None = None) -> None:
        """Put a text into the box; ``origin`` is the secret it was encoded from."""
        # A closure, so that neither slots nor a debugger's list of attributes show the text.
        self.__reveal: Callable[[], str] = lambda: text
        self.__reveal_origin: Callable[[], Secret | None] = lambda: origin

    def reveal(self) -> str:
        """Return the secret itself. Never log, store or format what comes back."""
        return self.__reveal()

    def reveal_stages(self) -> tuple[str, ...]:
        """Return the secret and every text it was encoded from, the last first; for whoever must find them all."""
        origin = self.__reveal_origin()
        return (self.reveal(), *(origin.reveal_stages() if origin else ()))

    def __repr__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be stored or sent")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be stored or sent")
