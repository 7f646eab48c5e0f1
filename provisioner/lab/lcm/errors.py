"""How an LCM refuses: a MI result with the error id and category that CimCmdlets make of it."""

from __future__ import annotations

from dataclasses import dataclass

#: Category names by MI_Result, as CimCmdlets translate them.
_CATEGORIES = {
    1: "NotSpecified",
    2: "PermissionDenied",
    3: "MetadataError",
    4: "InvalidArgument",
    5: "MetadataError",
    6: "ObjectNotFound",
    7: "NotImplemented",
    11: "ResourceExists",
    13: "InvalidType",
    17: "MetadataError",
    27: "ResourceBusy",
}


@dataclass(frozen=True, slots=True)
class LcmMessage:
    """One error an LCM reports: text, error id, category, and the resource it is about."""

    text: str
    error_id: str
    category: str
    resource_id: str = ""


class LcmError(Exception):
    """A method of the LCM failed.

    ``errors`` are reported one by one before ``message`` itself, as when several resources failed.
    """

    def __init__(self, message: LcmMessage, errors: tuple[LcmMessage, ...] = ()) -> None:
        self.message = message
        self.errors = errors
        super().__init__(message.text)

    @classmethod
    def of(cls, text: str, mi_result: int = 1, errors: tuple[LcmMessage, ...] = ()) -> LcmError:
        """Build the error of a MI result, whose error id is ``MI RESULT <n>``."""
        return cls(LcmMessage(text, f"MI RESULT {mi_result}", _CATEGORIES[mi_result]), errors)
