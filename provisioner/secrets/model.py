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

    __slots__ = ("__reveal",)

    def __init__(self, text: str) -> None:
        # A closure, so that neither slots nor a debugger's list of attributes show the text.
        self.__reveal: Callable[[], str] = lambda: text

    def reveal(self) -> str:
        """Return the secret itself. Never log, store or format what comes back."""
        return self.__reveal()

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
