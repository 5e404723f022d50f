"""The smoothed round-trip time and the retransmission timeout (RFC 9260, section 6.3; pure)."""

from __future__ import annotations

RTO_INITIAL_S = 1.0
RTO_MIN_S = 0.3
RTO_MAX_S = 2.0
"""An outage does not outlast itself by more than this; a packet every two seconds burdens nobody meanwhile."""
VARIANCE_MIN_S = 0.2
"""A receiver may hold a SACK back for 200 ms (RFC 9260, section 6.2)."""


class RoundTrip:
    """Begins with what the handshake has measured, which the first real sample replaces."""

    def __init__(self, hint: float | None) -> None:
        self.smoothed: float | None = hint
        self._variation = (hint or 0.0) / 2
        self._measured = False

    def add(self, sample: float) -> None:
        """One measurement, in seconds."""
        if self.smoothed is None or not self._measured:
            self.smoothed, self._variation = sample, sample / 2
            self._measured = True
        else:
            self._variation += (abs(self.smoothed - sample) - self._variation) / 4
            self.smoothed += (sample - self.smoothed) / 8

    def timeout(self, backoff: int) -> float:
        """Seconds until what is outstanding counts as lost, after so many timeouts in a row."""
        if self.smoothed is None:
            base = RTO_INITIAL_S
        else:
            base = max(self.smoothed + max(4 * self._variation, VARIANCE_MIN_S), RTO_MIN_S)
        return min(base * (1 << backoff), RTO_MAX_S)
