"""The sender on a simulated link: no socket, no clock, no sleep."""

from __future__ import annotations

import itertools

import pytest

from seedshot_desktop.seed.transport.inbound import TSN_MODULO, ViolationError
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD
from seedshot_desktop.seed.transport.loss_timer import GIVE_UP_S
from seedshot_desktop.seed.transport.round_trip import RTO_MAX_S
from seedshot_desktop.seed.transport.sender import MAX_SPAN, Sender
from tests.netlab.link import LinkOptions
from tests.netlab.simulation import MBIT, ROWS, Flow, Network, Receiver

CLEAN = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=500_000)


def transfer(options: LinkOptions, size: int, seed: int = 1, until: float = 60.0) -> tuple[Network, Flow, float]:
    """One transfer over a link; returns the seconds that it took."""
    network = Network(options, options, seed)
    flow = network.add(size)
    network.run(until)
    assert flow.finished is not None, "the transfer did not finish"
    return network, flow, flow.finished


def make_sender(size: int = 100_000, window: int = 1_000_000, first: int = 1000) -> Sender:
    sender = Sender(first, now=0.0, window=window, rtt_hint=0.05)
    sender.write(1, 53, bytes(size))
    return sender


def drain(sender: Sender, now: float) -> list[bytes]:
    """Everything that may be sent at `now`, taking no notice of the pace."""
    chunks: list[bytes] = []
    for tick in itertools.count():
        chunk = sender.poll(now + tick * 1e-4)
        if chunk is None and tick > 300:
            return chunks
        if chunk is not None:
            chunks.append(chunk)
    raise AssertionError


# The links, as simulated; the benchmark measures them for real.


@pytest.mark.parametrize(
    ("row", "least_mbit"), [(0, 36), (1, 72), (2, 60), (3, 13)], ids=["lossy", "fast", "shallow queue", "far"]
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_links_of_the_benchmark(row: int, least_mbit: float, seed: int) -> None:
    _, size, options = ROWS[row]
    _, _, seconds = transfer(options, size, seed)
    assert size * 8 / seconds / MBIT >= least_mbit


def test_a_picture_of_one_megabyte_in_under_300_ms() -> None:
    _, _, seconds = transfer(CLEAN, 1_000_000)
    assert seconds <= 0.27


def test_a_picture_after_some_talk_starts_no_slower() -> None:
    network = Network(CLEAN, CLEAN)
    flow = network.add(1_000_000)
    flow.begins = 0.1
    sender = flow.sender
    sender.write(0, 51, b"manifest", urgent=True)
    chunk = sender.poll(0.0)
    assert chunk is not None
    flow.receiver.receive(0.025, chunk)
    sender.on_sack(0.05, *flow.receiver.sack())
    network.now = 0.1
    network.run(10)
    assert flow.finished is not None
    assert flow.finished - 0.1 <= 0.27


def test_alone_on_a_link_the_queue_stays_short() -> None:
    options = LinkOptions(delay_s=0.025, rate=20 * MBIT, queue=1_000_000)
    network = Network(options, options)
    network.add(20_000_000)
    queued = []
    for tenth in range(1, 60):
        network.run(tenth / 10)
        queued.append(network.forward.queued(network.now) * 8 / options.rate)
    assert sorted(queued)[len(queued) // 2] < 0.030


@pytest.mark.parametrize("loss", [0.02, 0.05, 0.10])
def test_heavy_loss_slows_but_never_stops(loss: float) -> None:
    options = LinkOptions(delay_s=0.025, rate=20 * MBIT, queue=250_000, loss=loss)
    _, flow, _ = transfer(options, 3_000_000, until=30)
    assert flow.sender.timeouts <= 3


def test_reordering_is_not_taken_for_loss() -> None:
    options = LinkOptions(delay_s=0.025, rate=20 * MBIT, queue=250_000, reorder=0.05)
    _, flow, seconds = transfer(options, 3_000_000)
    assert flow.receiver.duplicates < 60
    assert seconds < 2.0


def test_jitter_is_not_taken_for_a_full_link() -> None:
    options = LinkOptions(delay_s=0.020, jitter_s=0.010, rate=50 * MBIT, queue=500_000)
    _, _, seconds = transfer(options, 10_000_000)
    assert 10 * 8 / seconds >= 30


# Loss, step by step


def test_the_loss_of_a_retransmission_is_seen_without_the_timer() -> None:
    sender = make_sender(2_000_000)
    receiver = Receiver(1000)
    lost, now, sent_target, last_sent = 3, 0.0, 0, 0.0
    arrivals: list[tuple[float, bytes]] = []
    while now < 0.5:
        sender.on_timer(now)
        while (chunk := sender.poll(now)) is not None:
            if int.from_bytes(chunk[4:8], "big") == 1005:
                sent_target, last_sent = sent_target + 1, now
                if sent_target <= lost:
                    continue
            arrivals.append((now + 0.05, chunk))
        while arrivals and arrivals[0][0] <= now:
            receiver.receive(now, arrivals.pop(0)[1])
            sender.on_sack(now, *receiver.sack())
        now += 0.001
    assert sent_target == lost + 1
    assert sender.timeouts == 0
    assert last_sent < 0.25, "each loss should cost little more than one round trip"


def test_what_goes_twice_with_the_cookie_says_nothing_of_the_round_trip() -> None:
    """The packet was lost, and came again when the handshake's timer ran out."""
    sender = Sender(1000, now=0.0, window=1_000_000, rtt_hint=0.05)
    sender.write(0, 51, b"manifest", urgent=True)
    receiver = Receiver(1000)
    chunk = sender.poll(0.0)
    assert chunk is not None
    in_flight, timeout_s = sender.in_flight, sender.timeout_s
    sender.repeated(0.9)
    assert sender.in_flight == in_flight
    receiver.receive(0.925, chunk)
    sender.on_sack(0.95, *receiver.sack())
    assert sender.in_flight == 0
    assert sender.timeout_s == timeout_s


def test_what_went_with_the_cookie_and_its_wait_are_no_part_of_the_first_train() -> None:
    """Else the first train is cut in two, or seems to have taken a round trip more, and the start is slow."""
    sender = Sender(1000, now=0.0, window=1_000_000, rtt_hint=0.05)
    sender.write(0, 51, b"manifest", urgent=True)
    receiver = Receiver(1000)
    early = sender.poll(0.0)
    assert early is not None
    sender.set_free(0.05)
    sender.write(1, 53, bytes(60_000), urgent=False)
    train = drain(sender, 0.05)
    receiver.receive(0.051, early)
    sender.on_sack(0.051, *receiver.sack())
    for step in range(1, 20):
        train += drain(sender, 0.051 + step * 0.002)
    assert len(train) >= 30
    left = [(sent.delivered, sent.delivered_at) for sent in sender._board]
    assert {delivered for delivered, _ in left} == {0}, "one row"
    assert min(at for _, at in left) == 0.05, "the wait is nobody's rate"


def test_a_lost_tail_is_probed_for() -> None:
    sender = make_sender(2_000)
    assert len(drain(sender, 0.0)) == 2
    deadline = sender.deadline(0.1)
    assert deadline is not None
    assert deadline <= 0.2, "a tail waits for two round trips, not for the retransmission timer"
    sender.on_timer(deadline)
    probe = sender.poll(deadline)
    assert probe is not None
    assert probe[1] & 0x08, "a probe asks for a SACK at once"
    sender.on_sack(deadline + 0.05, 1001, 1_000_000, [])
    assert sender.idle


def test_the_retransmission_timer_backs_off_and_comes_to_an_end() -> None:
    sender = make_sender(10_000)
    drain(sender, 0.0)
    times = []
    now = 0.1
    while not sender.dead:
        deadline = sender.deadline(now)
        assert deadline is not None
        now = max(deadline, now)
        before = sender.timeouts
        sender.on_timer(now)
        if sender.timeouts > before:
            times.append(now)
        while sender.poll(now) is not None:
            pass
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[1] > 1.5 * gaps[0]
    assert max(gaps) <= RTO_MAX_S + 0.1
    assert GIVE_UP_S <= now <= GIVE_UP_S + 9
    assert sender.poll(now) is None
    assert sender.deadline(now) is None


def test_an_idle_connection_is_not_taken_for_dead() -> None:
    sender = make_sender(1000)
    drain(sender, 0.0)
    sender.on_sack(0.05, 1000, 1_000_000, [])
    assert sender.deadline(1.0) is None
    sender.write(1, 53, bytes(1000))
    assert sender.poll(1000.0) is not None
    deadline = sender.deadline(1000.0)
    assert deadline is not None
    sender.on_timer(deadline)
    assert not sender.dead
    assert sender.poll(deadline) is not None


def test_an_outage_of_three_seconds_is_survived() -> None:
    network = Network(CLEAN, CLEAN)
    flow = network.add(5_000_000)
    network.run(0.3)
    network.forward.options = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=0)
    network.run(3.3)
    network.forward.options = CLEAN
    network.run(20)
    assert flow.finished is not None
    assert flow.finished < 9


# What a peer says


def test_the_peers_window_is_honoured() -> None:
    sender = make_sender(200_000, window=20_000)
    assert sum(len(chunk) - 16 for chunk in drain(sender, 0.0)) <= 20_000
    sender.on_sack(0.05, 1000, 0, [])
    assert drain(sender, 0.06) == []


def test_a_closed_window_is_probed_with_one_chunk() -> None:
    sender = make_sender(200_000, window=0)
    assert len(drain(sender, 0.0)) == 1


@pytest.mark.parametrize(
    ("cumulative", "gaps"),
    [
        (1010, []),
        (1003, [(1, 2)]),
        (1003, [(5, 4)]),
        (1003, [(2, 3), (3, 4)]),
        (1003, [(2, 65535)]),
    ],
)
def test_a_sack_that_lies_is_refused(cumulative: int, gaps: list[tuple[int, int]]) -> None:
    sender = make_sender(11_600)
    assert len(drain(sender, 0.0)) == 10
    sender.on_sack(0.05, 1003, 1_000_000, [(2, 3)])
    with pytest.raises(ViolationError):
        sender.on_sack(0.06, cumulative, 1_000_000, gaps)


def test_an_old_sack_changes_nothing() -> None:
    sender = make_sender(11_600)
    drain(sender, 0.0)
    sender.on_sack(0.05, 1005, 1_000_000, [])
    flight = sender.in_flight
    sender.on_sack(0.06, 1003, 0, [])
    sender.on_sack(0.06, 1005 - 2**31, 0, [])
    assert sender.in_flight == flight


def test_what_a_receiver_forgets_is_sent_again_when_the_timer_runs_out() -> None:
    sender = make_sender(11_600)
    drain(sender, 0.0)
    sender.on_sack(0.05, 1000, 1_000_000, [(2, 9)])
    sender.on_timer(0.1)
    assert {int.from_bytes(chunk[4:8], "big") for chunk in drain(sender, 0.1)} == {1001}
    sender.on_sack(0.25, 1004, 1_000_000, [])
    again: set[int] = set()
    now = 0.25
    while now < 2 and not sender.idle:
        sender.on_timer(now)
        sent = {int.from_bytes(chunk[4:8], "big") for chunk in drain(sender, now)}
        now += 0.05
        again |= sent
        if sent:
            sender.on_sack(now, max(again), 1_000_000, [])
    assert again == set(range(1005, 1010))


def test_tsns_and_sequence_numbers_wrap() -> None:
    sender = Sender(2**32 - 2, now=0.0, window=1_000_000, rtt_hint=0.05)
    for _ in range(4):
        sender.write(1, 53, b"x")
    tsns = [int.from_bytes(chunk[4:8], "big") for chunk in drain(sender, 0.0)]
    assert tsns == [2**32 - 2, 2**32 - 1, 0, 1]
    sender.on_sack(0.05, 0, 1_000_000, [])
    sender.on_sack(0.06, 1, 1_000_000, [])
    assert sender.idle


# Messages


def test_messages_are_cut_and_marked() -> None:
    sender = Sender(1, now=0.0, window=1_000_000, rtt_hint=0.05)
    sender.write(1, 53, bytes(1160 * 2 + 1))
    chunks = drain(sender, 0.0)
    assert [chunk[1] & 0x03 for chunk in chunks] == [0x02, 0x00, 0x01]
    assert [int.from_bytes(chunk[2:4], "big") - 16 for chunk in chunks] == [1160, 1160, 1]
    assert all(len(chunk) % 4 == 0 for chunk in chunks)


def test_an_urgent_message_waits_for_one_message_at_most() -> None:
    sender = Sender(1, now=0.0, window=1_000_000, rtt_hint=0.05)
    for _ in range(3):
        sender.write(1, 53, bytes(5000))
    assert sender.poll(0.0) is not None
    sender.write(0, 51, b"now", urgent=True)
    streams = [int.from_bytes(chunk[8:10], "big") for chunk in drain(sender, 0.0)]
    assert streams.index(0) == 4


def test_a_frozen_stream_sends_nothing_more_not_even_what_was_lost() -> None:
    sender = make_sender(100_000)
    drain(sender, 0.0)
    sender.on_sack(0.05, 1000, 1_000_000, [(5, 8)])
    sender.freeze(1)
    sender.write(0, 51, b"ended", urgent=True)
    chunks = []
    now = 0.06
    while now < 1.0:
        sender.on_timer(now)
        while (chunk := sender.poll(now)) is not None:
            chunks.append(chunk)
        now += 0.01
    assert {int.from_bytes(chunk[8:10], "big") for chunk in chunks} == {0}
    assert not sender.idle
    tsn = int.from_bytes(chunks[0][4:8], "big")
    sender.on_sack(1.0, 1000, 1_000_000, [(5, 8), (tsn - 1000, tsn - 1000)])
    assert sender.idle


def test_what_is_kept_is_bounded_by_the_window() -> None:
    sender = make_sender(50_000_000, window=5_000_000)
    drain(sender, 0.0)
    assert sender.in_flight <= sender.window + 1400
    assert len(sender._board) <= 40


def test_a_viewer_that_never_acknowledges_one_chunk_bounds_what_is_kept() -> None:
    sender = make_sender(20_000_000, window=1_000_000, first=1000)
    now, sent = 0.0, 0
    while now < 30.0 and not sender.dead:
        now += 0.01
        sent += len(drain(sender, now))
        newest = sent - sender.retransmitted
        sender.on_sack(now, 999, 1_000_000, [(2, newest)] if newest > 1 else [], 0)
        sender.on_timer(now)
        assert len(sender._board) <= MAX_SPAN + 1
    assert len(sender._board) > MAX_SPAN / 2, "the bound was never near"


# A busy machine


@pytest.mark.parametrize(("row", "least_mbit"), [(0, 24), (1, 55), (2, 40), (3, 9)])
def test_a_process_that_sleeps_half_of_the_time_still_fills_most_of_the_link(row: int, least_mbit: float) -> None:
    _, size, options = ROWS[row]
    network = Network(options, options, naps=(0.005, 0.005))
    flow = network.add(size)
    network.run(30)
    assert flow.finished is not None
    assert size * 8 / flow.finished / MBIT >= least_mbit
    assert flow.sender.timeouts == 0


def test_large_chunks_that_arrive_together_with_small_ones_are_not_taken_for_stuck() -> None:
    sender = Sender(1000, now=0.0, window=10**7, rtt_hint=0.05, payload=1404)
    now = 0.0

    def turn(size: int) -> None:
        nonlocal now
        sender.write(1, 53, bytes(size))
        drain(sender, now)
        now += 0.05
        sender.on_timer(now)

    def outstanding() -> int:
        return sender._board.span

    def acknowledge_all() -> None:
        sender.on_sack(now, (sender._board.next_tsn - 1) % TSN_MODULO, 10**7, [])

    for _ in range(30):
        turn(1404 * 60)
        acknowledge_all()
    while outstanding() or sender.buffered:
        turn(1)
        acknowledge_all()
    turn(1404 * 17 + 100)
    last = outstanding()
    sender.on_sack(now, sender._board.cumulative % TSN_MODULO, 10**7, [(last, last)])
    now += 0.05
    sender.on_timer(now)
    assert sender.large_losses.count == 17
    sender.payload = BASE_PAYLOAD
    sender.retry_large(now)
    for _ in range(80):
        turn(1160 * 4)
        acknowledge_all()
    assert not sender.dead
