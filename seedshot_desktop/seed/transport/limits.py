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
    """So many bytes a second, headers included; 0 is no limit. `rate` may be changed at any time.

    Quanta are places in a row of bytes, which passes at the rate that holds
    just then: a new rate counts for those who wait already.
    """

    def __init__(self, rate: float = 0) -> None:
        self.rate = rate
        self.users: set[object] = set()
        """Whoever has something to send under it at the moment, so that each can know its share."""
        self._passed = 0.0
        self._passed_at = 0.0
        self._booked = 0.0

    @property
    def share(self) -> float:
        """Bytes a second that one of its users may expect; infinite without a limit."""
        return self.rate / max(1, len(self.users)) if self.rate else float("inf")

    def reserve(self, now: float) -> tuple[float, int]:
        """The next quantum: its place in the row, and its bytes."""
        quantum = int(min(max(self.rate * QUANTUM_S, MIN_QUANTUM), MAX_QUANTUM))
        place = max(self._booked, self._pass(now) - SLACK_S * self.rate)
        self._booked = place + quantum
        return place, quantum

    def due(self, place: float, now: float) -> float:
        """When that place may be sent, if the rate stays as it is."""
        ahead = place - self._pass(now)
        return now + ahead / self.rate if self.rate else now

    def _pass(self, now: float) -> float:
        """How far the row has passed by `now`."""
        self._passed += self.rate * max(0.0, now - self._passed_at)
        self._passed_at = max(now, self._passed_at)
        return self._passed


class Allowance:
    """What one sender may send under one limit."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._left = 0
        self._place = 0.0

    @property
    def limited(self) -> bool:
        """Whether there is a limit at present."""
        return self._limit.rate > 0

    def ready_at(self, now: float) -> float:
        """When the next chunk may leave; `now` or earlier: at once. Asks for a quantum, so ask only to send."""
        if not self._limit.rate:
            return now
        if self._left <= 0:
            debt = self._left
            self._place, self._left = self._limit.reserve(now)
            self._left += debt
        return self._limit.due(self._place, now)

    def spend(self, size: int) -> None:
        """A chunk of `size` bytes leaves, whether it was its turn or not: what is too much is owed."""
        if self._limit.rate:
            self._left -= size
