"""How fast: an upload limit as a token bucket, and a rate smoothed over two seconds. Pure; time is an argument."""

from __future__ import annotations

from collections import deque

_BURST_S = 0.05
"""A limit lets this much of a second through at once."""
_SMOOTH_S = 2.0
_SAMPLE_S = 0.1


class Bucket:
    """An upload limit shared by any number of senders, who are served in the order in which they ask.

    Each ``take`` books its bytes at once and says how long to wait before
    sending them, so a sender's turn cannot be taken by another.
    """

    def __init__(self, rate: float) -> None:
        """`rate` in bytes per second; 0 is no limit."""
        self.rate = rate
        self._free_at = 0.0

    def take(self, size: int, now: float) -> float:
        """Seconds to wait before `size` bytes may be sent."""
        if self.rate <= 0:
            return 0.0
        start = max(self._free_at, now - _BURST_S)
        self._free_at = start + size / self.rate
        return max(0.0, start - now)


class Rate:
    """Bytes per second over the last two seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, total: int, now: float) -> None:
        """So many bytes in all have been delivered by now."""
        if len(self._samples) > 1 and now - self._samples[-2][0] < _SAMPLE_S:
            self._samples.pop()
        self._samples.append((now, total))
        self._forget(now)

    def at(self, now: float) -> float:
        """Bytes per second at `now`; falls to 0 when nothing is delivered any more."""
        self._forget(now)
        if not self._samples:
            return 0.0
        (first_at, first), (_, last) = self._samples[0], self._samples[-1]
        return max(0.0, (last - first) / max(now - first_at, _SAMPLE_S))

    def _forget(self, now: float) -> None:
        while self._samples and now - self._samples[0][0] > _SMOOTH_S:
            self._samples.popleft()
