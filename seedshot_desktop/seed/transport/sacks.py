"""What a SACK says, checked and made absolute (pure). TSNs here are counted on without wrapping."""

from __future__ import annotations

from collections.abc import Sequence

from seedshot_desktop.seed.transport.inbound import ViolationError

Block = tuple[int, int]
"""The first and the last TSN of a row that has arrived."""


def absolute(cumulative: int, gaps: Sequence[tuple[int, int]], next_tsn: int) -> list[Block]:
    """The gap blocks of a SACK, whose offsets count from `cumulative`.

    Raises ViolationError where they are not in order, or name `next_tsn` or
    anything after it, which was never sent.
    """
    if cumulative >= next_tsn:
        raise ViolationError("a SACK of what was never sent")
    blocks = []
    last = cumulative + 1
    for start, end in gaps:
        if cumulative + start <= last or end < start:
            raise ViolationError("a SACK whose blocks are not in order")
        last = cumulative + end
        blocks.append((cumulative + start, last))
    if blocks and last >= next_tsn:
        raise ViolationError("a SACK of what was never sent")
    return blocks


def difference(ours: Sequence[Block], others: Sequence[Block]) -> list[Block]:
    """The parts of `ours` that `others` do not cover; both are sorted and without overlaps."""
    left: list[Block] = []
    at = 0
    for first, end in ours:
        start = first
        while at < len(others) and others[at][1] < start:
            at += 1
        position = at
        while start <= end:
            if position >= len(others) or others[position][0] > end:
                left.append((start, end))
                break
            if others[position][0] > start:
                left.append((start, others[position][0] - 1))
            start = others[position][1] + 1
            position += 1
    return left
