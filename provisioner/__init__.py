"""Put Windows machines into an OpenStack cloud: compile DSC on Linux, push it, own the reboots, verify.

Only the names in ``__all__`` are promised. They load on first use, so that importing the package is cheap.
"""

from __future__ import annotations

__version__ = "0.1.0"
