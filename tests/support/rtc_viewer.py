"""Viewers for tests of the transport: aiortc's own peer connection, and the callbacks of an owner that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from seedshot_desktop.seed import link
from seedshot_desktop.seed.transport import Certificate, IceOptions, Peer, PeerState, RateLimit
from tests.support.answers import SECRET, with_password


def make_certificate() -> Certificate:
    """A fresh share's certificate."""
    keys = link.mint()
    return Certificate.from_der(keys.certificate, keys.private_key)


class Owner:
    """PeerCallbacks that keep everything and let a test wait for it."""

    def __init__(self) -> None:
        self.states: list[tuple[PeerState, str]] = []
        self.control: asyncio.Queue[str] = asyncio.Queue()
        self.candidates: asyncio.Queue[str | None] = asyncio.Queue()
        self.writable = asyncio.Event()
        self.changed = asyncio.Event()

    def on_state(self, state: PeerState, reason: str) -> None:
        self.states.append((state, reason))
        self.changed.set()

    def on_control(self, text: str) -> None:
        self.control.put_nowait(text)

    def on_candidate(self, candidate: str | None) -> None:
        self.candidates.put_nowait(candidate)

    def on_writable(self) -> None:
        self.writable.set()

    async def reached(self, state: PeerState, timeout_s: float = 10.0) -> str:
        """The reason that came with `state`, as soon as it is reached."""
        async with asyncio.timeout(timeout_s):
            while True:
                for seen, reason in self.states:
                    if seen is state:
                        return reason
                self.changed.clear()
                await self.changed.wait()


class AiortcViewer:
    """A viewer made of aiortc's RTCPeerConnection with both negotiated channels."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.control: RTCDataChannel = self.connection.createDataChannel("control", negotiated=True, id=0)
        self.data: RTCDataChannel = self.connection.createDataChannel("data", negotiated=True, id=1)
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.open = asyncio.Event()
        self.closed = asyncio.Event()
        self.control.on("message", self.messages.put_nowait)
        self.data.on("message", self.received.put_nowait)
        self.control.on("open", self.open.set)
        self.control.on("close", self.closed.set)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer: str, secret: str = SECRET) -> None:
        answer = with_password(answer, self.connection.localDescription.sdp, secret)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self.connection.close()


@asynccontextmanager
async def connected(limits: Sequence[RateLimit] = ()) -> AsyncIterator[tuple[Peer, Owner, AiortcViewer]]:
    """An open peer, its owner's callbacks and its viewer."""
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner, limits=limits)
    try:
        await viewer.accept(await peer.answer(await viewer.offer()))
        await owner.reached(PeerState.OPEN)
        async with asyncio.timeout(5):
            await viewer.open.wait()
        yield peer, owner, viewer
    finally:
        await peer.close()
        await viewer.close()
