"""Runs in a virtual environment of Ceilometer: says what its own code makes of a file of meters.

Takes the path of the file; writes one JSON object: ``error``, or ``meters`` that are polled and ``unknown`` ones.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys


def main() -> None:
    cfg = importlib.import_module("oslo_config.cfg")
    manager = importlib.import_module("ceilometer.polling.manager")
    conf = cfg.ConfigOpts()
    for group, options in importlib.import_module("ceilometer.opts").list_opts():
        conf.register_opts(list(options), group=None if group == "DEFAULT" else group)
    conf([], project="ceilometer", default_config_files=[], default_config_dirs=[])
    conf.set_override("cfg_file", sys.argv[1], group="polling")
    known = {entry.name for entry in importlib.metadata.entry_points(group="ceilometer.poll.compute")}
    try:
        sources = manager.PollingManager(conf).sources
    except Exception as error:  # noqa: BLE001 - whatever it is, the agent does not start
        json.dump({"error": f"{type(error).__name__}: {error}"}, sys.stdout)
        return
    named = {meter for source in sources for meter in source.meters if not set(meter) & {"*", "!"}}
    meters = sorted(name for name in known if any(source.support_meter(name) for source in sources))
    json.dump({"meters": meters, "unknown": sorted(named - known)}, sys.stdout)


if __name__ == "__main__":
    main()
