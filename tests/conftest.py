"""Settings of every test run."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# How fast inputs are drawn says something about the machine, not about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A shell starts what shall run in the background with SIGINT ignored, and all children inherit that: tests of Ctrl-C
# would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
