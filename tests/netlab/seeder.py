"""An owner for measurements: answers offers on standard input, sends when the channel opens.

``python -m tests.netlab.seeder KIND BYTES`` where KIND is ``seedshot`` (our
transport) or ``aiortc`` (its own peer connection, as it comes). Lines in:
``{"offer": SDP}``, ``{"close": true}``. Lines out: ``{"ready": true}`` once all
is imported, ``{"answer": SDP}``, and after closing ``{"cpu": seconds, "memory": KiB}``.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from typing import Any

import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from seedshot_desktop.seed import link
from seedshot_desktop.seed.transport import Certificate, IceOptions, Peer, PeerState
from tests.support.answers import SECRET, with_password

MESSAGE = memoryview(os.urandom(65536))
HIGH_WATER = 256 * 1024
FIRST = 1024
"""The first message is short, so that the viewer's clock sees the first byte and not the first 64 KiB."""


def message(left: int, total: int) -> bytes:
    """The next message, a copy of its own: what is queued takes memory, as bytes of a file would."""
    return bytes(MESSAGE[: min(left, FIRST if left == total else len(MESSAGE))])


class SeedshotOwner:
    """Our transport: sends `total` bytes as soon as it is open."""

    def __init__(self, total: int, certificate: Certificate) -> None:
        self.left = self.total = total
        self.peer = Peer(certificate=certificate, secret=SECRET, ice=IceOptions(), callbacks=self)

    def on_state(self, state: PeerState, reason: str) -> None:
        if state is PeerState.OPEN:
            self.on_writable()
        elif state is PeerState.CLOSED:
            print(reason, file=sys.stderr, flush=True)

    def on_control(self, text: str) -> None:
        self.peer.send_control(text)

    def on_candidate(self, candidate: str | None) -> None:
        pass

    def on_writable(self) -> None:
        while self.left and self.peer.buffered_amount < HIGH_WATER:
            part = message(self.left, self.total)
            self.left -= len(part)
            self.peer.send_data(part)

    async def answer(self, offer: str) -> str:
        return with_password(await self.peer.answer(offer), offer)

    async def close(self) -> None:
        await self.peer.close()


class AiortcOwner:
    """aiortc's RTCPeerConnection with the same two channels."""

    def __init__(self, total: int) -> None:
        self.left = self.total = total
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.control = self.connection.createDataChannel("control", negotiated=True, id=0)
        self.data = self.connection.createDataChannel("data", negotiated=True, id=1)
        self.data.bufferedAmountLowThreshold = HIGH_WATER // 2
        self.data.on("open", self.fill)
        self.data.on("bufferedamountlow", self.fill)
        self.control.on("message", self.control.send)

    def fill(self) -> None:
        while self.left and self.data.bufferedAmount < HIGH_WATER:
            part = message(self.left, self.total)
            self.left -= len(part)
            self.data.send(part)

    async def answer(self, offer: str) -> str:
        lines = [line for line in offer.split("\r\n") if ".local" not in line and line != "a=end-of-candidates"]
        await self.connection.setRemoteDescription(RTCSessionDescription("\r\n".join(lines), "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return str(self.connection.localDescription.sdp)

    async def close(self) -> None:
        await self.connection.close()


def make_owner(kind: str, total: int, certificate: Certificate) -> SeedshotOwner | AiortcOwner:
    """The owner of that kind."""
    return SeedshotOwner(total, certificate) if kind == "seedshot" else AiortcOwner(total)


async def serve(kind: str, total: int) -> None:
    """Answer offers until asked to close."""
    keys = link.mint()
    certificate = Certificate.from_der(keys.certificate, keys.private_key)
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    owners: list[SeedshotOwner | AiortcOwner] = []
    print(json.dumps({"ready": True}), flush=True)
    while line := await reader.readline():
        asked: dict[str, Any] = json.loads(line)
        if "offer" not in asked:
            break
        owner = make_owner(kind, total, certificate)
        owners.append(owner)
        print(json.dumps({"answer": await owner.answer(asked["offer"])}), flush=True)
    for owner in owners:
        await owner.close()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss}), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
