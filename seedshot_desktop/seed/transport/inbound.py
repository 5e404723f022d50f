"""What a viewer sends, put together in order and within bounds (pure).

A viewer sends nothing but short control messages, so a few kilobytes of
window are plenty. Everything beyond is a broken or a hostile peer: the
reassembly raises, and the association ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

TSN_MODULO = 2**32
WINDOW = 128 * 1024
"""Bytes that we advertise as our receive window."""
MAX_AHEAD = 1024
"""How far a TSN may be ahead of the first missing one."""
MAX_STREAMS = 2

FIRST = 0x02
LAST = 0x01


class ViolationError(Exception):
    """The peer broke the protocol or its bounds; the text is for a log and holds nothing of the peer's."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One DATA chunk (RFC 9260, section 3.3.1)."""

    stream: int
    protocol: int
    flags: int
    data: bytes


class Inbound:
    """Orders fragments by TSN and joins them into messages.

    Every message of our channels is ordered and reliable, so TSN order is
    delivery order on each stream, and one pass over consecutive TSNs is all.
    """

    def __init__(self, first_tsn: int, max_message: int) -> None:
        self.cumulative_tsn = (first_tsn - 1) % TSN_MODULO
        self._max_message = max_message
        self._ahead: dict[int, Fragment] = {}
        self._ahead_bytes = 0
        self._partial: dict[int, list[bytes]] = {}
        self._partial_bytes = 0
        self.duplicates: list[int] = []

    @property
    def window(self) -> int:
        """Bytes that may still come: what a SACK advertises."""
        return max(0, WINDOW - self._ahead_bytes - self._partial_bytes)

    def receive(self, tsn: int, fragment: Fragment) -> Iterator[tuple[int, int, bytes]]:
        """Take one fragment; yields (stream, protocol, message) for all that is whole now.

        Raises ViolationError when a bound is passed.
        """
        distance = (tsn - self.cumulative_tsn) % TSN_MODULO
        if distance == 0 or distance >= TSN_MODULO // 2 or tsn in self._ahead:
            if len(self.duplicates) < 16:
                self.duplicates.append(tsn)
            return
        if fragment.stream >= MAX_STREAMS:
            raise ViolationError("data on a stream that was not agreed on")
        if distance > MAX_AHEAD or len(fragment.data) > self.window:
            return  # beyond the window that was advertised: as if it had been lost
        self._ahead[tsn] = fragment
        self._ahead_bytes += len(fragment.data)
        yield from self._advance()

    def gaps(self) -> list[tuple[int, int]]:
        """The gap-ack blocks of a SACK: offsets from the cumulative TSN, both ends included."""
        blocks: list[tuple[int, int]] = []
        for offset in sorted((tsn - self.cumulative_tsn) % TSN_MODULO for tsn in self._ahead):
            if blocks and blocks[-1][1] == offset - 1:
                blocks[-1] = (blocks[-1][0], offset)
            else:
                blocks.append((offset, offset))
        return blocks[:128]

    def _advance(self) -> Iterator[tuple[int, int, bytes]]:
        while (fragment := self._ahead.pop((self.cumulative_tsn + 1) % TSN_MODULO, None)) is not None:
            self.cumulative_tsn = (self.cumulative_tsn + 1) % TSN_MODULO
            self._ahead_bytes -= len(fragment.data)
            message = self._join(fragment)
            if message is not None:
                yield fragment.stream, fragment.protocol, message

    def _join(self, fragment: Fragment) -> bytes | None:
        parts = self._partial.get(fragment.stream)
        if (parts is None) != bool(fragment.flags & FIRST):
            raise ViolationError("fragments of a message out of order")
        parts = self._partial.setdefault(fragment.stream, [])
        parts.append(fragment.data)
        self._partial_bytes += len(fragment.data)
        if sum(map(len, parts)) > self._max_message or len(parts) > 64:
            raise ViolationError("a message longer than agreed on")
        if not fragment.flags & LAST:
            return None
        del self._partial[fragment.stream]
        self._partial_bytes -= sum(map(len, parts))
        return b"".join(parts)
