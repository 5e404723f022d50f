"""Upload limits, shared fairly by everybody who sends under them (pure, time as an argument).

One ``RateLimit`` may stand for a share or for the whole engine. Each sender
draws quanta from it through an ``Allowance`` of its own, one at a time and in
the order of asking, so nobody is served twice while another one waits, and a
sender that has nothing to send holds nobody up for longer than a quantum.
"""

from __future__ import annotations

QUANTUM_S = 0.005
MIN_QUANTUM = 1500
MAX_QUANTUM = 64 * 1024
SLACK_S = 0.02
"""What was not used for so long is not made up for."""


class RateLimit:
    """So many bytes a second, headers included; 0 is no limit. `rate` may be changed at any time."""

    def __init__(self, rate: float = 0) -> None:
        self.rate = rate
        self._free_at = 0.0

    def reserve(self, now: float) -> tuple[float, int]:
        """The next quantum: when it may be sent, and its bytes."""
        quantum = int(min(max(self.rate * QUANTUM_S, MIN_QUANTUM), MAX_QUANTUM))
        start = max(self._free_at, now - SLACK_S)
        self._free_at = start + quantum / self.rate
        return start, quantum


class Allowance:
    """What one sender may send under one limit."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._left = 0
        self._from = 0.0

    def ready_at(self, now: float) -> float:
        """When the next chunk may leave; `now` or earlier: at once. Asks for a quantum, so ask only to send."""
        if not self._limit.rate:
            return now
        if self._left <= 0:
            debt = self._left
            self._from, self._left = self._limit.reserve(now)
            self._left += debt
        return self._from

    def spend(self, size: int) -> None:
        """A chunk of `size` bytes leaves."""
        if self._limit.rate:
            self._left -= size
