"""One connection of the server: its place in the gate, its TLS handshake, its deadline, its bounded way out."""

from __future__ import annotations

import asyncio
import logging
import ssl
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from websockets.asyncio.server import Server, ServerConnection, broadcast
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from signal_server.gate import Address, Gate, parse_address, quota_key
from signal_server.limits import Bucket, Limits

T = TypeVar("T")
_END_OF_HEAD = b"\r\n\r\n"
_MESSAGES = {Opcode.TEXT, Opcode.BINARY}
_PIECE = 4096
"""Bytes: some 680 of the smallest frames, which is a few milliseconds."""


def quiet_logger() -> logging.Logger:
    """A logger for websockets that says nothing: its lines hold addresses, headers and tracebacks."""
    logger = logging.getLogger("signal_server.websockets")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    return logger


@dataclass(frozen=True, slots=True)
class Door:
    """What all connections of a server share."""

    gate: Gate
    limits: Limits
    tls: ssl.SSLContext | None
    page: Callable[[Connection, Request], Response | None]
    """The answer to a request after which another one may follow; None where websockets is to deal with it."""
    half_open: set[Connection] = field(default_factory=set)
    """What is not a WebSocket (yet)."""

    def cut_half_open(self) -> None:
        """End every handshake and every download of a page, for a server that closes."""
        for connection in list(self.half_open):
            connection.cut()


class Connection(ServerConnection):
    """A websockets connection that is counted from the first packet on, and serves pages before it is a WebSocket.

    The TLS handshake happens in here rather than in the loop's listener, so
    that one which hangs is counted like any other half-open connection.

    websockets closes a connection with each HTTP answer. A page has more files
    than a browser opens connections, so the answers to complete, plain requests
    are given here and the connection stays for a moment; everything else
    (upgrades, errors, nonsense) is handed on to websockets, byte for byte.
    """

    def __init__(self, door: Door, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._door = door
        self._key: str | None = None
        """What it is counted under while half open."""
        self._client: str | None = None
        """What it is counted under as a WebSocket."""
        self._made = False
        self._handed_over = False
        self._head = bytearray()
        """What has come of a request so far."""
        self._idle: asyncio.TimerHandle | None = None
        """The end of a connection on which no further request comes."""
        self._unread = door.limits.handshake_bytes
        self._tls_task: asyncio.Task[None] | None = None
        self._frames = Bucket(door.limits.frames, self.loop.time())
        self._control_frames = Bucket(door.limits.control_frames, self.loop.time())
        self.peer: Address | None = None
        self.local: Address | None = None

    # For the server

    def upgrade(self, client: Address | None) -> bool:
        """Count it as a WebSocket of `client` from now on; False when there are too many."""
        assert self._key is not None
        key = quota_key(client)
        if not self._door.gate.upgrade(self._key, key):
            return False
        self._key, self._client = None, key
        self._door.half_open.discard(self)
        return True

    def send_now(self, text: str, most: int) -> bool:
        """Hand `text` to the transport without waiting; False when it is gone, or cut: over `most` bytes unsent."""
        if self.transport.is_closing():
            return False
        broadcast((self,), text)
        if self.transport.get_write_buffer_size() <= most:
            return True
        self.transport.abort()
        return False

    def cut(self) -> None:
        """End it at once."""
        if self._made:
            self.transport.abort()
        elif self._tls_task is not None:
            self._tls_task.cancel()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A TCP connection was accepted."""
        transport = cast(asyncio.Transport, transport)
        self.peer = _address(transport, "peername")
        self.local = _address(transport, "sockname")
        key = quota_key(self.peer)
        if not self._door.gate.enter(key):
            transport.abort()
            return
        self._key = key
        self._door.half_open.add(self)
        if self._door.tls is None:
            self._begin(transport)
        else:
            self._tls_task = self.loop.create_task(self._finish_tls(transport, self._tls_begun(transport)), name="tls")

    def data_received(self, data: bytes) -> None:
        """Bytes came; before there is a WebSocket only so many are taken, whatever they ask for."""
        if self._handed_over:
            self._read_frames(data)
            return
        self._unread -= len(data)
        if self._unread < 0:
            self.cut()
            return
        self._head += data
        if self._made:
            self._take_requests()

    def eof_received(self) -> None:
        """The other side has closed its half."""
        if self._made:
            super().eof_received()
        else:
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whichever way."""
        self._stop_waiting()
        self._leave()
        if self._made:
            super().connection_lost(exc)

    # websockets

    def process_event(self, event: Event) -> None:
        """A frame has come, or the request; who sends more frames than anyone needs is cut.

        websockets answers pings by itself and reads on while it closes, which none of the rooms' limits would see.
        """
        if isinstance(event, Frame) and not self._may_send(event, self.loop.time()):
            self.transport.abort()
            return
        super().process_event(event)

    # Inside

    def _may_send(self, frame: Frame, now: float) -> bool:
        is_message = frame.fin and frame.opcode in _MESSAGES and self.protocol.state is State.OPEN
        return self._frames.take(now) and (is_message or self._control_frames.take(now))

    def _read_frames(self, data: bytes) -> None:
        """In pieces, as websockets reads all frames of one before it lets us count them."""
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _PIECE])

    def _tls_begun(self, transport: asyncio.Transport) -> Awaitable[asyncio.Transport | None]:
        """A TLS handshake whose first step is done, before uvloop reads: the first bytes must not come to us."""
        limits = self._door.limits
        assert self._door.tls is not None
        handshake = self.loop.start_tls(
            transport,
            self,
            self._door.tls,
            server_side=True,
            ssl_handshake_timeout=limits.open_s,
            ssl_shutdown_timeout=limits.close_s,
        )
        return _resume(handshake, handshake.send(None))

    async def _finish_tls(self, transport: asyncio.Transport, handshake: Awaitable[asyncio.Transport | None]) -> None:
        secured = None
        try:
            secured = await handshake
        except (OSError, ValueError):
            pass  # no TLS, broken TLS, too slow, or gone: nothing that the log should know
        finally:
            self._tls_task = None
            if secured is None or secured.is_closing():
                transport.abort()
                self._leave()
        if self._key is not None and secured is not None:
            self._begin(secured)

    def _begin(self, transport: asyncio.Transport) -> None:
        self._made = True
        super().connection_made(transport)
        self._take_requests()

    def _take_requests(self) -> None:
        """Answer each complete request for a page, until one comes that is for websockets to deal with."""
        while self._head and not self._handed_over and not self.transport.is_closing():
            end = self._head.find(_END_OF_HEAD)
            if end < 0 and _is_request_so_far(self._head):
                return
            size = end + len(_END_OF_HEAD)
            answer = self._page(bytes(self._head[:size])) if end >= 0 else None
            if answer is None:
                self._hand_over(size if end >= 0 else len(self._head))
            else:
                del self._head[:size]
                self._give(answer)

    def _page(self, head: bytes) -> Response | None:
        """The answer to a request after which there is room for another, or None."""
        request = _parse(head)
        if request is None or self._unread < 2 * len(head):
            return None
        return self._door.page(self, request)

    def _give(self, answer: Response) -> None:
        del answer.headers["Connection"]
        answer.headers["Connection"] = "keep-alive"
        self.transport.write(answer.serialize())
        if self.transport.get_write_buffer_size() > self._door.limits.send_buffer:
            self.cut()
        self._stop_waiting()
        self._idle = self.loop.call_later(self._door.limits.keep_alive_s, self.transport.close)

    def _hand_over(self, size: int) -> None:
        """The rest is for websockets. What was sent behind this request, before its answer, is read by nobody."""
        self._handed_over = True
        self._stop_waiting()
        head = bytes(self._head[:size])
        self._head.clear()
        super().data_received(head)

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        self._door.half_open.discard(self)
        if self._key is not None:
            self._door.gate.leave_half_open(self._key)
        if self._client is not None:
            self._door.gate.leave(self._client)
        self._key = self._client = None


def _is_request_so_far(head: bytearray) -> bool:
    """Can `head` still become a request? Judged by its first line, as soon as that is whole."""
    line, end, _ = head.partition(b"\r\n")
    return not end or line.endswith((b" HTTP/1.1", b" HTTP/1.0"))


def _parse(head: bytes) -> Request | None:
    """The request that `head` is, as websockets reads it; None for anything that it refuses."""
    reader = StreamReader()
    reader.feed_data(head)
    try:
        next(Request.parse(reader.read_line))
    except StopIteration as done:
        request: Request = done.value
        return request
    except Exception:
        return None  # websockets will say what is wrong with it
    return None


def forwarded_for(request: Request) -> list[str]:
    """The X-Forwarded-For lines of a request, in order."""
    return request.headers.get_all("X-Forwarded-For")


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, T], first: Any) -> Generator[Any, Any, T]:
    """Await a coroutine that has already run up to its `first` future."""
    yield first
    result: T = yield from coroutine
    return result


def _address(transport: asyncio.Transport, name: str) -> Address | None:
    info = transport.get_extra_info(name)
    return parse_address(info[0]) if isinstance(info, tuple) and info else None
