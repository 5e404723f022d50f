"""Upload limits: kept, shared, and lifted."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.transport.limits import RateLimit
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, Network

LINK = LinkOptions(delay_s=0.01, rate=50 * MBIT, queue=500_000)


@pytest.mark.parametrize("rate", [20_000, 200_000, 2_000_000])
def test_a_transfer_keeps_to_its_limit(rate: float) -> None:
    network = Network(LINK, LINK)
    network.add(100_000_000, limits=[RateLimit(rate)])
    network.run(1)
    begun = network.forward.carried
    network.run(6)
    carried = (network.forward.carried - begun) / 5
    assert 0.93 * rate <= carried <= 1.05 * rate


def test_a_limit_is_shared_evenly() -> None:
    limit = RateLimit(1_000_000)
    network = Network(LINK, LINK)
    flows = [network.add(100_000_000, limits=[limit]) for _ in range(5)]
    network.run(5)
    received = [flow.receiver.bytes for flow in flows]
    assert max(received) < 1.2 * min(received)
    assert 0.85 * 5_000_000 <= sum(received) <= 5_100_000


def test_one_who_stops_gives_way_to_the_others() -> None:
    limit = RateLimit(1_000_000)
    network = Network(LINK, LINK)
    stopped, goes_on = network.add(100_000, limits=[limit]), network.add(100_000_000, limits=[limit])
    network.run(1)
    assert stopped.finished is not None
    begun = goes_on.receiver.bytes
    network.run(3)
    assert goes_on.receiver.bytes - begun >= 0.85 * 2_000_000


def test_the_lowest_of_several_limits_counts() -> None:
    network = Network(LINK, LINK)
    network.add(100_000_000, limits=[RateLimit(0), RateLimit(400_000), RateLimit(2_000_000)])
    network.run(3)
    assert 0.85 * 1_200_000 <= network.forward.carried <= 1.1 * 1_200_000


def test_a_limit_that_is_lifted_no_longer_holds() -> None:
    limit = RateLimit(100_000)
    network = Network(LINK, LINK)
    flow = network.add(5_000_000, limits=[limit])
    network.run(1)
    limit.rate = 0
    network.run(5)
    assert flow.finished is not None
    assert flow.finished < 3
