"""The example of windows_base does in a lab what it says: two reboots, and nothing left to do."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.compiling import REPOSITORY
from tests.roles.site import running_site

_PORT = 15985


def test_the_example_of_the_readme_comes_up_as_written(tmp_path: Path) -> None:
    text = (REPOSITORY / "roles/windows_base/README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    inventory = yaml.safe_load(example.replace("127.0.0.11", "127.20.0.11"))
    inventory["connection"]["port"] = _PORT
    with running_site(tmp_path, inventory, {"join": "Passw0rd!join"}) as site:
        first = site.apply()
        assert not first.failures, first.text
        assert first.boots == {"hv01": 2}
        assert first.generic == []
        again = site.apply()
        assert not again.failures, again.text
        assert (again.sets, again.boots) == ({"hv01": []}, {"hv01": 0})
