"""The settings of a Local Configuration Manager as values, the servers it works with included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.diagnostics import SourceRange

#: Settings that list objects of their own, in the order they follow the others (mof-format, section 6). The last
#: is in no document seen.
GROUPS = (
    "ResourceModuleManagers",
    "ReportManagers",
    "ConfigurationDownloadManagers",
    "PartialConfigurations",
    "SignatureValidations",
)


@dataclass(frozen=True, slots=True)
class LcmPart:
    """A named object of a metaconfiguration: a server, a share, a partial configuration, a signature check.

    ``keyword`` is what a PowerShell author writes for ``class_name``; ``group`` the setting that lists it.
    Properties are keyed by the schema's spelling; a value may be a reference to a secret.
    """

    keyword: str
    class_name: str
    group: str
    name: str
    properties: Mapping[str, Any]
    where: SourceRange

    def __str__(self) -> str:
        return f"[{self.keyword}]{self.name}"


@dataclass(frozen=True, slots=True)
class LcmProfile:
    """Everything one metaconfiguration sets. ``parts`` come in the order written.

    ``is_beside_configuration`` asks for what Windows PowerShell makes of a LocalConfigurationManager block that
    stands in an ordinary configuration; the closing block of the document is another one then.
    """

    settings: Mapping[str, Any]
    parts: tuple[LcmPart, ...] = ()
    is_beside_configuration: bool = False
