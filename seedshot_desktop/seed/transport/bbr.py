"""Congestion control by a model of the path: BBRv3, time as an argument (pure).

After draft-ietf-ccwg-bbr ("BBR Congestion Control", version 3): the path is
its bottleneck's bandwidth (the maximum of recent delivery rates) and its
round-trip time without queues (the minimum of recent samples). Data is paced
at the bandwidth and little more than their product is in flight, so a random
loss costs its own retransmission and nothing else, and the queue stays short
for everybody on the link.

Where it departs from the draft, and why:

- Start-up begins with a train of 32 packets (Google's QUIC has begun with as
  many for a decade), sent in an eighth of the round trip that the handshake
  has measured. How far the train is drawn out when it is acknowledged tells the
  bottleneck's rate (packet-train dispersion, as in paced chirping), and the
  second round begins at nine tenths of it, but at no more than eight times the
  first: a picture is often over before a doubling start-up is.
- Start-up stops growing as soon as every recent packet took longer than the
  path alone does (after HyStart++, RFC 9406), holds still for a round so that
  the bandwidth is seen in full, and goes on where that was a false alarm. An
  overflow is worse here than in TCP: Chromium's receiver names no more than 20
  gap blocks, so a burst of losses is repaired in the dark.
- A round with losses under the draft's own threshold of 2 % changes nothing.
  The draft lowers its short-term bounds after any loss, which on a radio link
  with 1 % of random loss ratchets a third of the bandwidth away; and such a
  round lifts the bounds a little, where the draft waits for the next probing:
  what start-up has lost kept a 100 Mbit/s link at 60 for the rest of 10 MB.
- Start-up ends on loss at 5 %, not 2 %, and so does probing for more where no
  queue stands: an overflowing queue drops a third and more, random loss in a
  small round reaches 2 % by chance.
- Probing for more ends as soon as its queue shows in the round trip, and not
  at a quarter more in flight: on a link that has become faster there is none.
- What a round trip without a queue is, is the least that five of a row of
  eight were not above: against the very least, jitter looks like a queue that stands.
- A queue that stands is asked whose it is. If it is all ours, the bandwidth is
  learned anew; while somebody else keeps it full, a CUBIC window takes over (see
  ``competing``): BBRv3 alone beside one CUBIC flow converges over minutes, and
  what either gets meanwhile depends on who came first.
- A round-trip sample within 2 % of the minimum confirms it, so a path without
  a queue is never made to stop for a sample.
"""

from __future__ import annotations

import random
from enum import Enum

from seedshot_desktop.seed.transport.bounds import BETA, Bounds, HighBound
from seedshot_desktop.seed.transport.competing import Company, Verdict
from seedshot_desktop.seed.transport.samples import Aggregation, RoundTrips, Sample, Train

INITIAL_WINDOW_PACKETS = 32
MIN_WINDOW_PACKETS = 4
STARTUP_GAIN = 2.77  # 4 ln 2: lets the delivery rate double each round
STARTUP_WINDOW_GAIN = 2.0
CAREFUL_GAIN = 1.82  # ln(1.5) * 1.5^2 / (1.5 - 1): lets it grow by half
CAREFUL_WINDOW_GAIN = 1.5
TRAIN_SPEED = 8
"""The first window leaves in this part of a round trip, and the second may be this many times as large."""
TRAIN_SHORTEST_S = 0.001
DRAIN_GAIN = 0.5
DOWN_GAIN = 0.9
UP_GAIN = 1.25
UP_WINDOW_GAIN = 2.25
PROBE_QUEUE, PROBE_QUEUE_S = 0.1, 0.003
"""A round trip that is longer by this part, and by so much, has waited in the queue that probing makes."""
WINDOW_GAIN = 2.0
PROBE_RTT_WINDOW_GAIN = 0.5
PACING_MARGIN = 0.99
LOSS_THRESHOLD = 0.02
RANDOM_LOSS_THRESHOLD = 0.05
STARTUP_LOSS_EVENTS = 6
FULL_BANDWIDTH_GROWTH = 1.25
FULL_BANDWIDTH_ROUNDS = 3
PROBE_RTT_DURATION_S = 0.2
PROBE_WAIT_S = 2.0
PROBE_WAIT_SPREAD_S = 1.0
RENO_ROUNDS = 63
LEAST_RTT_S = 0.002
"""On a shorter path the ends' own scheduling is the delay, and a window for the wire alone would starve it."""
SHORT_PATH_S = 0.005
"""On a shorter path the first window is always in flight: it is a few milliseconds of queue at the very most, and
viewers whose common bottleneck is a processor and not a link come to equal shares."""
COMPETING_GAIN = 1.2
_INFINITE = float("inf")


class Phase(Enum):
    """Where the controller stands in its cycle."""

    STARTUP = "startup"
    DRAIN = "drain"
    DOWN = "probe_bw_down"
    CRUISE = "probe_bw_cruise"
    REFILL = "probe_bw_refill"
    UP = "probe_bw_up"
    PROBE_RTT = "probe_rtt"


_PROBING_BANDWIDTH = (Phase.DOWN, Phase.CRUISE, Phase.REFILL, Phase.UP)


class Bbr:
    """Says how much may be in flight (`window`) and how fast to send (`pacing_rate`)."""

    def __init__(self, now: float, packet: int, rtt_hint: float | None, seed: int = 0) -> None:
        self._packet = packet
        self._random = random.Random(seed)  # noqa: S311 - spreads probing over time, keeps no secret
        self._initial_window = INITIAL_WINDOW_PACKETS * packet
        self.window = self._initial_window
        self.phase = Phase.STARTUP
        self.pacing_rate = self._initial_window / max((rtt_hint or 0.1) / TRAIN_SPEED, TRAIN_SHORTEST_S)
        self._pacing_gain = STARTUP_GAIN
        self._window_gain = STARTUP_WINDOW_GAIN
        self._train: Train | None = Train(0.7 * self._initial_window)
        self._holding = 0
        self._round_trips = RoundTrips(now)
        self.min_rtt = _INFINITE
        self._probe_rtt_done_at: float | None = None
        self._probe_rtt_round_done = False
        self._prior_window = 0
        self._restore_window = False
        self._begin_model(now)

    def _begin_model(self, now: float) -> None:
        # bandwidth
        self._max_bw_cycles = [0.0, 0.0]
        self._bw = 0.0
        self._full_bw = 0.0
        self._full_bw_rounds = 0
        self.full_bw_reached = False
        # others on the link
        self._company = Company(now, self._random)
        # rounds
        self._next_round = 0
        self._round_start = False
        # bounds
        self._bounds = Bounds()
        self._high = HighBound(self._packet)
        self._aggregation = Aggregation(now)
        # probing for bandwidth
        self._cycle_at = now
        self._probe_wait = PROBE_WAIT_S
        self._rounds_since_probe = 0
        self._probe_samples = False
        self._up_full_bw = 0.0
        self._up_full_rounds = 0

    # Model

    @property
    def max_bw(self) -> float:
        """Bytes per second: the most that was delivered in this cycle and the one before."""
        return max(self._max_bw_cycles)

    def _bdp(self, gain: float = 1.0) -> float:
        if self.min_rtt == _INFINITE:
            return gain * self._initial_window
        return gain * self._bw * max(self.min_rtt, LEAST_RTT_S)

    def on_ack(self, s: Sample) -> None:
        """Learn from an acknowledgement, move on, and set `window` and `pacing_rate`."""
        self._update_round(s)
        self._update_rates(s)
        rounds = 10 if self.full_bw_reached else 1
        self._aggregation.add(s, bandwidth=self._bw, window=self.window, round_start=self._round_start, rounds=rounds)
        self._update_rtt(s)
        self._check_startup(s)
        if self.phase is Phase.DRAIN and s.in_flight <= self._bdp():
            self._enter_down(s.now, s.delivered)
        self._cycle(s)
        self._watch_queue(s)
        self._check_probe_rtt(s)
        self._bw = min(self.max_bw, self._bounds.rate)
        self._set_pacing_rate()
        self._set_window(s)

    def _update_round(self, s: Sample) -> None:
        self._round_start = s.prior_delivered >= self._next_round
        if self._round_start:
            self._next_round = s.delivered
            self._rounds_since_probe += 1
            self._probe_rtt_round_done = True

    def _update_rates(self, s: Sample) -> None:
        ended = self._bounds.add(s)
        if s.rate and (not s.app_limited or s.rate >= self.max_bw):
            self._max_bw_cycles[1] = max(self._max_bw_cycles[1], s.rate)
        self._bw = min(self.max_bw, self._bounds.rate)
        if ended:
            self._judge_losses()
            self._bounds.begin_round(s)

    def _judge_losses(self) -> None:
        bounds = self._bounds
        if self.phase is Phase.STARTUP:
            if bounds.events >= STARTUP_LOSS_EVENTS and bounds.loss > RANDOM_LOSS_THRESHOLD:
                self.full_bw_reached = True
                self._high.lower(max(self._bdp(), bounds.latest_flight))
        elif bounds.loss <= LOSS_THRESHOLD:
            bounds.recover()
        elif self.phase not in (Phase.REFILL, Phase.UP):
            bounds.lower(self.max_bw, self.window)

    def _update_rtt(self, s: Sample) -> None:
        if s.rtt is None:
            return
        self._round_trips.add(s.now, s.rtt)
        self.min_rtt = self._round_trips.least

    # Start-up

    def _check_startup(self, s: Sample) -> None:
        if self.phase is not Phase.STARTUP:
            return
        if self._train is not None:
            self._watch(self._train, s)
        if self._holding:
            self._hold(s)
        elif self._round_trips.show_a_queue:
            self._holding = 2
            self._next_round = s.delivered
        elif self._round_start and not s.app_limited:
            self._check_full_bandwidth()
        if self.full_bw_reached:
            self.phase = Phase.DRAIN
            self._pacing_gain, self._window_gain = DRAIN_GAIN, 1.0

    def _watch(self, train: Train, s: Sample) -> None:
        rate = train.rate(s)
        if self.window > 3 * self._initial_window:
            self._train = None  # it has grown without being told
        elif rate is not None:
            self._train = None
            self._jump(min(rate, self.pacing_rate))

    def _jump(self, rate: float) -> None:
        self._pacing_gain, self._window_gain = CAREFUL_GAIN, CAREFUL_WINDOW_GAIN
        self.window = max(self.window, int(min(0.9 * rate * self.min_rtt, TRAIN_SPEED * self._initial_window)))
        self.pacing_rate = 0.9 * rate

    def _hold(self, s: Sample) -> None:
        """Nothing grows for a round; then the queue is still there, or it was none."""
        if not self._round_start:
            return
        self._holding -= 1
        if not self._holding and self._round_trips.show_a_queue:
            self.full_bw_reached = True

    def _check_full_bandwidth(self) -> None:
        if self.max_bw >= self._full_bw * FULL_BANDWIDTH_GROWTH:
            self._full_bw = self.max_bw
            self._full_bw_rounds = 0
        else:
            self._full_bw_rounds += 1
        self.full_bw_reached = self._full_bw_rounds >= FULL_BANDWIDTH_ROUNDS

    # Cycling

    def _enter_down(self, now: float, delivered: int) -> None:
        self.phase = Phase.DOWN
        self._pacing_gain, self._window_gain = DOWN_GAIN, WINDOW_GAIN
        self._cycle_at = now
        self._probe_wait = PROBE_WAIT_S + self._random.random() * PROBE_WAIT_SPREAD_S
        self._rounds_since_probe = self._random.randint(0, 1)
        self._next_round = delivered
        self._high.rest()

    def _enter_cruise(self) -> None:
        self.phase = Phase.CRUISE
        self._pacing_gain, self._window_gain = 1.0, WINDOW_GAIN

    def _enter_refill(self, delivered: int) -> None:
        self.phase = Phase.REFILL
        self._pacing_gain, self._window_gain = 1.0, WINDOW_GAIN
        self._bounds.lift()
        self._high.reset()
        self._next_round = delivered

    def _enter_up(self, s: Sample) -> None:
        self.phase = Phase.UP
        self._pacing_gain, self._window_gain = UP_GAIN, UP_WINDOW_GAIN
        self._probe_samples = True
        self._cycle_at = s.now
        self._next_round = s.delivered
        self._up_full_bw = self.max_bw
        self._up_full_rounds = 0
        self._high.steepen(self.window)

    def _cycle(self, s: Sample) -> None:
        if self._company.cubic is not None or self.phase in (Phase.STARTUP, Phase.DRAIN, Phase.PROBE_RTT):
            return
        if self._too_much_lost(s):
            return
        if self.phase in (Phase.DOWN, Phase.CRUISE):
            self._cruise(s)
        elif self.phase is Phase.REFILL and self._round_start:
            self._advance_max_bw()
            self._enter_up(s)
        elif self.phase is Phase.UP:
            self._probe_up(s)

    def _cruise(self, s: Sample) -> None:
        if self._time_to_probe(s) and not self._company.asks(self._round_trips.base):
            self._enter_refill(s.delivered)
        elif self.phase is Phase.DOWN and s.in_flight <= min(self._bdp(), self._with_headroom):
            self._enter_cruise()

    def _time_to_probe(self, s: Sample) -> bool:
        rounds = min(RENO_ROUNDS, self._bdp() / self._packet)
        return s.now - self._cycle_at >= self._probe_wait or self._rounds_since_probe >= rounds

    def _probe_up(self, s: Sample) -> None:
        self._high.rise(s.newly_acked, self.window, round_start=self._round_start)
        if self._round_start and not s.app_limited:
            if self.max_bw >= self._up_full_bw * FULL_BANDWIDTH_GROWTH:
                self._up_full_bw, self._up_full_rounds = self.max_bw, 0
            else:
                self._up_full_rounds += 1
        if self._up_full_rounds >= FULL_BANDWIDTH_ROUNDS or self._probing_queues(s):
            self._enter_down(s.now, s.delivered)

    def _probing_queues(self, s: Sample) -> bool:
        """The queue that probing makes has been seen for long enough (v3 waits for a plateau of 3 rounds)."""
        if s.rtt is None or s.now - self._cycle_at <= self.min_rtt or s.in_flight < self._bdp(UP_GAIN):
            return False
        base = self._round_trips.base
        return s.rtt > base + max(base * PROBE_QUEUE, PROBE_QUEUE_S)

    def _advance_max_bw(self) -> None:
        if self._max_bw_cycles[1]:  # a cycle in the dark has measured nothing, and forgets nothing
            self._max_bw_cycles = [self._max_bw_cycles[1], 0.0]

    def _too_much_lost(self, s: Sample) -> bool:
        """Probing has filled the queue: remember where, and go back."""
        queued = self._company.queue_stands(self._round_trips.base)
        tolerated = LOSS_THRESHOLD if queued else RANDOM_LOSS_THRESHOLD
        if not self._probe_samples or s.lost <= tolerated * s.tx_in_flight or s.lost < 2 * self._packet:
            return False
        self._probe_samples = False
        if not s.app_limited:
            target = min(self._bdp(), self.window)
            self._high.lower(max(s.tx_in_flight, target * BETA))
        if self.phase is Phase.UP:
            self._enter_down(s.now, s.delivered)
            return True
        return False

    @property
    def _with_headroom(self) -> float:
        return max(self._high.with_headroom, MIN_WINDOW_PACKETS * self._packet)

    # Others on the link

    def _watch_queue(self, s: Sample) -> None:
        company, base = self._company, self._round_trips.base
        company.watch(s, base, self._bdp(), steady=self.phase in _PROBING_BANDWIDTH and not s.app_limited)
        match company.verdict(s, base, self._packet, self.window):
            case Verdict.COMES:
                self._enter_cruise()
            case Verdict.OURS:
                self._relearn(s, company.link_rate)
            case Verdict.GOES:
                self._bounds.lift()
                self._high.lift()
                self._enter_down(s.now, s.delivered)
            case None if company.cubic is not None:
                if self._round_start and self._rounds_since_probe >= 8:
                    self._rounds_since_probe = 0
                    self._advance_max_bw()
                company.share(s, self._packet)

    def _relearn(self, s: Sample, rate: float) -> None:
        """The queue is our own: the link is slower than it was."""
        self._max_bw_cycles = [rate, 0.0]
        self._bw = rate
        if self._bdp() <= self._initial_window:  # less than that may not come to be in flight, so nothing would end it
            self._enter_down(s.now, s.delivered)
            return
        self.phase = Phase.DRAIN
        self._pacing_gain, self._window_gain = DRAIN_GAIN, 1.0

    # Probing for the round-trip time

    def _check_probe_rtt(self, s: Sample) -> None:
        unconfirmed = s.rtt is not None and self._round_trips.unconfirmed
        if unconfirmed and self.phase not in (Phase.PROBE_RTT, Phase.STARTUP) and not s.app_limited:
            self._prior_window = self.window
            self.phase = Phase.PROBE_RTT
            self._pacing_gain, self._window_gain = 1.0, PROBE_RTT_WINDOW_GAIN
            self._probe_rtt_done_at = None
        if self.phase is Phase.PROBE_RTT:
            self._in_probe_rtt(s)

    def _in_probe_rtt(self, s: Sample) -> None:
        if self._probe_rtt_done_at is None:
            if s.in_flight <= self._probe_rtt_window():
                self._probe_rtt_done_at = s.now + PROBE_RTT_DURATION_S
                self._probe_rtt_round_done = False
                self._next_round = s.delivered
        elif self._probe_rtt_round_done and s.now >= self._probe_rtt_done_at:
            self._round_trips.confirm(s.now)
            self.window = max(self.window, self._prior_window)
            self._bounds.lift()
            self._enter_down(s.now, s.delivered)
            self._enter_cruise()

    def _probe_rtt_window(self) -> float:
        return max(self._bdp(PROBE_RTT_WINDOW_GAIN), MIN_WINDOW_PACKETS * self._packet)

    # Output

    def _set_pacing_rate(self) -> None:
        last = self._round_trips.last
        if self._company.cubic is not None and self.phase is not Phase.PROBE_RTT and last is not None:
            self.pacing_rate = COMPETING_GAIN * self._company.cubic.packets * self._packet / last
            return
        rate = self._pacing_gain * self._bw * PACING_MARGIN
        if self.min_rtt < SHORT_PATH_S and last is not None and self.phase is not Phase.PROBE_RTT:
            rate = max(rate, self._initial_window / max(last, LEAST_RTT_S))
        if self.full_bw_reached or (rate > self.pacing_rate and not self._holding):
            self.pacing_rate = max(rate, self._least_rate)

    @property
    def _least_rate(self) -> float:
        """What the least window allows in a round trip as it is now: who sends less measures less, and then sends less.

        While only a few holes of many can be named nothing is measured at all, and they have to be filled first.
        """
        return MIN_WINDOW_PACKETS * self._packet / max(self._round_trips.last or 1.0, LEAST_RTT_S)

    def _set_window(self, s: Sample) -> None:
        if self._company.cubic is not None and self.phase is not Phase.PROBE_RTT and not self._restore_window:
            least = self._initial_window if self.min_rtt < SHORT_PATH_S else 0
            self.window = max(int(self._company.cubic.packets * self._packet), least)
            return
        target = int(self._bdp(self._window_gain)) + self._aggregation.extra + 2 * self._packet
        if self._restore_window:
            self._restore_window = False
            self.window = max(self.window, self._prior_window)
        if self.full_bw_reached:
            self.window = target if self.phase is Phase.DRAIN else min(self.window + s.newly_acked, target)
        elif not self._holding and (self.window < target or s.delivered < self._initial_window):
            self.window += int(s.newly_acked * (self._window_gain - 1))
        least = self._initial_window if self.min_rtt < SHORT_PATH_S else MIN_WINDOW_PACKETS * self._packet
        self.window = max(self.window, least)
        self._bound_window()

    def _bound_window(self) -> None:
        cap = _INFINITE
        if self.phase is Phase.PROBE_RTT:
            cap = min(self._with_headroom, self._probe_rtt_window())
        elif self.phase is Phase.CRUISE:
            cap = self._with_headroom
        elif self.phase is not Phase.STARTUP:
            cap = self._high.flight
        if self.phase in (Phase.DOWN, Phase.CRUISE):
            cap = min(cap, self._company.most_flight(self._bdp(), self._round_trips.base))
        cap = min(cap, self._bounds.flight)
        if cap < self.window:
            self.window = max(int(cap), MIN_WINDOW_PACKETS * self._packet)

    def on_timeout(self, in_flight: int) -> None:
        """Nothing was acknowledged for a whole RTO: one packet at a time until something is."""
        if not self._restore_window:
            self._prior_window = self.window
            self._restore_window = True
        self.window = in_flight + self._packet

    def on_restart(self, now: float) -> None:
        """Sending goes on after an idle time: at the bandwidth that is known, without the burst."""
        self._aggregation.restart(now)
        if self.phase in _PROBING_BANDWIDTH:
            self.pacing_rate = max(self._bw * PACING_MARGIN, self._least_rate)
