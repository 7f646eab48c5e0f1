"""The text files of roles, each read once: what is rendered for one node is what is rendered for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import documents
from provisioner.expressions import ExpressionError
from provisioner.inventory.masking import mask_assignments
from provisioner.roles.loader import inside, shown

if TYPE_CHECKING:
    from pathlib import Path

    from provisioner.diagnostics import Diagnostics, SourceFile

_FOLDER = "templates"


class TemplateTexts:
    """What stands in the ``templates`` folders of roles."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str], tuple[str | None, SourceFile, Diagnostics]] = {}

    def read(self, role_folder: Path, name: object) -> tuple[str | None, SourceFile, Diagnostics]:
        """Return what ``documents.read_text`` says of a file.

        Raises:
            ExpressionError: the name leads out of the folder, or nothing is there.
        """
        if isinstance(name, str) and (role_folder, name) in self._read:
            return self._read[role_folder, name]
        folder = role_folder / _FOLDER
        path = inside(folder, name) if isinstance(name, str) else None
        if path is None:
            raise ExpressionError(
                f"template() takes the name of a file inside {shown(folder)}: a relative path with forward "
                f"slashes and without '..'."
            )
        if not path.is_file():
            known = tuple(each.name for each in sorted(folder.glob("*")) if each.is_file())
            raise ExpressionError(f"There is no template {shown(path)}.", None, str(name), known)
        text, source, problems = documents.read_text(path, shown(path))
        # Messages quote lines of it, and a password may stand in one by mistake.
        found = self._read[role_folder, str(name)] = text, mask_assignments(source), problems
        return found

    def files(self, role_folder: Path) -> list[tuple[str, str | None]]:
        """Return all files of a role by name, sorted, with their texts; None where one cannot be read."""
        folder = role_folder / _FOLDER
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        found = []
        for name in names:
            try:
                found.append((name, self.read(role_folder, name)[0]))
            except ExpressionError:  # a link that leads out of the folder
                found.append((name, None))
        return found
