"""One connection of the server: its place in the gate, its TLS handshake, its deadline, its bounded way out."""

from __future__ import annotations

import asyncio
import logging
import ssl
import types
from collections.abc import Awaitable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from websockets.asyncio.server import Server, ServerConnection, broadcast
from websockets.http11 import Request
from websockets.server import ServerProtocol

from signal_server.gate import Address, Gate, parse_address, quota_key
from signal_server.limits import Limits

T = TypeVar("T")


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
    half_open: set[Connection] = field(default_factory=set)
    """What is not a WebSocket (yet)."""

    def cut_half_open(self) -> None:
        """End every handshake and every download of a page, for a server that closes."""
        for connection in list(self.half_open):
            connection.cut()


class Connection(ServerConnection):
    """A websockets connection that is counted from the first packet on.

    The TLS handshake happens in here rather than in the loop's listener, so
    that one which hangs is counted like any other half-open connection.
    """

    def __init__(self, door: Door, protocol: ServerProtocol, server: Server, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._door = door
        self._key: str | None = None
        """What it is counted under while half open."""
        self._client: str | None = None
        """What it is counted under as a WebSocket."""
        self._made = False
        self._early = bytearray()
        self._unread = door.limits.handshake_bytes
        self._tls_task: asyncio.Task[None] | None = None
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

    def send_now(self, text: str) -> bool:
        """Hand `text` to the transport without waiting; False when it is gone, or reads too slowly and was cut."""
        if self.transport.is_closing():
            return False
        broadcast((self,), text)
        if self.transport.get_write_buffer_size() <= self._door.limits.send_buffer:
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
        """Bytes came; before the request is complete only so many are taken."""
        if self.request is None:
            self._unread -= len(data)
            if self._unread < 0:
                self.cut()
                return
        if self._made:
            super().data_received(data)
        else:
            self._early += data

    def eof_received(self) -> None:
        """The other side has closed its half."""
        if self._made:
            super().eof_received()
        else:
            self.cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whichever way."""
        self._leave()
        if self._made:
            super().connection_lost(exc)

    # Inside

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
        if self._early:
            super().data_received(bytes(self._early))
            self._early.clear()

    def _leave(self) -> None:
        self._door.half_open.discard(self)
        if self._key is not None:
            self._door.gate.leave_half_open(self._key)
        if self._client is not None:
            self._door.gate.leave(self._client)
        self._key = self._client = None


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
