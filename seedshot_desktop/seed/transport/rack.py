"""Which transmissions must have been lost, told by time (RACK, RFC 8985; pure)."""

from __future__ import annotations

MAX_STEPS = 8


class Rack:
    """The latest transmission that is known to have arrived; what was sent well before it and is missing, is lost."""

    def __init__(self) -> None:
        self.newest = (0.0, 0)
        """When it was sent, and its TSN, which tells apart what was sent in the same moment."""
        self._rtt = 0.0
        self._steps = 1

    def arrived(self, sent_at: float, tsn: int, rtt: float) -> None:
        """A transmission has arrived after `rtt` (section 6.2, step 2)."""
        if (sent_at, tsn) > self.newest:
            self.newest = (sent_at, tsn)
            self._rtt = rtt

    def was_too_quick(self) -> None:
        """Something was sent twice and had arrived: wait longer from now on (section 6.2, step 4)."""
        self._steps = min(self._steps + 1, MAX_STEPS)

    def patience(self, min_rtt: float, smoothed_rtt: float | None) -> float:
        """How long after its sending a transmission counts as lost, if a later one has arrived.

        A quarter of the round trip is allowed for reordering, and another one
        for each time that proved too little, but never more than a round trip.
        """
        least = min(min_rtt, self._rtt)
        return self._rtt + min(self._steps * least / 4, smoothed_rtt or least)
