"""Strangers who know an id, an office behind one address, and floods of frames, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from seedshot_desktop.seed.messages import ServerLost
from signal_server.limits import Limits, Rate
from signal_server.protocol import (
    Answer,
    Full,
    Joined,
    NoRoom,
    Offer,
    Online,
    Over,
    OwnerAnswer,
    OwnerMessage,
    Seed,
    Seeding,
    Unknown,
    View,
    encode_base64url,
    id_of_token,
)
from signal_server.server import ServerConfig, SignalServer
from tests.support.owner import Owner, content, picture
from tests.support.signal_clients import HOST, UPGRADE, Client, as_sent, client, raw, running, viewer_folder
from tests.support.viewer import Viewer
from tests.support.waiting import until, within

TOKEN = encode_base64url(b"0123456789abcdef")
ID = id_of_token(TOKEN)
STRANGER = ("127.0.0.2", 0)
OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef0123456789abcdef\r\n"
    f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\na=setup:actpass\r\na=sctp-port:5000\r\n"
)


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(host=HOST, viewer=viewer_folder(tmp_path))


@pytest_asyncio.fixture
async def server(config: ServerConfig) -> AsyncIterator[SignalServer]:
    async with running(config) as server:
        yield server


async def seeds(owner: Client) -> None:
    await owner.says(Seed(TOKEN))
    assert await owner.hears() == Seeding(ID)


async def lets_everyone_in(owner: Client) -> None:
    """Answers and lets in whoever knocks, until cancelled."""
    while True:
        message = await owner.hears()
        if isinstance(message, Offer):
            replies: tuple[OwnerMessage, ...] = (OwnerAnswer(ID, message.viewer, "answer"), Joined(ID, message.viewer))
            for reply in replies:
                await owner.says(reply)


async def looks(viewer: Client) -> None:
    """What a page does: asks, and asks again when it is told to."""
    await viewer.says(View(ID, "offer"))
    while (message := await viewer.hears()) != Answer("answer"):
        assert message in (NoRoom(), Online()), "nobody is refused for what the neighbours do"
        if message == Online():
            await viewer.says(View(ID, "offer"))


async def test_fifty_behind_one_address_look_at_once_and_reload(server: SignalServer) -> None:
    async with client(server, owner=True) as owner:
        await seeds(owner)
        working = asyncio.create_task(lets_everyone_in(owner), name="the owner")
        for _ in ("look", "reload"):
            async with AsyncExitStack() as stack:
                office = [await stack.enter_async_context(client(server)) for _ in range(50)]
                await within(asyncio.gather(*map(looks, office)), "everyone has been answered", 4)
                await until(lambda: server.counts().paired == 50, "all look")
            await until(lambda: server.counts().paired == 0, "all have left")
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_the_end_of_a_visit_frees_its_place_though_the_socket_stays(server: SignalServer) -> None:
    async with client(server, owner=True) as owner, client(server) as viewer:
        await seeds(owner)
        await viewer.says(View(ID, "offer"))
        offer = await owner.hears()
        await owner.says(Over(ID, offer.viewer))
        await until(lambda: server.counts().paired == 0, "the place is free")
        await viewer.says(View(ID, "again"))
        assert (await owner.hears()).sdp == "again"


async def test_idle_sockets_of_one_address_do_not_lock_an_engines_share() -> None:
    """More of them than it has places; each has asked once and stays. A viewer from elsewhere gets its picture."""
    async with Owner() as owner, AsyncExitStack() as stack:
        share = await owner.share(picture(10_000))
        port = int(owner.base_url.rsplit(":", 1)[1])
        target = _At((HOST, port))
        crowd = [
            await stack.enter_async_context(client(target, local_addr=STRANGER))
            for _ in range(2 * Limits().knocking_per_address)
        ]
        for stranger in crowd:
            await stranger.says(View(share.id, OFFER))
        heard = [await stranger.hears() for stranger in crowd]
        assert heard.count(NoRoom()) == len(crowd) - Limits().knocking_per_address
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(10_000)
        assert owner.all(ServerLost) == []


async def test_sockets_that_come_and_go_do_not_throw_the_owner_out(config: ServerConfig) -> None:
    limits = replace(Limits(), owner_messages=Rate(per_s=1, burst=4))
    async with running(replace(config, limits=limits)) as server, client(server, owner=True) as owner:
        await seeds(owner)
        for _ in range(40):
            async with client(server, local_addr=STRANGER) as stranger:
                await stranger.says(View(ID, "offer"))
                offer = await owner.hears()
                await owner.says(OwnerAnswer(ID, offer.viewer, "answer"))
                assert await stranger.hears() == Answer("answer")
                await owner.says(Full(ID, offer.viewer))
                assert await stranger.hears() == NoRoom()
        async with client(server) as honest:
            await honest.says(View(ID, "honest"))
            assert (await owner.hears()).sdp == "honest"


# Frames


@pytest.mark.parametrize(
    ("opcode", "fin", "payload"),
    [(Opcode.PING, True, b""), (Opcode.PONG, True, b"x"), (Opcode.CONT, False, b""), (Opcode.TEXT, True, b"")],
    ids=["pings", "pongs", "empty fragments", "empty messages"],
)
async def test_a_flood_of_frames_is_cut_long_before_its_end(
    server: SignalServer, opcode: Opcode, fin: bool, payload: bytes
) -> None:
    frame = Frame(opcode, payload, fin).serialize(mask=True)
    first = Frame(Opcode.TEXT, b"", False).serialize(mask=True) if opcode is Opcode.CONT else b""
    async with raw(server) as (reader, writer):
        writer.write(as_sent(server, "GET /signal HTTP/1.1\nHost: {host}\n" + UPGRADE))
        await within(reader.readuntil(b"\r\n\r\n"), "the upgrade")
        with contextlib.suppress(ConnectionError):
            writer.write(first + frame * 100_000)
            await within(reader.read(), "the end of the connection", 3)
    await until(lambda: server.connections == (0, 0), "it is forgotten")


async def test_a_socket_that_is_being_closed_is_not_read_for_ever(config: ServerConfig) -> None:
    limits = replace(Limits(), faults=Rate(per_s=0, burst=0), close_s=30)
    message = Frame(Opcode.TEXT, b"{", True).serialize(mask=True)
    async with running(replace(config, limits=limits)) as server, raw(server) as (reader, writer):
        writer.write(as_sent(server, "GET /signal HTTP/1.1\nHost: {host}\n" + UPGRADE))
        await within(reader.readuntil(b"\r\n\r\n"), "the upgrade")
        writer.write(message)
        await within(reader.readexactly(4), "the server's closing frame")
        with contextlib.suppress(ConnectionError):
            writer.write(message * (Limits().control_frames.burst + 1))
            await within(reader.read(), "the end of the connection", 3)


async def test_pings_that_a_client_may_need_are_answered(server: SignalServer) -> None:
    async with client(server) as viewer:
        for _ in range(Limits().control_frames.burst // 2):
            await within(await viewer.connection.ping(), "a pong")
        await viewer.says(View(ID, "offer"))
        assert await viewer.hears() == Unknown()


async def test_a_flood_of_pings_keeps_nobody_waiting(server: SignalServer) -> None:
    """The loop that serves everyone is never busy with one socket for long."""
    async with client(server, ping_interval=None) as rude, client(server) as polite:
        with contextlib.suppress(ConnectionClosed, ConnectionError):
            rude.connection.transport.write(Frame(Opcode.PING, b"", True).serialize(mask=True) * 100_000)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await polite.says(View(ID, "offer"))
            assert await polite.hears() == Unknown()
            assert loop.time() - began < 0.5
        assert await rude.is_closed(3) == 1006


class _At:
    """Where somebody else's server listens."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
