"""Whose a standing queue is: what a step down in our flight does to the round trip (pure).

All that is in flight, ours and theirs, passes the bottleneck in one round trip:
while its queue is not empty, rtt = (ours + theirs) / link. So the round trip
falls by what we take away, over the link's rate; and what that rate is to our
own says what part of the link we have. What theirs grows by meanwhile is in the
round trip too, as a slope while ours stands still, and is taken out.

Nimbus tells elastic cross traffic from the answer to pulses on a link that it
knows (Goyal et al., SIGCOMM 2022). One step is enough to know the link.
"""

from __future__ import annotations

from seedshot_desktop.seed.transport.samples import Sample

LEAST_SAMPLES = 8
STEP = 0.75
"""The part of our flight that stays: the step has to stand out from what others do meanwhile."""
CLOSE, CLOSE_BYTES = 0.02, 3000
"""What left with no more above it, in part or in bytes, left after the step: windows are filled by packets."""
STEADY = -0.1
"""A queue that shrinks faster, seconds a second, has not come to rest."""
LEAST_STEP = 0.1
"""A step by a smaller part says too little."""


class Stretch:
    """Round trips while our flight stands still: their mean and slope, in constant memory."""

    def __init__(self) -> None:
        self.count = 0
        self._first_at = self._last_at = 0.0
        self._at = self._at_squared = self._rtt = self._at_rtt = self._flight = 0.0

    def add(self, s: Sample, rtt: float) -> None:
        """One more."""
        if not self.count:
            self._first_at = s.now
        self._last_at = s.now
        at = s.now - self._first_at
        self.count += 1
        self._at += at
        self._at_squared += at * at
        self._rtt += rtt
        self._at_rtt += at * rtt
        self._flight += s.tx_in_flight - s.lost

    @property
    def full(self) -> bool:
        """It has lasted for a round trip."""
        return self.count >= LEAST_SAMPLES and self._last_at - self._first_at >= self.rtt

    @property
    def at(self) -> float:
        """When its middle was."""
        return self._first_at + self._at / self.count

    @property
    def rtt(self) -> float:
        """The mean, seconds."""
        return self._rtt / self.count

    @property
    def flight(self) -> float:
        """The mean, bytes."""
        return self._flight / self.count

    @property
    def slope(self) -> float:
        """Seconds of round trip a second, by least squares."""
        spread = self._at_squared - self._at * self._at / self.count
        return (self._at_rtt - self._at * self._rtt / self.count) / spread if spread > 0 else 0.0


class QueueStep:
    """A round trip before the step, the step, and a round trip after it."""

    def __init__(self) -> None:
        self._before = Stretch()
        self._after = Stretch()
        self.flight = float("inf")
        """What may be in flight, in bytes: no bound before the step."""

    def add(self, s: Sample, rtt: float, most: float) -> None:
        """A sample while the queue stands; after the step at most `most` bytes are in flight."""
        if not s.rate:
            return  # while only a few holes of many can be named, more seems to be in flight than is
        if self.taken:
            self._add_after(s, rtt)
        else:
            self._before.add(s, rtt)
            self.flight = min(STEP * self._before.flight, most) if self._before.full else float("inf")

    def _add_after(self, s: Sample, rtt: float) -> None:
        if s.tx_in_flight - self.flight <= max(CLOSE * self.flight, CLOSE_BYTES):
            self._after.add(s, rtt)
            if self._after.full and self._after.slope < STEADY:
                self._after = Stretch()

    @property
    def taken(self) -> bool:
        """Whether it has been taken: from then on less is in flight."""
        return self._before.full

    @property
    def done(self) -> bool:
        """It has been answered."""
        return self._after.full

    @property
    def share(self) -> float | None:
        """The part of the link that was ours before the step; None while that is not known."""
        before, after = self._before, self._after
        if not after.full:
            return None
        step = 1 - after.flight / before.flight
        if step < LEAST_STEP:
            return None
        grown = max(after.slope, 0.0) * (after.at - before.at)
        fallen = (before.rtt - after.rtt + grown) / before.rtt
        return min(max(fallen / step, 0.0), 1.0)

    @property
    def before(self) -> float:
        """What was in flight before the step, bytes."""
        return self._before.flight

    @property
    def rate(self) -> float:
        """Ours before the step, bytes per second; the same after it where the queue is all our own and still stands."""
        before = self._before.flight / self._before.rtt
        return max(before, self._after.flight / self._after.rtt) if self.share == 1 else before
