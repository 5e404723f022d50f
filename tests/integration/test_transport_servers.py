"""STUN and TURN servers: asked in the background, never waited for."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from aioice import Candidate

from seedshot_desktop.seed.messages import Configure, EngineOptions, Shared
from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState, gathering
from seedshot_desktop.seed.transport.datagrams import open_host
from seedshot_desktop.seed.transport.gathering import Servers
from seedshot_desktop.seed.transport.ice import GuardedConnection
from seedshot_desktop.seed.transport.servers import stun_server
from signal_server.server import ServerConfig, SignalServer
from tests.support.answers import SECRET
from tests.support.owner import Owner as OwnerEngine
from tests.support.owner import content, picture
from tests.support.programs import Program, find
from tests.support.rtc_viewer import AiortcViewer, Owner, make_certificate
from tests.support.viewer import Viewer
from tests.support.waiting import until, within

COOKIE = 0x2112A442
PUBLIC = ("203.0.113.7", 40000)


class StunServer(asyncio.DatagramProtocol):
    """Says that everybody comes from `PUBLIC`; a toy of RFC 8489."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        port = PUBLIC[1] ^ COOKIE >> 16
        host = int.from_bytes(socket.inet_aton(PUBLIC[0]), "big") ^ COOKIE
        attribute = struct.pack("!HHBBHL", 0x0020, 8, 0, 1, port, host)
        self.transport.sendto(struct.pack("!HHL", 0x0101, len(attribute), COOKIE) + data[8:20] + attribute, addr)


@contextmanager
def silent_server() -> Iterator[str]:
    """A STUN server's URL where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((own_address(), 0))
        yield f"stun:{own_address()}:{sock.getsockname()[1]}"


def own_address() -> str:
    """This machine's address towards the network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("198.51.100.1", 9))
        return str(sock.getsockname()[0])


def answers(address: str, port: int) -> bool:
    """Whether something speaks STUN there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.sendto(struct.pack("!HHL", 0x0001, 0, COOKIE) + bytes(12), (address, port))
        try:
            return len(sock.recv(2048)) > 0
        except OSError:
            return False


async def test_a_public_address_is_trickled_after_the_answer() -> None:
    owner, viewer = Owner(), AiortcViewer()
    address = own_address()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=(address, 0))
    url = f"stun:{address}:{transport.get_extra_info('sockname')[1]}"
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(stun_urls=(url,)), callbacks=owner)
    try:
        answer = await peer.answer(await viewer.offer())
        assert "a=end-of-candidates" not in answer
        assert PUBLIC[0] not in answer
        async with asyncio.timeout(5):
            candidate = await owner.candidates.get()
            assert candidate is not None
            assert candidate.startswith("candidate:")
            assert f"{PUBLIC[0]} {PUBLIC[1]} typ srflx raddr" in candidate
            said = [candidate]
            while (line := await owner.candidates.get()) is not None:
                said.append(line)
        assert sum(PUBLIC[0] in line for line in said) == 1, "said once, whoever was asked"
    finally:
        await peer.close()
        await viewer.close()
        transport.close()


async def test_a_server_that_never_answers_holds_up_nothing() -> None:
    owner, viewer = Owner(), AiortcViewer()
    with silent_server() as url:
        options = IceOptions(stun_urls=(url, "stun:no-such-host.invalid"), turn_urls=("turn:127.0.0.1:9",))
        peer = Peer(certificate=make_certificate(), secret=SECRET, ice=options, callbacks=owner)
        try:
            offer = await viewer.offer()
            started = time.perf_counter()
            answer = await peer.answer(offer)
            assert time.perf_counter() - started < 0.2
            await viewer.accept(answer)
            await owner.reached(PeerState.OPEN, 3)
        finally:
            await peer.close()
            await viewer.close()


async def test_servers_where_no_viewer_may_be_are_not_asked() -> None:
    """A signalling server names them: our packets must not go wherever it likes."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    class Asked(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked.set()

    transport, _ = await loop.create_datagram_endpoint(Asked, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    agent = GuardedConnection()
    protocol = await open_host(agent, "127.0.0.1")
    assert protocol is not None
    agent._protocols.append(protocol)
    try:
        urls = (f"stun:127.0.0.1:{port}", f"stun:localhost:{port}", "stun:169.254.169.254", "stun:127.0.0.1:70000")
        await within(Servers(agent, lambda _: None).ask(IceOptions(urls)), "the end of the questions", 1.0)
        assert not asked.is_set()
    finally:
        await agent.close()
        transport.close()


async def test_an_ipv6_server_in_brackets_is_asked_over_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    # loopback is the one IPv6 address that every machine has
    monkeypatch.setattr(gathering, "may_reach", lambda _: True)
    found: list[Candidate] = []
    agent = GuardedConnection()
    for address in ("::1", "127.0.0.1"):
        protocol = await open_host(agent, address)
        assert protocol is not None
        agent._protocols.append(protocol)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=("::1", 0))
    url = f"stun:[::1]:{transport.get_extra_info('sockname')[1]}"
    try:
        await within(Servers(agent, found.append).ask(IceOptions((url,))), "the end of the questions", 3.0)
        (candidate,) = found
        assert (candidate.host, candidate.port, candidate.related_address) == (*PUBLIC, "::1")
    finally:
        await agent.close()
        transport.close()


async def test_what_the_signalling_server_names_is_asked_and_its_answer_trickled() -> None:
    """The whole owner: the answer first, the public address behind it, and the connection waits for neither."""
    address = own_address()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(StunServer, local_addr=(address, 0))
    url = f"stun:{address}:{transport.get_extra_info('sockname')[1]}"
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    class Listening(Viewer):
        async def _add_candidate(self, line: str | None) -> None:
            heard.put_nowait(line)

    try:
        async with SignalServer(ServerConfig(host="127.0.0.1", stun_urls=(url,))) as server:
            options = EngineOptions(server_url=f"http://127.0.0.1:{server.address[1]}")
            async with OwnerEngine(options) as owner:
                share = await owner.share(picture(1000))
                async with Listening(share.link) as viewer:
                    assert await viewer.fetch_all() == [content(1000)]
                    line = await within(heard.get(), "a candidate")
                    assert line is not None
                    assert f"{PUBLIC[0]} {PUBLIC[1]} typ srflx" in line
                    assert await within(heard.get(), "the end of candidates", 10.0) is None
    finally:
        transport.close()


async def test_another_signalling_server_means_other_stun_servers() -> None:
    async with (
        SignalServer(ServerConfig(host="127.0.0.1", stun_urls=("stun:192.0.2.1",))) as first,
        SignalServer(ServerConfig(host="127.0.0.1", stun_urls=("stun:*:1",))) as second,
        SignalServer(ServerConfig(host="127.0.0.1")) as third,
    ):
        options = [EngineOptions(server_url=f"http://127.0.0.1:{one.address[1]}") for one in (first, second, third)]
        async with OwnerEngine(options[0]) as owner:
            share = await owner.share(picture(10))
            known = owner.engine._shares[share.id]
            for number, told in enumerate([("stun:192.0.2.1",), ("stun:127.0.0.1:1",), ()]):
                if number:
                    owner.command(Configure(options[number]))
                    await owner.saw(Shared, times=number + 1)
                assert known.stun_urls == told


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("stun:stun.example.org", ("stun.example.org", 3478)),
        ("stun:192.0.2.1:19302", ("192.0.2.1", 19302)),
        ("stun:[2001:db8::1]", ("2001:db8::1", 3478)),
        ("stun:[2001:db8::1]:1", ("2001:db8::1", 1)),
        ("stuns:stun.example.org", ("stun.example.org", 5349)),
        ("stun:stun.example.org:65535?transport=udp", ("stun.example.org", 65535)),
    ],
)
def test_a_servers_url(url: str, server: tuple[str, int]) -> None:
    assert stun_server(url) == server


@pytest.mark.parametrize("url", ["", "stun:", "turn:a", "stun:a:0", "stun:a:65536", "stun:[::1", "stun:2001:db8::1"])
def test_what_is_no_servers_url(url: str) -> None:
    with pytest.raises(ValueError, match="no"):
        stun_server(url)


async def test_without_servers_the_answer_is_complete() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        assert "a=end-of-candidates" in await peer.answer(await viewer.offer())
        assert owner.candidates.empty()
    finally:
        await peer.close()
        await viewer.close()


async def test_a_relay_is_trickled_and_the_connection_opens() -> None:
    address = own_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        port = probe.getsockname()[1]
    words = [
        *(find("turnserver"), "-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--log-file", "stdout"),
        *("-L", address, "-p", str(port), "-r", "test", "-u", "viewer:secret", "--pidfile", "/dev/null"),
        "--allow-loopback-peers",
    ]
    program = Program(words, {"PATH": "/usr/bin:/bin"})
    owner, viewer = Owner(), AiortcViewer()
    options = IceOptions(turn_urls=(f"turn:{address}:{port}",), turn_username="viewer", turn_password="secret")
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=options, callbacks=owner)
    try:
        await until(lambda: answers(address, port), "the TURN server")
        answer = await peer.answer(await viewer.offer())
        async with asyncio.timeout(5):
            candidate = await owner.candidates.get()
        assert candidate is not None
        assert "typ relay" in candidate
        lines = [line for line in answer.split("\r\n") if not line.startswith("a=candidate")]
        await viewer.accept("\r\n".join([*lines[:-1], f"a={candidate}", ""]))
        await owner.reached(PeerState.OPEN)
        peer.send_data(bytes(65536))
        async with asyncio.timeout(10):
            assert await viewer.received.get() == bytes(65536)
    finally:
        await peer.close()
        await viewer.close()
        program.end()
