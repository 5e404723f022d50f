"""Who else is on the link, and how to share its queue with them: a CUBIC window that knows its place (pure).

A flow that holds its queue short is pushed aside by loss-based flows, or
pushes them aside where it has measured the whole link before they came; which
of the two is chance. So while somebody else keeps the queue full, we do as
they do (RFC 9438) and converge to the same share, as Copa's competitive mode
does (Arun and Balakrishnan, NSDI 2018).

CUBIC alone is slow to make room: of two such flows the one that comes later
has less than a third of the link for half a minute. Whoever had the link to
itself knows what it gives, and so what part it takes now. Above one half it
gives way: it begins with half of the link, does not grow, and what it loses
costs it as much more as it has too much.

Two things tell that a link is one's own. A start-up that has lost nothing, and
after which the queue that it made is gone and stays away: beside somebody else
either the queue stands or something is lost. Later, two probes in a row that
bring no more bandwidth.
"""

from __future__ import annotations

from seedshot_desktop.seed.transport.samples import Sample

C = 0.4
"""Packets per cubed second."""
BETA = 0.7
RENO_GROWTH = 3 * (1 - BETA) / (1 + BETA)
MIN_PACKETS = 4.0
COMPETITION_S = 0.6
"""How long the queue must not have been empty before it counts as somebody else's."""
PLATEAU = 1.05
"""Sending a quarter faster brings less than this to who fills a link alone, and a tenth and more beside others."""
SURE_AFTER = 2
"""So many times in a row."""
START_WATCHED = (1.0, 2.5)
"""From and until how many round trips after start-up no queue may stand: its own has been seen to go by then."""
START_QUEUE = 1 / 9
"""Part of a round trip; what is less is no queue."""
START_QUEUE_S = 0.003
"""The same on short paths."""
FAIR_SHARE = 0.5
WHOLE_LINK = 0.93
"""A rate of this part of the link, or more, is all of it as far as can be measured."""
TOLERANCE = 1.05
MODEST = 0.9
"""With less than this part of a fair share nobody has to make room."""
LITTLE = 0.6
"""With less than this part of a fair share nobody else need be here: the link may not be what it was."""
MAKE_ROOM_S = 0.5
"""An empty queue is left for so long to those for whom we have made room."""


QUEUED_GAIN = 1.25
DRAINED_GAIN = 1.05
"""Less than what makes a round trip count as one through a queue."""


def _patience(min_rtt: float) -> float:
    return max(COMPETITION_S, 8 * min_rtt)


class Cubic:
    """A congestion window in packets; starts in congestion avoidance."""

    def __init__(self, packets: float) -> None:
        self.packets = self._reno = max(packets, MIN_PACKETS)
        self._peak = self.packets
        self._since: float | None = None
        self._k = 0.0

    def on_loss(self, excess: float = 0.0) -> None:
        """Something was lost in this round: once for all of it.

        `excess` is how many times our fair share we have, 0 if that is not known. Unless it is small,
        convergence is fast every time: what we give up, a flow that has come later may take.
        """
        modest = 0 < excess < MODEST
        excess = max(excess, 1.0)
        self._peak = self.packets if modest else self.packets * (1 + BETA) / 2 / excess
        self.packets = self._reno = max(self.packets * BETA / excess, MIN_PACKETS)
        self._since = None

    def hold(self) -> None:
        """Stay as large as now; what comes later grows from here."""
        self._peak = self.packets
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


class Start:
    """Whether a start-up without losses had the link to itself."""

    def __init__(self, now: float, rate: float, min_rtt: float) -> None:
        self.rate = rate
        self._from, self._until = (now + part * min_rtt for part in START_WATCHED)
        self._most = min_rtt + max(START_QUEUE * min_rtt, START_QUEUE_S)

    def was_alone(self, s: Sample) -> bool | None:
        """None while that is not known."""
        if s.newly_lost or s.app_limited:
            return False
        if s.rtt is None or s.now < self._from:
            return None
        if s.rtt > self._most:
            return False
        return True if s.now >= self._until else None


class Company:
    """Tells from the queue whether we are alone; while we are not, `cubic` is how much may be in flight."""

    def __init__(self, now: float) -> None:
        self.cubic: Cubic | None = None
        self._near_at = self._far_at = now
        self._link_rate = 0.0
        self._plateaus = 0
        self._flight = 0
        self._excess = 0.0
        self._deaf_until = 0
        self._start: Start | None = None

    def started(self, now: float, rate: float, min_rtt: float) -> None:
        """Start-up is over, has lost nothing, and has seen `rate`, bytes per second."""
        self._start = Start(now, rate, min_rtt)

    def watch(self, s: Sample, min_rtt: float, *, steady: bool) -> None:
        """Take in a sample. `steady`: start-up is over and nothing but the link limits us."""
        if s.rtt is not None:
            if s.rtt <= min_rtt + max(min_rtt / 5, 0.005):
                self._near_at = s.now
            else:
                self._far_at = s.now
        if self._start is not None:
            self._judge(self._start, s)
        if self.cubic is None and not steady:
            self._near_at = s.now
        if self._link_rate and s.rate:
            self._excess += (s.rate / self._link_rate / FAIR_SHARE - self._excess) / 16

    def _judge(self, start: Start, s: Sample) -> None:
        verdict = start.was_alone(s)
        if verdict is not None:
            self._start = None
        if verdict:
            self._link_rate = start.rate

    @property
    def _stands(self) -> float:
        """How long the queue has been seen to stand; what arrives without a round trip of its own shows nothing."""
        return self._far_at - self._near_at

    def probed(self, before: float, after: float) -> None:
        """Sending faster has brought the bandwidth from `before` to `after`: no more, where the link was all ours."""
        self._plateaus = self._plateaus + 1 if after <= PLATEAU * before else 0
        if self._plateaus >= SURE_AFTER:
            self._link_rate = max(before, after)

    def flight_gain(self, min_rtt: float) -> float:
        """How much of what the path alone holds may be in flight, while it is not clear whose the queue is.

        Where all of the link was ours, who has just come must not overflow it. Then, for as long again as the queue
        has stood, we put next to nothing into it: if it goes, it was our own, made by a bandwidth that we overrate.
        Who knows the link and gets less than all of it while a queue stands need not ask; but who gets little of it
        asks, as the link may have become slower.
        """
        stands = self._stands
        if stands > _patience(min_rtt) / 2 and not LITTLE < self._excess < WHOLE_LINK / FAIR_SHARE:
            return DRAINED_GAIN
        return QUEUED_GAIN if self._excess > TOLERANCE and stands > 2 * min_rtt else float("inf")

    def queue_stands(self, min_rtt: float) -> bool:
        """Whether everything has waited in a queue for some time."""
        return self._stands > min_rtt / 2

    def comes(self, s: Sample, min_rtt: float, packet: int) -> bool:
        """Whether somebody else is here from now on: alone, every cycle empties the queue."""
        stands = self._stands
        if stands <= _patience(min_rtt) / 2:
            self._flight = s.in_flight
        if self.cubic is not None or stands <= _patience(min_rtt):
            return False
        self.cubic = Cubic(self._flight / packet / max(self._excess, 1.0))
        self._deaf_until = s.delivered + s.in_flight
        self._plateaus = 0
        return True

    def goes(self, min_rtt: float) -> bool:
        """Whether we are alone again: the queue is empty, and nobody takes the room that we have made."""
        patience = MAKE_ROOM_S if self._excess > MODEST else max(min_rtt, 0.01)
        if self.cubic is None or self._near_at - self._far_at <= patience:
            return False
        self.cubic = None
        return True

    def share(self, s: Sample, packet: int) -> None:
        """Grow and shrink beside the others."""
        assert self.cubic is not None
        if s.newly_lost and s.prior_delivered >= self._deaf_until:
            self._deaf_until = s.delivered + s.in_flight
            self.cubic.on_loss(self._excess)
        elif s.rtt is None or s.delivered < self._deaf_until or s.app_limited:
            return
        elif self._excess > TOLERANCE:
            self.cubic.hold()
        else:
            self.cubic.on_ack(s.now, s.newly_acked / packet, s.rtt)
