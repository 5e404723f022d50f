"""The server: `Rooms` and `Pages` on real sockets, through websockets.

It holds sockets, ids and tombstones, and writes counts to its log. It can run
alone (``python -m signal_server``) or on the loop of a process that has other
work; it installs no signal handlers and starts nothing but its own tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import MultipleValuesError
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from signal_server import listen
from signal_server.connection import Connection, Door, forwarded_for, quiet_logger
from signal_server.gate import Gate, Network, client_address, is_own_host, is_own_origin, is_plain_address, quota_key
from signal_server.limits import Limits
from signal_server.members import Action, Close, Counts, Send
from signal_server.pages import SECURITY_HEADERS, Pages, text_response
from signal_server.protocol import MAX_MESSAGE, PATH, CloseCode, Left, Offer, OwnerCandidate, ServerMessage, encode
from signal_server.rooms import Rooms
from signal_server.stun_socket import StunSocket

log = logging.getLogger("signal_server")

_TICK_S = 1.0
_REPORT_S = 60.0
_STRANGERS = (Offer, OwnerCandidate, Left)
"""What an owner is sent because of its viewers."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How one server is set up."""

    host: str = ""
    """Name or address to listen on; "" is every address, IPv4 and IPv6."""
    port: int = 0
    """TCP port; 0 is any free one."""
    port_attempts: int = 1
    """How many ports to try, counting up from `port`, when one is taken."""
    tls_certificate: Path | None = None
    """PEM file with the certificate and its chain; with `tls_key` it makes the server speak TLS only."""
    tls_key: Path | None = None
    """PEM file with the private key; None where the certificate's file holds it."""
    allowed_hosts: frozenset[str] | None = None
    """Names, lower case and without port, to which it answers besides the address that a connection came in on;
    None: to every name."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies whose X-Forwarded-For names the client; limits by address then hold for that client."""
    answers_stun: bool = False
    """Answer STUN on the UDP port of the same number."""
    stun_urls: tuple[str, ...] = ()
    """STUN servers that pages and owners are told of, at most four (``fields.stun_url``); none: itself, if it is."""
    limits: Limits = field(default_factory=Limits)
    viewer: Path | None = None
    """The folder of the viewer's files; None finds them."""


class SignalServer:
    """A signalling server on the running loop: ``async with SignalServer(config) as server``."""

    def __init__(self, config: ServerConfig) -> None:
        """Raises PagesError, or ListenError for TLS files that cannot be used."""
        self._config = config
        self._pages = Pages(config.viewer)
        self._tls = listen.tls_context(config.tls_certificate, config.tls_key)
        self._rooms = Rooms(config.limits)
        self._gate = Gate(config.limits)
        self._door = Door(self._gate, config.limits, self._tls, self._page)
        self._connections: dict[int, Connection] = {}
        self._ids = itertools.count(1)
        self._stun = StunSocket(config.limits)
        self._server: Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._draining = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._messages = 0
        self._failures = 0
        self.address: tuple[str, int] = ("", 0)
        """Where it listens, once started."""

    # For whoever runs it

    async def start(self) -> tuple[str, int]:
        """Listen, and return the host and the port; raises ListenError."""
        config, limits = self._config, self._config.limits
        sock = listen.open_socket(config.host, config.port, config.port_attempts)
        self.address = sock.getsockname()[:2]
        if told := await self._open_stun():
            self._pages, self._rooms.stun = Pages(config.viewer, told), told
        self._server = await serve(
            self._converse,
            sock=sock,
            process_request=self._answer,
            process_response=self._harden,
            create_connection=cast(type[ServerConnection], functools.partial(Connection, self._door)),
            compression=None,
            server_header=None,
            max_size=MAX_MESSAGE,
            max_queue=limits.read_queue,
            open_timeout=limits.open_s,
            close_timeout=limits.close_s,
            ping_interval=limits.ping_s,
            ping_timeout=limits.ping_s,
            logger=quiet_logger(),
        )
        self._ticker = asyncio.create_task(self._tick(), name="signal server's clock")
        log.info("listening")
        return self.address

    async def _open_stun(self) -> tuple[str, ...]:
        """The STUN servers to tell of. Without the UDP port for its own the server runs all the same."""
        config, port = self._config, self.address[1]
        if not config.answers_stun:
            return config.stun_urls
        if not await self._stun.open(config.host, port):
            return tuple(url for url in config.stun_urls if "*" not in url)
        return config.stun_urls or (f"stun:*:{port}",)

    async def drain(self) -> None:
        """Tell everyone to connect again elsewhere, give them a moment, then close; /healthz says so meanwhile.

        Takes at most ``drain_s`` and the close timeout.
        """
        self._draining = True
        self._act(self._rooms.drain())
        log.info("draining: %s", self.counts())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.limits.drain_s):
                await self._empty.wait()
        await self.close()

    async def close(self) -> None:
        """Stop listening, close every connection with 1012, and return when all are gone; may be called again."""
        self._draining = True
        self._stun.close()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        if self._server is not None:
            self._server.close(code=CloseCode.SERVICE_RESTART, reason="connect again")
            self._door.cut_half_open()
            await self._server.wait_closed()
            log.info("closed")
        self._server = None

    def counts(self) -> Counts:
        """How much of everything there is."""
        return self._rooms.counts()

    @property
    def connections(self) -> tuple[int, int]:
        """Connections that are no WebSocket (yet), and WebSockets."""
        return self._gate.half_open, self._gate.sockets

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # A request

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """A page, a refusal, or None for a WebSocket that may be opened."""
        assert isinstance(connection, Connection)
        try:
            host, origin = request.headers.get("Host"), request.headers.get("Origin")
        except MultipleValuesError:
            return text_response(HTTPStatus.BAD_REQUEST, "A header that may stand once stands twice.\n")
        if host is None:
            return text_response(HTTPStatus.BAD_REQUEST, "The request names no host.\n")
        if not is_own_host(host, connection.local, self._config.allowed_hosts):
            return text_response(HTTPStatus.MISDIRECTED_REQUEST, "This server does not answer under that name.\n")
        if request.path.partition("?")[0] != PATH:
            encodings = request.headers.get_all("Accept-Encoding")
            response = self._pages.respond(request.method, request.path, encodings, draining=self._draining)
            if self._tls is None and is_plain_address(host):
                del response.headers["Cross-Origin-Opener-Policy"]  # ignored there, with an error in the console
            return response
        return self._upgrade(connection, request, host, origin)

    def _page(self, connection: Connection, request: Request) -> Response | None:
        """An answer that may be followed by another on the same connection; None: `_answer` is asked, and it closes."""
        headers = request.headers
        last = request.protocol != "HTTP/1.1" or "Upgrade" in headers or self._draining
        if last or any("close" in line.lower() for line in headers.get_all("Connection")):
            return None
        response = self._answer(connection, request)
        return response if response is not None and response.status_code == HTTPStatus.OK else None

    def _upgrade(self, connection: Connection, request: Request, host: str, origin: str | None) -> Response | None:
        if "Upgrade" not in request.headers:
            return text_response(HTTPStatus.UPGRADE_REQUIRED, "A WebSocket belongs here.\n", Upgrade="websocket")
        if origin is not None and not is_own_origin(origin, host):
            return text_response(HTTPStatus.FORBIDDEN, "Only this server's own page may connect here.\n")
        if self._draining:
            return text_response(HTTPStatus.SERVICE_UNAVAILABLE, "This server is going away.\n")
        return None

    def _harden(self, connection: ServerConnection, request: Request, response: Response) -> None:
        """What websockets answers by itself carries our headers too."""
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS and "Content-Security-Policy" not in response.headers:
            response.headers.update(SECURITY_HEADERS)

    # A WebSocket

    async def _converse(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        assert connection.request is not None
        client = client_address(connection.peer, forwarded_for(connection.request), self._config.trusted_proxies)
        if not connection.upgrade(client):
            await connection.close(CloseCode.TRY_AGAIN_LATER, "too many connections")
            return
        socket = next(self._ids)
        self._connections[socket] = connection
        self._empty.clear()
        self._rooms.connect(socket, quota_key(client), time.monotonic())
        try:
            await self._listen_to(socket, connection)
        finally:
            self._act(self._forget(socket))

    async def _listen_to(self, socket: int, connection: Connection) -> None:
        try:
            while True:
                data = await connection.recv()
                self._messages += 1
                self._act(self._rooms.receive(socket, data, time.monotonic()))
        except ConnectionClosed:
            pass  # however it ended, the rooms are told in the same way
        except Exception as error:
            self._failures += 1
            log.error("a message could not be handled: %s", type(error).__name__)

    def _act(self, actions: list[Action]) -> None:
        """Carry out `actions`; who reads too slowly is cut, which may mean further ones."""
        waiting = deque(actions)
        while waiting:
            action = waiting.popleft()
            connection = self._connections.get(action.socket)
            if connection is None:
                continue
            match action:
                case Send(socket, message):
                    if not connection.send_now(encode(message), self._send_buffer(message)):
                        waiting.extend(self._forget(socket))
                case Close(socket, code, reason):
                    self._forget(socket)
                    task = asyncio.create_task(connection.close(code, reason), name="closing handshake")
                    self._closing.add(task)
                    task.add_done_callback(self._closing.discard)

    def _send_buffer(self, message: ServerMessage) -> int:
        """Only owners are sent what strangers chose."""
        limits = self._config.limits
        return limits.owner_send_buffer if isinstance(message, _STRANGERS) else limits.send_buffer

    def _forget(self, socket: int) -> list[Action]:
        """Nothing more is sent to `socket`; what the rooms have to say about that."""
        if self._connections.pop(socket, None) is None:
            return []
        if not self._connections:
            self._empty.set()
        return self._rooms.disconnect(socket, time.monotonic())

    # Time

    async def _tick(self) -> None:
        report_at, reported = time.monotonic() + _REPORT_S, None
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            self._act(self._rooms.tick(now))
            if now >= report_at:
                report_at = now + _REPORT_S
                if (state := (self.counts(), self._messages)) != reported:
                    log.info("%s, messages=%d, half_open=%d", self.counts(), self._messages, self._gate.half_open)
                    reported = state
