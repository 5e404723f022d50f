"""STUN beside the TCP port: asked over real sockets, with aioice's client; and who is told of it."""

from __future__ import annotations

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import pytest
from aioice import ice, stun

from signal_server.limits import Limits, Rate
from signal_server.protocol import Seed, Seeding, encode_base64url, id_of_token
from signal_server.server import ServerConfig, SignalServer
from tests.support.expectations import LogWatch
from tests.support.signal_clients import HOST, client, request
from tests.support.waiting import until, within

TOKEN = encode_base64url(b"0123456789abcdef")
ID = id_of_token(TOKEN)


class Asker:
    """What aioice's client reports to: nothing of it is wanted."""

    def data_received(self, data: bytes, component: int) -> None:
        raise AssertionError(f"no STUN: {data.hex()}")

    def protocol_lost(self, protocol: ice.StunProtocol) -> None:
        """It was closed."""


@asynccontextmanager
async def asking(host: str) -> AsyncIterator[ice.StunProtocol]:
    """aioice's client on an address of this machine."""
    asker: Any = Asker()
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: ice.StunProtocol(asker), local_addr=(host, 0))
    try:
        yield protocol
    finally:
        await protocol.close()


def question() -> stun.Message:
    return stun.Message(stun.Method.BINDING, stun.Class.REQUEST)


@contextmanager
def asked(host: str, server: str, port: int) -> Iterator[socket.socket]:
    """A socket that hears the server's address alone."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, 0))
        sock.connect((server, port))
        yield sock


async def reply(sock: socket.socket, deadline_s: float = 5.0) -> stun.Message:
    loop = asyncio.get_running_loop()
    return stun.parse_message(await within(loop.sock_recv(sock, 2048), "an answer", deadline_s))


def told(page: bytes) -> list[str]:
    found = re.search(rb'<meta name="stun" content="([^"]*)">', page)
    assert found is not None
    return html.unescape(found[1].decode()).split()


async def stun_servers(server: SignalServer) -> tuple[list[str], list[str]]:
    """What a page and an owner are told of."""
    page = await request(server, "GET / HTTP/1.1\nHost: {host}")
    async with client(server, owner=True) as owner:
        await owner.says(Seed(TOKEN))
        seeding = await owner.hears()
    assert isinstance(seeding, Seeding)
    assert seeding.id == ID
    return told(page.body), list(seeding.stun)


@pytest.mark.parametrize(
    ("listens", "host"), [("", "127.0.0.1"), ("", "::1"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")]
)
async def test_aioice_learns_its_own_address(listens: str, host: str) -> None:
    async with SignalServer(ServerConfig(host=listens, answers_stun=True)) as server, asking(host) as protocol:
        own = protocol.transport.get_extra_info("sockname")[:2]
        response, address = await within(protocol.request(question(), (host, server.address[1])), "the answer")
        assert address == (host, server.address[1])
        assert response.attributes["XOR-MAPPED-ADDRESS"] == own


async def test_the_answer_comes_from_the_address_that_was_asked() -> None:
    async with SignalServer(ServerConfig(answers_stun=True)) as server:
        for host in ("127.0.0.1", "127.0.0.2"):
            with asked("127.0.0.1", host, server.address[1]) as sock:
                sock.send(bytes(question()))
                assert (await reply(sock)).attributes["XOR-MAPPED-ADDRESS"] == sock.getsockname()


@pytest.mark.parametrize("listens", ["", "127.0.0.1"])
async def test_nonsense_gets_no_answer_and_a_question_after_it_does(listens: str) -> None:
    async with SignalServer(ServerConfig(host=listens, answers_stun=True)) as server:
        with asked(HOST, HOST, server.address[1]) as sock:
            last = question()
            for data in (b"", b"x", b"GET / HTTP/1.1\r\n\r\n", bytes(60000), bytes(question())[:-1], bytes(last)):
                sock.send(data)
            assert (await reply(sock)).transaction_id == last.transaction_id


async def test_one_address_gets_so_many_answers_and_others_theirs() -> None:
    limits = Limits(stun_per_address=Rate(per_s=0.001, burst=3))
    async with SignalServer(ServerConfig(answers_stun=True, limits=limits)) as server:
        port = server.address[1]
        with asked("127.0.0.1", HOST, port) as greedy, asked("127.0.0.3", HOST, port) as other:
            for _ in range(20):
                greedy.send(bytes(question()))
            other.send(bytes(question()))
            await reply(other)
            for _ in range(3):
                await reply(greedy)
            with pytest.raises(BlockingIOError):
                greedy.recv(2048)


async def test_page_and_owner_are_told_of_it() -> None:
    async with SignalServer(ServerConfig(host=HOST, answers_stun=True)) as server:
        own = [f"stun:*:{server.address[1]}"]
        assert await stun_servers(server) == (own, own)


async def test_a_server_that_is_set_up_without_answers_nobody_and_tells_of_nothing() -> None:
    async with SignalServer(ServerConfig(host=HOST)) as server:
        assert await stun_servers(server) == ([], [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(server.address)


async def test_others_are_told_of_instead() -> None:
    others = ("stun:stun.example.org", "stun:[2001:db8::1]:3478")
    async with SignalServer(ServerConfig(host=HOST, stun_urls=others)) as server:
        assert await stun_servers(server) == (list(others), list(others))


async def test_the_same_script_is_allowed_with_and_without() -> None:
    head = "GET / HTTP/1.1\nHost: {host}"
    policies = []
    for answers in (True, False):
        async with SignalServer(ServerConfig(host=HOST, answers_stun=answers)) as server:
            policies.append((await request(server, head)).headers["Content-Security-Policy"])
    assert policies[0] == policies[1]


@pytest.mark.parametrize(
    ("named", "left"), [((), []), (("stun:*:443", "stun:stun.example.org"), ["stun:stun.example.org"])]
)
async def test_without_its_udp_port_the_server_runs_on_and_says_so(
    expected_log: LogWatch, named: tuple[str, ...], left: list[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        config = ServerConfig(host=HOST, port=port, answers_stun=True, stun_urls=named)
        async with SignalServer(config) as server:
            expected_log.expect(rf"^STUN is off, .*Cannot listen on UDP port {port}: ")
            assert await stun_servers(server) == (left, left)


async def test_a_closed_server_gives_the_port_back() -> None:
    for listens in ("", HOST):
        async with SignalServer(ServerConfig(host=listens, answers_stun=True)) as server:
            port = server.address[1]
        await until(partial(_is_free, port), "the UDP port")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True
