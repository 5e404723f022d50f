"""Who else is on the link, and how to share its queue with them: a CUBIC window that knows its place (pure).

A flow that holds its queue short is pushed aside by loss-based flows, or
pushes them aside where it has measured the whole link before they came; which
of the two is chance. So while somebody else keeps the queue full, we do as
they do (RFC 9438) and converge to the same share, as Copa's competitive mode
does (Arun and Balakrishnan, NSDI 2018).

A queue that stands is asked whose it is: a step down in our flight tells what
part of the link we have, and so what the link gives (``queue_step``). If it is
all ours, the link is slower than it was.

CUBIC alone is slow to make room: of two such flows the one that comes later
has less than a third of the link for half a minute. Whoever knows the link
knows its part of it. Above one half it gives way: it begins with half of the
link, does not grow, and what it loses costs it as much more as it has too much.
"""

from __future__ import annotations

from enum import Enum
from random import Random

from seedshot_desktop.seed.transport.queue_step import QueueStep
from seedshot_desktop.seed.transport.samples import Sample

C = 0.4
"""Packets per cubed second."""
BETA = 0.7
RENO_GROWTH = 3 * (1 - BETA) / (1 + BETA)
MIN_PACKETS = 4.0
QUEUE, QUEUE_S = 0.2, 0.005
"""A round trip that is longer by this part, and by so much, has waited in a queue."""
COMPETITION_S = 0.6
"""How long the queue must not have been empty before it may count as somebody else's."""
ASKS_AFTER, ASKS_WITHIN = 3 / 8, 1
"""After which part of that time it is asked whose it is, and from the second question on within how much of it by
chance: two that ask at the same time would each take the other's step for an answer to its own."""
AT_LAST = 3
"""Where that cannot be told: after so many times that time it is somebody else's."""
ALL = 0.95
"""Such a share cannot be told from all of the link."""
LEAST_SHARE = 0.05
"""Less cannot be told from nothing."""
FAIR_SHARE = 0.5
TOLERANCE = 1.05
MODEST = 0.9
"""With less than this part of a fair share nobody has to make room."""
MAKE_ROOM_S = 0.5
"""An empty queue is left for so long to those for whom we have made room."""
QUEUED_GAIN = 1.25
DRAINED_GAIN = 1.05
"""Less than what makes a round trip count as one through a queue."""


def _patience(base_rtt: float) -> float:
    return max(COMPETITION_S, 8 * base_rtt)


def _answers(base_rtt: float) -> bool:
    """Whether a queue can be asked: on shorter paths the ends' own work is the delay, and no link."""
    return base_rtt >= QUEUE_S


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


class Verdict(Enum):
    """What a sample has brought to light."""

    COMES = "comes"
    """Somebody else fills the queue: from now on `cubic` is how much may be in flight."""
    OURS = "ours"
    """The queue is all our own, and `link_rate` what the link gives."""
    GOES = "goes"
    """We are alone again."""


class Company:
    """Tells from the queue whether we are alone; while we are not, `cubic` is how much may be in flight."""

    def __init__(self, now: float, chance: Random) -> None:
        """`chance` spreads questions over time."""
        self._random = chance
        self._asks_after = ASKS_AFTER
        self.cubic: Cubic | None = None
        self.link_rate = 0.0
        """All that the link gives, to us and to others, bytes per second; 0 while that is not known."""
        self._near_at = self._far_at = now
        self._flight = 0
        self._excess = 0.0
        self._deaf_until = 0
        self._step = QueueStep()

    def watch(self, s: Sample, base_rtt: float, bdp: float, *, steady: bool) -> None:
        """Take in a sample. `steady`: start-up is over and nothing but the link limits us."""
        if s.rtt is not None:
            if self._step.taken or s.rtt > base_rtt + max(QUEUE * base_rtt, QUEUE_S):
                self._far_at = s.now  # also where the step has emptied it: first comes the answer
            else:
                self._alone(s.now)
        if self.cubic is None and not steady:
            self._alone(s.now)
        if self.link_rate and s.rate:
            self._excess += (s.rate / self.link_rate / FAIR_SHARE - self._excess) / 16
        if s.rtt is not None and self.asks(base_rtt):
            self._step.add(s, s.rtt, DRAINED_GAIN * bdp)

    def _alone(self, now: float) -> None:
        if self._stands > 0:
            self._begin_question()
        self._near_at = now

    def _begin_question(self) -> None:
        if self._step.taken:
            self._asks_after = ASKS_AFTER + ASKS_WITHIN * self._random.random()
        self._step = QueueStep()

    @property
    def _stands(self) -> float:
        """How long the queue has been seen to stand; what arrives without a round trip of its own shows nothing."""
        return self._far_at - self._near_at

    def most_flight(self, bdp: float, base_rtt: float) -> float:
        """What may be in flight while it is not clear whose the queue is; `bdp` is what the path alone holds.

        Who may have more than a fair share must not overflow the link for one who has just come. Then comes the step
        that tells.
        """
        if not _answers(base_rtt):
            return float("inf")
        crowded = (not self.link_rate or self._excess > TOLERANCE) and self._stands > 2 * base_rtt
        return min(self._step.flight, QUEUED_GAIN * bdp if crowded else float("inf"))

    def asks(self, base_rtt: float) -> bool:
        """Whether it is being asked whose the queue is; probing for bandwidth waits meanwhile."""
        return self.cubic is None and _answers(base_rtt) and self._stands > self._asks_after * _patience(base_rtt)

    def queue_stands(self, base_rtt: float) -> bool:
        """Whether everything has waited in a queue for some time."""
        return self._stands > base_rtt / 2

    def verdict(self, s: Sample, base_rtt: float, packet: int, window: int) -> Verdict | None:
        """What is new, if anything is; `window` is ours until now, in bytes."""
        if self.cubic is not None:
            return self._goes(base_rtt)
        stands, patience = self._stands, _patience(base_rtt)
        if stands <= 2 * base_rtt:
            self._flight = s.in_flight
        if stands <= patience or (_answers(base_rtt) and not self._step.done and stands <= AT_LAST * patience):
            return None
        share = self._step.share
        if share is None or share <= LEAST_SHARE:
            self.link_rate = self._excess = 0.0
            flight = float(min(self._flight, window))
        else:
            self.link_rate = self._step.rate / share
            self._excess = share / FAIR_SHARE
            if share >= ALL:
                self._alone(s.now)
                return Verdict.OURS
            fair = self._step.before / self._excess
            flight = fair if self._flight > fair else (self._flight + fair) / 2
        self.cubic = Cubic(flight / packet)
        self._deaf_until = s.delivered + s.in_flight
        self._begin_question()
        return Verdict.COMES

    def _goes(self, base_rtt: float) -> Verdict | None:
        """Whether the queue is empty, and nobody takes the room that we have made."""
        patience = MAKE_ROOM_S if self._excess > MODEST else max(base_rtt, 0.01)
        if self._near_at - self._far_at <= patience:
            return None
        self.cubic = None
        return Verdict.GOES

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
