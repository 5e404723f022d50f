"""Upload limits: kept to the byte, shared, changed, lifted, and no hurdle for control messages."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.transport.limits import Allowance, RateLimit
from seedshot_desktop.seed.transport.sender import Sender
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, Flow, Network

LINK = LinkOptions(delay_s=0.01, rate=50 * MBIT, queue=500_000)
LOSSY = LinkOptions(delay_s=0.01, rate=50 * MBIT, queue=500_000, loss=0.02)


def carried(network: Network, seconds: float) -> float:
    """Bytes per second that enter the link, headers and retransmissions included, from now on."""
    before = network.forward.carried + network.forward.lost * 1253
    network.run(network.now + seconds)
    return (network.forward.carried + network.forward.lost * 1253 - before) / seconds


@pytest.mark.parametrize("rate", [20_000, 200_000, 2_000_000])
@pytest.mark.parametrize("link", [LINK, LOSSY], ids=["clean", "lossy"])
def test_every_byte_counts_retransmissions_too(rate: float, link: LinkOptions) -> None:
    network = Network(link, LINK)
    flow = network.add(100_000_000, limits=[RateLimit(rate)])
    network.run(1)
    assert carried(network, 10) == pytest.approx(rate, rel=0.03)
    assert bool(flow.sender.retransmitted) == bool(link.loss)


def test_twenty_viewers_divide_a_limit_evenly() -> None:
    limit = RateLimit(1_000_000)
    network = Network(LINK, LINK)
    flows = [network.add(100_000_000, limits=[limit]) for _ in range(20)]
    network.run(1)
    assert carried(network, 10) == pytest.approx(1_000_000, rel=0.03)
    received = [flow.receiver.bytes for flow in flows]
    assert max(received) < 1.1 * min(received)


def test_a_share_with_twenty_viewers_and_one_with_a_single_viewer_under_one_global_limit() -> None:
    everything, crowded, quiet = RateLimit(1_000_000), RateLimit(500_000), RateLimit(500_000)
    network = Network(LINK, LINK)
    crowd = [network.add(100_000_000, limits=[crowded, everything]) for _ in range(20)]
    single = network.add(100_000_000, limits=[quiet, everything])
    network.run(1)
    before = single.receiver.bytes
    assert carried(network, 10) <= 1_030_000
    assert max(flow.receiver.bytes for flow in crowd) < 1.1 * min(flow.receiver.bytes for flow in crowd)
    assert single.receiver.bytes - before >= 10 * 1_000_000 / 21 * 0.9


def test_a_tight_limit_on_a_lossy_link_is_no_timeout() -> None:
    limit = RateLimit(20_000)
    network = Network(LOSSY, LINK)
    flows = [network.add(100_000_000, limits=[limit]) for _ in range(10)]
    network.run(30)
    assert sum(flow.sender.retransmitted for flow in flows) > 0
    assert [flow.sender.timeouts for flow in flows] == [0] * 10


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
    network.run(1)
    assert carried(network, 5) == pytest.approx(400_000, rel=0.03)


# Changed while seeding


@pytest.mark.parametrize("before", [0, 5_000, 5_000_000])
@pytest.mark.parametrize("after", [100_000, 1_000_000])
def test_a_new_limit_holds_at_once_for_connections_that_live(before: float, after: float) -> None:
    limit = RateLimit(before)
    network = Network(LINK, LINK)
    for _ in range(10):
        network.add(1_000_000_000, limits=[limit])
    network.run(2)
    limit.rate = after
    network.run(2.5)
    assert carried(network, 5) == pytest.approx(after, rel=0.03)


def test_a_limit_that_is_lifted_no_longer_holds() -> None:
    limit = RateLimit(2_000)
    network = Network(LINK, LINK)
    flows = [network.add(1_000_000, limits=[limit]) for _ in range(10)]
    network.run(1)
    limit.rate = 0
    network.run(5)
    assert all(flow.finished is not None and flow.finished < 3.5 for flow in flows)


def test_a_pause_saves_up_next_to_nothing() -> None:
    limit = RateLimit(100_000)
    allowance = Allowance(limit)
    assert allowance.ready_at(50.0) <= 50.0
    allowance.spend(1500)
    sent, now = 0, 3600.0
    while allowance.ready_at(now) <= now:
        allowance.spend(1500)
        sent += 1500
    assert sent <= 0.02 * 100_000 + 2 * 1500


# Control messages


def sent_until_control(network: Network, flow: Flow) -> float:
    """Seconds until a control message that is written now has left."""
    began = network.now
    flow.sender.write(0, 51, b"now", urgent=True)
    while flow.sender.urgent_queued or flow.sender._next_is_control():
        network.run(network.now + 0.001)
    return network.now - began


@pytest.mark.parametrize("viewers", [1, 20])
def test_a_control_message_waits_for_no_limit(viewers: int) -> None:
    limit = RateLimit(10_000)
    network = Network(LOSSY, LINK)
    flows = [network.add(100_000_000, limits=[limit]) for _ in range(viewers)]
    network.run(20)
    assert flows[0].sender.buffered % 65536, "a data message has begun and must be finished first"
    assert sent_until_control(network, flows[0]) < 0.2


def test_what_a_control_message_took_too_much_is_paid_back() -> None:
    limit = RateLimit(50_000)
    network = Network(LINK, LINK)
    flow = network.add(100_000_000, limits=[limit])
    network.run(2)
    begun, before = network.now, network.forward.carried
    sent_until_control(network, flow)
    assert network.forward.carried - before > 2 * 50_000 * (network.now - begun), "it went on credit"
    network.run(begun + 10)
    assert (network.forward.carried - before) / 10 == pytest.approx(50_000, rel=0.03)


def test_a_lost_control_message_is_sent_again_before_data_and_limits() -> None:
    limit = RateLimit(2_000)
    sender = Sender(1000, now=0.0, window=1_000_000, rtt_hint=0.05, limits=[limit])
    for _ in range(3):
        sender.write(1, 53, bytes(1160))
    assert [sender.poll(0.0) is None for _ in range(3)] == [False, False, True]
    for word in (b"now", b"then"):
        sender.write(0, 51, word, urgent=True)
        assert sender.poll(0.01) is not None
    sender.on_sack(0.06, 999, 1_000_000, [(4, 4)])
    now = 0.06
    while (chunk := sender.poll(now)) is None and now < 1:
        now += 0.001
        sender.on_timer(now)
    assert chunk is not None
    assert int.from_bytes(chunk[4:8], "big") == 1002
    assert now < 0.15
