"""The engine's signalling server: a remote one or the embedded one, the address of its page, and the socket to it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from seedshot_desktop.errors import SignallingError
from seedshot_desktop.seed.addresses import LOOPBACK, base_url_of, default_route_address, is_every
from seedshot_desktop.seed.messages import EngineOptions, ServerState
from seedshot_desktop.seed.signalling import MAX_REMEMBERED, Listener, Signalling
from signal_server.protocol import EndedReason

WATCH_S = 5.0
"""Between looks at the routing table: two system calls."""
CLOSE_TIMEOUT_S = 0.5


class HostedServer(Protocol):
    """The embedded signalling server, running."""

    @property
    def host(self) -> str:
        """The address at which this computer reaches it."""

    @property
    def port(self) -> int:
        """Its TCP port."""

    async def close(self) -> None:
        """Stop it."""


HostServer = Callable[[EngineOptions], Awaitable[HostedServer]]
"""Starts the embedded server; raises SignallingError."""


class Uplink:
    """Everything between the engine and its signalling server."""

    def __init__(self, listener: Listener, host_server: HostServer, on_base_url: Callable[[str], None]) -> None:
        self._listener = listener
        self._host_server = host_server
        self._on_base_url = on_base_url
        self._options = EngineOptions()
        self._hosted: HostedServer | None = None
        self._address = LOOPBACK
        self._tasks: list[asyncio.Task[None]] = []
        self._unheard: OrderedDict[str, tuple[str, EndedReason]] = OrderedDict()
        self.signalling: Signalling | None = None
        """None until the server's address is known."""
        self.state = ServerState.CONNECTING
        self.problem = ""
        self.base_url = ""

    async def start(self, options: EngineOptions) -> None:
        """Start the embedded server or name the remote one, and begin to connect; raises SignallingError.

        Live shares are shown with ``seed`` once this has returned, so that none is missed that came meanwhile.
        """
        self._options = options
        self.state, self.problem = ServerState.CONNECTING, ""
        try:
            self.base_url = await self._find_server(options)
            hosted = self._hosted
            here = base_url_of(hosted.host, hosted.port) if hosted is not None else self.base_url
            self.signalling = Signalling(here, self._listener, direct=hosted is not None)
        except SignallingError as error:
            self.state, self.problem = ServerState.OFFLINE, str(error)
            raise
        for share, (token, reason) in self._unheard.items():
            self.signalling.unseed(share, reason, token)
        self._unheard.clear()
        self._tasks = [asyncio.create_task(self.signalling.run(), name="signalling")]
        if self._may_move:
            self._tasks.append(asyncio.create_task(self._watch(), name="address watch"))

    async def stop(self) -> None:
        """Leave the server; the embedded one ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self.signalling is not None:
            for share, (token, reason) in self.signalling.unheard.items():
                self._remember(share, token, reason)
        self.signalling = None
        if self._hosted is not None:
            hosted, self._hosted = self._hosted, None
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await hosted.close()
            except TimeoutError:
                pass  # a client that does not hang up; its socket goes with the process

    def seed(self, share: str, token: str) -> None:
        """Show this token now and after every reconnection; without a server, after ``start`` again."""
        if self.signalling is not None:
            self.signalling.seed(share, token)

    def unseed(self, share: str, token: str, reason: EndedReason) -> None:
        """That share is over: the server is told, or the next one if there is none now."""
        if self.signalling is not None:
            self.signalling.unseed(share, reason, token)
        else:
            self._remember(share, token, reason)

    def _remember(self, share: str, token: str, reason: EndedReason) -> None:
        self._unheard[share] = (token, reason)
        while len(self._unheard) > MAX_REMEMBERED:
            self._unheard.popitem(last=False)

    def same_server(self, options: EngineOptions) -> bool:
        """Whether `options` lead to the server that is in use, under the same name."""
        return self.signalling is not None and _server_of(options) == _server_of(self._options)

    def check(self) -> None:
        """Look at the address and at the connection now."""
        self._look_at_address()
        if self.signalling is not None:
            self.signalling.check()

    async def _find_server(self, options: EngineOptions) -> str:
        if options.server_url:
            return options.server_url.rstrip("/")
        self._hosted = await self._host_server(options)
        self._address = default_route_address() or LOOPBACK
        return self._own_url(self._hosted.port)

    @property
    def _may_move(self) -> bool:
        """Whether the page's address changes with the network."""
        return self._hosted is not None and not self._options.advertised_host and is_every(self._options.listen_host)

    def _own_url(self, port: int) -> str:
        if self._options.advertised_host:
            return base_url_of(self._options.advertised_host, port)
        host = self._address if is_every(self._options.listen_host) else self._options.listen_host
        return base_url_of(host, port)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            self._look_at_address()

    def _look_at_address(self) -> None:
        """Without a network the last address stands: it is the likeliest to come back."""
        if self._hosted is None or not self._may_move:
            return
        self._address = default_route_address() or self._address
        base_url = self._own_url(self._hosted.port)
        if base_url != self.base_url:
            self.base_url = base_url
            self._on_base_url(base_url)


def _server_of(options: EngineOptions) -> tuple[str, str, int, str]:
    if options.server_url:
        return options.server_url.rstrip("/"), "", 0, ""
    return "", options.listen_host, options.listen_port, options.advertised_host
