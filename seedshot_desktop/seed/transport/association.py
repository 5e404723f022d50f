"""The SCTP association: aiortc's handshake, our sender, and bounds on what a peer may do."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiortc import RTCSctpCapabilities, RTCSctpTransport
from aiortc.rtcsctptransport import (
    CHUNK_TYPES,
    WEBRTC_STRING,
    Chunk,
    CookieEchoChunk,
    DataChunk,
    HeartbeatAckChunk,
    InitAckChunk,
    InitChunk,
    ReconfigChunk,
    SackChunk,
)
from google_crc32c import value as crc32c

from seedshot_desktop.seed.transport.bursts import BURSTS
from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.early import Early
from seedshot_desktop.seed.transport.inbound import TSN_MODULO, WINDOW, Fragment, Inbound, ViolationError
from seedshot_desktop.seed.transport.limits import RateLimit
from seedshot_desktop.seed.transport.parameters import check_parameters
from seedshot_desktop.seed.transport.probing import Prober
from seedshot_desktop.seed.transport.sdp import OUR_MAX_MESSAGE, OUR_SCTP_PORT
from seedshot_desktop.seed.transport.sender import Sender

CONTROL = 0
"""The stream of the control channel; negotiated, never opened by DCEP."""
DATA = 1
LOW_WATER = 128 * 1024
MAX_CONTROL_QUEUED = 1024
TIMER_SLACK_S = 0.0005
LOOK_AGAIN_S = 0.001
T1_MIN_S = 0.3
T1_MAX_S = 3.0
_PACKET = struct.Struct("!HHL")
_CHUNK = struct.Struct("!BBH")
_SACK_TYPE = SackChunk.type
_SACK = struct.Struct("!LLHH")
_BLOCK = struct.Struct("!HH")
_DATA = struct.Struct("!LHHL")
_NO_CHECKSUM = b"\0\0\0\0"


class Association(RTCSctpTransport):
    """Two ordered, reliable streams to one viewer.

    aiortc makes the association (INIT, COOKIE, heartbeats, ABORT). DATA and
    SACK, which are all that a transfer consists of, never reach it.
    """

    def __init__(
        self,
        dtls: Dtls,
        *,
        on_established: Callable[[], None],
        on_closed: Callable[[str], None],
        on_message: Callable[[bytes], None],
        on_writable: Callable[[], None],
        limits: Sequence[RateLimit] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(dtls, OUR_SCTP_PORT)
        self._local_partial_reliability = False
        self._advertised_rwnd = WINDOW
        self._inbound_streams_max = self._outbound_streams_count = 2
        self._dtls = dtls
        self._running = asyncio.get_running_loop()
        self._on_established = on_established
        self._on_closed = on_closed
        self._on_message = on_message
        self._on_writable = on_writable
        self._limits = limits
        self._clock = clock
        self._inbound: Inbound | None = None
        self._sender: Sender | None = None
        self._prober = Prober(dtls, self._packet)
        self._early = Early()
        self._peer_window = 0
        self._sack: tuple[int, int, bytes] | None = None
        self._duplicates = 0
        self._asked_at = self._answered_at = 0.0
        self._round_trip: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._turn: asyncio.Handle | None = None
        self._looked = False
        self._is_sending = False
        self._ended = False
        self._is_late = False
        self._progress = asyncio.Event()

    def open(self, remote_port: int, max_message: int, handshake_s: float) -> None:
        """Begin the association; `on_established` or `on_closed` follows.

        `handshake_s`, how long DTLS took, is more than a round trip: an INIT that is
        not answered within twice that time is lost.
        """
        self._rto = min(max(2 * handshake_s, T1_MIN_S), T1_MAX_S)
        self._asked_at = self._clock()
        _run(self.start(RTCSctpCapabilities(maxMessageSize=max_message), remote_port))

    # Sending

    @property
    def buffered(self) -> int:
        """Bytes of data messages that were handed over and have not been sent yet."""
        if self._sender is not None:
            return self._sender.buffered
        return self._early.bytes_of(DATA)

    @property
    def established(self) -> bool:
        """Whether the peer has shown that it takes packets."""
        return bool(self._association_state == self.State.ESTABLISHED)

    def send(self, stream: int, protocol: int, message: bytes) -> None:
        """Queue one message; control messages go before data messages that have not begun.

        What is queued before the association is established leaves with the COOKIE ECHO, as far as one packet goes.
        """
        if self._ended:
            return
        if self._sender is None:
            self._wait(stream, protocol, message)
            return
        if stream == CONTROL and self._sender.urgent_queued >= MAX_CONTROL_QUEUED:
            self._end("the viewer takes no control messages")
            return
        self._sender.write(stream, protocol, message, urgent=stream == CONTROL)
        self._count_sending(is_sending=True)
        self._take_turn()

    def _wait(self, stream: int, protocol: int, message: bytes) -> None:
        if len(self._early) >= MAX_CONTROL_QUEUED:
            self._end("too much was to be said before the association was established")
        else:
            self._early.add(stream, protocol, message)

    async def drained(self) -> None:
        """Wait until everything that is to be delivered is acknowledged, or the association is over."""
        while not self._ended and (self._early if self._sender is None else not self._sender.idle):
            self._progress.clear()
            await self._progress.wait()

    def discard_data(self) -> None:
        """Forget the data messages of which nothing has been sent."""
        self._early.forget(DATA)
        if self._sender is not None:
            self._sender.discard()

    def forget_unsaid(self) -> None:
        """Forget what waits for the association: nothing of it has left."""
        self._early.forget()

    def freeze_data(self) -> None:
        """Send nothing more of any data message, not even what was lost, nor with a COOKIE ECHO that is sent again."""
        self._early.freeze(DATA)
        if self._sender is not None:
            self._sender.freeze(DATA)

    def _take_turn(self) -> None:
        """Send when the loop comes round: never from inside the caller."""
        if self._turn is None and not self._ended:
            self._turn = self._running.call_soon(self._on_turn)

    def _on_turn(self) -> None:
        self._turn = None
        self._learn_and_send()

    def _pump(self) -> None:
        """Send what may be sent now, and set the timer for the rest."""
        sender = self._sender
        if sender is None or self._ended or not self.established:
            return
        now = self._clock()
        path = self._dtls.path
        if path is not None and path.is_full:
            # Whatever was sent now would lie in the event loop, where a revoke does not find it.
            self._set_timer(now + LOOK_AGAIN_S, now)
            return
        self._prober.look(sender, now)
        before = sender.buffered
        self._count_sending(is_sending=not sender.idle)
        most = BURSTS.packets
        chunks: list[bytes] = []
        while len(chunks) < most and (chunk := sender.poll(now)) is not None:
            chunks.append(chunk)
        if chunks:
            self._dtls.transmit([self._packet(chunk) for chunk in chunks])
        if len(chunks) == most:
            self._take_turn()
        else:
            self._set_timer(sender.deadline(now), now)
        if before >= LOW_WATER > sender.buffered or before > sender.buffered == 0:
            self._on_writable()

    def _count_sending(self, *, is_sending: bool) -> None:
        if is_sending is not self._is_sending:
            self._is_sending = is_sending
            (BURSTS.begin if is_sending else BURSTS.end)(self)

    def _packet(self, chunk: bytes) -> bytes:
        header = _PACKET.pack(self._local_port, self._remote_port, self._remote_verification_tag)
        checksum: int = crc32c(header + _NO_CHECKSUM + chunk)
        return header + checksum.to_bytes(4, "little") + chunk

    def _set_timer(self, deadline: float | None, now: float) -> None:
        """Wake at `deadline`; a timer that is set for earlier is left to wake us for nothing."""
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline + TIMER_SLACK_S:
                return
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self._running.call_later(max(0.0, deadline - now), self._on_timer)

    def _on_timer(self) -> None:
        """A deadline came. One of loss is looked at after the socket has been: a busy machine wakes us late,
        and what we wait for may have arrived meanwhile."""
        self._timer = None
        if self._sender is None or self._ended:
            return
        if self._sender.loss_deadline_passed(self._clock()) and not self._looked:
            self._looked = True
            self._timer = self._running.call_later(LOOK_AGAIN_S, self._on_timer)
            self._timer_at = 0.0
            return
        self._looked = False
        self._learn_and_send(timer=True)

    def _learn_and_send(self, *, timer: bool = False) -> None:
        try:
            self._learn()
        except ViolationError as violation:
            self._end(f"the viewer broke the protocol: {violation}")
        if self._sender is None or self._ended:
            return
        if timer and self.established:
            self._sender.on_timer(self._clock())
        if self._sender.dead:
            _run(self.goodbye())  # small packets may still pass
            self._on_closed("the viewer can no longer be reached")
        self._pump()

    # Receiving

    def receive(self, packet: bytes) -> None:
        """One packet; whatever is wrong with it ends this association and nothing else."""
        if self._ended:
            return
        try:
            self._read(packet)
        except ViolationError as violation:
            self._end(f"the viewer broke the protocol: {violation}")
        except (struct.error, AssertionError, KeyError, IndexError, ValueError):
            self._end("the viewer broke the protocol: a malformed chunk")

    async def _handle_data(self, data: bytes) -> None:
        """What came together with the end of the DTLS handshake, from aiortc's own loop."""
        self.receive(data)

    def _read(self, packet: bytes) -> None:
        if len(packet) < 16:
            return
        tag = int.from_bytes(packet[4:8], "big")
        if int.from_bytes(packet[8:12], "little") != crc32c(packet[:8] + _NO_CHECKSUM + packet[12:]):
            return
        at, end = 12, len(packet)
        ours = self._local_verification_tag
        if packet[12] == _SACK_TYPE and (packet[14] << 8 | packet[15]) == end - at and tag == ours:
            self._read_sack(packet, 16)  # alone, as nearly all that comes while we send
            return
        answered: set[int] = set()
        while at + 4 <= end and not self._ended:
            kind, flags, length = _CHUNK.unpack_from(packet, at)
            if length < 4 or at + length > end:
                raise ViolationError("a chunk of a wrong length")
            if tag != (0 if kind == InitChunk.type else ours):
                return
            if kind not in answered:
                self._read_chunk(kind, flags, packet[at + 4 : at + length])
            if kind in _HANDSHAKE:
                answered.add(kind)  # many in one packet would make one packet many
            at += (length + 3) & ~3
        if self._sack_needed:
            _run(self._send_sack())

    def _read_chunk(self, kind: int, flags: int, body: bytes) -> None:
        if kind == SackChunk.type:
            self._read_sack(body, 0)
        elif kind == DataChunk.type:
            self._read_data(flags, body)
        elif kind == HeartbeatAckChunk.type:
            self._read_heartbeat_ack(body)
        elif kind in _HANDSHAKE and (cls := CHUNK_TYPES.get(kind)) is not None:
            check_parameters(kind, body)
            _run(self._receive_chunk(cls(flags=flags, body=body)))

    def _read_sack(self, data: bytes, at: int) -> None:
        """Keep it: what its blocks say is read once it is known to be the last of those that came together."""
        if self._sender is None:
            return
        cumulative, window, blocks, duplicates = _SACK.unpack_from(data, at)
        at += _SACK.size
        if at + 4 * blocks > len(data):
            raise ViolationError("a SACK that is cut off")
        self._duplicates += duplicates
        if self._sack is not None and (cumulative - self._sack[0]) % TSN_MODULO >= TSN_MODULO // 2:
            return  # overtaken on its way by one that says more
        self._sack = (cumulative, window, data[at : at + 4 * blocks])
        if self._turn is None:
            self._take_turn()

    def _read_heartbeat_ack(self, body: bytes) -> None:
        if self._sender is not None:
            self._prober.answered(body, self._sender, self._clock())
            self._take_turn()

    def _learn(self) -> None:
        """Take in the last of the SACKs that came since: each says all that those before it said."""
        sack, self._sack = self._sack, None
        if sack is None or self._sender is None:
            return
        duplicates, self._duplicates = self._duplicates, 0
        cumulative, window, blocks = sack
        gaps = list(_BLOCK.iter_unpack(blocks))
        self._sender.on_sack(self._clock(), cumulative, window, gaps, duplicates)
        self._progress.set()

    def _read_data(self, flags: int, body: bytes) -> None:
        if self._inbound is None:
            return
        self._sack_needed = True
        tsn, stream, _, protocol = _DATA.unpack_from(body)
        for source, kind, message in self._inbound.receive(tsn, Fragment(stream, protocol, flags, body[12:])):
            if source != CONTROL or kind != WEBRTC_STRING:
                raise ViolationError("a message that is not control text")
            self._on_message(message)

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, ReconfigChunk):
            self._end("the viewer closed its channels")
            return
        if isinstance(chunk, InitChunk | InitAckChunk):
            if self._association_state not in _BEFORE_DATA:
                return  # a viewer that starts anew makes a new connection
            self._inbound = Inbound(chunk.initial_tsn, OUR_MAX_MESSAGE)
            self._peer_window = chunk.advertised_rwnd
        self._measure(chunk)
        await super()._receive_chunk(chunk)

    def _measure(self, chunk: Chunk) -> None:
        """The round trip: from our INIT to its INIT ACK, or from our INIT ACK to the COOKIE ECHO."""
        asked_at = self._answered_at if isinstance(chunk, CookieEchoChunk) else self._asked_at
        if isinstance(chunk, InitChunk):
            self._answered_at = self._clock()
        elif isinstance(chunk, InitAckChunk | CookieEchoChunk):
            self._round_trip = self._clock() - asked_at

    async def _send_sack(self) -> None:
        if self._inbound is None:
            return
        sack = SackChunk()
        sack.cumulative_tsn = self._inbound.cumulative_tsn
        sack.advertised_rwnd = self._inbound.window
        sack.gaps = self._inbound.gaps()
        sack.duplicates = self._inbound.duplicates[:]
        self._inbound.duplicates.clear()
        self._sack_needed = False
        await self._send_chunk(sack)

    def _t1_expired(self) -> None:
        """Back off, which aiortc does not."""
        self._rto = min(2 * self._rto, T1_MAX_S)
        self._is_late = True  # if the state changes now, it is because nobody has answered
        super()._t1_expired()
        self._is_late = False

    async def _send_chunk(self, chunk: Chunk) -> None:
        data = bytes(chunk)
        if isinstance(chunk, CookieEchoChunk):
            data = self._early.ride(data, self._sender or self._begin(), self._clock())
        self._dtls.transmit([self._packet(data)])

    def _begin(self) -> Sender:
        """From now on there is somebody to send to."""
        self._sender = sender = Sender(
            self._local_tsn,
            now=self._clock(),
            window=self._peer_window,
            rtt_hint=self._round_trip,
            limits=self._limits,
        )
        self._early.hand_over(sender, urgent=CONTROL)
        return sender

    # Ending

    async def goodbye(self) -> None:
        """Tell the peer that the association is over (ABORT), and end it here."""
        established = self._association_state == self.State.ESTABLISHED and not self._ended
        self.silence()
        if established:
            await self._abort()

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        before = self._association_state
        super()._set_state(state)
        if state == before:
            return
        if state == self.State.ESTABLISHED:
            (self._sender or self._begin()).set_free(self._clock())
            self._take_turn()
            self._progress.set()
            self._on_established()
        elif state == self.State.CLOSED:
            self._end("the viewer does not answer" if self._is_late else "the viewer closed the connection")

    def _end(self, reason: str) -> None:
        if not self._ended:
            self.silence()
            self._on_closed(reason)

    def silence(self) -> None:
        """Stop every timer and forget what is queued; nothing is sent any more."""
        self._ended = True
        if self._association_state != self.State.CLOSED:
            super()._set_state(self.State.CLOSED)
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = self._sender = self._inbound = None
        self._count_sending(is_sending=False)
        self._early.forget()
        self._progress.set()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Drive one of aiortc's handlers to its end: over our DTLS, none of them ever waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("an SCTP handler has waited")


_BEFORE_DATA = (
    RTCSctpTransport.State.CLOSED,
    RTCSctpTransport.State.COOKIE_WAIT,
    RTCSctpTransport.State.COOKIE_ECHOED,
)
_HANDSHAKE = frozenset({1, 2, 4, 6, 7, 8, 9, 10, 11, 14, 130})
"""Chunks that aiortc handles; FORWARD-TSN is not among them: nothing partially reliable was agreed on."""
