"""Congestion control among others, on a simulated link."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.transport.bbr import Bbr, Phase
from seedshot_desktop.seed.transport.competing import Cubic
from tests.netlab.cubic import CubicFlow
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, Network


def share_of_tcp(tcp_begins: float, we_begin: float, queue: int = 300_000, seconds: float = 25.0) -> float:
    """What a CUBIC flow keeps of a 50 Mbit/s link beside one of ours, once both have begun."""
    link = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=queue)
    network = Network(link, LinkOptions(delay_s=0.025))
    network.others.append(CubicFlow(tcp_begins))
    flow = network.add(10**9, we_begin)
    start = max(tcp_begins, we_begin)
    network.run(start)
    theirs, ours = network.others[0].delivered, flow.receiver.bytes
    network.run(start + seconds)
    theirs = network.others[0].delivered - theirs
    return theirs / (theirs + 1.08 * (flow.receiver.bytes - ours))


@pytest.mark.parametrize(("queue", "most"), [(150_000, 0.65), (300_000, 0.65), (600_000, 0.80)])
def test_a_tcp_download_keeps_its_share_when_we_come_later(queue: int, most: float) -> None:
    assert 0.35 <= share_of_tcp(0, 3, queue) <= most


def test_a_tcp_download_that_begins_with_us_gets_its_share() -> None:
    assert 0.35 <= share_of_tcp(0, 0) <= 0.65


def test_a_tcp_download_that_comes_later_is_not_starved() -> None:
    assert share_of_tcp(3, 0) >= 0.20  # beside another CUBIC flow of this model it gets 0.29


def test_when_the_others_have_gone_the_queue_is_short_again() -> None:
    link = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=300_000)
    network = Network(link, LinkOptions(delay_s=0.025))
    network.others.append(CubicFlow(0))
    network.add(10**9, 2)
    network.run(12)
    network.others.clear()
    network.run(20)
    queued = []
    for tenth in range(1, 50):
        network.run(20 + tenth / 10)
        queued.append(network.forward.queued(network.now) * 8 / link.rate)
    assert sorted(queued)[len(queued) // 2] < 0.030


def test_two_of_ours_share_evenly() -> None:
    link = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=500_000)
    network = Network(link, LinkOptions(delay_s=0.025))
    first, second = network.add(10**9), network.add(10**9, 1.0)
    network.run(10)
    before = first.receiver.bytes, second.receiver.bytes
    network.run(30)
    received = first.receiver.bytes - before[0], second.receiver.bytes - before[1]
    assert 0.4 <= received[0] / sum(received) <= 0.6


def test_the_first_window_has_at_least_ten_packets_and_is_spread_over_the_round_trip() -> None:
    control = Bbr(0.0, 1253, 0.1)
    assert control.phase is Phase.STARTUP
    assert control.window >= 10 * 1253
    assert control.window / control.pacing_rate == pytest.approx(0.1 / 8)


def test_a_cubic_window_grows_back_to_where_it_was_and_beyond() -> None:
    cubic = Cubic(100)
    cubic.on_loss()
    assert cubic.packets == pytest.approx(70)
    now = 0.0
    for _ in range(400):
        now += 0.05
        cubic.on_ack(now, cubic.packets, 0.05)
    assert cubic.packets > 100
