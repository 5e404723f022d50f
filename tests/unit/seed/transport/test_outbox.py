"""Messages in, chunks out; SACKs made absolute; round trips smoothed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.transport.inbound import ViolationError
from seedshot_desktop.seed.transport.outbox import Outbox
from seedshot_desktop.seed.transport.round_trip import RTO_MAX_S, RTO_MIN_S, RoundTrip
from seedshot_desktop.seed.transport.sacks import absolute, difference

PAYLOAD = 1160


def chunks_of(outbox: Outbox, payload: int = PAYLOAD) -> list[tuple[int, int, int, bytes]]:
    """Flags, stream, sequence number and bytes of every chunk that there is."""
    found = []
    tsn = 0
    while (message := outbox.head()) is not None:
        chunk = outbox.cut(tsn, min(payload, message.left))
        kind, flags, length, number, stream, sequence, _ = struct.unpack_from("!BBHLHHL", chunk)
        assert (kind, number, len(chunk) % 4) == (0, tsn, 0)
        found.append((flags, stream, sequence, bytes(chunk[16:length])))
        tsn += 1
    return found


@pytest.mark.parametrize("size", [1, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, 65536])
def test_a_message_is_cut_and_only_its_ends_are_marked(size: int) -> None:
    outbox = Outbox()
    data = bytes(index % 251 for index in range(size))
    outbox.write(1, 53, data, urgent=False)
    assert outbox.buffered == size
    chunks = chunks_of(outbox)
    assert b"".join(part for _, _, _, part in chunks) == data
    assert [bool(flags & 2) for flags, *_ in chunks] == [True] + [False] * (len(chunks) - 1)
    assert [bool(flags & 1) for flags, *_ in chunks] == [False] * (len(chunks) - 1) + [True]
    assert (outbox.buffered, outbox.empty) == (0, True)


def test_the_last_chunk_of_all_asks_for_an_acknowledgement_at_once() -> None:
    outbox = Outbox()
    for _ in range(2):
        outbox.write(1, 53, b"x", urgent=False)
    assert [bool(flags & 8) for flags, *_ in chunks_of(outbox)] == [False, True]


def test_sequence_numbers_are_those_of_the_stream_and_wrap() -> None:
    outbox = Outbox()
    for _ in range(65537):
        outbox.write(1, 53, b"x", urgent=False)
    outbox.write(0, 51, b"y", urgent=True)
    numbers = [(stream, sequence) for _, stream, sequence, _ in chunks_of(outbox)]
    assert numbers[0] == (0, 0)
    assert [sequence for _, sequence in numbers[1:]] == [*range(65536), 0]


def test_once_frozen_only_urgent_messages_are_taken() -> None:
    outbox = Outbox()
    outbox.write(1, 53, bytes(3000), urgent=False)
    outbox.write(1, 53, b"waits", urgent=False)
    outbox.cut(0, PAYLOAD)
    outbox.freeze(1)
    outbox.write(1, 53, b"late", urgent=False)
    outbox.write(0, 51, b"ended", urgent=True)
    assert [part for *_, part in chunks_of(outbox)] == [b"ended"]


@given(st.lists(st.booleans(), max_size=60), st.lists(st.booleans(), max_size=60))
def test_the_difference_of_blocks_is_that_of_their_sets(ours: list[bool], others: list[bool]) -> None:
    def blocks(marks: list[bool]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for tsn, marked in enumerate(marks):
            if marked and found and found[-1][1] == tsn - 1:
                found[-1] = (found[-1][0], tsn)
            elif marked:
                found.append((tsn, tsn))
        return found

    def members(rows: list[tuple[int, int]]) -> set[int]:
        return {tsn for start, end in rows for tsn in range(start, end + 1)}

    left = difference(blocks(ours), blocks(others))
    assert members(left) == members(blocks(ours)) - members(blocks(others))
    assert left == sorted(left)


def test_blocks_count_from_the_cumulative_tsn() -> None:
    assert absolute(100, [(2, 3), (5, 9)], 110) == [(102, 103), (105, 109)]


@pytest.mark.parametrize("gaps", [[(1, 1)], [(3, 2)], [(2, 4), (4, 5)], [(2, 10)]])
def test_blocks_that_cannot_be_are_refused(gaps: list[tuple[int, int]]) -> None:
    with pytest.raises(ViolationError):
        absolute(100, gaps, 110)


def test_the_first_real_sample_replaces_what_the_handshake_said() -> None:
    trip = RoundTrip(0.5)
    trip.add(0.05)
    assert trip.smoothed == 0.05
    trip.add(0.13)
    assert trip.smoothed == pytest.approx(0.06)


def test_the_timeout_has_a_floor_a_back_off_and_a_ceiling() -> None:
    assert RoundTrip(None).timeout(0) == 1.0
    trip = RoundTrip(0.01)
    assert trip.timeout(0) == RTO_MIN_S
    assert trip.timeout(1) == 2 * RTO_MIN_S
    assert trip.timeout(20) == RTO_MAX_S


def test_what_is_discarded_is_what_has_not_begun_and_is_not_urgent() -> None:
    outbox = Outbox()
    outbox.write(1, 53, b"a" * 30, urgent=False)
    outbox.cut(0, 10)
    outbox.write(1, 53, b"b" * 30, urgent=False)
    outbox.write(0, 51, b"c", urgent=True)
    outbox.discard()
    assert outbox.buffered == 20
    assert [data for _, _, _, data in chunks_of(outbox)] == [b"a" * 20, b"c"]
    outbox.discard()
    assert (outbox.buffered, outbox.empty) == (0, True)
