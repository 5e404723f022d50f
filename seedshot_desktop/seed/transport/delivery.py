"""How fast data arrives: the delivery rate that BBR learns from, a sample for each acknowledgement (pure)."""

from __future__ import annotations

from enum import Enum

from seedshot_desktop.seed.transport.samples import Sample


class Fate(Enum):
    """What is known of a chunk."""

    OUTSTANDING = 1
    LOST = 2
    ACKED = 3


_OUTSTANDING = Fate.OUTSTANDING


class Sent:
    """One chunk on its way, or on its way once more, and how things stood when it left."""

    __slots__ = (
        "app_limited",
        "chunk",
        "counted",
        "dark",
        "delivered",
        "delivered_at",
        "fate",
        "first_sent_at",
        "in_flight",
        "lost",
        "sent_at",
        "size",
        "times",
        "tsn",
    )

    sent_at: float
    delivered_at: float
    first_sent_at: float
    delivered: int
    in_flight: int
    lost: int
    app_limited: bool
    dark: bool
    """It left while not all that had arrived was known: what is delivered until it arrives seems more than it is."""

    def __init__(self, tsn: int, chunk: bytes, size: int) -> None:
        """How things stood is stamped on it when it leaves, each time."""
        self.tsn = tsn
        self.chunk = chunk
        self.size = size
        self.fate = _OUTSTANDING
        self.counted = False
        """Its arrival has been counted; after a timeout it may be sent, and arrive, once more."""
        self.times = 0

    @property
    def stream(self) -> int:
        """The stream that the chunk belongs to."""
        return int.from_bytes(self.chunk[8:10], "big")


class Delivery:
    """Counts bytes delivered and lost over the connection's life."""

    def __init__(self, now: float) -> None:
        self.delivered = 0
        self.lost = 0
        self.at = now
        """When something was delivered last."""
        self._first_sent_at = now
        self._app_limited_until = 0

    def restart(self, now: float) -> None:
        """Nothing is in flight: the idle time is nobody's rate."""
        self._first_sent_at = self.at = now

    def stamp(self, sent: Sent, now: float, in_flight: int) -> None:
        """A chunk leaves; `in_flight` counts it already."""
        sent.sent_at = now
        sent.first_sent_at = self._first_sent_at
        sent.delivered_at = self.at
        sent.delivered = self.delivered
        sent.lost = self.lost
        sent.in_flight = in_flight
        sent.app_limited = self._app_limited_until > 0

    def limit(self, in_flight: int) -> None:
        """There is nothing to send, or nobody may: until what is in flight has arrived, samples say less."""
        self._app_limited_until = self.delivered + in_flight or 1

    def deliver(self, now: float, size: int) -> None:
        """So many bytes have arrived."""
        self.delivered += size
        self.at = now
        if self.delivered > self._app_limited_until:
            self._app_limited_until = 0

    def sample(
        self,
        now: float,
        newest: Sent,
        *,
        acked: int,
        lost: int,
        in_flight: int,
        rtt: float | None,
        min_rtt: float,
        dark: bool,
    ) -> Sample:
        """What an acknowledgement says whose latest chunk is `newest`.

        `dark`: some of what it names may have arrived long ago, untold, so that it says nothing of a rate.
        """
        self._first_sent_at = newest.sent_at
        delivered = self.delivered - newest.delivered
        interval = max(newest.sent_at - newest.first_sent_at, now - newest.delivered_at)
        dark = dark or newest.dark
        plausible = not dark and interval > 0 and interval >= 0.9 * min(min_rtt, rtt or min_rtt)
        return Sample(
            now=now,
            delivered=self.delivered,
            newly_acked=acked,
            newly_lost=lost,
            in_flight=in_flight,
            rtt=rtt,
            rate=delivered / interval if plausible else 0.0,
            interval_delivered=delivered,
            prior_delivered=newest.delivered,
            app_limited=newest.app_limited,
            tx_in_flight=newest.in_flight,
            lost=self.lost - newest.lost,
        )
