"""Links that change under a transfer: slower, or gone for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seedshot_desktop.seed.transport.bbr import Bbr
from seedshot_desktop.seed.transport.samples import Sample
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, Flow, Network

PAYLOAD = 0.926
"""Part of the packets that is data."""


def after_a_change(
    before: LinkOptions, after: LinkOptions, *, settle_s: float, seconds: float = 2.0, at: float = 3.0, seed: int = 1
) -> tuple[float, float]:
    """The queue's median in seconds, and the part of the link that is used, from `settle_s` after the change on."""
    network = Network(before, LinkOptions(delay_s=before.delay_s), seed)
    flow = network.add(10**9)
    network.run(at)
    network.forward.options = after
    begins = at + settle_s
    network.run(begins)
    received, queued = flow.receiver.bytes, []
    for step in range(1, 101):
        network.run(begins + step * seconds / 100)
        queued.append(network.forward.queued(network.now) * 8 / after.rate)
    return sorted(queued)[50], (flow.receiver.bytes - received) * 8 / seconds / after.rate / PAYLOAD


@pytest.mark.parametrize(("before", "seed", "least"), [(100, 1, 0.75), (100, 2, 0.75), (50, 2, 0.4)])
def test_a_link_that_becomes_much_slower_is_used(before: float, seed: int, least: float) -> None:
    """Where more holes stand than can be named, cycles measure next to nothing: 0.03 was used from then on."""
    link = LinkOptions(delay_s=0.025, rate=before * MBIT, queue=50_000)
    slow = replace(link, rate=2 * MBIT)
    assert after_a_change(link, slow, settle_s=15, seconds=15, at=5, seed=seed)[1] >= least


def test_a_window_can_reach_its_bound() -> None:
    """Windows are whole bytes: under a bound with a fraction one would never be seen to have grown up to it."""
    control = Bbr(0.0, 1253, 0.05)
    control.window, control.min_rtt, control._probe_samples = 100_001, 0.05, True
    control._bw = 10_000_000.0
    overflow = Sample(
        now=1.0,
        delivered=200_000,
        newly_acked=1253,
        newly_lost=5000,
        in_flight=9000,
        rtt=0.05,
        rate=0.0,
        interval_delivered=9000,
        prior_delivered=0,
        app_limited=False,
        tx_in_flight=9000,
        lost=5000,
    )
    control._too_much_lost(overflow)
    assert isinstance(control._high.flight, int)
    assert control._high.flight == 70_000


def after_an_outage(seconds: float) -> tuple[Flow, float]:
    """How long after an outage data arrives again."""
    link = LinkOptions(delay_s=0.025, rate=10 * MBIT, queue=100_000)
    network = Network(link, LinkOptions(delay_s=0.025))
    flow = network.add(10**8)
    network.run(1)
    network.forward.options = replace(link, queue=0)
    network.run(1 + seconds)
    network.forward.options = link
    received = flow.receiver.bytes
    while flow.receiver.bytes == received and network.now < seconds + 12:
        network.run(network.now + 0.05)
    return flow, network.now - 1 - seconds


@pytest.mark.parametrize("seconds", [5, 10, 20])
def test_an_outage_does_not_outlast_itself(seconds: float) -> None:
    flow, late_s = after_an_outage(seconds)
    assert not flow.sender.dead
    assert late_s <= 2.5


@pytest.mark.parametrize(
    ("before", "after", "queue", "settle_s"),
    [(50, 20, 300_000, 2), (50, 35, 300_000, 2), (100, 20, 500_000, 3), (20, 5, 1_000_000, 2)],
)
def test_a_link_that_becomes_slower_has_a_short_queue_again(
    before: float, after: float, queue: int, settle_s: float
) -> None:
    """It stood for ten seconds, taken for somebody else's, at 100 to 400 ms."""
    link = LinkOptions(delay_s=0.025, rate=before * MBIT, queue=queue)
    queued, used = after_a_change(link, replace(link, rate=after * MBIT), settle_s=settle_s)
    assert queued < 0.012
    assert used >= 0.93


def test_a_link_that_becomes_faster_is_filled_by_one_probe() -> None:
    """Probing stops at a queue, and not as soon as a quarter more is in flight."""
    link = LinkOptions(delay_s=0.025, rate=10 * MBIT, queue=300_000)
    _, used = after_a_change(link, replace(link, rate=80 * MBIT), settle_s=4)
    assert used >= 0.93
