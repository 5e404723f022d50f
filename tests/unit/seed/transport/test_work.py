"""What an acknowledgement costs is what is new in it, however much is outstanding: lines are counted, not seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from seedshot_desktop.seed.transport import sender as sender_module
from seedshot_desktop.seed.transport.sender import Sender

FEW, MANY = 500, 4000
FIRST = 1000
WINDOW = 100_000_000
NEWS = 100
"""Chunks that are acknowledged while lines are counted."""


@pytest.mark.parametrize("step", [1, 2, 10])
def test_a_cumulative_sack_costs_what_it_acknowledges(step: int) -> None:
    def acknowledge(sender: Sender, news: int) -> None:
        sender.on_sack(0.2, FIRST - 1 + news, WINDOW, [])

    assert_equal_work(acknowledge, step)


@pytest.mark.parametrize("step", [1, 2, 10])
def test_a_gap_block_that_grows_costs_what_it_grows_by(step: int) -> None:
    """The first chunk is lost, and everything behind it is named again and again."""

    def acknowledge(sender: Sender, news: int) -> None:
        outstanding = sender._board.span
        sender.on_sack(0.2, FIRST - 1, WINDOW, [(2, outstanding - NEWS + news)])

    assert_equal_work(acknowledge, step, prepare=lambda sender: acknowledge(sender, 0))


def test_many_gap_blocks_that_are_said_again_cost_what_is_new() -> None:
    """Twelve of them, as long as there is room for: only the last one grows."""

    def acknowledge(sender: Sender, news: int) -> None:
        outstanding = sender._board.span
        length = (outstanding - NEWS) // 12
        blocks = [(2 + at * length, at * length + length) for at in range(12)]
        blocks[-1] = (blocks[-1][0], outstanding - NEWS + news)
        sender.on_sack(0.2, FIRST - 1, WINDOW, blocks)

    assert_equal_work(acknowledge, 2, prepare=lambda sender: acknowledge(sender, 0))


def assert_equal_work(
    acknowledge: Callable[[Sender, int], None], step: int, prepare: Callable[[Sender], None] = lambda _: None
) -> None:
    """`acknowledge` is called with how much of `NEWS` has arrived, `step` more each time."""
    lines = {}
    for outstanding in (FEW, MANY):
        sender = sender_with(outstanding)
        prepare(sender)

        def work(sender: Sender = sender) -> None:
            for news in range(step, NEWS + 1, step):
                acknowledge(sender, news)

        lines[outstanding] = lines_of(work) / NEWS
    assert lines[FEW] > 1, "something was counted"
    assert lines[MANY] == pytest.approx(lines[FEW], rel=0.1)


def sender_with(outstanding: int) -> Sender:
    """So many chunks are on their way; all of them left within a tenth of a second."""
    sender = Sender(FIRST, now=0.0, window=WINDOW, rtt_hint=0.2)
    sender.write(1, 53, bytes(outstanding * sender.payload))
    sender._bbr.window, sender._bbr.pacing_rate = WINDOW, 1e12
    left = 0
    while left < outstanding:
        now = 0.1 * left / outstanding
        sender._next_send = now - sender_module.BURST_S
        assert sender.poll(now) is not None
        left += 1
    assert sender._board.span == outstanding
    return sender


def lines_of(work: Callable[[], None]) -> int:
    """How many lines of the transport are executed in it."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace if "transport" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
