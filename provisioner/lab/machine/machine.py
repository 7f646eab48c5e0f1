"""State of one simulated Windows machine: a set of areas that resources and commands share.

Areas interfere as on Windows (an MSI leaves pending renames, a switch takes an adapter), so state never belongs
to a resource. ``on_boot`` settles what was pending before anything else runs.
"""

from __future__ import annotations
