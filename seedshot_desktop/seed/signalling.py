"""The owner's side of the signalling server: one WebSocket that heals by itself.

It knows the tokens of the live shares and shows them again after every
reconnection, and it remembers, for a while and for a bounded number of shares,
which ones were ended while the server could not be told.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from seedshot_desktop.errors import SignallingError
from seedshot_desktop.seed.messages import ServerState
from seedshot_desktop.seed.problems import problem_of
from seedshot_desktop.seed.tasks import wait
from signal_server import protocol
from signal_server.protocol import (
    CloseCode,
    Draining,
    EndedReason,
    Error,
    ErrorCode,
    Left,
    Offer,
    OwnerCandidate,
    OwnerMessage,
    ProtocolError,
    Seed,
    Seeding,
    ToOwner,
    Unseed,
)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 10.0
"""A connection that held for so long starts the back-off anew."""
OPEN_TIMEOUT_S = 10.0
PING_S = 20.0
MAX_FRAME = 128 * 1024
"""Bytes; more than the protocol's limit, so that text which grew by escaping costs a message and not the connection."""
MAX_OUTGOING = 1024
MAX_REMEMBERED = 256
"""Ended shares that the server has not been told of."""
CHECK_S = 2.0
"""For a pong, when the network may have changed."""
TOO_FAST_S = 2.0
"""Until shares are shown again that the server had no time for."""

_quiet = logging.getLogger("seedshot_desktop.websockets")
"""For websockets, whose lines hold addresses and headers."""
_quiet.setLevel(logging.CRITICAL + 1)
_quiet.propagate = False


class Listener(Protocol):
    """Who hears what the server says."""

    def on_server(self, state: ServerState, problem: str, retry_s: float) -> None:
        """The connection came or went; `problem` is a sentence, "" while there is none."""

    def on_seeding(self, share: str, stun_urls: tuple[str, ...]) -> None:
        """The server answers for that share from now on, and names STUN servers for its visits."""

    def on_refused(self, share: str, code: ErrorCode) -> None:
        """The server does not take that share."""

    def on_offer(self, offer: Offer) -> None:
        """A viewer asks."""

    def on_candidate(self, message: OwnerCandidate) -> None:
        """A candidate of a viewer."""

    def on_left(self, message: Left) -> None:
        """A viewer's socket closed."""


class Signalling:
    """Keeps one socket to the server at `base_url` (http or https) while ``run`` runs."""

    def __init__(
        self, base_url: str, listener: Listener, *, direct: bool = False, jitter: Callable[[], float] = random.random
    ) -> None:
        """`direct`: past any proxy. Raises SignallingError for what is no address of a server."""
        self._url = signalling_url(base_url)
        self._host = urlsplit(base_url).hostname or ""
        self._direct = direct or is_loopback(base_url)
        self._listener = listener
        self._jitter = jitter
        self._tokens: dict[str, str] = {}
        self._ended: OrderedDict[str, tuple[str, EndedReason]] = OrderedDict()
        self._unconfirmed: set[str] = set()
        self._outgoing: deque[str] = deque(maxlen=MAX_OUTGOING)
        self._ready = asyncio.Event()
        self._look = asyncio.Event()
        self._wanted = asyncio.Event()
        self._online = False
        self._flushed = asyncio.Event()
        self._flushed.set()

    @property
    def online(self) -> bool:
        """The server hears what is sent now."""
        return self._online

    # What to say

    def seed(self, share: str, token: str) -> None:
        """Show this token now and after every reconnection."""
        self._tokens[share] = token
        self._wanted.set()
        if self._online:
            self._show(share)

    @property
    def unheard(self) -> dict[str, tuple[str, EndedReason]]:
        """Tokens and reasons of the shares that ended, and of which the server may not have heard yet."""
        return dict(self._ended)

    def unseed(self, share: str, reason: EndedReason, token: str = "") -> None:
        """That share is over; if the server cannot hear it now, it will after the reconnection.

        `token` proves a share that was never shown here; without it, such a share is passed over.
        """
        shown = self._tokens.pop(share, "")
        if not shown and not token:
            return
        self._unconfirmed.discard(share)
        self._ended[share] = (shown or token, reason)
        while len(self._ended) > MAX_REMEMBERED:
            self._ended.popitem(last=False)
        self._wanted.set()
        if self._online:
            if not shown:
                self.send(Seed(token))
            self.send(Unseed(share, reason))

    def send(self, message: OwnerMessage) -> None:
        """Say this now, or never: what is about one viewer means nothing on another connection."""
        if self._online:
            self._outgoing.append(protocol.encode(message))
            self._flushed.clear()
            self._ready.set()

    def check(self) -> None:
        """The network may have changed: connect again at once instead of waiting."""
        self._look.set()

    async def flushed(self) -> None:
        """Wait until the server has read everything that was said, or is out of reach."""
        await self._flushed.wait()

    # The connection

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        failures = 0
        while True:
            self._look.clear()
            self._wanted.clear()
            began = asyncio.get_running_loop().time()
            problem = await self._live()
            if not problem:
                await self._wanted.wait()
                continue
            if asyncio.get_running_loop().time() - began >= STEADY_S:
                failures = 0
            delay = self._delay(failures)
            failures += 1
            self._listener.on_server(ServerState.OFFLINE, problem, delay)
            await wait(self._look, delay)

    def _delay(self, failures: int) -> float:
        """Exponential back-off with full jitter, so that a server that comes back is not met by everyone at once."""
        return max(0.05, self._jitter() * min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures, 16)))

    async def _live(self) -> str:
        """One connection from its beginning to its end; a sentence about why it ended, or "" to rest."""
        try:
            async with self._connected() as socket:
                return await self._converse(socket)
        except (OSError, WebSocketException, ImportError, ValueError) as error:
            return problem_of(error)
        finally:
            self._online = False
            self._outgoing.clear()
            self._flushed.set()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        socket = await connect(
            self._url,
            compression=None,
            max_size=MAX_FRAME,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=0.5,
            user_agent_header=None,
            proxy=None if self._direct else True,
            logger=_quiet,
        )
        try:
            yield socket
        finally:
            await socket.close()

    async def _converse(self, socket: ClientConnection) -> str:
        self._online = True
        self._listener.on_server(ServerState.ONLINE, "", 0.0)
        self._register()
        tasks = [
            asyncio.create_task(self._receive(socket), name="signalling in"),
            asyncio.create_task(self._transmit(socket), name="signalling out"),
            asyncio.create_task(self._check(socket), name="signalling check"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, socket: ClientConnection) -> str:
        """Whenever someone asks for a look: a connection may be dead without knowing it."""
        while True:
            await self._look.wait()
            self._look.clear()
            try:
                async with asyncio.timeout(CHECK_S):
                    await (await socket.ping())
            except TimeoutError:
                return "The network changed. Connecting again."

    async def _transmit(self, socket: ClientConnection) -> str:
        while True:
            await self._ready.wait()
            self._ready.clear()
            ended = list(self._ended)
            while self._outgoing:
                await socket.send(self._outgoing.popleft())
            if ended:
                await self._confirm(socket, ended)
            else:
                self._flushed.set()

    async def _confirm(self, socket: ClientConnection, ended: list[str]) -> None:
        """A pong says that the server has read what came before the ping; nothing waits for it meanwhile."""

        def confirmed(pong: asyncio.Future[float]) -> None:
            if pong.cancelled() or pong.exception() is not None:
                return  # the connection ended first; the next one will be told
            for share in ended:
                self._ended.pop(share, None)
            self._flushed.set()

        asyncio.ensure_future(await socket.ping()).add_done_callback(confirmed)

    async def _receive(self, socket: ClientConnection) -> str:
        try:
            async for text in socket:
                try:
                    message = protocol.decode_to_owner(text if isinstance(text, str) else "")
                except ProtocolError:
                    continue  # one message that cannot be read is no reason to leave the server
                if isinstance(message, Draining):
                    return "The server is being restarted. Connecting again."
                self._hear(message)
        except ConnectionClosed as error:
            return problem_of(error)
        if socket.close_code == CloseCode.GOING_AWAY and not self._tokens and not self._ended:
            return ""  # nothing is shared, and so the server wants its socket back: the next share connects again
        return "The server closed the connection. Connecting again."

    # Registering

    def _register(self) -> None:
        """Show every live share's token; and that of every share that ended unheard, to end it there too."""
        for share, (token, reason) in self._ended.items():
            if share not in self._tokens:
                self.send(Seed(token))
                self.send(Unseed(share, reason))
        for share in self._tokens:
            self._show(share)

    def _show(self, share: str) -> None:
        self._unconfirmed.add(share)
        self.send(Seed(self._tokens[share]))

    def _hear(self, message: ToOwner) -> None:
        match message:
            case Seeding(share, stun):
                if share in self._tokens:
                    self._unconfirmed.discard(share)
                    self._listener.on_seeding(share, tuple(_named(url, self._host) for url in stun))
            case Offer():
                self._listener.on_offer(message)
            case OwnerCandidate():
                self._listener.on_candidate(message)
            case Left():
                self._listener.on_left(message)
            case Error():
                self._refused(message)

    def _refused(self, error: Error) -> None:
        if error.code is ErrorCode.TOO_FAST:
            asyncio.get_running_loop().call_later(TOO_FAST_S, self._show_again)
        elif error.id in self._tokens and error.code in {ErrorCode.REVOKED, ErrorCode.TOO_MANY_SHARES}:
            self._unconfirmed.discard(error.id)
            self._listener.on_refused(error.id, error.code)

    def _show_again(self) -> None:
        if self._online:
            for share in self._unconfirmed & self._tokens.keys():
                self._show(share)


def signalling_url(base_url: str) -> str:
    """Where the WebSocket of the page under `base_url` is; raises SignallingError for what is no such address."""
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SignallingError("The server's address is not one: it must look like https://example.org. Check settings.")
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{protocol.PATH}"


def _named(stun_url: str, host: str) -> str:
    """`stun_url` with the name or address `host` in the place of ``*``."""
    return stun_url.replace("*", f"[{host}]" if ":" in host else host)


def is_loopback(base_url: str) -> bool:
    """Whether that is this computer, which no proxy knows."""
    return urlsplit(base_url).hostname in {"127.0.0.1", "::1", "localhost"}
