"""The peer connection over real sockets, with aiortc's own peer connection as viewer."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from aiortc.rtcsctptransport import Chunk, CookieEchoChunk, InitChunk

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState, RateLimit
from seedshot_desktop.seed.transport import peer as peers
from seedshot_desktop.seed.transport.early import ECHO_PACKET
from seedshot_desktop.seed.transport.limits import SLACK_S
from seedshot_desktop.seed.transport.peer import STRANGER
from seedshot_desktop.seed.transport.sdp import Offer
from tests.support.answers import SECRET, with_password
from tests.support.rtc_viewer import AiortcViewer, Owner, connected, make_certificate
from tests.support.stand_still import standing_still
from tests.support.waiting import until

COOKIE_ECHO = CookieEchoChunk.type


async def test_opens_and_carries_control_both_ways() -> None:
    async with connected() as (peer, owner, viewer):
        viewer.control.send("from the viewer, äöü")
        peer.send_control("from the owner, äöü")
        async with asyncio.timeout(5):
            assert await owner.control.get() == "from the viewer, äöü"
            assert await viewer.messages.get() == "from the owner, äöü"
        assert peer.path == "direct"
        assert [state for state, _ in owner.states] == [PeerState.CONNECTING, PeerState.OPEN]


@pytest.mark.parametrize("size", [1, 1159, 1160, 1161, 65535, 65536])
async def test_data_messages_arrive_whole(size: int) -> None:
    async with connected() as (peer, _, viewer):
        message = os.urandom(size)
        peer.send_data(message)
        async with asyncio.timeout(5):
            assert await viewer.received.get() == message


async def test_a_long_transfer_keeps_its_order_and_says_when_there_is_room() -> None:
    async with connected() as (peer, owner, viewer):
        parts = [os.urandom(65536) for _ in range(40)]
        for part in parts:
            while peer.buffered_amount > 256 * 1024:
                owner.writable.clear()
                async with asyncio.timeout(10):
                    await owner.writable.wait()
            peer.send_data(part)
        async with asyncio.timeout(20):
            assert [await viewer.received.get() for _ in parts] == parts
        assert peer.buffered_amount == 0


async def test_control_overtakes_waiting_data() -> None:
    async with connected() as (peer, _, viewer):
        for _ in range(30):
            peer.send_data(bytes(65536))
        peer.send_control("first")
        async with asyncio.timeout(10):
            assert await viewer.messages.get() == "first"
        assert viewer.received.qsize() < 30


async def test_a_limit_is_kept_on_the_wire_and_control_does_not_wait_for_it() -> None:
    limit = RateLimit(200_000)
    async with connected(limits=[limit]) as (peer, _, viewer):
        clock = asyncio.get_running_loop().time
        for _ in range(60):
            peer.send_data(bytes(10_000))
        begun = clock()
        with standing_still(SLACK_S) as pauses:
            for _ in range(40):
                async with asyncio.timeout(10):
                    await viewer.received.get()
        took, wire_bytes = clock() - begun, 40 * 10_000 * 1.08
        assert wire_bytes / took <= 200_000 * 1.06
        assert wire_bytes / (took - pauses.seconds) >= 200_000 * 0.94, "what was kept back is not made up for"
        limit.rate = 2_000
        peer.send_control("at once")
        async with asyncio.timeout(1):
            assert await viewer.messages.get() == "at once"
        limit.rate = 0
        async with asyncio.timeout(5):
            assert len([await viewer.received.get() for _ in range(20)]) == 20


async def test_close_with_flush_delivers_the_last_control_message() -> None:
    async with connected() as (peer, owner, viewer):
        for _ in range(30):
            peer.send_data(bytes(65536))
        peer.send_control("ended")
        await peer.close(flush=True)
        async with asyncio.timeout(5):
            assert await viewer.messages.get() == "ended"
            await viewer.closed.wait()
        assert owner.states[-1] == (PeerState.CLOSED, "closed here")
        assert viewer.received.qsize() < 30


async def test_a_viewer_that_closes_is_noticed_at_once() -> None:
    async with connected() as (_, owner, viewer):
        await viewer.close()
        assert await owner.reached(PeerState.CLOSED, 2) == "the viewer closed the connection"


async def test_nothing_is_sent_after_abort() -> None:
    async with connected() as (peer, owner, _):
        for _ in range(200):
            peer.send_data(bytes(65536))
        sent: list[bytes] = []
        agent = peer._agent
        for protocol in agent._protocols:
            protocol.transport = _Recording(protocol.transport, sent)  # type: ignore[assignment]
        peer.abort()
        before = len(sent)
        peer.send_control("too late")
        peer.send_data(b"too late")
        await peer.close()
        assert len(sent) == before == 0
        assert owner.states[-1] == (PeerState.CLOSED, "closed here")


class _Recording:
    """A datagram transport that notes what is sent through it."""

    def __init__(self, transport: asyncio.DatagramTransport, sent: list[bytes]) -> None:
        self._transport = transport
        self._sent = sent

    def sendto(self, data: bytes, addr: object = None) -> None:
        self._sent.append(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


@pytest.mark.parametrize("kept", [[], ["a=fingerprint:sha-256"]], ids=["the only one", "one besides the right one"])
async def test_a_wrong_certificate_of_the_viewer_is_refused(kept: list[str]) -> None:
    """The second: a server keeps what the password is made of, passes honest checks on, and adds a certificate."""
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    offer = await viewer.offer()
    lines = [line for line in offer.split("\r\n") if not line.startswith("a=fingerprint") or line.split(" ")[0] in kept]
    place = next(i for i, line in enumerate(lines) if line.startswith("a=setup"))
    wrong = ("sha-512 ", 64) if kept else ("sha-256 ", 32)
    lines.insert(place, f"a=fingerprint:{wrong[0]}" + ":".join(["AA"] * wrong[1]))
    try:
        answer = await peer.answer("\r\n".join(lines))
        await viewer.accept(with_password(answer, "\r\n".join(lines)))
        assert await owner.reached(PeerState.CLOSED) == "the connection could not be secured"
    finally:
        await peer.close()
        await viewer.close()


@pytest.mark.parametrize("knows", ["nothing", "the secret, and has another certificate than the offer says"])
async def test_who_cannot_sign_a_check_with_the_secret_gets_no_further_than_ice(knows: str) -> None:
    """The second is a signalling server: it has put its own fingerprint into an offer, and passes honest checks on."""
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    offer = await viewer.offer()
    if knows == "nothing":
        answer = await peer.answer(offer)
        secret = "x" * len(SECRET)
    else:
        digest = re.search("a=fingerprint:sha-256 (.*)", offer)
        assert digest is not None
        answer = await peer.answer(offer.replace(digest[1].strip(), ":".join(["AA"] * 32)))
        secret = SECRET
    try:
        assert "ice-pwd" not in answer, "the password is never sent"
        await viewer.accept(answer, secret)
        assert await owner.reached(PeerState.CLOSED) == STRANGER
        assert [state for state, _ in owner.states] == [PeerState.CONNECTING, PeerState.CLOSED]
    finally:
        await peer.close()
        await viewer.close()


async def test_our_own_checks_alone_make_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger answers our checks, would have us nominate (RFC 8445, section 7.2.5.1), and signs none of its own."""
    monkeypatch.setattr(peers, "END_OF_CANDIDATES_S", 0.5)
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        answer = await peer.answer(await viewer.offer())
        peer._agent.switch_role(ice_controlling=True)
        peer._agent.on_stranger = lambda: None
        agent = viewer.connection.sctp.transport.transport._connection  # type: ignore[union-attr]
        agent.switch_role(ice_controlling=False)
        await viewer.accept(answer, "x" * len(SECRET))
        assert await owner.reached(PeerState.CLOSED) == "no path to the viewer was found"
        assert peer.path is None
    finally:
        await peer.close()
        await viewer.close()


async def test_what_is_over_does_not_open_any_more() -> None:
    """The end of the handshake arrives when the share has just been taken back."""
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    handshake = peer._dtls.handshake

    async def late(offer: Offer, on_packet: Callable[[bytes], None]) -> bool:
        done = await handshake(offer, on_packet)
        peer.abort()
        return done

    peer._dtls.handshake = late  # type: ignore[method-assign]
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.CLOSED)
        await peer.close()
        assert peer.state is PeerState.CLOSED
        assert [state for state, _ in owner.states] == [PeerState.CONNECTING, PeerState.CLOSED]
    finally:
        await peer.close()
        await viewer.close()


async def test_a_bad_offer_raises_and_closes() -> None:
    owner = Owner()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    with pytest.raises(TransportError, match="cannot be used"):
        await peer.answer("v=0\r\n")
    await peer.close()
    assert owner.states[-1][0] is PeerState.CLOSED


async def test_bad_candidates_are_counted_and_change_nothing() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        answer = await peer.answer(await viewer.offer())
        for line in ("nonsense", "candidate:1 1 udp 1 127.0.0.1 9 typ host", "candidate:1 1 udp 1 ff02::1 9 typ host"):
            peer.add_candidate(line)
        peer.add_candidate(None)
        assert peer.refused == 3
        await viewer.accept(answer)
        await owner.reached(PeerState.OPEN)
    finally:
        await peer.close()
        await viewer.close()


@pytest.mark.timeout(120)
async def test_a_thousand_peers_that_never_connect_leave_nothing_behind() -> None:
    viewer = AiortcViewer()
    offer = await viewer.offer()
    certificate = make_certificate()
    tasks, files = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
    for number in range(1000):
        peer = Peer(certificate=certificate, secret=SECRET, ice=IceOptions(), callbacks=Owner())
        await peer.answer(offer)
        peer.add_candidate(f"candidate:1 1 udp 1 198.51.100.7 {1024 + number} typ host")
        if number % 2:
            peer.abort()
        await peer.close(flush=number % 3 == 0)
    del peer
    await viewer.close()
    assert len(asyncio.all_tasks()) <= tasks
    assert len(os.listdir("/proc/self/fd")) <= files
    gc.collect()
    assert not [item for item in gc.get_objects() if isinstance(item, Peer)]


async def test_many_connections_leave_nothing_behind() -> None:
    async with connected():
        pass  # whatever is made once and kept, is made now
    gc.collect()
    tasks, files = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        async with connected() as (peer, _, viewer):
            peer.send_data(bytes(65536))
            viewer.control.send("hello")
    del peer, viewer
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == tasks
    assert len(os.listdir("/proc/self/fd")) == files
    gc.collect()
    assert not [item for item in gc.get_objects() if isinstance(item, Peer)]


def lose_the_first_cookie(peer: Peer) -> list[bytes]:
    """The first COOKIE ECHO of that peer does not arrive, nor does an INIT of its viewer; returns those it sends."""
    transmit = peer._dtls.transmit
    echoes: list[bytes] = []

    def lossy(packets: Sequence[bytes]) -> None:
        if packets[0][12] == COOKIE_ECHO:
            echoes.append(packets[0])
        if packets[0][12] != COOKIE_ECHO or len(echoes) > 1:
            transmit(packets)

    peer._dtls.transmit = lossy  # type: ignore[method-assign]
    peer._association._receive_chunk = _without_init(peer._association._receive_chunk)  # type: ignore[method-assign, assignment]
    return echoes


async def test_what_goes_with_the_cookie_arrives_though_that_packet_is_lost() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    echoes = lose_the_first_cookie(peer)
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.OPEN)
        peer.send_control("first")
        peer.send_data(bytes(5000))
        async with asyncio.timeout(10):
            assert await viewer.messages.get() == "first"
            assert await viewer.received.get() == bytes(5000)
        assert len(echoes) >= 2
        assert echoes[0] == echoes[1], "the same packet once more: its data has its numbers already"
        assert b"first" in echoes[0]
        assert len(echoes[0]) <= ECHO_PACKET
    finally:
        await peer.close()
        await viewer.close()


def _without_init(
    receive: Callable[[Chunk], Coroutine[Any, Any, None]],
) -> Callable[[Chunk], Coroutine[Any, Any, None]]:
    """The viewer's own INIT is lost: ours has to do."""

    async def receive_chunk(chunk: Chunk) -> None:
        if not isinstance(chunk, InitChunk):
            await receive(chunk)

    return receive_chunk


async def test_nothing_of_a_file_leaves_with_the_cookie_once_the_share_has_ended() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.OPEN)
        assert not peer._association.established
        peer.send_control("names of files")
        peer.send_data(bytes(5000))
        peer.stop_data()
        peer.send_control("over")
        closing = asyncio.create_task(peer.close(flush=True))
        async with asyncio.timeout(5):
            assert await viewer.messages.get() == "over"
        await closing
        assert viewer.received.empty()
    finally:
        await peer.close()
        await viewer.close()


async def test_a_cookie_that_is_sent_again_carries_nothing_of_a_file_once_the_share_has_ended() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    echoes = lose_the_first_cookie(peer)
    secret_bytes = b"of the file" * 30
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.OPEN)
        peer.send_control("manifest")
        peer.send_data(secret_bytes)
        await until(lambda: bool(echoes), "the first COOKIE ECHO")
        assert secret_bytes in echoes[0]
        peer.stop_data()
        peer.send_control("over")
        closing = asyncio.create_task(peer.close(flush=True))
        async with asyncio.timeout(5):
            assert await viewer.messages.get() == "manifest"
            assert await viewer.messages.get() == "over"
        await closing
        assert len(echoes) > 1
        assert not any(secret_bytes in echo for echo in echoes[1:])
        assert viewer.received.empty()
    finally:
        await peer.close()
        await viewer.close()
