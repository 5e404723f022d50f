"""Congestion control among others, on a simulated link."""

from __future__ import annotations

from random import Random

import pytest

from seedshot_desktop.seed.transport.bbr import Bbr, Phase
from seedshot_desktop.seed.transport.competing import Company, Cubic
from seedshot_desktop.seed.transport.samples import Sample
from tests.netlab.cubic import CubicFlow
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import BUSY, MBIT, SLOW_DISK, Network, Spells


def share_of_tcp(
    tcp_begins: float,
    we_begin: float,
    queue: int = 300_000,
    seconds: float = 20.0,
    seed: int = 1,
    *,
    rate: float = 50,
    delay_s: float = 0.025,
    busy: Spells | None = None,
    disk: Spells | None = None,
) -> float:
    """What a CUBIC flow keeps of a link, of `rate` Mbit/s, beside one of ours, once both have begun."""
    link = LinkOptions(delay_s=delay_s, rate=rate * MBIT, queue=queue)
    network = Network(link, LinkOptions(delay_s=delay_s), seed, busy=busy, disk=disk)
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


@pytest.mark.parametrize(("seed", "after"), [(1, 0.0), (2, 0.2), (1, 0.3), (2, 0.4)])
def test_a_tcp_download_that_begins_with_us_gets_its_share(seed: int, after: float) -> None:
    """Without a step that tells what the link gives it would get 0.21 to 0.50."""
    assert 0.35 <= share_of_tcp(after, 0, seconds=15, seed=seed) <= 0.65


@pytest.mark.parametrize(
    ("rate", "delay_s", "queue", "after"),
    [(20, 0.025, 250_000, 0.1), (20, 0.025, 250_000, -2), (10, 0.04, 100_000, 0.3), (100, 0.010, 250_000, -2)],
)
def test_also_on_other_links(rate: float, delay_s: float, queue: int, after: float) -> None:
    got = share_of_tcp(max(after, 0), max(-after, 0), queue, seconds=1000 / rate, rate=rate, delay_s=delay_s)
    assert 0.35 <= got <= 0.68


@pytest.mark.parametrize(("seed", "after"), [(1, 3.0), (2, 4.1), (3, 5.3)])
def test_a_tcp_download_that_comes_later_gets_its_share(seed: int, after: float) -> None:
    """Beside another CUBIC flow of this model it would get 0.29."""
    assert 0.35 <= share_of_tcp(after, 0, seed=seed) <= 0.65


@pytest.mark.parametrize(("seed", "after"), [(1, 0.5), (2, 1.0)])
def test_also_where_it_comes_as_soon_as_our_start_up_is_over(seed: int, after: float) -> None:
    """With probes alone to tell that we had the whole link it would get 0.22 to 0.34."""
    assert 0.35 <= share_of_tcp(after, 0, seed=seed) <= 0.65


@pytest.mark.parametrize("before", [2.0, 0.3])
def test_a_start_up_beside_a_download_is_not_taken_for_one_alone(before: float) -> None:
    """It loses nothing here either; who then took what it got for all of the link would leave the other up to 0.79."""
    assert 0.35 <= share_of_tcp(0, before) <= 0.70


@pytest.mark.parametrize(("queue", "least"), [(150_000, 0.30), (600_000, 0.35)])
def test_also_where_the_queue_is_shorter_or_longer(queue: int, least: float) -> None:
    assert least <= share_of_tcp(3, 0, queue) <= 0.70


def acknowledged(now: float, rtt: float | None) -> Sample:
    return Sample(
        now=now,
        delivered=int(now * 1e6),
        newly_acked=1000,
        newly_lost=0,
        in_flight=100_000,
        rtt=rtt,
        rate=1e6,
        interval_delivered=50_000,
        prior_delivered=int(now * 1e6) - 50_000,
        app_limited=False,
        tx_in_flight=100_000,
        lost=0,
    )


def test_only_round_trips_tell_whether_others_have_come_or_gone() -> None:
    company = Company(0.0, Random(1))

    def hear(begins: float, rtt: float | None) -> list[str]:
        said = []
        for step in range(100):
            s = acknowledged(begins + step / 100, rtt)
            company.watch(s, 0.05, 50_000, steady=True)
            verdict = company.verdict(s, 0.05, 1000, 100_000)
            said += [] if verdict is None else [verdict.value]
        return said

    assert hear(1, None) == []
    assert hear(2, 0.05) == []
    assert hear(3, 0.09) == []
    assert hear(4, 0.09) == ["comes"], "the queue has not answered, and has stood for longer than it may"
    assert hear(5, None) == []
    assert hear(6, 0.05) == ["goes"]


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


@pytest.mark.parametrize(("busy", "disk"), [(BUSY, None), (None, SLOW_DISK)], ids=["busy", "slow disk"])
def test_also_where_the_owners_machine_is_busy(busy: Spells | None, disk: Spells | None) -> None:
    assert 0.35 <= share_of_tcp(5, 0, busy=busy, disk=disk) <= 0.65


def two_of_ours(after: float, seed: int, busy: Spells | None = None) -> tuple[list[int], float]:
    """What each of two received in 15 s, of which one begins `after` seconds later, and the part of the link's rate."""
    link = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=500_000)
    network = Network(link, LinkOptions(delay_s=0.025), seed, busy=busy)
    flows = network.add(10**9), network.add(10**9, after)
    network.run(after + 2)
    before = [flow.receiver.bytes for flow in flows]
    network.run(after + 17)
    received = [flow.receiver.bytes - begun for flow, begun in zip(flows, before, strict=True)]
    return received, sum(received) * 8 / 15 / link.rate


def evenness(after: float, seed: int) -> float:
    """Jain's index of two of ours: 1 is even, 0.5 the worst."""
    received, _ = two_of_ours(after, seed)
    return sum(received) ** 2 / 2 / sum(share**2 for share in received)


@pytest.mark.parametrize("seed", [2, 3])
def test_retransmissions_alone_do_not_tell_who_comes_and_goes(seed: int) -> None:
    """They have no round trip of their own; taken for signs, they brought new windows and a third of the link lost."""
    assert two_of_ours(0.5, seed, BUSY)[1] >= 0.8


@pytest.mark.parametrize("seed", [1, 2])
def test_who_knows_the_link_shares_it_evenly_with_another_of_ours(seed: int) -> None:
    assert evenness(5.0, seed) >= 0.95


@pytest.mark.parametrize("after", [0.0, 1.0])
def test_two_of_ours_that_begin_together_share_evenly(after: float) -> None:
    found = [evenness(after, seed) for seed in (1, 2)]
    assert sum(found) / len(found) >= 0.95
    assert min(found) >= 0.85


def test_who_has_made_room_takes_it_back_when_the_others_have_gone() -> None:
    link = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=300_000)
    network = Network(link, LinkOptions(delay_s=0.025))
    network.others.append(CubicFlow(4))
    flow = network.add(10**9)
    network.run(12)
    network.others.clear()
    network.run(15)
    before = flow.receiver.bytes
    network.run(18)
    assert (flow.receiver.bytes - before) * 8 / 3 >= 0.85 * link.rate


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


@pytest.mark.parametrize("seed", [1, 3])
def test_jitter_is_not_taken_for_a_queue(seed: int) -> None:
    """Against the least round trip ever it looks like one that stands: 0.07 to 0.23 of the link were used."""
    link = LinkOptions(delay_s=0.025, jitter_s=0.03, loss=0.01, rate=50 * MBIT, queue=500_000)
    network = Network(link, link, seed)
    flow = network.add(10**9)
    network.run(10)
    assert flow.receiver.bytes * 8 / 10 / link.rate / 0.926 >= 0.6
