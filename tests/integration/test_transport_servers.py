"""STUN and TURN servers: asked in the background, never waited for."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState
from tests.support.answers import SECRET
from tests.support.programs import Program, find
from tests.support.rtc_viewer import AiortcViewer, Owner, make_certificate
from tests.support.waiting import until

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
        sock.bind(("127.0.0.1", 0))
        yield f"stun:127.0.0.1:{sock.getsockname()[1]}"


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
