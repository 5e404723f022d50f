"""A peer connection without a network: it keeps what is sent, and says what a test wants said."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.messages import EngineOptions
from seedshot_desktop.seed.share import Share
from seedshot_desktop.seed.transfer import unpack
from seedshot_desktop.seed.transport import PeerState
from seedshot_desktop.seed.visit import Visit


class FakePeer:
    """visit.Peer; `hangs` True: it never closes by itself."""

    def __init__(self, share: Share, visit: Visit) -> None:
        self.visit = visit
        self.said: list[dict[str, Any]] = []
        self.messages: list[bytes] = []
        self.buffered_amount = 0
        self.path: str | None = "direct"
        self.candidates: list[str | None] = []
        self.closed = False
        self.flushed = False
        self.data_stopped_after: int | None = None
        """How many control messages had been said by then."""
        self.hangs = False

    # What a visit calls

    async def answer(self, offer_sdp: str) -> str:
        await asyncio.sleep(0)
        if offer_sdp == "bad":
            raise TransportError("That is no offer.")
        return f"answer to {offer_sdp}"

    def add_candidate(self, candidate: str | None) -> None:
        self.candidates.append(candidate)

    def send_control(self, text: str) -> None:
        assert not self.closed
        self.said.append(json.loads(text))

    def send_data(self, message: bytes) -> None:
        assert not self.closed
        assert self.data_stopped_after is None
        self.messages.append(message)
        self.buffered_amount += len(message)

    def discard_data(self) -> None:
        self.buffered_amount = 0

    def stop_data(self) -> None:
        self.data_stopped_after = len(self.said)

    async def close(self, *, flush: bool = False) -> None:
        self.flushed = flush
        if self.hangs:
            await asyncio.Event().wait()
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    # What a test calls

    def open(self) -> None:
        """The viewer is connected, and has shown that it knows the secret."""
        self.visit.on_state(PeerState.OPEN, "")

    def say(self, **message: object) -> None:
        """The viewer says this."""
        self.visit.on_control(json.dumps(message))

    def hello(self) -> None:
        """The viewer says who it is."""
        self.say(type="hello", version=1, browser="Fake 1", system="None")

    def drain(self) -> None:
        """Everything that was buffered has left."""
        self.buffered_amount = 0
        self.visit.on_writable()

    @property
    def payload_bytes(self) -> int:
        """Of file data, sent so far."""
        return sum(len(unpack(message)[2]) for message in self.messages)


class FakeNetwork:
    """Makes fake peers, and keeps them in order."""

    def __init__(self) -> None:
        self.peers: list[FakePeer] = []

    def __call__(self, share: Share, _options: EngineOptions, visit: Visit) -> FakePeer:
        peer = FakePeer(share, visit)
        self.peers.append(peer)
        return peer
