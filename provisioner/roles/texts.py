"""The text files of roles, each read once: what is rendered for one node is what is rendered for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner import documents
from provisioner.expressions import ExpressionError
from provisioner.inventory.masking import mask_assignments
from provisioner.roles.loader import inside, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provisioner.diagnostics import Diagnostics, SourceFile

_FOLDER = "templates"


class TemplateTexts:
    """What stands in the ``templates`` folders of roles."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str], tuple[str | None, SourceFile, Diagnostics]] = {}

    def read(
        self, role_folder: Path, name: object, required: Mapping[str, Path] | None = None
    ) -> tuple[str | None, SourceFile, Diagnostics]:
        """Return what ``documents.read_text`` says of a file.

        Args:
            role_folder: Whose file it is.
            name: Its path in the role's own folder, or ``ROLE/path`` for a file of a role that is required.
            required: The folders of those, by name; the same ones whenever the role is asked for.

        Raises:
            ExpressionError: the name leads out of the folder, or nothing is there.
        """
        if isinstance(name, str) and (role_folder, name) in self._read:
            return self._read[role_folder, name]
        folder = role_folder / _FOLDER
        path = inside(folder, name) if isinstance(name, str) else None
        if path is not None and not path.is_file():
            path = _of_required(str(name), required or {}) or path
        if path is None:
            raise ExpressionError(
                f"template() takes the name of a file inside {shown(folder)}: a relative path with forward "
                f"slashes and without '..'."
            )
        if not path.is_file():
            known = (
                *_names(folder),
                *(f"{role}/{file}" for role, of in (required or {}).items() for file in _names(of / _FOLDER)),
            )
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


def _of_required(name: str, required: Mapping[str, Path]) -> Path | None:
    """Return the file of a role that is required; None when the name is of another form."""
    role, _, rest = name.partition("/")
    return inside(required[role] / _FOLDER, rest) if role in required else None


def _names(folder: Path) -> tuple[str, ...]:
    return tuple(each.name for each in sorted(folder.glob("*")) if each.is_file())
