"""A signalling server on loopback and the clients that tests hold against it, honest and raw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signal_server.protocol import PATH, AnyMessage, decode_to_owner, decode_to_viewer, encode
from signal_server.server import ServerConfig, SignalServer
from tests.support.waiting import within

HOST = "127.0.0.1"


def viewer_folder(folder: Path) -> Path:
    """A small page in `folder`, for tests that are not about the real one."""
    (folder / "index.html").write_text("<!doctype html><title>Seedshot</title>" + "<p>a page</p>" * 200)
    (folder / "main.js").write_text("export {};\n" * 100)
    return folder


@asynccontextmanager
async def running(config: ServerConfig) -> AsyncIterator[SignalServer]:
    """A started server; it forgets everything once its clients are gone."""
    async with SignalServer(config) as server:
        yield server


class Client:
    """One WebSocket; `hears` waits for the next message."""

    def __init__(self, connection: ClientConnection, owner: bool) -> None:
        self.connection = connection
        self._decode = decode_to_owner if owner else decode_to_viewer

    async def says(self, message: AnyMessage | str | bytes) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else encode(message))

    async def hears(self) -> Any:
        text = await within(self.connection.recv(), "a message of the server")
        assert isinstance(text, str)
        return self._decode(text)

    async def is_closed(self, deadline_s: float = 10.0) -> int:
        """The close code, whatever is still said before it."""
        code: int | None = None

        async def drain() -> None:
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed as closed:
                nonlocal code
                code = closed.rcvd.code if closed.rcvd else 1006

        await within(drain(), "the server closes the socket", deadline_s)
        assert code is not None
        return code


@asynccontextmanager
async def client(server: SignalServer, *, owner: bool = False, **options: Any) -> AsyncIterator[Client]:
    """A WebSocket to `server`; `options` are those of websockets' connect."""
    options.setdefault("close_timeout", 0.5)
    port = server.address[1]
    scheme = "wss" if "ssl" in options else "ws"
    async with connect(f"{scheme}://{HOST}:{port}{PATH}", proxy=None, **options) as connection:
        yield Client(connection, owner)


@dataclass
class Reply:
    """An HTTP answer, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def raw(server: SignalServer, **options: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare TCP or TLS connection to `server`."""
    reader, writer = await asyncio.open_connection(HOST, server.address[1], **options)
    try:
        yield reader, writer
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass  # the server had cut it already, which is what many tests are about


async def says_nonsense(server: SignalServer, nonsense: bytes) -> bytes:
    """Send `nonsense` and read until the server has had enough."""
    async with raw(server) as (reader, writer):
        writer.write(nonsense)
        return await within(reader.read(), "the server closes")


async def request(server: SignalServer, head: str, **options: Any) -> Reply:
    """Send `head` (lines of a request, ``{host}`` stands for the server's own) and read the whole answer."""
    async with raw(server, **options) as (reader, writer):
        host = f"{HOST}:{server.address[1]}"
        writer.write((head.replace("{host}", host).replace("\n", "\r\n") + "\r\n\r\n").encode("latin-1"))
        data = await within(reader.read(), "the whole answer")
    top, _, body = data.partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Reply(int(status.split()[1]), headers, body)


UPGRADE = (
    "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
