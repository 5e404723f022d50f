"""Whether large packets have ceased to pass: losses that make one ask, and pairs of heartbeats that tell (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from seedshot_desktop.seed.transport.heartbeats import Probe, heartbeat
from seedshot_desktop.seed.transport.outbox import CHUNK_HEADER

BASE_PAYLOAD = 1160
"""User bytes of a chunk that every path carries: with all headers, 1273 bytes over IPv6."""
LARGE_CHUNK = BASE_PAYLOAD + CHUNK_HEADER
"""Chunks of more bytes than this were cut for a path that has been probed."""
SUSPICIOUS = 16
"""Large chunks that are lost, and none that arrives, before heartbeats are sent to see."""
PAIRS = 3
"""How often a small heartbeat must come back, and none of the large ones."""


class LargeLosses:
    """Large packets that were lost since one arrived: what a path that has become narrower shows itself by."""

    __slots__ = ("_asked_at", "alarm", "count", "passed")

    def __init__(self) -> None:
        self.count = 0
        self.alarm = False
        """Look whether they still pass; whoever has looked takes it back."""
        self.passed = False
        """One has arrived after others were lost: what was suspected before is void; whoever has seen it takes it
        back."""
        self._asked_at = 0

    def lost(self) -> None:
        """One more."""
        self.count += 1

    def timed_out(self) -> None:
        """Nothing was acknowledged for a whole RTO, and a large one is among what is missing."""
        self.count += 1
        self.alarm = True

    def arrived(self, *, is_large: bool) -> None:
        """Something has arrived that was sent after all that is known to have arrived before.

        A queue that overflows loses many large ones in a row, but what comes through next is large as well.
        """
        if is_large:
            self.count = self._asked_at = 0
            self.alarm = False
            self.passed = True
        elif self.count >= self._asked_at + SUSPICIOUS:
            self._asked_at = self.count
            self.alarm = True


class Doubt:
    """Whether large packets still pass, told by pairs of heartbeats."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self._row: deque[int] = deque()
        self._small: set[bytes] = set()
        self._large: set[bytes] = set()
        self._came_back = 0

    @property
    def due(self) -> bool:
        """Whether `poll` has something."""
        return bool(self._row)

    def raised(self, payload: int) -> None:
        """Large packets of `payload` bytes have been lost, and none has arrived."""
        if len(self._small) >= 2 * PAIRS:  # an outage: those will not be answered any more
            self._small.clear()
            self._large.clear()
        if not self._row:
            self._row.extend((payload, BASE_PAYLOAD))

    def poll(self) -> Probe | None:
        """The next heartbeat; the large one of a pair goes first."""
        if not self._row:
            return None
        payload = self._row.popleft()
        nonce = self._draw(8)
        (self._large if payload > BASE_PAYLOAD else self._small).add(nonce)
        return Probe(heartbeat(nonce, payload), payload, False)

    def answered(self, nonce: bytes, payload: int) -> bool:
        """A heartbeat came back; True: large packets of `payload` bytes do not pass."""
        if nonce in self._large:
            self.settle()
        elif nonce in self._small:
            self._small.discard(nonce)
            self._came_back += 1
            if self._came_back >= PAIRS:
                self.settle()
                return True
            self.raised(payload)
        return False

    def settle(self) -> None:
        """It is known, one way or the other."""
        self._row.clear()
        self._small.clear()
        self._large.clear()
        self._came_back = 0
