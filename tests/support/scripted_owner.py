"""An owner that does what a test tells it: seeds one share, answers viewers, and says anything, honest or not."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from seedshot_desktop.seed import link
from seedshot_desktop.seed.transport import Certificate, IceOptions, Peer, PeerState
from signal_server.protocol import (
    EndedReason,
    Offer,
    OwnerAnswer,
    OwnerCandidate,
    OwnerMessage,
    Seed,
    ToOwner,
    Unseed,
    decode_to_owner,
    encode,
    encode_base64url,
)
from tests.support.waiting import TooLateError, until, within

PAYLOAD = 64 * 1024 - 12


class Visit:
    """One viewer's connection: PeerCallbacks, and what a test says to it."""

    def __init__(self, owner: ScriptedOwner, offer: Offer) -> None:
        self.offer = offer
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.acknowledged = 0
        self.ended = asyncio.Event()
        self._owner = owner
        self.peer = Peer(certificate=owner.certificate, secret=owner.secret, ice=IceOptions(), callbacks=self)

    def on_state(self, state: PeerState, reason: str) -> None:
        if state is PeerState.CLOSED:
            self.ended.set()

    def on_control(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "ack":
            self.acknowledged = message["held"]
        else:
            self.heard.put_nowait(message)

    def on_candidate(self, candidate: str | None) -> None:
        self._owner.say_soon(OwnerCandidate(self.offer.id, self.offer.viewer, candidate))

    def on_writable(self) -> None:
        pass

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next control message but acknowledgements; it must be of that type."""
        message = await within(self.heard.get(), f"{kind} of the viewer")
        assert message["type"] == kind, message
        return message

    def say(self, kind: str, **fields: Any) -> None:
        """A control message."""
        self.peer.send_control(json.dumps({"type": kind, **fields}))

    def offer_files(self, *files: tuple[str, int, str], **begun: bool) -> None:
        """The manifest: (name, size, media type) of each file; `begun`: the first one is on its way as request 0."""
        entries = [{"name": n, "size": s, "media_type": t, "version": "AAECAwQF"} for n, s, t in files]
        self.say("manifest", files=entries, **begun)

    async def send(self, get: dict[str, Any], data: bytes, *, until_byte: int | None = None) -> None:
        """The bytes of `data` that `get` asks for, up to `until_byte`."""
        end = len(data) if until_byte is None else until_byte
        for offset in range(get["offset"], end, PAYLOAD):
            payload = data[offset : min(end, offset + PAYLOAD)]
            self.peer.send_data(struct.pack(">IQ", get["request"], offset) + payload)
            await until(lambda: self.peer.buffered_amount < 256 * 1024, "room to send")

    async def acknowledges(self, held: int) -> None:
        """Wait until the viewer holds so much."""
        try:
            await until(lambda: self.acknowledged >= held, f"an acknowledgement of {held}")
        except TooLateError as error:
            how = "has ended" if self.ended.is_set() else "is open"
            there = f"it holds {self.acknowledged}, its connection {how}, {len(self._owner.visits)} visits in all"
            raise AssertionError(f"{error}; {there}, {self.peer.buffered_amount} bytes unsent") from None

    async def end(self, reason: str) -> None:
        """The last message, and the end of the connection."""
        self.say("ended", reason=reason)
        await self.peer.close(flush=True)


class ScriptedOwner:
    """Seeds `keys` at the server of `base_url`; visits come out of `visit()`."""

    def __init__(self, base_url: str, keys: link.ShareKeys | None = None) -> None:
        self.keys = keys or link.mint()
        self.link = str(self.keys.link(base_url))
        self.secret = encode_base64url(self.keys.secret)
        self.certificate = Certificate.from_der(self.keys.certificate, self.keys.private_key)
        self.rewrite: Callable[[str], str] = lambda sdp: sdp
        """What becomes of an answer on its way: a lying server in one line."""
        self.visits: list[Visit] = []
        self._arrived: asyncio.Queue[Visit] = asyncio.Queue()
        self._url = base_url.replace("http", "ws", 1) + "/signal"
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._outgoing: set[asyncio.Task[None]] = set()

    async def come(self) -> None:
        """Connect to the server and show the token."""
        self._socket = await connect(self._url)
        await self._socket.send(encode(Seed(encode_base64url(self.keys.token))))
        await within(self._socket.recv(), "the server's word that the share is seeded")
        self._reader = asyncio.create_task(self._read(self._socket), name="scripted owner")

    async def leave_server(self) -> None:
        """Only the signalling socket ends."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader

    async def go(self) -> None:
        """Everything ends, as when the app is killed, but for the sockets' own goodbyes."""
        await self.leave_server()
        for visit in self.visits:
            visit.peer.abort()
            await visit.peer.close()
        await asyncio.gather(*self._outgoing)

    async def revoke(self, reason: EndedReason = EndedReason.REVOKED) -> None:
        """Tell the server alone that the share is over."""
        await self._say(Unseed(self.keys.share, reason))

    async def visit(self) -> Visit:
        """The next viewer, as soon as it has said hello."""
        visit = await within(self._arrived.get(), "a viewer")
        await visit.hear("hello")
        return visit

    def say_soon(self, message: OwnerMessage) -> None:
        task = asyncio.create_task(self._say(message), name="scripted owner says")
        self._outgoing.add(task)
        task.add_done_callback(self._outgoing.discard)

    async def _say(self, message: OwnerMessage) -> None:
        assert self._socket is not None
        try:
            await self._socket.send(encode(message))
        except ConnectionClosed:
            pass  # the server has gone meanwhile, and with it the viewer that this was for

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                await self._heard(decode_to_owner(str(text)))
        except ConnectionClosed:
            pass  # the server has gone; what stands between owner and viewer does not need it

    async def _heard(self, message: ToOwner) -> None:
        if isinstance(message, Offer):
            await self._answer(message)
        elif isinstance(message, OwnerCandidate):
            for visit in self.visits:
                if visit.offer.viewer == message.viewer:
                    visit.peer.add_candidate(message.candidate)

    async def _answer(self, offer: Offer) -> None:
        visit = Visit(self, offer)
        self.visits.append(visit)
        sdp = self.rewrite(await visit.peer.answer(offer.sdp))
        await self._say(OwnerAnswer(offer.id, offer.viewer, sdp))
        self._arrived.put_nowait(visit)


@asynccontextmanager
async def scripted_owner(base_url: str) -> AsyncIterator[ScriptedOwner]:
    """An owner that is online; it is gone when the block ends."""
    owner = ScriptedOwner(base_url)
    await owner.come()
    try:
        yield owner
    finally:
        await owner.go()
