"""A TCP flow with CUBIC (RFC 9438) for simulations: somebody else's download on the same link."""

from __future__ import annotations

import itertools
from collections import OrderedDict

PACKET = 1500
C = 0.4
BETA = 0.7
TIMEOUT_S = 1.0


class CubicFlow:
    """Infinite data, one acknowledgement for each packet, losses seen after three later arrivals."""

    def __init__(self, begins: float = 0.0) -> None:
        self.begins = begins
        self.delivered = 0
        """Bytes."""
        self.wakes_at = begins
        """When `sendable` may have something to say, if no acknowledgement comes before."""
        self._window = 10.0
        self._threshold = float("inf")
        self._flight: OrderedDict[int, float] = OrderedDict()
        self._next = 0
        self._recovery_until = -1
        self._w_max = 0.0
        self._epoch_at: float | None = None
        self._k = 0.0
        self._rtt = 0.0
        self._min_rtt = float("inf")
        self._reno = 0.0

    def sendable(self, now: float) -> list[int]:
        """The packets to send now."""
        self._look_for_a_timeout(now)
        packets = []
        while now >= self.begins and len(self._flight) < int(self._window):
            self._flight[self._next] = now
            packets.append(self._next)
            self._next += 1
        self.wakes_at = next(reversed(self._flight.values())) + TIMEOUT_S if self._flight else self.begins
        return packets

    def on_ack(self, now: float, number: int) -> None:
        """Packet `number` has arrived."""
        sent_at = self._flight.pop(number, None)
        if sent_at is None:
            return
        self.wakes_at = now
        self.delivered += PACKET
        self._rtt = now - sent_at
        self._min_rtt = min(self._min_rtt, self._rtt)
        lost = list(itertools.takewhile(lambda other: other < number - 3, self._flight))  # numbers only grow
        for other in lost:
            del self._flight[other]
        if lost and number > self._recovery_until:
            self._reduce()
        elif number > self._recovery_until:
            self._grow(now)

    def _look_for_a_timeout(self, now: float) -> None:
        """Where nothing was acknowledged for so long, everything in flight is gone."""
        if self._flight and now - next(reversed(self._flight.values())) > TIMEOUT_S:
            self._flight.clear()
            self._reduce()
            self._window = 10.0

    def _reduce(self) -> None:
        self._recovery_until = self._next
        self._w_max = self._window * (1 + BETA) / 2 if self._window < self._w_max else self._window
        self._window = self._reno = max(2.0, self._window * BETA)
        self._threshold = self._window
        self._epoch_at = None

    def _grow(self, now: float) -> None:
        if self._window < self._threshold:
            self._window += 1
            if self._rtt > self._min_rtt + max(0.004, self._min_rtt / 8):  # HyStart
                self._threshold = self._window
            return
        if self._epoch_at is None:
            self._epoch_at = now
            self._k = max(0.0, (self._w_max - self._window) / C) ** (1 / 3)
            self._reno = self._window
        elapsed = now - self._epoch_at + self._rtt
        target = C * (elapsed - self._k) ** 3 + max(self._w_max, self._window if self._k == 0 else self._w_max)
        self._reno += 3 * (1 - BETA) / (1 + BETA) / self._window
        if target > self._window:
            self._window += min((target - self._window) / self._window, 0.5)
        self._window = max(self._window, self._reno)
