"""Senders that probe, on simulated links that carry large packets, do not, or stop to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD
from seedshot_desktop.seed.transport.loss_timer import STUCK_S
from seedshot_desktop.seed.transport.path_mtu import (
    CONFIRM_S,
    LEAST_ACKNOWLEDGED,
    PATIENCE_S,
    ROUNDS,
    payload_of,
)
from tests.netlab.link import LinkOptions
from tests.netlab.narrow import ProbedNetwork, SimulatedPath
from tests.netlab.simulation import MBIT

CLEAN = LinkOptions(delay_s=0.025, rate=50 * MBIT, queue=500_000)
SIZE = 10_000_000
ETHERNET = payload_of(1500, 20)


def transfer(
    options: LinkOptions, path: SimulatedPath | None = None, *, size: int = SIZE, seed: int = 1, until: float = 60.0
) -> tuple[ProbedNetwork, float]:
    """One transfer, and the seconds that it took."""
    network = ProbedNetwork(options, path, seed)
    flow = network.add(size)
    network.run(until)
    assert flow.finished is not None, "the transfer did not finish"
    return network, flow.finished


@pytest.mark.parametrize("mtu", [0, 1500, 1492, 1420, 1400, 1280])
def test_the_best_of_the_usual_sizes_is_found_and_costs_next_to_nothing(mtu: int) -> None:
    network, seconds = transfer(replace(CLEAN, mtu=mtu))
    carried = payload_of(min(mtu or 1500, 1500), 20)
    assert network.sender.payload == (carried if mtu != 1280 else BASE_PAYLOAD)
    assert network.sender.retransmitted <= 20, "a probe that is lost is no loss of data"
    assert seconds <= 1.05 * transfer(CLEAN, SimulatedPath(can_probe=False))[1]
    assert len(network.probes) <= 8


def test_a_picture_pays_for_one_probe_at_most() -> None:
    network, _ = transfer(CLEAN, size=LEAST_ACKNOWLEDGED * BASE_PAYLOAD)
    assert network.probes == []
    network, _ = transfer(replace(CLEAN, mtu=1280), size=1_000_000)
    assert len(network.probes) == 1


def test_an_interface_that_is_narrow_itself_is_found_at_once() -> None:
    network, _ = transfer(CLEAN, SimulatedPath(interface=1420))
    assert [probe[1] for probe in network.probes] == [payload_of(1420, 20)]
    assert network.sender.payload == payload_of(1420, 20)


def test_a_relay_or_another_system_is_never_probed() -> None:
    network, _ = transfer(CLEAN, SimulatedPath(can_probe=False))
    assert (network.probes, network.sender.payload) == ([], BASE_PAYLOAD)


@pytest.mark.parametrize("loss", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_loss_is_not_taken_for_a_narrow_path(loss: float, seed: int) -> None:
    network, _ = transfer(replace(CLEAN, loss=loss), seed=seed)
    assert network.sender.payload == ETHERNET
    assert ETHERNET == network.sender.payload == network.sizes[-1][1]
    assert len(network.sizes) == 2, "it was never lowered"
    assert len([probe for probe in network.probes if not probe[2]]) <= 4, "next to nothing was asked for"


@pytest.mark.parametrize("queue", [20_000, 60_000])
def test_overflowing_queues_are_not_taken_for_a_narrow_path(queue: int) -> None:
    network, _ = transfer(replace(CLEAN, queue=queue))
    assert network.forward.dropped > 10
    assert network.sender.payload == ETHERNET
    assert ETHERNET == network.sender.payload == network.sizes[-1][1]
    assert len(network.sizes) == 2, "it was never lowered"


@pytest.mark.parametrize("outage_s", [0.2, 0.6, 3.0])
def test_an_outage_is_not_taken_for_a_narrow_path(outage_s: float) -> None:
    network = ProbedNetwork(CLEAN)
    flow = network.add(SIZE)
    network.run(0.6)
    network.forward.options = replace(CLEAN, queue=0)
    network.run(0.6 + outage_s)
    network.forward.options = CLEAN
    network.run(20)
    assert flow.finished is not None
    assert flow.sender.payload == ETHERNET
    assert ETHERNET == network.sender.payload == network.sizes[-1][1]
    assert len(network.sizes) == 2, "it was never lowered"


@pytest.mark.parametrize("narrows_to", [1492, 1420, 1300])
@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_a_path_that_becomes_narrow_without_a_word_costs_nothing_where_routers_fragment(
    narrows_to: int, loss: float
) -> None:
    narrowing = replace(CLEAN, loss=loss, mtu=1500, narrows_after=3_000_000, narrows_to=narrows_to)
    network, seconds = transfer(narrowing)
    _, undisturbed = transfer(replace(CLEAN, loss=loss))
    assert seconds <= 1.05 * undisturbed
    assert not network.sender.dead


@pytest.mark.parametrize("narrows_to", [1420, 1300])
def test_data_that_has_to_be_fragmented_becomes_smaller_within_seconds(narrows_to: int) -> None:
    narrowing = replace(CLEAN, mtu=1500, narrows_after=6_000_000, narrows_to=narrows_to)
    network, _ = transfer(narrowing, size=75_000_000)
    fell_at = next(at for at, size in network.sizes if at > 1 and size == BASE_PAYLOAD)
    assert fell_at <= 1 + CONFIRM_S + ROUNDS * PATIENCE_S
    assert network.sender.payload == (payload_of(narrows_to, 20) if narrows_to > 1300 else BASE_PAYLOAD)
    assert network.sender.timeouts == 0


@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_what_was_found_is_confirmed_now_and_then_and_stays(loss: float) -> None:
    network, _ = transfer(replace(CLEAN, mtu=1500, loss=loss), size=75_000_000)
    assert network.sender.payload == ETHERNET
    assert 2 <= len(network.probes) <= 8


@pytest.mark.parametrize("narrows_to", [1460, 1420, 1300])
@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_where_nobody_fragments_nor_says_a_word_the_connection_ends_at_once_and_the_page_makes_another(
    narrows_to: int, loss: float
) -> None:
    narrowing = replace(CLEAN, loss=loss, mtu=1500, narrows_after=3_000_000, narrows_to=narrows_to)
    assert dies_after(ProbedNetwork(narrowing, SimulatedPath(is_v6=True)), SIZE) <= 0.7


def test_the_end_of_a_transfer_may_be_what_does_not_pass() -> None:
    narrowing = replace(CLEAN, mtu=1500, narrows_after=1_990_000, narrows_to=1400)
    assert dies_after(ProbedNetwork(narrowing, SimulatedPath(is_v6=True)), 2_000_000) <= 1.0


def test_where_even_fragments_vanish_the_connection_ends_soon() -> None:
    narrowing = replace(CLEAN, mtu=1500, narrows_after=3_000_000, narrows_to=1400)
    assert dies_after(ProbedNetwork(narrowing, SimulatedPath(carries_fragments=False)), SIZE) <= STUCK_S + 0.7


def test_where_fragments_vanish_for_a_moment_the_connection_lives_on() -> None:
    network = ProbedNetwork(replace(CLEAN, mtu=1500), SimulatedPath(carries_fragments=False))
    flow = network.add(SIZE)
    network.run(0.6)
    network.forward.options = replace(CLEAN, mtu=1400)
    while flow.sender.payload == ETHERNET:
        network.run(network.now + 0.01)
    network.run(network.now + STUCK_S / 4)
    network.forward.options = replace(CLEAN, mtu=1500)
    network.run(30)
    assert flow.finished is not None
    assert not flow.sender.dead


def dies_after(network: ProbedNetwork, size: int) -> float:
    """Seconds from the first large packet that vanishes to the end of the connection."""
    flow = network.add(size)
    narrow_at = None
    while network.now < 30 and not flow.sender.dead:
        network.run(network.now + 0.01)
        if narrow_at is None and network.forward.too_large:
            narrow_at = network.now
    assert flow.sender.dead
    assert narrow_at is not None
    return network.now - narrow_at


def test_a_busy_machine_is_not_taken_for_a_narrow_path() -> None:
    network = ProbedNetwork(replace(CLEAN, loss=0.01), naps=(0.005, 0.005))
    flow = network.add(SIZE)
    network.run(60)
    assert flow.finished is not None
    assert network.sender.payload == ETHERNET
    assert ETHERNET == network.sender.payload == network.sizes[-1][1]
    assert len(network.sizes) == 2, "it was never lowered"


def test_probes_have_their_place_under_a_limit() -> None:
    network = ProbedNetwork(replace(CLEAN, mtu=1280))
    network.add(2_000_000)
    before = network.sender._next_send
    network.sender.count_probe(1404, 0.0)
    assert network.sender._next_send > before
    assert network.sender.in_flight == 0
