"""What losses allow: BBRv3's short-term bounds on rate and flight, and its long-term one on flight (pure)."""

from __future__ import annotations

from seedshot_desktop.seed.transport.samples import Sample

BETA = 0.7
RECOVERY = 1.1
"""A round without much loss lifts the bounds by this; the draft leaves them until the next probing, seconds away."""
HEADROOM = 0.15
"""The part of the long-term bound that is left to others."""
_INFINITE = float("inf")


class HighBound:
    """The most that has been in flight without too much loss; probing raises it, faster from round to round."""

    def __init__(self, packet: int) -> None:
        self._packet = packet
        self.flight: float = _INFINITE
        """Whole bytes, as a window is: one that is bounded can be seen to have grown up to it."""
        self._count = _INFINITE
        self._acked = 0
        self._rounds = 0

    def lift(self) -> None:
        """No bound."""
        self.flight = _INFINITE

    def lower(self, flight: float) -> None:
        """Too much was lost with so much in flight."""
        self.flight = int(flight)

    def rest(self) -> None:
        """Probing is over."""
        self._count = _INFINITE

    def reset(self) -> None:
        """Probing begins."""
        self._rounds = self._acked = 0

    def steepen(self, window: int) -> None:
        """A round of probing has come to its end: twice as fast from now on."""
        growth = 1 << min(self._rounds, 30)
        self._rounds += 1
        self._count = max(window / growth, self._packet)

    def rise(self, acked: int, window: int, *, round_start: bool) -> None:
        """So many bytes have arrived while probing with this window."""
        if self.flight == _INFINITE or window < self.flight:
            return
        self._acked += acked
        if self._acked >= self._count:
            steps = int(self._acked / self._count)
            self._acked -= int(steps * self._count)
            self.flight += steps * self._packet
        if round_start:
            self.steepen(window)

    @property
    def with_headroom(self) -> float:
        """What may be in flight while nobody probes, bytes."""
        if self.flight == _INFINITE:
            return _INFINITE
        return self.flight - max(self._packet, HEADROOM * self.flight)


class Bounds:
    """Counts what a round delivers and loses, and holds the bounds that follow from it; no bound is infinity."""

    def __init__(self) -> None:
        self.rate = _INFINITE
        self.flight = _INFINITE
        self.lost = 0
        """Bytes, in this round."""
        self.events = 0
        """Acknowledgements in this round that brought losses."""
        self.latest_rate = 0.0
        """The most of this round."""
        self.latest_flight = 0
        self._acked = 0
        self._round = 0

    def add(self, s: Sample) -> bool:
        """Take in a sample; True when it ends the round, whose `loss` is then to be judged before `begin_round`."""
        self.latest_rate = max(self.latest_rate, s.rate)
        self.latest_flight = max(self.latest_flight, s.interval_delivered)
        self._acked += s.newly_acked
        self.lost += s.newly_lost
        self.events += bool(s.newly_lost)
        return s.prior_delivered >= self._round

    @property
    def loss(self) -> float:
        """The part of this round that was lost."""
        return self.lost / max(1, self.lost + self._acked)

    def begin_round(self, s: Sample) -> None:
        """Count anew."""
        self._round = s.delivered
        self._acked = self.lost = self.events = 0
        self.latest_rate = s.rate
        self.latest_flight = s.interval_delivered

    def lower(self, rate: float, window: int) -> None:
        """Too much was lost at this rate and with this window."""
        self.rate = max(self.latest_rate, BETA * min(self.rate, rate))
        self.flight = max(self.latest_flight, BETA * min(self.flight, window))

    def recover(self) -> None:
        """Little was lost."""
        self.rate *= RECOVERY
        self.flight *= RECOVERY

    def lift(self) -> None:
        """No bounds, as before the losses."""
        self.rate = self.flight = _INFINITE
