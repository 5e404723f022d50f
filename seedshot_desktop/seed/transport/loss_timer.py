"""What to do when nothing arrives: a probe, then the retransmission timer, then the end (pure).

A probe after two round trips (RFC 8985, section 7), then timeouts that back off (RFC 9260, section 6.3).
"""

from __future__ import annotations

from enum import Enum

from seedshot_desktop.seed.transport.round_trip import RoundTrip

PROBE_MIN_S = 0.01
GIVE_UP_S = 25.0
"""How long nothing at all is acknowledged before the path counts as dead."""
STUCK_S = 2.0
"""How long large packets that have ceased to pass have to arrive."""
LATE_ACK_S = 0.05
"""A lone packet may be acknowledged late unless it asks not to be."""
MAX_BACKOFF = 10
NEVER = float("inf")


class Expiry(Enum):
    """What a deadline that has come means."""

    NOTHING = "nothing"
    PROBE = "probe"
    TIMEOUT = "timeout"
    DEAD = "dead"


class LossTimer:
    """One timer for all that is outstanding; `at` is when it runs out, None while there is nothing to wait for."""

    def __init__(self, now: float, rtt_hint: float | None) -> None:
        self.round_trip = RoundTrip(rtt_hint)
        self.at: float | None = None
        self.backoff = 0
        """Timeouts in a row."""
        self._probing = False
        self._heard_at = now
        self._stuck_at = NEVER

    def begins(self, now: float) -> None:
        """Something is outstanding again: the silence before does not count."""
        if not self.backoff:
            self._heard_at = now

    def heard(self, now: float) -> None:
        """The peer has said something."""
        self._heard_at = now

    def progress(self) -> None:
        """Something has arrived."""
        self.backoff = 0
        self._probing = False

    def arm(self, now: float, *, outstanding: bool, lone: bool) -> None:
        """Begin anew: a probe after two round trips, and not after the timeout."""
        smoothed = self.round_trip.smoothed
        if not outstanding:
            self.at = None
        elif smoothed is None:
            self.at = now + self._timeout_s
        else:
            late = LATE_ACK_S if lone else 0.0
            self.at = now + min(max(2 * smoothed, PROBE_MIN_S) + late, self._timeout_s)

    @property
    def _timeout_s(self) -> float:
        return self.round_trip.timeout(self.backoff)

    def expired(self, now: float, *, outstanding: bool, held_up: bool) -> Expiry:
        """Look at the clock, and set the timer for the next time.

        `held_up`: what is missing may not be sent yet, because of a limit.
        """
        if self.is_stuck(now) and outstanding:
            return self._end()
        if self.at is None or now < self.at:
            return Expiry.NOTHING
        if not outstanding:
            self.at = None
            return Expiry.NOTHING
        if now - self._heard_at > GIVE_UP_S:
            return self._end()
        return self._next(now, held_up)

    def _next(self, now: float, held_up: bool) -> Expiry:
        found = Expiry.NOTHING
        if not held_up:
            found = Expiry.TIMEOUT if self._probing or self.backoff else Expiry.PROBE
            self._probing = found is Expiry.PROBE
        if found is Expiry.TIMEOUT:
            self.backoff = min(self.backoff + 1, MAX_BACKOFF)
        self.at = min(now + self._timeout_s, self._stuck_at)
        return found

    def _end(self) -> Expiry:
        self.at = None
        return Expiry.DEAD

    def hurry(self, now: float) -> None:
        """What could not arrive perhaps can now: send a probe at once, and do not wait for long."""
        self._stuck_at = min(self._stuck_at, now + STUCK_S)
        self.progress()
        if self.at is not None:
            self.at = now

    def is_stuck(self, now: float) -> bool:
        """Whether the time is over in which it had to arrive."""
        return now >= self._stuck_at

    def relax(self) -> None:
        """What could not arrive does."""
        self._stuck_at = NEVER
