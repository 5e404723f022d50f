"""What acknowledgements teach, one by one and in a row (pure): what the congestion control is fed with."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

RECENT_RTTS = 8
REMEMBER_S = 10.0
CONFIRM_S = 5.0


@dataclass(slots=True)
class Sample:
    """What one acknowledgement taught; sizes are bytes, times are seconds."""

    now: float
    delivered: int
    """Delivered over the connection's life, this acknowledgement included."""
    newly_acked: int
    newly_lost: int
    in_flight: int
    """After this acknowledgement."""
    rtt: float | None
    """Of the most recently sent packet that it acknowledged; None when that cannot be told."""
    rate: float
    """Delivery rate over the sample's interval; 0 when there is none."""
    interval_delivered: int
    """Delivered since the acknowledged packet was sent."""
    prior_delivered: int
    """Delivered when the acknowledged packet was sent."""
    app_limited: bool
    tx_in_flight: int
    """In flight when the acknowledged packet had been sent."""
    lost: int
    """Lost since the acknowledged packet was sent."""


class Train:
    """How far a row of packets that left in one go is drawn out when it is acknowledged."""

    def __init__(self, whole: float) -> None:
        """`whole`: the bytes from which a row says enough."""
        self._whole = whole
        self._row = -1
        self._began_at = 0.0
        self._bytes = 0

    def rate(self, s: Sample) -> float | None:
        """The bottleneck's rate, bytes per second, once a row is whole; packets of one row have one prior delivery."""
        if not s.newly_acked:
            return None  # it left before the row, with the handshake
        if s.prior_delivered != self._row:
            self._row, self._began_at, self._bytes = s.prior_delivered, s.now, 0
            return None
        self._bytes += s.newly_acked
        span = s.now - self._began_at
        return self._bytes / span if self._bytes >= self._whole and span > 0 else None


class LeastRtt:
    """The least round trip of the last ten seconds, and whether it has been seen in the last five."""

    def __init__(self, now: float) -> None:
        self.value = math.inf
        self.unconfirmed = False
        """No sample came near it for so long that the queue may hide a shorter one, or the path has changed."""
        self._value_at = now
        self._recent = math.inf
        self._recent_at = now

    def add(self, now: float, rtt: float) -> None:
        """One more; as good as the least is good enough to confirm it."""
        self.unconfirmed = now > self._recent_at + CONFIRM_S
        if rtt < self._recent or self.unconfirmed:
            self._recent, self._recent_at = rtt, now
        elif rtt <= self._recent * 1.02 + 0.0005:
            self.confirm(now)
        if self._recent < self.value or now > self._value_at + REMEMBER_S:
            self.value, self._value_at = self._recent, self._recent_at

    def confirm(self, now: float) -> None:
        """The queue has just been empty."""
        self._recent_at = now


class RoundTrips:
    """The path's round trip: the least, what it is without a queue, and the last few."""

    def __init__(self, now: float) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT_RTTS)
        self._least = LeastRtt(now)
        self._base = LeastRtt(now)

    def add(self, now: float, rtt: float) -> None:
        """One more."""
        self._recent.append(rtt)
        self._least.add(now, rtt)
        if len(self._recent) == RECENT_RTTS:
            self._base.add(now, sorted(self._recent)[RECENT_RTTS // 2])

    def confirm(self, now: float) -> None:
        """The queue has just been empty."""
        self._least.confirm(now)

    @property
    def least(self) -> float:
        """Seconds; infinity while there is none."""
        return self._least.value

    @property
    def base(self) -> float:
        """Without a queue, but with the path's jitter: the least that five of a row of eight were not above."""
        return self._base.value if self._base.value < math.inf else self._least.value

    @property
    def unconfirmed(self) -> bool:
        """Whether it is long ago that a sample came near the least."""
        return self._least.unconfirmed

    @property
    def last(self) -> float | None:
        """The latest; None while there is none."""
        return self._recent[-1] if self._recent else None

    @property
    def show_a_queue(self) -> bool:
        """Each of the last took longer than the path alone does, and by more than they differ among themselves.

        A queue raises all of them alike; a machine that is too busy to look at
        its socket scatters them.
        """
        if len(self._recent) < RECENT_RTTS:
            return False
        least, most = min(self._recent), max(self._recent)
        return least - self.base >= max(min(max(self.base / 8, 0.003), 0.016), (most - least) / 6)


class Aggregation:
    """How much more than the bandwidth explains is acknowledged at once (Wi-Fi, delayed SACKs)."""

    def __init__(self, now: float) -> None:
        self._epoch_at = now
        self._acked = 0
        self._extra = [0, 0]
        self._rounds = 0

    @property
    def extra(self) -> int:
        """Bytes, the most of the last two spans of rounds."""
        return max(self._extra)

    def add(self, s: Sample, *, bandwidth: float, window: int, round_start: bool, rounds: int) -> None:
        """Take in a sample; the maximum is kept over `rounds` rounds and the rounds before them."""
        expected = bandwidth * (s.now - self._epoch_at)
        if self._acked <= expected:
            self.restart(s.now)
            expected = 0.0
        self._acked += s.newly_acked
        if round_start:
            self._rounds += 1
            if self._rounds >= rounds:
                self._rounds = 0
                self._extra = [self._extra[1], 0]
        self._extra[1] = max(self._extra[1], min(int(self._acked - expected), window))

    def restart(self, now: float) -> None:
        """Sending was idle, or what came is explained: count anew."""
        self._epoch_at = now
        self._acked = 0
