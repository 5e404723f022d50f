"""What a stranger, or a viewer with ill will, can make the owner's machine do: nothing beyond the bounds."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest
from aiortc.rtcsctptransport import Chunk, DataChunk, HeartbeatAckChunk, HeartbeatChunk, SackChunk
from google_crc32c import value as crc32c

from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState
from seedshot_desktop.seed.transport.datagrams import MAX_DATAGRAM
from seedshot_desktop.seed.transport.ice import MAX_QUEUED_DATAGRAMS, MAX_REMOTE_CANDIDATES
from seedshot_desktop.seed.transport.inbound import WINDOW
from tests.support.answers import SECRET, owner_address
from tests.support.rtc_viewer import AiortcViewer, Owner, connected, make_certificate

HANDSHAKE_BYTE = 22


async def test_a_strangers_datagrams_are_not_even_queued() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        answer = await peer.answer(await viewer.offer())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for size in (1, 15, 1200, MAX_DATAGRAM, MAX_DATAGRAM + 1):
                for first in (HANDSHAKE_BYTE, 21, 0, 3, 64, 128, 255):
                    stranger.sendto(bytes([first]) * size, owner_address(answer))
            stranger.sendto(b"", owner_address(answer))
            await viewer.accept(answer)
            await viewer.open.wait()
            stranger.sendto(bytes([21, 254, 253]) + bytes(12), owner_address(answer))
            viewer.control.send("still here")
            async with asyncio.timeout(5):
                assert await owner.control.get() == "still here"
        assert peer.refused >= 10
        assert peer._agent._queue.qsize() == 0
        assert peer.state is PeerState.OPEN
    finally:
        await peer.close()
        await viewer.close()


async def test_the_queue_of_datagrams_is_bounded() -> None:
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=Owner())
    agent = peer._agent
    agent._validated.add(("198.51.100.7", 9))
    agent.dtls_received(bytes([HANDSHAKE_BYTE]) * 200, ("198.51.100.7", 9))
    assert agent._queue.empty(), "it has answered our checks, and not shown yet that it knows the secret"
    agent.refused = 0
    agent.is_proven = True
    for _ in range(2 * MAX_QUEUED_DATAGRAMS):
        agent.dtls_received(bytes([HANDSHAKE_BYTE]) * 100, ("198.51.100.7", 9))
    assert agent._queue.qsize() == MAX_QUEUED_DATAGRAMS
    await peer.close()


async def test_candidates_are_bounded() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        await peer.answer(await viewer.offer())
        for port in range(1000, 1500):
            peer.add_candidate(f"candidate:1 1 udp 1 198.51.100.7 {port} typ host")
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "peer candidate"))
        assert len(peer._agent._remote_candidates) <= MAX_REMOTE_CANDIDATES
    finally:
        await peer.close()
        await viewer.close()


async def _send_chunk(viewer: AiortcViewer, chunk: Chunk) -> None:
    association = viewer.connection.sctp
    assert association is not None
    await association._send_chunk(chunk)


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ([(1, 65535)] * 250, "SACK"),
        ([(2, 3)], "never sent"),
        ([(1, 1)], "not in order"),
    ],
)
async def test_a_sack_that_cannot_be_is_the_end_at_once(gaps: list[tuple[int, int]], words: str) -> None:
    async with connected() as (peer, owner, viewer):
        peer.send_control("something to acknowledge")
        async with asyncio.timeout(5):
            await viewer.messages.get()
        sack = SackChunk()
        association = viewer.connection.sctp
        assert association is not None
        sack.cumulative_tsn = association._last_received_tsn
        sack.advertised_rwnd = 100_000
        sack.gaps = gaps
        started = time.perf_counter()
        await _send_chunk(viewer, sack)
        reason = await owner.reached(PeerState.CLOSED, 2)
        assert time.perf_counter() - started < 0.5
        assert words in reason


@pytest.mark.parametrize(
    ("stream", "protocol", "size", "count"),
    [(7, 51, 10, 1), (1, 53, 10, 1), (0, 53, 10, 1), (0, 51, 1000, 40)],
    ids=["strange stream", "data channel", "binary control", "endless message"],
)
async def test_what_is_no_control_message_is_the_end(stream: int, protocol: int, size: int, count: int) -> None:
    async with connected() as (_, owner, viewer):
        association = viewer.connection.sctp
        assert association is not None
        for index in range(count):
            chunk = DataChunk(flags=(2 if index == 0 else 0) | (1 if count == 1 else 0))
            chunk.tsn = (association._local_tsn + index) % 2**32
            chunk.stream_id, chunk.protocol, chunk.user_data = stream, protocol, bytes(size)
            await _send_chunk(viewer, chunk)
        assert "broke the protocol" in await owner.reached(PeerState.CLOSED, 2)


async def test_unfinished_messages_are_held_within_the_window() -> None:
    async with connected() as (peer, owner, viewer):
        association = viewer.connection.sctp
        assert association is not None
        for index in range(1, 400):
            chunk = DataChunk(flags=2)
            chunk.tsn = (association._local_tsn + index) % 2**32
            chunk.stream_id, chunk.protocol, chunk.user_data = 0, 51, bytes(1000)
            await _send_chunk(viewer, chunk)
        viewer.control.send("after all that")
        inbound = peer._association._inbound
        reason = await owner.reached(PeerState.CLOSED, 3)
        assert "broke the protocol" in reason
        assert inbound is not None
        assert inbound._ahead_bytes <= WINDOW


async def test_control_text_that_is_not_utf_8_is_the_end() -> None:
    async with connected() as (_, owner, viewer):
        association = viewer.connection.sctp
        assert association is not None
        chunk = DataChunk(flags=3)
        chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = association._local_tsn, 0, 51, b"\xff\xfe"
        await _send_chunk(viewer, chunk)
        assert "not UTF-8" in await owner.reached(PeerState.CLOSED, 2)


async def _send_raw(viewer: AiortcViewer, chunks: bytes) -> None:
    """One packet of these chunks, with the right tag and checksum."""
    association = viewer.connection.sctp
    assert association is not None
    header = struct.pack("!HHL", 5000, 5000, association._remote_verification_tag)
    checksum = crc32c(header + bytes(4) + chunks).to_bytes(4, "little")
    await association.transport._send_data(header + checksum + chunks)


def heartbeat() -> bytes:
    chunk = HeartbeatChunk()
    chunk.params = [(1, b"1234")]
    return bytes(chunk)


async def test_a_parameter_whose_length_cannot_be_is_the_end() -> None:
    async with connected() as (_, owner, viewer):
        broken = bytearray(heartbeat())
        broken[6:8] = b"\0\1"
        await _send_raw(viewer, bytes(broken))
        assert "parameter" in await owner.reached(PeerState.CLOSED, 2)


async def test_one_packet_of_many_heartbeats_gets_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (peer, owner, viewer):
        sent: list[bytes] = []
        transmit = peer._dtls.transmit

        def overheard(packets: list[bytes]) -> None:
            sent.extend(packets)
            transmit(packets)

        monkeypatch.setattr(peer._dtls, "transmit", overheard)
        await _send_raw(viewer, heartbeat() * 50)
        viewer.control.send("after them")
        async with asyncio.timeout(5):
            assert await owner.control.get() == "after them"
        assert sum(packet[12] == HeartbeatAckChunk.type for packet in sent) == 1
