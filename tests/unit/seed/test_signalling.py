"""The owner's side of signalling against a toy server that says what a test wants said."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from seedshot_desktop.errors import SignallingError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import ServerState
from seedshot_desktop.seed.problems import problem_of
from seedshot_desktop.seed.signalling import LONGEST_DELAY_S, MAX_REMEMBERED, Signalling, signalling_url
from signal_server import protocol
from signal_server.protocol import EndedReason, ErrorCode
from tests.support.ear import Ear
from tests.support.waiting import until

TOKEN = link.encode_base64url(bytes(16))
ID = protocol.id_of_token(TOKEN)


class ToyServer:
    """Takes everything down, answers nothing by itself."""

    def __init__(self) -> None:
        self.taken: list[protocol.ClientMessage] = []
        self.sockets: list[ServerConnection] = []
        self.port = 0

    async def converse(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        try:
            async for text in socket:
                self.taken.append(protocol.decode_from_client(str(text)))
        except ConnectionClosed:
            pass  # a test has cut it

    async def say(self, message: protocol.ToOwner | str) -> None:
        await self.sockets[-1].send(message if isinstance(message, str) else protocol.encode(message))


@asynccontextmanager
async def toy(port: int = 0) -> AsyncIterator[ToyServer]:
    server = ToyServer()
    async with serve(server.converse, "127.0.0.1", port, compression=None, close_timeout=0.2) as listening:
        server.port = next(iter(listening.sockets)).getsockname()[1]
        yield server


@asynccontextmanager
async def owner(port: int, jitter: Callable[[], float] = lambda: 0.0) -> AsyncIterator[tuple[Signalling, Ear]]:
    ear = Ear()
    signalling = Signalling(f"http://127.0.0.1:{port}", ear, jitter=jitter)
    task = asyncio.create_task(signalling.run())
    yield signalling, ear
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_share_is_shown_at_once_and_after_every_reconnection() -> None:
    async with toy() as server, owner(server.port) as (signalling, ear):
        signalling.seed(ID, TOKEN)
        await until(lambda: server.taken == [protocol.Seed(TOKEN)], "the token")
        await server.say(protocol.Seeding(ID))
        await until(lambda: ear.heard == [("seeding", ID)], "seeding")
        await server.sockets[0].close(1012)
        await until(lambda: server.taken == [protocol.Seed(TOKEN)] * 2, "the token again")
        assert [state for state, _, _ in ear.states] == [ServerState.ONLINE, ServerState.OFFLINE, ServerState.ONLINE]
        assert "restarted" in ear.states[1][1]


@pytest.mark.parametrize(
    ("host", "named"),
    [("localhost", "stun:localhost:21880"), ("127.0.0.1", "stun:127.0.0.1:21880"), ("[::1]", "stun:[::1]:21880")],
)
async def test_a_stun_server_is_the_server_itself_under_the_name_that_it_is_known_by(host: str, named: str) -> None:
    ear = Ear()
    signalling = Signalling(f"http://{host}:1", ear)
    signalling.seed(ID, TOKEN)
    signalling._hear(protocol.Seeding(ID, ("stun:*:21880", "stun:[2001:db8::1]")))
    assert ear.heard == [("seeding", ID, named, "stun:[2001:db8::1]")]


async def test_without_a_share_a_server_that_wants_its_socket_back_is_left_until_there_is_one() -> None:
    async with toy() as server, owner(server.port) as (signalling, ear):
        await until(lambda: ear.states, "the connection")
        await server.sockets[0].close(1001, "no message came")
        await until(lambda: not signalling.online, "rest")
        signalling.check()
        signalling.seed(ID, TOKEN)
        await until(lambda: server.taken == [protocol.Seed(TOKEN)], "the token")
        assert len(server.sockets) == 2
        assert {state for state, _, _ in ear.states} == {ServerState.ONLINE}
        await server.sockets[1].close(1001)
        await until(lambda: server.taken == [protocol.Seed(TOKEN)] * 2, "the token again")


async def test_what_ended_unheard_is_ended_after_the_reconnection_once() -> None:
    async with toy() as server:
        port = server.port
    async with owner(port) as (signalling, ear):
        signalling.seed(ID, TOKEN)
        await until(lambda: ear.states, "no server")
        signalling.unseed(ID, EndedReason.EXPIRED)
        async with toy(port) as server:
            ended = [protocol.Seed(TOKEN), protocol.Unseed(ID, EndedReason.EXPIRED)]
            await until(lambda: server.taken == ended, "the end")
            await asyncio.wait_for(signalling.flushed(), 5)
            await server.sockets[0].close()
            await until(lambda: len(server.sockets) == 2, "another connection")
            signalling.seed(ID, TOKEN)
            await until(lambda: len(server.taken) > 2, "something more")
            assert server.taken[2:] == [protocol.Seed(TOKEN)], "the end was heard, and is not repeated"


async def test_a_share_that_was_shown_by_somebody_else_is_ended_with_its_token() -> None:
    ended = [protocol.Seed(TOKEN), protocol.Unseed(ID, EndedReason.REVOKED)]
    async with toy() as server, owner(server.port) as (signalling, ear):
        signalling.unseed(ID, EndedReason.REVOKED)
        assert signalling.unheard == {}, "without a token there is nothing to say"
        await until(lambda: ear.states, "the connection")
        signalling.unseed(ID, EndedReason.REVOKED, TOKEN)
        assert signalling.unheard == {ID: (TOKEN, EndedReason.REVOKED)}
        await until(lambda: server.taken == ended, "its end")
        await asyncio.wait_for(signalling.flushed(), 5)
        assert signalling.unheard == {}


async def test_ended_shares_are_not_remembered_without_bound() -> None:
    async with toy() as server:
        port = server.port
    async with owner(port) as (signalling, ear):
        await until(lambda: ear.states, "no server")
        for number in range(MAX_REMEMBERED + 10):
            token = link.encode_base64url(number.to_bytes(16, "big"))
            signalling.seed(protocol.id_of_token(token), token)
            signalling.unseed(protocol.id_of_token(token), EndedReason.REVOKED)
        async with toy(port) as server:
            await until(lambda: len(server.taken) == 2 * MAX_REMEMBERED, "the last ones")


async def test_what_is_about_a_viewer_is_not_kept_for_another_connection() -> None:
    async with toy() as server:
        port = server.port
    async with owner(port) as (signalling, ear):
        await until(lambda: ear.states, "no server")
        signalling.send(protocol.Full(ID, "v"))
        async with toy(port) as server:
            await until(lambda: signalling.online, "the server")
            signalling.send(protocol.Full(ID, "w"))
            await until(lambda: server.taken == [protocol.Full(ID, "w")], "the new one")


async def test_what_the_server_says_is_handed_on_and_nonsense_is_passed_over() -> None:
    async with toy() as server, owner(server.port) as (signalling, ear):
        await until(lambda: signalling.online and server.sockets, "the server")
        said: list[protocol.ToOwner] = [
            protocol.Offer(ID, "v", "sdp"),
            protocol.OwnerCandidate(ID, "v", None),
            protocol.Left(ID, "v"),
        ]
        for nonsense in ("", "{", "[]", '{"type":"revoked"}', '{"type":"offer","id":1}', "x" * 20_000):
            await server.say(nonsense)
        for message in said:
            await server.say(message)
        await until(lambda: ear.heard == said, "what was said")


@pytest.mark.parametrize("code", [ErrorCode.REVOKED, ErrorCode.TOO_MANY_SHARES])
async def test_a_share_that_the_server_refuses_is_told(code: ErrorCode) -> None:
    async with toy() as server, owner(server.port) as (signalling, ear):
        signalling.seed(ID, TOKEN)
        await until(lambda: server.taken, "the token")
        await server.say(protocol.Error(code, "no", "AAAAAAAAAAAAAA"))
        await server.say(protocol.Error(code, "no", ID))
        await until(lambda: ear.heard, "the refusal")
        assert ear.heard == [("refused", ID, code)]


async def test_a_server_without_time_is_asked_again_for_what_it_did_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedshot_desktop.seed.signalling.TOO_FAST_S", 0.05)
    taken, late = TOKEN, link.encode_base64url(bytes([1] * 16))
    async with toy() as server, owner(server.port) as (signalling, ear):
        signalling.seed(ID, taken)
        signalling.seed(protocol.id_of_token(late), late)
        await until(lambda: len(server.taken) == 2, "both tokens")
        await server.say(protocol.Seeding(ID))
        await server.say(protocol.Error(ErrorCode.TOO_FAST, "slow down"))
        await until(lambda: server.taken[2:] == [protocol.Seed(late)], "the one that was not taken")
        assert ear.heard == [("seeding", ID)]


async def test_a_draining_server_is_left_at_once() -> None:
    async with toy() as server, owner(server.port) as (_, ear):
        await until(lambda: server.sockets, "the server")
        await server.say(protocol.Draining())
        await until(lambda: len(server.sockets) == 2, "another connection")
        assert "restarted" in ear.states[1][1]


async def test_a_changed_network_is_looked_at_and_a_living_connection_is_kept() -> None:
    async with toy() as server, owner(server.port) as (signalling, _):
        await until(lambda: signalling.online, "the server")
        signalling.check()
        signalling.seed(ID, TOKEN)
        await until(lambda: server.taken, "the token")
        assert len(server.sockets) == 1


async def test_a_changed_network_ends_the_wait_for_the_next_try() -> None:
    async with toy() as server:
        port = server.port
    async with owner(port, jitter=lambda: 1e9) as (signalling, ear):
        await until(lambda: ear.states, "no server")
        async with toy(port) as server:
            signalling.check()
            await until(lambda: server.sockets, "the server")


async def test_tries_grow_apart_and_stay_random() -> None:
    signalling = Signalling("http://127.0.0.1:1", Ear(), jitter=lambda: 1.0)
    delays = [signalling._delay(failures) for failures in range(12)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == LONGEST_DELAY_S
    assert Signalling("http://127.0.0.1:1", Ear(), jitter=lambda: 0.1)._delay(3) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://10.0.0.7:21880", "ws://10.0.0.7:21880/signal"),
        ("https://seed.example", "wss://seed.example/signal"),
        ("https://example.org/seed/", "wss://example.org/seed/signal"),
        ("http://[::1]:80", "ws://[::1]:80/signal"),
    ],
)
def test_the_socket_is_where_the_page_is(base_url: str, url: str) -> None:
    assert signalling_url(base_url) == url


@pytest.mark.parametrize("base_url", ["", "example.org", "ftp://x", "https://", "https://[x", "http://x:99999"])
def test_what_is_no_address_is_said(base_url: str) -> None:
    with pytest.raises(SignallingError, match="must look like"):
        Signalling(base_url, Ear())


@pytest.mark.parametrize(
    "error",
    [
        OSError("10.1.2.3"),
        ConnectionRefusedError(),
        TimeoutError(),
        ssl.SSLCertVerificationError(),
        ssl.SSLError(),
        InvalidURI("x://10.1.2.3", "no"),
        InvalidHandshake("10.1.2.3"),
        ImportError("python-socks"),
        ValueError("10.1.2.3"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_problem_is_a_sentence_that_names_no_address(error: Exception) -> None:
    sentence = problem_of(error)
    assert sentence.endswith(".")
    assert "10.1" not in sentence
