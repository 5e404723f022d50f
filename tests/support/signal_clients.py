"""A signalling server on loopback and the clients that tests hold against it, honest and raw."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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


def tls_pair(folder: Path) -> tuple[Path, Path]:
    """PEM files in `folder`: a certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server in a test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


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


class HasAddress(Protocol):
    """A server in this process, or what stands for one in another."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        ...


@asynccontextmanager
async def client(server: HasAddress, *, owner: bool = False, **options: Any) -> AsyncIterator[Client]:
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
async def raw(server: HasAddress, **options: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
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


async def says_nonsense(server: HasAddress, nonsense: bytes) -> bytes:
    """Send `nonsense` and read until the server has had enough."""
    async with raw(server) as (reader, writer):
        writer.write(nonsense)
        return await within(reader.read(), "the server closes")


async def request(server: HasAddress, head: str, **options: Any) -> Reply:
    """Send `head`, with ``{host}`` for the server's own, and read the answer; ConnectionError without one."""
    last = "" if "Connection:" in head else "\nConnection: close"
    async with raw(server, **options) as (reader, writer):
        writer.write(as_sent(server, head + last))
        data = await within(reader.read(), "the whole answer")
    if not data:
        raise ConnectionResetError("the server closed without an answer")
    return _reply(*data.split(b"\r\n\r\n", 1))


async def next_reply(reader: asyncio.StreamReader) -> Reply:
    """The next answer on a connection that stays, to a GET."""
    head = (await within(reader.readuntil(b"\r\n\r\n"), "the head of an answer")).removesuffix(b"\r\n\r\n")
    reply = _reply(head, b"")
    reply.body = await within(reader.readexactly(int(reply.headers.get("Content-Length", 0))), "the answer's body")
    return reply


def as_sent(server: HasAddress, head: str) -> bytes:
    """The bytes of a request with the lines `head`."""
    host = f"{HOST}:{server.address[1]}"
    return (head.replace("{host}", host).replace("\n", "\r\n") + "\r\n\r\n").encode("latin-1")


def _reply(head: bytes, body: bytes) -> Reply:
    status, *lines = head.decode("latin-1").split("\r\n")
    return Reply(int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body)


UPGRADE = (
    "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
