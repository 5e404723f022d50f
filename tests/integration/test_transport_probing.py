"""Probing for larger packets over real sockets, with an honest viewer and a hostile one."""

from __future__ import annotations

import os

import pytest
from aiortc.rtcsctptransport import Chunk, HeartbeatAckChunk, HeartbeatChunk

from seedshot_desktop.seed.transport import Peer, PeerState
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD
from seedshot_desktop.seed.transport.path_mtu import payload_of
from seedshot_desktop.seed.transport.sender import Sender
from tests.support.rtc_viewer import AiortcViewer, connected

PARTS = 40
PART = os.urandom(65536)
LARGE = {payload_of(1500, 20), payload_of(1500, 40)}


def sender_of(peer: Peer) -> Sender:
    sender = peer._association._sender
    assert sender is not None
    return sender


async def transfer(peer: Peer, viewer: AiortcViewer) -> None:
    """Send, and see that it arrives as it was."""
    for _ in range(PARTS):
        peer.send_data(PART)
    for _ in range(PARTS):
        assert await viewer.received.get() == PART


async def test_a_path_that_carries_more_gets_more() -> None:
    async with connected() as (peer, _, viewer):
        await transfer(peer, viewer)
        assert sender_of(peer).payload in LARGE


async def test_a_viewer_that_swallows_heartbeats_gets_small_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (peer, _, viewer):
        sctp = viewer.connection.sctp
        assert sctp is not None
        receive = sctp._receive_chunk

        async def swallow(chunk: Chunk) -> None:
            if not isinstance(chunk, HeartbeatChunk):
                await receive(chunk)

        monkeypatch.setattr(sctp, "_receive_chunk", swallow)
        await transfer(peer, viewer)
        assert sender_of(peer).payload == BASE_PAYLOAD


async def test_answers_to_what_was_never_asked_change_nothing() -> None:
    async with connected() as (peer, owner, viewer):
        sctp = viewer.connection.sctp
        assert sctp is not None
        for params in ([(1, os.urandom(8))], [(1, bytes(1400))], [(2, bytes(8))], [], [(1, b"")]):
            for _ in range(20):
                answer = HeartbeatAckChunk()
                answer.params = list(params)
                await sctp._send_chunk(answer)
        viewer.control.send("still here")
        assert await owner.control.get() == "still here"
        assert sender_of(peer).payload == BASE_PAYLOAD
        assert PeerState.CLOSED not in [state for state, _ in owner.states]


async def test_an_answer_that_is_said_a_hundred_times_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (peer, owner, viewer):
        sctp = viewer.connection.sctp
        assert sctp is not None
        send = sctp._send_chunk

        async def send_often(chunk: Chunk) -> None:
            for _ in range(100 if isinstance(chunk, HeartbeatAckChunk) else 1):
                await send(chunk)

        monkeypatch.setattr(sctp, "_send_chunk", send_often)
        await transfer(peer, viewer)
        viewer.control.send("still here")
        assert await owner.control.get() == "still here"
        assert sender_of(peer).payload in LARGE
