"""Several requests on one connection: a page has more files than a browser opens connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from signal_server.limits import Limits
from signal_server.server import ServerConfig, SignalServer
from tests.support.signal_clients import HOST, UPGRADE, as_sent, next_reply, raw, running, viewer_folder
from tests.support.waiting import until, within

GET = "GET {path} HTTP/1.1\nHost: {host}"


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(host=HOST, viewer=viewer_folder(tmp_path), limits=Limits(keep_alive_s=0.2))


@pytest_asyncio.fixture
async def server(config: ServerConfig) -> AsyncIterator[SignalServer]:
    async with running(config) as server:
        yield server
        await until(lambda: server.connections == (0, 0), "every connection is forgotten")


def get(server: SignalServer, path: str, *lines: str) -> bytes:
    return as_sent(server, "\n".join((GET.replace("{path}", path), *lines)))


async def test_a_connection_is_used_again_and_closed_when_it_is_idle(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        for path in ("/", "/main.js", "/healthz", "/robots.txt"):
            writer.write(get(server, path))
            reply = await next_reply(reader)
            assert (reply.status, reply.headers["Connection"]) == (200, "keep-alive")
            assert len(reply.body) == int(reply.headers["Content-Length"]) > 0
        assert server.connections == (1, 0)
        assert await within(reader.read(), "the end of the idle connection") == b""


async def test_requests_that_come_at_once_are_answered_in_order(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        writer.write(b"".join(get(server, path) for path in ("/healthz", "/main.js", "/robots.txt")))
        bodies = [(await next_reply(reader)).body for _ in range(3)]
        assert [body[:6] for body in bodies] == [b"ok\n", b"export", b"User-a"]


async def test_a_request_may_come_byte_by_byte(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        for byte in get(server, "/healthz") + get(server, "/healthz"):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert [(await next_reply(reader)).body for _ in range(2)] == [b"ok\n", b"ok\n"]


async def test_a_websocket_may_follow_a_page(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        writer.write(get(server, "/") + get(server, "/signal", UPGRADE))
        assert (await next_reply(reader)).status == 200
        assert (await next_reply(reader)).status == 101
        await until(lambda: server.connections == (0, 1), "it is counted as a WebSocket")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /healthz HTTP/1.1\nHost: {host}\nConnection: close", 200),
        ("GET /healthz HTTP/1.1\nHost: {host}\nConnection: x, Close", 200),
        ("GET /healthz HTTP/1.0\nHost: {host}\nConnection: keep-alive", 200),
        ("GET /nothing HTTP/1.1\nHost: {host}", 404),
        ("GET /healthz HTTP/1.1\nHost: a b", 421),
        ("GET /healthz HTTP/1.1", 400),
        ("POST /healthz HTTP/1.1\nHost: {host}", 405),
        ("GET /signal HTTP/1.1\nHost: {host}", 426),
    ],
)
async def test_what_ends_a_connection(server: SignalServer, request_: str, status: int) -> None:
    async with raw(server) as (reader, writer):
        writer.write(get(server, "/robots.txt") + as_sent(server, request_) + get(server, "/robots.txt"))
        assert (await next_reply(reader)).status == 200
        reply = await next_reply(reader)
        assert (reply.status, reply.headers["Connection"]) == (status, "close")
        assert await within(reader.read(), "the end of the connection") == b""


@pytest.mark.parametrize(
    "smuggled",
    [
        "POST / HTTP/1.1\nHost: {host}\nContent-Length: 40",
        "GET / HTTP/1.1\nHost: {host}\nContent-Length: 40",
        "GET / HTTP/1.1\nHost: {host}\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1\nHost: {host}\n Folded: header",
        "GET / HTTP/1.1\nHost : {host}",
        "nonsense",
    ],
)
async def test_a_request_with_a_body_ends_the_connection_so_that_nothing_hides_in_it(
    server: SignalServer, smuggled: str
) -> None:
    async with raw(server) as (reader, writer):
        writer.write(get(server, "/healthz") + as_sent(server, smuggled) + get(server, "/robots.txt"))
        assert (await next_reply(reader)).body == b"ok\n"
        assert await within(reader.read(), "the end of the connection") == b""


async def test_nonsense_is_not_waited_for(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        writer.write(b"\x16\x03\x01\r\n")
        assert await within(reader.read(), "the end of the connection", 5) == b""


async def test_one_connection_asks_for_so_much_and_no_more(server: SignalServer) -> None:
    async with raw(server) as (reader, writer):
        padding = "X-Padding: " + "x" * 3000
        for _ in range(3):
            writer.write(get(server, "/healthz", padding))
            assert (await next_reply(reader)).headers["Connection"] == "keep-alive"
        writer.write(get(server, "/healthz", padding))
        assert (await next_reply(reader)).headers["Connection"] == "close"


async def test_who_asks_and_does_not_read_is_cut(config: ServerConfig) -> None:
    (Path(str(config.viewer)) / "large.png").write_bytes(bytes(range(256)) * 4096)
    limits = Limits(handshake_bytes=10**6, send_buffer=64 * 1024)
    async with running(replace(config, limits=limits)) as server, raw(server, limit=2**10) as (_, writer):
        writer.write(get(server, "/large.png") * 100)
        await until(lambda: server.connections == (0, 0), "the connection is cut")


async def test_a_draining_server_keeps_nobody(config: ServerConfig) -> None:
    async with running(replace(config, limits=Limits(drain_s=0.1))) as server, raw(server) as (reader, writer):
        writer.write(get(server, "/healthz"))
        await next_reply(reader)
        await within(server.drain(), "the end of the server", 2)
        assert await within(reader.read(), "the end of the connection") == b""
