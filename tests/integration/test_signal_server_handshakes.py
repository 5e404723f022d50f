"""Connections that never become a WebSocket: slow, hanging, greedy ones, with TLS and without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvloop

from signal_server.limits import Limits
from signal_server.protocol import Seed, Seeding, encode_base64url, id_of_token
from signal_server.server import ServerConfig, SignalServer
from tests.support.signal_clients import HOST, client, raw, request, running, tls_pair, viewer_folder
from tests.support.waiting import until, within

TOKEN = encode_base64url(b"0123456789abcdef")
Tls = tuple[Path, Path]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    return tls_pair(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def config(request: pytest.FixtureRequest, tmp_path: Path, pair: Tls) -> ServerConfig:
    plain = ServerConfig(host=HOST, viewer=viewer_folder(tmp_path))
    certificate, key = pair
    return plain if request.param == "http" else replace(plain, tls_certificate=certificate, tls_key=key)


@pytest.fixture
def secure(config: ServerConfig, pair: Tls) -> dict[str, Any]:
    """What a client needs to speak to the server of `config`."""
    if config.tls_certificate is None:
        return {}
    return {"ssl": ssl.create_default_context(cafile=str(pair[0]))}


@pytest_asyncio.fixture
async def start(config: ServerConfig) -> AsyncIterator[Callable[..., Any]]:
    """``await start(open_s=0.3)``: a server with those limits, closed at the end."""
    async with AsyncExitStack() as stack:

        async def start_one(**limits: Any) -> SignalServer:
            limited = replace(config, limits=replace(Limits(), **limits))
            return await stack.enter_async_context(running(limited))

        yield start_one


async def test_a_session_and_a_page(start: Callable[..., Any], secure: dict[str, Any]) -> None:
    server = await start()
    async with client(server, owner=True, **secure) as owner:
        await owner.says(Seed(TOKEN))
        assert await owner.hears() == Seeding(id_of_token(TOKEN))
        reply = await request(server, "GET / HTTP/1.1\nHost: {host}", **secure)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    await until(lambda: server.connections == (0, 0), "both connections are forgotten")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_handshake_that_hangs_is_ended(start: Callable[..., Any], secure: dict[str, Any], sent: bytes) -> None:
    server = await start(open_s=0.3)
    async with raw(server, **secure) as (reader, writer):
        writer.write(sent)
        assert await within(reader.read(), "the end of the connection", 5) == b""
    await until(lambda: server.connections == (0, 0), "nothing is left of it")


async def test_a_request_that_trickles_is_ended_in_time_too(start: Callable[..., Any], secure: dict[str, Any]) -> None:
    server = await start(open_s=0.3)
    async with raw(server, **secure) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        end = asyncio.create_task(reader.read(), name="the end of the connection")
        while not end.done():
            writer.write(b"X: y\r\n")
            await asyncio.wait({end}, timeout=0.05)
        assert end.exception() is not None or end.result() == b""


async def test_a_request_that_is_too_long_is_cut(start: Callable[..., Any], secure: dict[str, Any]) -> None:
    server = await start()
    async with raw(server, **secure) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 4000 + b"\r\n")
        for _ in range(5):
            writer.write(b"X-Long: " + b"y" * 4000 + b"\r\n")
        try:
            assert await within(reader.read(), "the end of the connection") == b""
        except ConnectionResetError:
            pass  # cut with bytes unread: the usual way that this shows
    await until(lambda: server.connections == (0, 0), "nothing is left of it")


async def test_only_so_many_handshakes_from_one_address(start: Callable[..., Any], secure: dict[str, Any]) -> None:
    server = await start(half_open_per_address=3)
    async with AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(raw(server))
        await until(lambda: server.connections == (3, 0), "three handshakes hang")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await request(server, "GET / HTTP/1.1\nHost: {host}", **secure)
    await until(lambda: server.connections == (0, 0), "they have gone")
    assert (await request(server, "GET / HTTP/1.1\nHost: {host}", **secure)).status == 200


async def test_websockets_go_on_while_handshakes_hang(start: Callable[..., Any], secure: dict[str, Any]) -> None:
    server = await start(half_open_per_address=3)
    async with client(server, owner=True, **secure) as owner, AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(raw(server))
        await until(lambda: server.connections == (3, 1), "three handshakes hang")
        await owner.says(Seed(TOKEN))
        assert await owner.hears() == Seeding(id_of_token(TOKEN))


async def test_a_server_that_closes_does_not_wait_for_hanging_handshakes(
    config: ServerConfig, secure: dict[str, Any]
) -> None:
    server = SignalServer(config)
    await server.start()
    async with raw(server), raw(server):
        await until(lambda: server.connections[0] == 2, "two handshakes hang")
        await within(server.close(), "the end of the server", 2)
    assert server.connections == (0, 0)


async def test_what_is_no_tls_is_ended(config: ServerConfig, pair: Tls) -> None:
    certificate, key = pair
    async with running(replace(config, tls_certificate=certificate, tls_key=key)) as server:
        async with raw(server) as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await within(reader.read(), "the end of the connection")
            assert not answer.startswith(b"HTTP")
        with pytest.raises(ssl.SSLCertVerificationError):
            await request(server, "GET / HTTP/1.1\nHost: {host}", ssl=ssl.create_default_context())
        await until(lambda: server.connections == (0, 0), "nothing is left of them")


def test_uvloop_hands_the_first_bytes_to_tls_too(config: ServerConfig, secure: dict[str, Any]) -> None:
    """The handshake happens at the border of the loop, where the two loops differ; the engine runs on this one.

    Whoever is honest has all the time of `Limits`: uvloop looks at its clock before it looks at its sockets, so a
    machine that lets this process wait for 0.3 s would end them with their bytes unread.
    """

    impatient = replace(config, limits=replace(Limits(), open_s=0.3))

    async def scenario() -> None:
        async with running(config) as server, running(impatient) as impatient_server:
            for _ in range(20):
                assert (await request(server, "GET / HTTP/1.1\nHost: {host}", **secure)).status == 200
            async with client(server, owner=True, **secure) as owner, raw(impatient_server) as (reader, _):
                await owner.says(Seed(TOKEN))
                assert await owner.hears() == Seeding(id_of_token(TOKEN))
                assert await within(reader.read(), "the end of the handshake that hangs") == b""
            await until(lambda: server.connections == impatient_server.connections == (0, 0), "nothing is left")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
