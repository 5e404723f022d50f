"""How to share a queue that others keep full: a CUBIC window (pure).

A flow that holds its queue short is pushed aside by loss-based flows, or
pushes them aside where it has measured the whole link before they came; which
of the two is chance. So while somebody else keeps the queue full, we do as
they do (RFC 9438) and converge to the same share, as Copa's competitive mode
does (Arun and Balakrishnan, NSDI 2018).
"""

from __future__ import annotations

C = 0.4
"""Packets per cubed second."""
BETA = 0.7
RENO_GROWTH = 3 * (1 - BETA) / (1 + BETA)
MIN_PACKETS = 4.0


class Cubic:
    """A congestion window in packets; starts in congestion avoidance."""

    def __init__(self, packets: float) -> None:
        self.packets = self._reno = max(packets, MIN_PACKETS)
        self._peak = self.packets
        self._since: float | None = None
        self._k = 0.0

    def on_loss(self) -> None:
        """Something was lost in this round: once for all of it.

        Fast convergence every time: what we give up, a flow that has come later may take.
        """
        self._peak = self.packets * (1 + BETA) / 2
        self.packets = self._reno = max(self.packets * BETA, MIN_PACKETS)
        self._since = None

    def on_ack(self, now: float, acked_packets: float, rtt: float) -> None:
        """Grow as RFC 9438 does, sections 4.2 to 4.4."""
        if self._since is None:
            self._since = now
            self._k = max(0.0, (self._peak - self.packets) / C) ** (1 / 3)
            self._reno = self.packets
        target = C * (now - self._since + rtt - self._k) ** 3 + max(self._peak, self.packets if not self._k else 0.0)
        target = min(max(target, self.packets), 1.5 * self.packets)
        self.packets += (target - self.packets) / self.packets * acked_packets
        self._reno += RENO_GROWTH * acked_packets / self._reno
        self.packets = max(self.packets, self._reno)
