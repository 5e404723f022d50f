"""The simulated receiver, held against one that remembers every TSN by itself."""

from __future__ import annotations

import struct
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from tests.netlab.simulation import Receiver

FIRST, COUNT, MOST_BLOCKS = 1000, 60, 20


def data(tsn: int) -> bytes:
    """A DATA chunk with one byte."""
    return struct.pack("!BBHLHHL", 0, 3, 17, tsn, 1, 0, 53) + b"."


def blocks(arrived: set[int], cumulative: int) -> list[tuple[int, int]]:
    """Gap blocks as RFC 9260 wants them: offsets from the cumulative TSN."""
    ahead = sorted(tsn - cumulative for tsn in arrived if tsn > cumulative)
    runs = [[offset for _, offset in run] for _, run in groupby(enumerate(ahead), lambda item: item[1] - item[0])]
    return [(run[0], run[-1]) for run in runs]


@given(st.lists(st.integers(FIRST, FIRST + COUNT), max_size=2 * COUNT))
def test_it_acknowledges_what_has_arrived_whatever_the_order(tsns: list[int]) -> None:
    receiver, arrived, twice = Receiver(FIRST), set[int](), 0
    for tsn in tsns:
        twice += tsn in arrived
        arrived.add(tsn)
        at_once = receiver.receive(0.0, data(tsn))
        cumulative = next(tsn for tsn in range(FIRST - 1, FIRST + COUNT + 1) if tsn + 1 not in arrived)
        gaps = blocks(arrived, cumulative)
        assert at_once or not gaps, "a gap is told at once"
        assert receiver.sack()[:3] == (cumulative, receiver.window, gaps[:MOST_BLOCKS])
    assert receiver.bytes == len(arrived)
    assert receiver.duplicates == twice
