"""What to send next, and what has been lost: the sending half of an SCTP association (pure).

Time is an argument of every method, and nothing here knows a socket, so a
simulated link can drive it. `poll` gives chunks while sending is allowed,
`deadline` says when to call `on_timer` and `poll` again.

Loss is told by time, not by counting gaps: RACK with a tail-loss probe
(RFC 8985; see ``scoreboard``). The retransmission timer (RFC 9260, section 6.3)
backs off and comes to an end.
"""

from __future__ import annotations

from collections.abc import Sequence

from seedshot_desktop.seed.transport.bbr import Bbr
from seedshot_desktop.seed.transport.delivery import Delivery, Fate, Sent
from seedshot_desktop.seed.transport.inbound import TSN_MODULO
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD, LARGE_CHUNK, LargeLosses
from seedshot_desktop.seed.transport.limits import Allowance, RateLimit
from seedshot_desktop.seed.transport.loss_timer import Expiry, LossTimer
from seedshot_desktop.seed.transport.outbox import CHUNK_HEADER, Outbox, immediate
from seedshot_desktop.seed.transport.sacks import absolute
from seedshot_desktop.seed.transport.scoreboard import Scoreboard

PACKET_OVERHEAD = 12 + 37 + 28
"""SCTP's common header, DTLS 1.2's record with AES-GCM, UDP and IPv4: bytes that a chunk costs on the link."""
MAX_SPAN = 4096
"""Chunks between the first that is not acknowledged and the newest: a viewer that acknowledges all but one would
otherwise have us keep the whole file, for what only gap blocks name may be taken back."""
LIMIT_RECHECK_S = 0.25
"""How soon a sender that waits for its turn under a limit notices that the limit has been changed."""
BURST_S = 0.001
CREDIT_S = 0.005
MAX_CREDIT_S = 0.05
"""A late wake-up may catch up by a round trip of sending, between these: a busy machine is late all the time."""
_LARGE = LARGE_CHUNK + PACKET_OVERHEAD


class Sender:
    """Queues messages, cuts them into chunks, keeps them until they are acknowledged."""

    def __init__(
        self,
        first_tsn: int,
        *,
        now: float,
        window: int,
        rtt_hint: float | None = None,
        payload: int = BASE_PAYLOAD,
        limits: Sequence[RateLimit] = (),
    ) -> None:
        self.payload = payload
        """User bytes of a chunk; may grow when a larger packet is known to pass."""
        self._bbr = Bbr(now, payload + CHUNK_HEADER + PACKET_OVERHEAD, rtt_hint, seed=first_tsn)
        self._allowances = [Allowance(limit) for limit in limits]
        self._limited: list[Allowance] = []
        self._limited_at = now - 1.0
        self._outbox = Outbox()
        self._first_tsn = first_tsn
        self._board = Scoreboard(first_tsn)
        self._peer_window = window
        self.large_losses = LargeLosses()
        self._delivery = Delivery(now)
        self._timer = LossTimer(now, rtt_hint)
        self._round_trip = self._timer.round_trip
        self._probe_due = False
        self.dead = False
        """The peer has acknowledged nothing for too long."""
        self._next_send = now - BURST_S
        self._bursting = False
        self.retransmitted = 0
        self.spurious = 0
        self.timeouts = 0

    # Handing over

    def write(self, stream: int, protocol: int, message: bytes, *, urgent: bool = False) -> None:
        """Queue a message; an urgent one goes before those that have not begun."""
        self._outbox.write(stream, protocol, message, urgent=urgent)

    @property
    def buffered(self) -> int:
        """Bytes of data messages that have not been sent once."""
        return self._outbox.buffered

    @property
    def urgent_queued(self) -> int:
        """Urgent messages that have not begun."""
        return self._outbox.urgent

    @property
    def idle(self) -> bool:
        """Whether everything that is still to be delivered has been acknowledged."""
        return self._outbox.empty and self._board.idle

    @property
    def acknowledged(self) -> int:
        """Chunks that have arrived, as far as none before them is missing."""
        return self._board.cumulative + 1 - self._first_tsn

    @property
    def timeout_s(self) -> float:
        """How long an answer may take."""
        return self._round_trip.timeout(0)

    @property
    def in_flight(self) -> int:
        """Bytes on their way, headers included."""
        return self._board.in_flight

    @property
    def window(self) -> int:
        """The congestion window, in bytes."""
        return self._bbr.window

    def discard(self) -> None:
        """Forget the data messages that have not begun."""
        self._outbox.discard()

    def freeze(self, stream: int) -> None:
        """Send nothing more of `stream`: neither what waits nor what was lost."""
        self._outbox.freeze(stream)
        self._board.freeze(stream)

    # Sending

    def poll(self, now: float) -> bytes | None:
        """The next chunk to send at `now`, or None when nothing may be sent."""
        if self.dead:
            return None
        if self._probe_due:
            self._probe_due = False
            return self._probe(now)
        if now < self._next_send + (0.0 if self._bursting else BURST_S):
            self._bursting = False
            return None
        self._bursting = True
        if self._board.next_lost() is None:
            return self._send_new(now)
        if self._board.in_flight >= self._bbr.window:
            return None
        if self._limited_until(now) > now:
            self._note_app_limited()
            return None
        return self._transmit(self._board.take_lost(), now)

    def _limited_until(self, now: float) -> float:
        """When the limits let the next chunk pass. A control message is not held up, nor what stands before it.

        It is counted all the same, and what follows waits the longer for it.
        """
        limited = self._limits(now)
        if not limited or self._outbox.urgent or self._next_is_control():
            return now
        return min(max(allowance.ready_at(now) for allowance in limited), now + LIMIT_RECHECK_S)

    def _limits(self, now: float) -> list[Allowance]:
        """Those that limit anything; looked at once for all that is sent at one time."""
        if now != self._limited_at:
            self._limited_at = now
            self._limited = [allowance for allowance in self._allowances if allowance.limited]
        return self._limited

    def _next_is_control(self) -> bool:
        lost = self._board.next_lost()
        if lost is not None:
            return not lost.stream
        message = self._outbox.head()
        return message is not None and not message.stream

    def _send_new(self, now: float) -> bytes | None:
        board = self._board
        if board.span >= MAX_SPAN:
            return None
        message = self._outbox.head()
        if message is None:
            self._note_app_limited()
            return None
        if board.in_flight >= self._bbr.window:
            return None
        size = message.end - message.at
        size = min(size, self.payload)
        if board.in_flight and board.in_flight + size > self._peer_window:
            self._note_app_limited()
            return None
        if self._limits(now) and self._limited_until(now) > now:
            self._note_app_limited()
            return None
        chunk = self._outbox.cut(board.next_tsn, size)
        return self._transmit(board.add(chunk, len(chunk) + PACKET_OVERHEAD), now)

    def _transmit(self, sent: Sent, now: float) -> bytes:
        board = self._board
        if not board.in_flight:
            self._resume(sent, now)
        if sent.times:
            self.retransmitted += 1
            sent.chunk = immediate(sent.chunk)
        board.leaves(sent)
        self._delivery.stamp(sent, now, board.in_flight)
        self._pace(sent.size, now)
        if self._timer.at is None:
            self._arm(now)
        return sent.chunk

    def set_free(self, now: float) -> None:
        """A handshake has held everything up but what went with it: neither that nor the time until now is a rate."""
        for sent in self._board:
            sent.counted = True
        self._delivery.restart(now)

    def repeated(self, now: float) -> None:
        """All that is on its way has been sent once more, by another timer than ours."""
        for sent in self._board.take_outstanding():
            self._transmit(sent, now)

    def _resume(self, sent: Sent, now: float) -> None:
        """Nothing is in flight."""
        if self._board.next_lost() is None:
            self._timer.begins(now)
        self._delivery.restart(now)
        if not sent.times:
            self._bbr.on_restart(now)
            self._next_send = max(self._next_send, now - BURST_S)

    def _pace(self, size: int, now: float) -> None:
        for allowance in self._limits(now):
            allowance.spend(size)
        if now - self._next_send > CREDIT_S:
            credit = min(max(self._bbr.min_rtt / 3, CREDIT_S), MAX_CREDIT_S)
            self._next_send = max(self._next_send, now - credit)
        self._next_send += size / self._bbr.pacing_rate

    def count_probe(self, size: int, now: float) -> None:
        """Something of `size` bytes leaves that is no chunk of ours: it has its place in the pace and under limits."""
        self._pace(size + PACKET_OVERHEAD, now)

    def _note_app_limited(self) -> None:
        if self._board.in_flight < self._bbr.window:
            self._delivery.limit(self._board.in_flight)

    # Acknowledgements

    def on_sack(
        self, now: float, cumulative: int, window: int, gaps: Sequence[tuple[int, int]], duplicates: int = 0
    ) -> None:
        """A SACK: `cumulative` is 32 bits wide, `gaps` are offsets from it, both ends included.

        Raises ViolationError where it acknowledges what was never sent.
        """
        board = self._board
        ahead = (cumulative - board.cumulative) % TSN_MODULO
        if ahead >= TSN_MODULO // 2:
            return  # older than what is known
        cumulative = board.cumulative + ahead
        blocks = absolute(cumulative, gaps, board.next_tsn)
        self._timer.heard(now)
        self._peer_window = window
        if duplicates:
            self._duplicated(duplicates)
        newest, newly = board.acknowledge(cumulative, blocks)
        if newest is not None:
            self._learn(now, newest, newly)
            return
        self._detect(now)
        if self._timer.at is None:
            self._arm(now)

    def _learn(self, now: float, newest: Sent, newly: int) -> None:
        """Something has arrived: `newest` left last of it, and `newly` bytes of it are news."""
        if self.large_losses.count:
            self._note_large(is_large=newest.size > _LARGE)
        self._delivery.deliver(now, newly)
        rtt = self._sample_rtt(now, newest)
        self._update_rack(newest, rtt)
        lost_before = self._delivery.lost
        self._detect(now)
        self._timer.progress()
        self._bbr.on_ack(
            self._delivery.sample(
                now,
                newest,
                acked=newly,
                lost=self._delivery.lost - lost_before,
                in_flight=self._board.in_flight,
                rtt=rtt,
                min_rtt=self._bbr.min_rtt,
                dark=self._board.dark,
            )
        )
        self._arm(now)

    def _sample_rtt(self, now: float, newest: Sent) -> float | None:
        rtt = now - newest.sent_at
        if newest.times > 1:
            return None  # which of the transmissions arrived cannot be told (Karn)
        self._round_trip.add(rtt)
        return rtt

    # Loss

    def _update_rack(self, newest: Sent, rtt: float | None) -> None:
        """RFC 8985, section 6.2, steps 1 and 2; a SACK that comes too soon is of an earlier transmission."""
        if rtt is None:
            rtt = self._delivery.at - newest.sent_at
            if rtt < min(self._bbr.min_rtt, self._round_trip.smoothed or 0.0):
                return
        self._board.rack.arrived(newest.sent_at, newest.tsn, rtt)

    def _duplicated(self, count: int) -> None:
        """The receiver had it already."""
        self.spurious += count
        if self.retransmitted:
            self._board.rack.was_too_quick()

    def _detect(self, now: float) -> None:
        for sent in self._board.detect(now, self._bbr.min_rtt, self._round_trip.smoothed):
            self._delivery.lost += sent.size
            if sent.size > _LARGE:
                self.large_losses.lost()

    def _note_large(self, *, is_large: bool) -> None:
        """Something arrives where large packets were lost."""
        self.large_losses.arrived(is_large=is_large)
        if is_large:
            self._timer.relax()

    # Timers

    def deadline(self, now: float) -> float | None:
        """When to call `on_timer` and then `poll`; None while there is nothing to wait for."""
        times = [at for at in (self._board.deadline, self._timer.at) if at is not None]
        if self._may_send_more():
            times.append(max(self._next_send + BURST_S, self._limited_until(now)))
        return min(times) if times else None

    def loss_deadline_passed(self, now: float) -> bool:
        """Whether `on_timer` at `now` would take something for lost, or probe."""
        times = (self._board.deadline, self._timer.at)
        return any(at is not None and at <= now for at in times)

    def _may_send_more(self) -> bool:
        board = self._board
        if self.dead or board.in_flight >= self._bbr.window:
            return False
        if board.next_lost() is not None:
            return True
        message = self._outbox.head()
        if message is None or board.span >= MAX_SPAN:
            return False
        size = min(self.payload, message.left)
        return not board.in_flight or board.in_flight + size <= self._peer_window

    def on_timer(self, now: float) -> None:
        """A deadline has come: look for losses, probe, or time out."""
        board = self._board
        if board.deadline is not None and now >= board.deadline:
            self._detect(now)
        if self._timer.is_stuck(now) and not any(sent.size > _LARGE and sent.fate is not Fate.ACKED for sent in board):
            self._timer.relax()  # the large ones have all arrived, each with a small one behind it
        held_up = not board.in_flight and board.next_lost() is not None  # only a limit does that
        match self._timer.expired(now, outstanding=bool(board), held_up=held_up):
            case Expiry.PROBE:
                self._probe_due = True
            case Expiry.TIMEOUT:
                self._time_out(now)
            case Expiry.DEAD:
                self.dead = True

    def retry_large(self, now: float) -> None:
        """Large packets do not pass, whole or in parts: they have a moment in which that may change."""
        self._timer.hurry(now)

    def give_up(self) -> None:
        """What has been cut cannot arrive: a new connection begins with smaller chunks."""
        self.dead = True

    def _arm(self, now: float) -> None:
        self._timer.arm(now, outstanding=bool(self._board), lone=self._board.in_flight <= 2 * self.payload)

    def _probe(self, now: float) -> bytes | None:
        """One chunk that makes the receiver say what it has (RFC 8985, section 7.3)."""
        sent = self._board.take_tail()
        return None if sent is None else self._transmit(sent, now)

    def _time_out(self, now: float) -> None:
        self.timeouts += 1
        missing, newly_lost = self._board.lose_all()
        self._delivery.lost += newly_lost
        if any(sent.size > _LARGE for sent in missing):
            self.large_losses.timed_out()
        self._next_send = now - BURST_S
        self._bbr.on_timeout(self._board.in_flight)
