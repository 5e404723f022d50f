"""Probing for the path's MTU, step by step: what is sent, what an answer is worth, and what a hostile one is not."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import cast

import pytest

from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.heartbeats import Probe, heartbeat, nonce_of
from seedshot_desktop.seed.transport.inbound import TSN_MODULO
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD, PAIRS, SUSPICIOUS, LargeLosses
from seedshot_desktop.seed.transport.path_mtu import (
    CONFIRM_S,
    LEAST_ACKNOWLEDGED,
    LEAST_WAITING,
    NEVER,
    PATIENCE_S,
    RAISE_S,
    ROUNDS,
    PathMtu,
    payload_of,
)
from seedshot_desktop.seed.transport.probing import Prober
from seedshot_desktop.seed.transport.sender import Sender
from tests.netlab.narrow import SimulatedPath

ETHERNET, PPPOE, WIREGUARD = (payload_of(mtu, 20) for mtu in (1500, 1492, 1420))


def make_mtu(ip_header: int = 20, *, probes: bool = True) -> PathMtu:
    return PathMtu(ip_header, probes=probes)


def flowing(mtu: PathMtu, now: float) -> list[Probe]:
    """Everything that leaves at `now` while much is still to be sent."""
    found = []
    while (probe := mtu.poll(now, acknowledged=1000, waiting=200_000, patience_s=0.3)) is not None:
        found.append(probe)
    return found


def answer(probe: Probe) -> bytes:
    """The body of the HEARTBEAT ACK that an honest viewer sends."""
    return probe.chunks[4:16]


def found_ethernet() -> PathMtu:
    mtu = make_mtu()
    [probe] = flowing(mtu, 0.0)
    assert not mtu.answered(answer(probe))
    assert mtu.payload == ETHERNET
    return mtu


# Probes


@pytest.mark.parametrize(("ip_header", "mtu", "payload"), [(20, 1500, 1404), (40, 1500, 1384), (20, 1350, 1256)])
def test_a_packet_of_that_payload_fills_the_path_but_for_its_padding(ip_header: int, mtu: int, payload: int) -> None:
    assert payload_of(mtu, ip_header) == payload
    whole = ip_header + 8 + 37 + 12 + 16 + payload
    assert mtu - 3 <= whole <= mtu


def test_what_data_begins_with_is_carried_by_every_path() -> None:
    assert BASE_PAYLOAD + 16 + 12 + 37 + 8 + 40 <= 1280


def test_a_probe_is_a_heartbeat_and_its_padding_and_as_long_as_data() -> None:
    chunks = heartbeat(b"12345678", 1404)
    assert chunks[:16] == b"\x04\x00\x00\x10\x00\x01\x00\x0c12345678"
    assert struct.unpack("!BBH", chunks[16:20]) == (0x84, 0, 1404)
    assert len(chunks) == 16 + 1404
    assert nonce_of(chunks[4:16]) == b"12345678"


def test_a_short_transfer_is_never_probed_for() -> None:
    mtu = make_mtu()
    assert mtu.poll(0.0, acknowledged=LEAST_ACKNOWLEDGED - 1, waiting=10**9, patience_s=0.3) is None
    assert mtu.poll(0.0, acknowledged=10**6, waiting=LEAST_WAITING - 1, patience_s=0.3) is None
    assert mtu.poll(0.0, acknowledged=LEAST_ACKNOWLEDGED, waiting=LEAST_WAITING, patience_s=0.3) is not None


def test_the_largest_goes_first_and_alone_and_its_answer_ends_the_search() -> None:
    mtu = make_mtu()
    [probe] = flowing(mtu, 0.0)
    assert (probe.payload, probe.whole) == (ETHERNET, True)
    assert mtu.payload == BASE_PAYLOAD
    mtu.answered(answer(probe))
    assert mtu.payload == ETHERNET
    assert flowing(mtu, 0.1) == []
    assert mtu.due == pytest.approx(0.1 + CONFIRM_S)


def test_without_an_answer_all_sizes_go_in_one_row_and_the_best_is_taken() -> None:
    mtu = make_mtu()
    flowing(mtu, 0.0)
    assert flowing(mtu, PATIENCE_S - 0.01) == []
    row = flowing(mtu, PATIENCE_S)
    sizes = [probe.payload for probe in row]
    assert sizes[:2] == [ETHERNET, PPPOE]
    assert sizes == sorted(sizes, reverse=True)
    for probe in reversed(row):
        if probe.payload <= WIREGUARD:
            mtu.answered(answer(probe))
    assert mtu.payload == WIREGUARD
    again = flowing(mtu, 2 * PATIENCE_S)
    assert min(probe.payload for probe in again) > WIREGUARD, "a lost probe is no proof: once more, above what passes"


def test_a_path_that_answers_nothing_is_left_alone_after_a_few_tries() -> None:
    mtu = make_mtu()
    sent = [probe for second in range(60) for probe in flowing(mtu, float(second))]
    assert sum(probe.payload == ETHERNET for probe in sent) == ROUNDS
    assert len(sent) < 16
    assert mtu.payload == BASE_PAYLOAD
    assert RAISE_S <= mtu.due <= RAISE_S + ROUNDS + 1
    [probe] = flowing(mtu, mtu.due)
    assert probe.payload == ETHERNET, "perhaps it is another path by now"


def test_a_slow_answer_is_waited_for() -> None:
    mtu = make_mtu()
    mtu.poll(0.0, acknowledged=1000, waiting=200_000, patience_s=3.0)
    assert flowing(mtu, 2.9) == []
    assert flowing(mtu, 3.0) != []


def test_what_this_machine_does_not_send_is_not_waited_for() -> None:
    mtu = make_mtu()
    sizes = []
    while True:
        probe = mtu.poll(0.0, acknowledged=1000, waiting=200_000, patience_s=0.3)
        assert probe is not None
        sizes.append(probe.payload)
        if probe.payload <= WIREGUARD:
            break
        mtu.refused(0.0, probe)
    assert sizes == [payload_of(size, 20) for size in (1500, 1492, 1480, 1460, 1420)]
    mtu.answered(answer(probe))
    assert mtu.payload == WIREGUARD
    assert flowing(mtu, 5.0) == []
    assert mtu.due == pytest.approx(5.0 + CONFIRM_S)


def confirming(mtu: PathMtu, now: float, acknowledged: int) -> Probe:
    """The probe that asks whether what was found still holds."""
    probe = mtu.poll(now, acknowledged=acknowledged, waiting=200_000, patience_s=0.3)
    assert probe is not None
    assert (probe.payload, probe.whole) == (ETHERNET, True)
    assert mtu.poll(now, acknowledged=acknowledged, waiting=200_000, patience_s=0.3) is None
    return probe


def test_what_was_found_is_confirmed_again_and_again() -> None:
    mtu = found_ethernet()
    assert flowing(mtu, 0.0) == []
    for time in range(1, 20):
        mtu.answered(answer(confirming(mtu, time * CONFIRM_S, 1000 * time)))
    assert mtu.payload == ETHERNET


def test_what_is_not_confirmed_while_data_flows_is_given_up_and_smaller_sizes_are_tried() -> None:
    mtu = found_ethernet()
    assert flowing(mtu, 0.0) == []
    for time in range(ROUNDS):
        confirming(mtu, CONFIRM_S + time * PATIENCE_S, 1000 + 100 * time)
        assert mtu.payload == ETHERNET
    late = CONFIRM_S + ROUNDS * PATIENCE_S
    assert mtu.poll(late, acknowledged=2000, waiting=200_000, patience_s=0.3) is None
    assert mtu.payload == BASE_PAYLOAD
    [probe] = flowing(mtu, late)
    assert probe.payload == PPPOE


def test_an_outage_confirms_nothing_and_refutes_nothing() -> None:
    mtu = found_ethernet()
    assert flowing(mtu, 0.0) == []
    for time in range(30):
        confirming(mtu, CONFIRM_S + time * PATIENCE_S, 1000)
    assert mtu.payload == ETHERNET


def test_an_interface_that_has_become_narrower_is_believed_at_once() -> None:
    mtu = found_ethernet()
    assert flowing(mtu, 0.0) == []
    mtu.refused(CONFIRM_S, confirming(mtu, CONFIRM_S, 2000))
    assert mtu.payload == BASE_PAYLOAD
    [probe] = flowing(mtu, CONFIRM_S)
    assert probe.payload == PPPOE


def test_where_nothing_may_be_probed_nothing_is() -> None:
    mtu = make_mtu(probes=False)
    assert flowing(mtu, 1e9) == []
    assert mtu.due == NEVER


# Answers that are none


def _forged(probe: Probe) -> bytes:
    return answer(probe)[:4] + bytes(8)


def _truncated(probe: Probe) -> bytes:
    return answer(probe)[:-1]


def _of_another_type(probe: Probe) -> bytes:
    return b"\x00\x02" + answer(probe)[2:]


def _of_another_length(probe: Probe) -> bytes:
    return b"\x00\x01\xff\xff" + answer(probe)[4:]


def _empty(probe: Probe) -> bytes:
    return b""


@pytest.mark.parametrize("forge", [_forged, _truncated, _of_another_type, _of_another_length, _empty])
def test_an_answer_without_the_nonce_is_worth_nothing(forge: Callable[[Probe], bytes]) -> None:
    mtu = make_mtu()
    [probe] = flowing(mtu, 0.0)
    assert not mtu.answered(forge(probe))
    assert mtu.payload == BASE_PAYLOAD


def test_an_answer_counts_once_and_for_the_size_that_was_probed() -> None:
    mtu = make_mtu()
    flowing(mtu, 0.0)
    row = flowing(mtu, PATIENCE_S)
    small = row[-1]
    longer = answer(small) + bytes(1400)
    for _ in range(5):
        assert not mtu.answered(longer)
    assert mtu.payload == small.payload


def test_an_answer_from_before_a_fall_is_worth_nothing_after_it() -> None:
    mtu = make_mtu()
    [lost] = flowing(mtu, 0.0)
    row = flowing(mtu, PATIENCE_S)
    mtu.answered(answer(row[1]))
    assert mtu.payload == PPPOE
    mtu.narrowed()
    mtu.answered(answer(lost))
    mtu.answered(answer(row[0]))
    assert mtu.payload == BASE_PAYLOAD


def test_what_is_remembered_is_bounded_however_long_nothing_is_answered() -> None:
    mtu = found_ethernet()
    for second in range(1000):
        mtu.suspect()
        flowing(mtu, float(second))
    doubt = mtu._doubt
    assert len(doubt._small) + len(doubt._large) <= 4 * PAIRS


# A path that becomes narrower


def pair(mtu: PathMtu) -> tuple[Probe, Probe]:
    large, small = flowing(mtu, 1.0)
    assert (large.payload, small.payload) == (ETHERNET, BASE_PAYLOAD)
    assert not large.whole, "it goes the way data goes"
    return large, small


def test_large_packets_are_given_up_when_only_small_heartbeats_come_back() -> None:
    mtu = found_ethernet()
    mtu.suspect()
    for _ in range(PAIRS - 1):
        _, small = pair(mtu)
        assert not mtu.answered(answer(small))
        assert mtu.payload == ETHERNET
    _, small = pair(mtu)
    assert mtu.answered(answer(small))
    assert mtu.payload == BASE_PAYLOAD
    assert mtu.largest == ETHERNET
    [probe] = flowing(mtu, 1.0)
    assert probe.payload == PPPOE, "what has just failed is not tried again"


def test_one_large_heartbeat_that_comes_back_ends_the_doubt() -> None:
    mtu = found_ethernet()
    mtu.suspect()
    for _ in range(PAIRS - 1):
        assert not mtu.answered(answer(pair(mtu)[1]))
    large, small = pair(mtu)
    assert not mtu.answered(answer(large))
    assert not mtu.answered(answer(small))
    assert flowing(mtu, 1.0) == []
    assert mtu.payload == ETHERNET


def test_an_outage_is_no_narrow_path() -> None:
    mtu = found_ethernet()
    for _ in range(50):
        mtu.suspect()
        flowing(mtu, 1.0)
    assert mtu.payload == ETHERNET
    mtu.suspect()
    large, small = pair(mtu)
    assert not mtu.answered(answer(large))
    assert not mtu.answered(answer(small))
    assert mtu.payload == ETHERNET


def test_after_an_outage_a_narrow_path_is_still_found() -> None:
    mtu = found_ethernet()
    for _ in range(50):
        mtu.suspect()
        flowing(mtu, 1.0)
    mtu.suspect()
    for _ in range(PAIRS - 1):
        assert not mtu.answered(answer(pair(mtu)[1]))
    assert mtu.answered(answer(pair(mtu)[1]))


def test_a_small_heartbeat_that_is_answered_thrice_counts_once() -> None:
    mtu = found_ethernet()
    mtu.suspect()
    _, small = pair(mtu)
    for _ in range(10):
        assert not mtu.answered(answer(small))
    assert mtu.payload == ETHERNET


def test_who_has_only_sent_small_packets_suspects_nothing() -> None:
    mtu = make_mtu(probes=False)
    mtu.suspect()
    assert flowing(mtu, 0.0) == []


def test_another_path_has_to_carry_what_was_cut_for_the_one_before() -> None:
    mtu = make_mtu(probes=False)
    mtu.follows(ETHERNET)
    assert mtu.payload == BASE_PAYLOAD
    mtu.suspect()
    assert len(flowing(mtu, 0.0)) == 2


def test_a_path_that_this_machine_knows_to_be_narrower_is_probed_below() -> None:
    mtu = found_ethernet()
    mtu.narrowed()
    assert mtu.payload == BASE_PAYLOAD
    [probe] = flowing(mtu, 1.0)
    assert probe.payload == PPPOE


def test_a_path_that_may_not_be_probed_stays_at_the_base_whatever_is_learnt() -> None:
    mtu = make_mtu(probes=False)
    mtu.narrowed()
    assert flowing(mtu, TSN_MODULO) == []
    assert mtu.payload == BASE_PAYLOAD


def test_what_overflows_a_queue_is_no_alarm_as_what_follows_is_large() -> None:
    losses = LargeLosses()
    for _ in range(100):
        losses.lost()
    losses.arrived(is_large=True)
    assert (losses.count, losses.alarm) == (0, False)


def test_large_ones_lost_and_small_ones_arriving_is_an_alarm_once_for_every_row() -> None:
    losses = LargeLosses()
    alarms = []
    for count in range(1, 2 * SUSPICIOUS + 1):
        losses.lost()
        losses.arrived(is_large=False)
        if losses.alarm:
            alarms.append(count)
            losses.alarm = False
    assert alarms == [SUSPICIOUS, 2 * SUSPICIOUS]


def test_a_timeout_is_an_alarm_by_itself() -> None:
    losses = LargeLosses()
    losses.timed_out()
    assert losses.alarm


class Wire:
    """What the prober has for DTLS; keeps the heartbeats."""

    def __init__(self) -> None:
        self.path = SimulatedPath(is_v6=True)
        self.beats: list[bytes] = []

    def transmit(self, packets: list[bytes]) -> None:
        self.beats.extend(packets)

    def transmit_whole(self, packet: bytes) -> bool:
        self.beats.append(packet)
        return True


def test_a_small_heartbeat_of_a_suspicion_that_was_void_does_not_count_in_the_next() -> None:
    wire = Wire()
    prober = Prober(cast(Dtls, wire), lambda chunks: chunks)
    sender = Sender(1, now=0.0, window=10**6)
    prober._mtu.follows(ETHERNET)
    prober.look(sender, 0.0)
    for time in range(1, 3 * PAIRS):
        sender.large_losses.timed_out()
        prober.look(sender, float(time))
        prober.answered(wire.beats[-1][4:16], sender, float(time))  # the large one was lost by chance
        sender.large_losses.arrived(is_large=True)
    assert len(wire.beats) >= 2 * PAIRS
    assert not sender.dead
