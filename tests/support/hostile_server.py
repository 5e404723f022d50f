"""A signalling server that lies: it serves the real page, and attacks the two who meet through it.

It knows what any server knows: tokens, ids, offers, answers and candidates, and
it chooses what to say to whom. It does not know what stands in links. Each
attack is one class; ``ATTACKS`` names them for tests with real browsers::

    async with HostileServer(ATTACKS["impersonates the owner"]) as server:
        ... server.base_url ...
        assert server.loot == b"" and server.overheard == []
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from signal_server import protocol
from signal_server.pages import Pages

_FINGERPRINT = re.compile(r"a=fingerprint:sha-256 \S+")


class Guest:
    """A viewer's socket."""

    def __init__(self, socket: ServerConnection, name: str, view: protocol.View) -> None:
        self.socket = socket
        self.name = name
        self.view = view

    async def tell(self, message: protocol.ToViewer) -> None:
        """Say something to the viewer."""
        try:
            await self.socket.send(protocol.encode(message))
        except ConnectionClosed:
            pass  # it has left, which is what most of these attacks lead to


class Attack:
    """The honest server: what it is told it tells. Attacks override what they change."""

    def __init__(self, server: HostileServer) -> None:
        self.server = server

    async def on_view(self, guest: Guest) -> None:
        """A viewer asks."""
        await self.server.tell_owner(protocol.Offer(guest.view.id, guest.name, guest.view.offer))

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        """The owner has answered."""
        await guest.tell(answer)


class SwapFingerprint(Attack):
    """The owner's answer with the hash of another certificate."""

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        other = "a=fingerprint:sha-256 " + ":".join(["5A"] * 32)
        await guest.tell(protocol.Answer(_FINGERPRINT.sub(other, answer.sdp)))


class AddFingerprint(Attack):
    """The owner's answer with a second hash after the right one."""

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        impostor = await self.server.impostor(guest)
        mine = _FINGERPRINT.search(impostor)
        assert mine is not None
        await guest.tell(protocol.Answer(_FINGERPRINT.sub(lambda own: f"{own[0]}\r\n{mine[0]}", answer.sdp)))


class WeakFingerprint(Attack):
    """The owner's answer with a hash of a weaker kind, which the pin says nothing about."""

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        weak = "a=fingerprint:sha-1 " + ":".join(["5A"] * 20)
        await guest.tell(protocol.Answer(_FINGERPRINT.sub(weak, answer.sdp)))


class Impersonate(Attack):
    """The server answers in the owner's place, and waits for what the viewer says."""

    async def on_view(self, guest: Guest) -> None:
        await guest.tell(protocol.Answer(await self.server.impostor(guest)))


class SubstituteCandidates(Attack):
    """The owner's fingerprint, but the way leads to the server."""

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        impostor = await self.server.impostor(guest)
        owners = _FINGERPRINT.search(answer.sdp)
        assert owners is not None
        lines = [line for line in impostor.splitlines() if not line.startswith("a=fingerprint:sha-")]
        at = next(index for index, line in enumerate(lines) if line.startswith("a=setup:"))
        lines.insert(at, owners[0])
        await guest.tell(protocol.Answer("\r\n".join(lines) + "\r\n"))


class ReplayAnswer(Attack):
    """Every viewer after the first gets the first one's answer."""

    first: protocol.Answer | None = None

    async def on_view(self, guest: Guest) -> None:
        if self.first is None:
            await super().on_view(guest)
        else:
            await guest.tell(self.first)

    async def on_answer(self, guest: Guest, answer: protocol.Answer) -> None:
        self.first = answer
        await guest.tell(answer)


class ReplayOffer(Attack):
    """The owner gets every offer again, under another name and under the same one."""

    async def on_view(self, guest: Guest) -> None:
        for name in (guest.name, guest.name, f"{guest.name}-again"):
            await self.server.tell_owner(protocol.Offer(guest.view.id, name, guest.view.offer))


class Reflect(Attack):
    """The viewer's own offer as its answer."""

    async def on_view(self, guest: Guest) -> None:
        await guest.tell(protocol.Answer(guest.view.offer.replace("a=setup:actpass", "a=setup:active")))


ATTACKS: dict[str, type[Attack]] = {
    "swaps the fingerprint": SwapFingerprint,
    "adds a fingerprint": AddFingerprint,
    "offers a weaker fingerprint": WeakFingerprint,
    "impersonates the owner": Impersonate,
    "substitutes the candidates": SubstituteCandidates,
    "replays an answer": ReplayAnswer,
    "reflects the offer": Reflect,
}
"""Attacks that a viewer must withstand; in the replay it is the second viewer who must."""
WRONG_PIN = {"swaps the fingerprint", "adds a fingerprint", "offers a weaker fingerprint", "impersonates the owner"} | {
    "reflects the offer"
}
"""Of these the page can say that the answer is not the owner's; the others end in a connection that never opens."""


class HostileServer:
    """Listens on the loopback, serves the page, and lets an attack decide what is told."""

    def __init__(self, attack: Callable[[HostileServer], Attack] = Attack) -> None:
        self.attack = attack(self)
        self.tokens: list[str] = []
        """What owners have shown."""
        self.guests: dict[str, Guest] = {}
        self.overheard: list[str] = []
        """Control messages that viewers said to the server's own connections."""
        self.loot = b""
        """File data that reached the server."""
        self.port = 0
        self._pages = Pages()
        self._owner: ServerConnection | None = None
        self._names = itertools.count(1)
        self._peers: list[RTCPeerConnection] = []
        self._server: Server | None = None

    @property
    def base_url(self) -> str:
        """For links."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._converse, "127.0.0.1", self.port, process_request=self._page, compression=None, close_timeout=1
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        for peer in self._peers:
            await peer.close()

    # What attacks use

    async def tell_owner(self, message: protocol.ToOwner) -> None:
        """Say something to the owner."""
        assert self._owner is not None, "no owner is here"
        await self._owner.send(protocol.encode(message))

    async def impostor(self, guest: Guest) -> str:
        """An answer of the server's own to the viewer's offer; it takes whatever comes through it."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)
        control = peer.createDataChannel("control", negotiated=True, id=0)
        data = peer.createDataChannel("data", negotiated=True, id=1)
        control.on("message", self.overheard.append)
        data.on("message", self._take)
        await peer.setRemoteDescription(RTCSessionDescription(guest.view.offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        lines = peer.localDescription.sdp.splitlines()
        return "\r\n".join(line for line in lines if not re.match(r"a=fingerprint:sha-(384|512)", line)) + "\r\n"

    def _take(self, message: bytes) -> None:
        self.loot += message

    # The server

    def _page(self, _connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] == protocol.PATH:
            return None
        return self._pages.respond(request.method, request.path, request.headers.get_all("Accept-Encoding"))

    async def _converse(self, socket: ServerConnection) -> None:
        guest: Guest | None = None
        try:
            async for text in socket:
                message = protocol.decode_from_client(str(text))
                if isinstance(message, protocol.View):
                    guest = Guest(socket, f"guest-{next(self._names)}", message)
                    self.guests[guest.name] = guest
                    await self.attack.on_view(guest)
                elif isinstance(message, protocol.ViewerCandidate):
                    if guest is not None and self._owner is not None:
                        await self.tell_owner(protocol.OwnerCandidate(guest.view.id, guest.name, message.candidate))
                else:
                    await self._owner_says(socket, message)
        except ConnectionClosed:
            pass  # gone is gone

    async def _owner_says(self, socket: ServerConnection, message: protocol.OwnerMessage) -> None:
        match message:
            case protocol.Seed(token):
                self._owner = socket
                self.tokens.append(token)
                await socket.send(protocol.encode(protocol.Seeding(message.id)))
            case protocol.OwnerAnswer(viewer=viewer, sdp=sdp):
                if guest := self.guests.get(viewer):
                    await self.attack.on_answer(guest, protocol.Answer(sdp))
            case protocol.Refused(viewer=viewer):
                if guest := self.guests.get(viewer):
                    await guest.tell(protocol.NotLetIn())
            case protocol.OwnerCandidate(viewer=viewer, candidate=candidate):
                if guest := self.guests.get(viewer):
                    await guest.tell(protocol.ViewerCandidate(candidate))
            case _:
                await asyncio.sleep(0)
