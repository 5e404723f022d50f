"""What recent losses allow: BBRv3's short-term bounds on rate and flight, one verdict a round (pure)."""

from __future__ import annotations

from seedshot_desktop.seed.transport.samples import Sample

BETA = 0.7
RECOVERY = 1.1
"""A round without much loss lifts the bounds by this; the draft leaves them until the next probing, seconds away."""
_INFINITE = float("inf")


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
