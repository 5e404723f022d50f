"""What a viewer sends, in every order, and beyond every bound."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.transport.inbound import FIRST, LAST, MAX_AHEAD, WINDOW, Fragment, Inbound, ViolationError

TEXT = 51


def fragment(data: bytes, flags: int = FIRST | LAST, stream: int = 0) -> Fragment:
    return Fragment(stream, TEXT, flags, data)


def receive(inbound: Inbound, tsn: int, item: Fragment) -> list[bytes]:
    return [message for _, _, message in inbound.receive(tsn, item)]


@pytest.mark.parametrize("first", [0, 7, 2**32 - 2])
def test_every_order_of_arrival_gives_the_same_messages(first: int) -> None:
    parts = [fragment(b"a", FIRST), fragment(b"b", 0), fragment(b"c", LAST), fragment(b"d")]
    for order in itertools.permutations(range(4)):
        inbound = Inbound(first, 100)
        messages = [m for at in order for m in receive(inbound, (first + at) % 2**32, parts[at])]
        assert messages == [b"abc", b"d"]
        assert (inbound.cumulative_tsn, inbound.gaps(), inbound.window) == ((first + 3) % 2**32, [], WINDOW)


def test_gaps_are_offsets_from_the_cumulative_tsn() -> None:
    inbound = Inbound(10, 100)
    for tsn in (12, 13, 15):
        assert receive(inbound, tsn, fragment(b"x")) == []
    assert (inbound.cumulative_tsn, inbound.gaps()) == (9, [(3, 4), (6, 6)])


def test_duplicates_are_reported_and_not_delivered_twice() -> None:
    inbound = Inbound(10, 100)
    assert receive(inbound, 10, fragment(b"x")) == [b"x"]
    assert receive(inbound, 10, fragment(b"x")) == []
    receive(inbound, 12, fragment(b"z"))
    assert receive(inbound, 12, fragment(b"z")) == []
    assert inbound.duplicates == [10, 12]


def test_what_lies_beyond_the_window_is_as_good_as_lost() -> None:
    inbound = Inbound(0, WINDOW * 2)
    assert receive(inbound, MAX_AHEAD, fragment(b"x")) == []
    assert inbound.gaps() == []
    for tsn in range(1, MAX_AHEAD):
        receive(inbound, tsn, fragment(bytes(1024)))
    assert inbound.window < 1024
    held = sum(end - start + 1 for start, end in inbound.gaps())
    assert held * 1024 <= WINDOW


@pytest.mark.parametrize(
    "parts",
    [
        [fragment(b"x", stream=2)],
        [fragment(b"middle", 0)],
        [fragment(b"a", FIRST), fragment(b"b", FIRST)],
        [fragment(bytes(60), FIRST), fragment(bytes(60), LAST)],
        [fragment(b"a", FIRST), *[fragment(b"", 0)] * 64],
    ],
)
def test_a_peer_that_breaks_the_protocol(parts: list[Fragment]) -> None:
    inbound = Inbound(0, 100)
    for tsn, part in enumerate(parts[:-1]):
        receive(inbound, tsn, part)
    with pytest.raises(ViolationError):
        receive(inbound, len(parts) - 1, parts[-1])


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 3), st.binary(max_size=1200)), max_size=200))
def test_whatever_comes_what_is_held_is_bounded(items: list[tuple[int, int, bytes]]) -> None:
    inbound = Inbound(5, 16384)
    try:
        for tsn, flags, data in items:
            receive(inbound, tsn % 64 if tsn % 3 else tsn, fragment(data, flags))
            assert 0 <= inbound.window <= WINDOW
            assert len(inbound.duplicates) <= 16
    except ViolationError:
        pass  # the association would end here
