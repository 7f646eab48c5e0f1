"""What providers keep between runs is forgotten with every configuration that is sent."""

from __future__ import annotations

from provisioner.lab.machine.basics.provider_cache import ProviderCache
from tests.unit.lab.lcm.building import FakeNode, document, fake


async def test_a_push_clears_what_providers_kept() -> None:
    node = FakeNode()
    cache = node.machine.area(ProviderCache)
    cache.keep_list("c:\\dst|c:\\src", ["a.txt"])
    cache.keep_download("c:\\a.txt|https://server/a.txt", "2024-05-01T12:00:00", 4)
    await node.apply(document(fake("ok")))
    assert cache.to_plain() == {"lists": {}, "downloads": {}}
