"""The server on real sockets: a session, its refusals, the end of the instance, and what the log may know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from signal_server.limits import Limits, Rate
from signal_server.protocol import (
    Answer,
    CloseCode,
    Draining,
    EndedReason,
    Error,
    ErrorCode,
    Left,
    Offer,
    Offline,
    Online,
    OwnerAnswer,
    OwnerCandidate,
    Revoked,
    Seed,
    Seeding,
    Unknown,
    Unseed,
    View,
    ViewerCandidate,
    encode_base64url,
    id_of_token,
)
from signal_server.server import ServerConfig, SignalServer
from tests.support.signal_clients import HOST, UPGRADE, Reply, client, request, running, says_nonsense, viewer_folder
from tests.support.waiting import until, within

TOKEN = encode_base64url(b"0123456789abcdef")
ID = id_of_token(TOKEN)


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(host=HOST, viewer=viewer_folder(tmp_path), allowed_hosts=frozenset({"named.example"}))


@pytest_asyncio.fixture
async def server(config: ServerConfig) -> AsyncIterator[SignalServer]:
    async with running(config) as server:
        yield server


def limited(config: ServerConfig, **limits: Any) -> ServerConfig:
    return replace(config, limits=replace(Limits(), **limits))


async def get(server: SignalServer, path: str, *headers: str, method: str = "GET") -> Reply:
    return await request(server, "\n".join((f"{method} {path} HTTP/1.1", "Host: {host}", *headers)))


# A session


async def test_an_owner_and_a_viewer_find_each_other(server: SignalServer) -> None:
    origin = f"http://{HOST}:{server.address[1]}"
    async with client(server) as viewer, client(server, owner=True) as owner:
        await viewer.says(View(ID, "too early"))
        assert await viewer.hears() == Unknown()
        await owner.says(Seed(TOKEN))
        assert await owner.hears() == Seeding(ID)
        assert await viewer.hears() == Online()
        await viewer.says(View(ID, "offer"))
        offer = await owner.hears()
        assert offer == Offer(ID, offer.viewer, "offer")
        await owner.says(OwnerAnswer(ID, offer.viewer, "answer"))
        assert await viewer.hears() == Answer("answer")
        await owner.says(OwnerCandidate(ID, offer.viewer, "from the owner"))
        assert await viewer.hears() == ViewerCandidate("from the owner")
        await viewer.says(ViewerCandidate(None))
        assert await owner.hears() == OwnerCandidate(ID, offer.viewer, None)
        async with client(server, origin=origin) as late:
            await owner.says(Unseed(ID, EndedReason.REVOKED))
            assert await viewer.hears() == Revoked()
            await late.says(View(ID, "late"))
            assert await late.hears() == Revoked()
    await until(lambda: server.counts().sockets == 0, "both are forgotten")
    assert server.counts() == replace(server.counts(), sockets=0, shares=0, paired=0, waiting=0, tombstones=1)


async def test_a_closed_page_is_known_at_once(server: SignalServer) -> None:
    async with client(server, owner=True) as owner:
        await owner.says(Seed(TOKEN))
        await owner.hears()
        async with client(server) as viewer:
            await viewer.says(View(ID, "offer"))
            offer = await owner.hears()
        assert await owner.hears() == Left(ID, offer.viewer)
        async with client(server) as viewer:
            await viewer.says(View(ID, "offer"))
            offer = await owner.hears()
            viewer.connection.transport.abort()
            assert await owner.hears() == Left(ID, offer.viewer)


async def test_an_owner_that_is_killed_is_offline_at_once(server: SignalServer) -> None:
    async with client(server) as viewer:
        async with client(server, owner=True) as owner:
            await owner.says(Seed(TOKEN))
            await owner.hears()
            await viewer.says(View(ID, "offer"))
            await owner.hears()
            owner.connection.transport.abort()
            assert await viewer.hears() == Offline()


# Limits


async def test_an_oversized_message_closes_the_socket(server: SignalServer) -> None:
    async with client(server) as viewer:
        await viewer.says("x" * (16 * 1024 + 1))
        assert await viewer.is_closed() == CloseCode.TOO_BIG


async def test_fragments_do_not_get_around_the_size(server: SignalServer) -> None:
    async with client(server) as viewer:
        await viewer.connection.send("x" * 4096 for _ in range(5))
        assert await viewer.is_closed() == CloseCode.TOO_BIG


async def test_the_largest_message_passes(server: SignalServer) -> None:
    async with client(server) as viewer:
        await viewer.says(View(ID, "v" * 12 * 1024))
        assert await viewer.hears() == Unknown()


@pytest.mark.parametrize("said", ["{", b"\x00", "[" * 16000])
async def test_errors_are_told_and_repeated_ones_close(server: SignalServer, said: str | bytes) -> None:
    async with client(server) as viewer:
        for _ in range(Limits().faults.burst):
            await viewer.says(said)
            assert (await viewer.hears()).code is ErrorCode.MALFORMED
        await viewer.says(said)
        assert await viewer.is_closed() == CloseCode.POLICY


async def test_a_flood_is_stopped(config: ServerConfig) -> None:
    async with running(limited(config, viewer_messages=Rate(per_s=1, burst=10))) as server, client(server) as viewer:
        for _ in range(30):
            await viewer.says(ViewerCandidate("c"))
        assert await viewer.hears() == Error(ErrorCode.TOO_FAST, "too many messages; slow down")
        assert await viewer.is_closed() == CloseCode.POLICY


async def test_a_silent_socket_is_closed(config: ServerConfig) -> None:
    async with running(limited(config, first_message_s=0.2)) as server, client(server) as silent:
        assert await silent.is_closed() == CloseCode.GOING_AWAY


async def test_a_socket_that_answers_no_ping_is_closed(config: ServerConfig) -> None:
    async with (
        running(limited(config, ping_s=0.2, close_s=0.2)) as server,
        client(server, ping_interval=None) as viewer,
    ):
        await viewer.says(View(ID, "offer"))
        assert await viewer.hears() == Unknown()
        viewer.connection.transport.pause_reading()
        await until(lambda: server.counts().sockets == 0, "the deaf socket is gone")


async def test_only_so_many_sockets_from_one_address(config: ServerConfig) -> None:
    async with running(limited(config, sockets_per_address=2)) as server:
        async with client(server), client(server), client(server) as third:
            assert await third.is_closed() == CloseCode.TRY_AGAIN_LATER
        await until(lambda: server.connections == (0, 0), "all places are free again")
        async with client(server) as again:
            await again.says(View(ID, "offer"))
            assert await again.hears() == Unknown()


async def test_clients_behind_a_trusted_proxy_are_counted_apart(config: ServerConfig) -> None:
    import ipaddress

    trusting = replace(limited(config, sockets_per_address=1), trusted_proxies=(ipaddress.ip_network(HOST),))
    one, other = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}
    async with running(trusting) as server:
        async with (
            client(server, additional_headers=one),
            client(server, additional_headers=other) as second,
            client(server, additional_headers=one) as third,
        ):
            assert await third.is_closed() == CloseCode.TRY_AGAIN_LATER
            await second.says(View(ID, "offer"))
            assert await second.hears() == Unknown()


async def test_a_slow_reader_is_cut_and_nobody_waits_for_it(config: ServerConfig) -> None:
    """A deaf viewer is sent what an owner says until its buffer is full; the owner's other viewer hears everything."""
    fast_owner = Rate(per_s=100_000, burst=100_000)
    async with (
        running(limited(config, send_buffer=64 * 1024, owner_messages=fast_owner, frames=fast_owner)) as server,
        client(server, owner=True) as owner,
        client(server, max_queue=1) as deaf,
        client(server) as other,
    ):
        await owner.says(Seed(TOKEN))
        await owner.hears()
        await deaf.says(View(ID, "deaf"))
        deaf_name = (await owner.hears()).viewer
        await other.says(View(ID, "other"))
        other_name = (await owner.hears()).viewer
        deaf.connection.transport.pause_reading()
        left = asyncio.create_task(owner.hears(), name="the owner hears who left")
        sent = 0
        while not left.done() and sent < 5000:
            await owner.says(OwnerAnswer(ID, deaf_name, "x" * 12_000))
            sent += 1
        assert await within(left, "the deaf viewer is cut") == Left(ID, deaf_name)
        await owner.says(OwnerAnswer(ID, other_name, "still here"))
        assert await other.hears() == Answer("still here")


# Names and origins


@pytest.mark.parametrize("path", ["/", "/healthz", "/signal"])
async def test_it_answers_to_its_own_names_only(server: SignalServer, path: str) -> None:
    port = server.address[1]
    for host in ("rebound.attacker.example", f"rebound.attacker.example:{port}", "192.0.2.1"):
        reply = await request(server, f"GET {path} HTTP/1.1\nHost: {host}\n{UPGRADE}")
        assert reply.status == 421
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    for host in ("named.example", f"localhost:{port}", f"{HOST}:{port}"):
        reply = await request(server, f"GET {path} HTTP/1.1\nHost: {host}")
        assert reply.status == (426 if path == "/signal" else 200)


@pytest.mark.parametrize("lines", ["", "\nHost: {host}\nHost: named.example", "\nHost: a b", "\nHost:"])
async def test_a_request_names_one_host(server: SignalServer, lines: str) -> None:
    reply = await request(server, f"GET / HTTP/1.1{lines}")
    assert reply.status in {400, 421}


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_other_pages_may_not_connect(server: SignalServer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with client(server, origin=origin):
            pass
    assert refusal.value.response.status_code == 403


async def test_two_origins_are_refused(server: SignalServer) -> None:
    reply = await get(server, "/signal", "Origin: http://{host}", "Origin: http://attacker.example", UPGRADE)
    assert reply.status == 400


# Pages over the wire


async def test_the_page_is_served_with_its_headers(server: SignalServer) -> None:
    reply = await get(server, "/", "Accept-Encoding: gzip")
    assert (reply.status, reply.headers["Content-Encoding"]) == (200, "gzip")
    assert int(reply.headers["Content-Length"]) == len(reply.body)
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "Server" not in reply.headers


async def test_what_browsers_ignore_on_a_plain_address_is_not_sent_there(config: ServerConfig) -> None:
    async with running(replace(config, allowed_hosts=None)) as server:
        for host, sent in (("{host}", True), ("a.example", True), ("192.0.2.1:8080", False)):
            reply = await request(server, f"GET / HTTP/1.1\nHost: {host}")
            assert ("Cross-Origin-Opener-Policy" in reply.headers) is sent


async def test_head_has_no_body(server: SignalServer) -> None:
    reply = await get(server, "/", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 1000


async def test_http_1_0_health_checks_are_answered(server: SignalServer) -> None:
    assert (await request(server, "GET /healthz HTTP/1.0\nHost: {host}")).body == b"ok\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST / HTTP/1.1\nHost: {host}\nContent-Length: 0", 405),
        ("GET /nothing HTTP/1.1\nHost: {host}", 404),
        ("GET /signal HTTP/1.1\nHost: {host}", 426),
        ("GET /signal HTTP/1.1\nHost: {host}\nUpgrade: h2c\nConnection: Upgrade", 426),
        ("GET /signal HTTP/1.1\nHost: {host}\nUpgrade: websocket\nConnection: Upgrade", 400),
        ("POST /signal HTTP/1.1\nHost: {host}\n" + UPGRADE, 405),
        ("GET /" + "a" * 9000 + " HTTP/1.1\nHost: {host}", 414),
        ("GET / HTTP/1.1\nHost: {host}\nX: " + "a" * 9000, 431),
        ("GET / HTTP/1.1\nHost: {host}" + "\nX: y" * 200, 431),
    ],
)
async def test_refusals_are_plain_and_have_a_status(server: SignalServer, head: str, status: int) -> None:
    reply = await request(server, head)
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert b"Traceback" not in reply.body


# The end of the instance


async def test_draining_tells_everyone_and_takes_nobody_new(config: ServerConfig) -> None:
    async with running(limited(config, drain_s=5)) as server, client(server, owner=True) as owner:
        await owner.says(Seed(TOKEN))
        await owner.hears()
        drain = asyncio.create_task(server.drain(), name="drain")
        assert await owner.hears() == Draining()
        assert (await get(server, "/healthz")).status == 503
        assert (await get(server, "/healthz", method="HEAD")).status == 503
        assert (await get(server, "/")).status == 200
        with pytest.raises(InvalidStatus) as refusal:
            async with client(server):
                pass
        assert refusal.value.response.status_code == 503
        await owner.connection.close()
        await within(drain, "draining ends as soon as everyone has left", 2)


async def test_draining_ends_in_time_whoever_stays(config: ServerConfig) -> None:
    server = SignalServer(limited(config, drain_s=0.2, close_s=0.3))
    await server.start()
    async with client(server) as polite, client(server) as deaf:
        for one in (polite, deaf):
            await one.says(View(ID, "offer"))
            assert await one.hears() == Unknown()
        deaf.connection.transport.pause_reading()
        started = time.monotonic()
        drain = asyncio.create_task(server.drain(), name="drain")
        assert await polite.hears() == Draining()
        assert await polite.is_closed() == CloseCode.SERVICE_RESTART
        await within(drain, "the end of the server", 3)
        assert time.monotonic() - started >= 0.2
        await server.close()


async def test_a_server_starts_and_stops_on_a_running_loop_any_number_of_times(config: ServerConfig) -> None:
    host, port = await (first := SignalServer(config)).start()
    assert host == HOST
    neighbour = SignalServer(replace(config, port=port, port_attempts=10))
    assert port < (await neighbour.start())[1] < port + 10
    await neighbour.close()
    await first.close()
    await first.close()
    again = SignalServer(replace(config, port=port))
    assert await again.start() == (HOST, port)
    await again.close()


# What the log may know


async def test_the_log_holds_no_id_no_address_no_offer(config: ServerConfig, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "signal_server", "websockets", "websockets.server", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name)
    canaries = ["canaryoffer", "canaryanswer", "canarycandidate", "canarypath", "canaryheader", TOKEN, ID, HOST]
    async with running(limited(config, faults=Rate(per_s=0, burst=1), drain_s=0.1)) as server:
        canaries.append(str(server.address[1]))
        caplog.clear()
        async with client(server, owner=True) as owner, client(server) as viewer, client(server) as rude:
            await owner.says(Seed(TOKEN))
            await owner.hears()
            await viewer.says(View(ID, "canaryoffer"))
            name = (await owner.hears()).viewer
            canaries.append(name)
            await owner.says(OwnerAnswer(ID, name, "canaryanswer"))
            await viewer.hears()
            await viewer.says(ViewerCandidate("canarycandidate"))
            await owner.hears()
            await rude.says('{"canarycandidate":')
            await rude.says('{"canarycandidate":')
            await rude.is_closed()
            await get(server, "/canarypath", "X-Canary: canaryheader")
            await says_nonsense(server, b"canarypath\r\nnonsense\r\n\r\n")
            viewer.connection.transport.abort()
            assert await owner.hears() == Left(ID, name)
            await owner.says(Unseed(ID, EndedReason.REVOKED))
            await server.drain()
    clients = {"websockets.client", "asyncio"}
    ours = [record for record in caplog.records if record.name not in clients]
    assert [record.getMessage().partition(":")[0] for record in ours] == ["draining", "closed"]
    everything = "\n".join(logging.Formatter("%(name)s %(message)s").format(record) for record in ours)
    assert not [canary for canary in canaries if canary in everything]
