"""The SCTP association: aiortc's handshake and chunks, bounded towards the peer."""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable

from aiortc import RTCSctpCapabilities, RTCSctpTransport
from aiortc.rtcsctptransport import (
    WEBRTC_STRING,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    InitAckChunk,
    InitChunk,
    ReconfigChunk,
    SackChunk,
)

from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.inbound import WINDOW, Fragment, Inbound, ViolationError
from seedshot_desktop.seed.transport.sdp import OUR_MAX_MESSAGE, OUR_SCTP_PORT

CONTROL = 0
"""The stream of the control channel; negotiated, never opened by DCEP."""
DATA = 1
LOW_WATER = 128 * 1024
MAX_CONTROL_QUEUED = 1024
MAX_GAP_BLOCKS = 512
MAX_GAP_OFFSET = 65535


class Association(RTCSctpTransport):
    """Two ordered, reliable streams to one viewer."""

    def __init__(
        self,
        dtls: Dtls,
        *,
        on_established: Callable[[], None],
        on_closed: Callable[[str], None],
        on_message: Callable[[int, int, bytes], None],
        on_writable: Callable[[], None],
    ) -> None:
        super().__init__(dtls, OUR_SCTP_PORT)
        self._local_partial_reliability = False
        self._advertised_rwnd = WINDOW
        self._inbound_streams_max = self._outbound_streams_count = 2
        self._on_established = on_established
        self._on_closed = on_closed
        self._on_message = on_message
        self._on_writable = on_writable
        self._inbound: Inbound | None = None
        self._control: deque[tuple[int, bytes]] = deque()
        self._data: deque[tuple[int, bytes]] = deque()
        self._buffered = 0
        self._pump: asyncio.Task[None] | None = None
        self._ended = False
        self._progress = asyncio.Event()

    async def open(self, remote_port: int, max_message: int) -> None:
        """Begin the association; `on_established` or `on_closed` follows."""
        await self.start(RTCSctpCapabilities(maxMessageSize=max_message), remote_port)

    # Sending

    @property
    def buffered(self) -> int:
        """Bytes of data messages that were handed over and are not under way yet."""
        return self._buffered

    @property
    def idle(self) -> bool:
        """Whether everything that was handed over has been acknowledged."""
        return not (self._control or self._data or self._outbound_queue or self._sent_queue)

    def send(self, stream: int, protocol: int, message: bytes) -> None:
        """Queue one message; control messages go before data messages that have not begun."""
        queue = self._control if stream == CONTROL else self._data
        if stream == CONTROL and len(queue) >= MAX_CONTROL_QUEUED:
            self._end("the viewer takes no control messages")
            return
        queue.append((protocol, message))
        if stream == DATA:
            self._buffered += len(message)
        self._wake()

    async def drained(self) -> None:
        """Wait until everything that was handed over is acknowledged, or the association is over."""
        while not self.idle and not self._ended:
            self._progress.clear()
            await self._progress.wait()

    def drop_data(self) -> None:
        """Forget the data messages that have not begun."""
        self._data.clear()
        self._buffered = 0

    def _wake(self) -> None:
        if self._pump is None and not self._ended and self._association_state == self.State.ESTABLISHED:
            self._pump = asyncio.create_task(self._flush(), name="sctp pump")

    async def _flush(self) -> None:
        try:
            await self._data_channel_flush()
        except ConnectionError:
            pass  # the path went away; its own end is reported by ICE or DTLS
        finally:
            self._pump = None

    async def _data_channel_flush(self) -> None:
        """Hand messages to SCTP while it has nothing waiting (aiortc calls this after every SACK)."""
        before = self._buffered
        while (self._control or self._data) and not self._outbound_queue and not self._ended:
            if self._control:
                protocol, message = self._control.popleft()
                await self._send(CONTROL, protocol, message)
            else:
                protocol, message = self._data.popleft()
                self._buffered -= len(message)
                await self._send(DATA, protocol, message)
        if before > LOW_WATER >= self._buffered:
            self._on_writable()

    # Receiving

    async def _handle_data(self, data: bytes) -> None:
        """One packet; whatever is wrong with it ends this association and nothing else."""
        if self._ended:
            return
        try:
            await super()._handle_data(data)
        except ViolationError as violation:
            self._end(f"the viewer broke the protocol: {violation}")
        except (struct.error, AssertionError, KeyError, IndexError, ValueError):
            self._end("the viewer broke the protocol: a malformed chunk")

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, InitChunk | InitAckChunk) and self._association_state in _BEFORE_DATA:
            self._inbound = Inbound(chunk.initial_tsn, OUR_MAX_MESSAGE)
        elif isinstance(chunk, InitChunk):
            return  # the association stands; a viewer that starts anew makes a new connection
        if isinstance(chunk, ForwardTsnChunk | ReconfigChunk):
            await self._receive_unneeded(chunk)
            return
        await super()._receive_chunk(chunk)

    async def _receive_unneeded(self, chunk: Chunk) -> None:
        if isinstance(chunk, ReconfigChunk):
            self._end("the viewer closed its channels")

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        if self._inbound is None:
            return
        self._sack_needed = True
        fragment = Fragment(chunk.stream_id, chunk.protocol, chunk.flags, chunk.user_data)
        for stream, protocol, message in self._inbound.receive(chunk.tsn, fragment):
            self._deliver(stream, protocol, message)

    def _deliver(self, stream: int, protocol: int, message: bytes) -> None:
        if stream != CONTROL or protocol != WEBRTC_STRING:
            raise ViolationError("a message that is not control text")
        self._on_message(stream, protocol, message)

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

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        if len(chunk.gaps) > MAX_GAP_BLOCKS:
            raise ViolationError("a SACK of too many blocks")
        flight = len(self._sent_queue)
        last = 0
        for start, end in chunk.gaps:
            if not last < start <= end or end > flight:
                raise ViolationError("a SACK whose blocks are not in order, or name what was never sent")
            last = end
        chunk.duplicates.clear()
        await super()._receive_sack_chunk(chunk)
        self._progress.set()

    # Ending

    async def goodbye(self) -> None:
        """Tell the peer that the association is over (ABORT), and end it here; raises ConnectionError."""
        established = self._association_state == self.State.ESTABLISHED and not self._ended
        self.silence()
        if established:
            await self._abort()

    def _set_state(self, state: RTCSctpTransport.State) -> None:
        super()._set_state(state)
        if state == self.State.ESTABLISHED:
            self._on_established()
            self._wake()
        elif state == self.State.CLOSED:
            self._end("the viewer closed the connection")

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        self.silence()
        self._on_closed(reason)

    def silence(self) -> None:
        """Stop every timer and forget what is queued; nothing is sent any more."""
        self._ended = True
        if self._association_state != self.State.CLOSED:
            super()._set_state(self.State.CLOSED)
        if self._pump is not None:
            self._pump.cancel()
        self.drop_data()
        self._control.clear()
        self._outbound_queue.clear()
        self._sent_queue.clear()
        self._progress.set()


_BEFORE_DATA = (
    RTCSctpTransport.State.CLOSED,
    RTCSctpTransport.State.COOKIE_WAIT,
    RTCSctpTransport.State.COOKIE_ECHOED,
)
