"""A directory with inventories, roles and configurations as one object: compile, apply, verify."""

from __future__ import annotations

from provisioner.project.folder import Project, builtin_folder
from provisioner.project.model import (
    ApplyRequest,
    Compilation,
    CompiledNode,
    CompileRequest,
    NodeSummary,
    Validated,
    Written,
)

__all__ = [
    "ApplyRequest",
    "Compilation",
    "CompileRequest",
    "CompiledNode",
    "NodeSummary",
    "Project",
    "Validated",
    "Written",
    "builtin_folder",
]
