"""How fast: a rate smoothed over two seconds. Pure; time is an argument."""

from __future__ import annotations

from collections import deque

_SMOOTH_S = 2.0
_SAMPLE_S = 0.1


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
