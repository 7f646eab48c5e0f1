"""YAML text as a tree that remembers file, line and column of every key and value, and plain data as YAML text.

The rule of the room: nothing here knows what a document means. Scalars follow the YAML 1.2 core schema, so
``on`` and ``yes`` are text and ``0755`` is the number 755 (with a warning, as YAML 1.1 readers disagree).
Left out on purpose, each with a message that says so: tags, merge keys, several documents in one file,
keys that are not text, aliases that contain themselves. Hostile input ends in a diagnostic: size, depth and
the expansion of aliases are bounded.
"""

from provisioner.documents.core_schema import resolve
from provisioner.documents.files import load, read_text
from provisioner.documents.reading import MAX_DEPTH, ORDINARY, WHOLE_SITE, Limits, parse, uncollected
from provisioner.documents.tree import (
    Entry,
    Mapping,
    Plain,
    Scalar,
    Sequence,
    Tree,
    locate,
    plain,
    scalars,
    step_into,
)
from provisioner.documents.writing import dump

__all__ = [
    "MAX_DEPTH",
    "ORDINARY",
    "WHOLE_SITE",
    "Entry",
    "Limits",
    "Mapping",
    "Plain",
    "Scalar",
    "Sequence",
    "Tree",
    "dump",
    "load",
    "locate",
    "parse",
    "plain",
    "read_text",
    "resolve",
    "scalars",
    "step_into",
    "uncollected",
]
