"""A viewer without a browser: aiortc's RTCPeerConnection in the place of the page, for tests and benchmarks.

``async with Viewer(link) as viewer: data = await viewer.fetch_all()``. It does
what the page does (pin, password, hello, get, ack) and can be told to do less.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from types import TracebackType
from typing import Any, Self, TypeVar

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp
from websockets.asyncio.client import ClientConnection, connect

from seedshot_desktop.seed import link as links
from seedshot_desktop.seed.signalling import signalling_url
from seedshot_desktop.seed.transfer import (
    Ack,
    Bye,
    Ended,
    Failed,
    FromViewer,
    Get,
    Hello,
    Manifest,
    Ping,
    Pong,
    Waiting,
    decode_from_owner,
    encode,
    unpack,
)
from signal_server import protocol
from tests.support.answers import with_password

T = TypeVar("T")

ACK_EVERY = 128 * 1024
DEADLINE_S = 20.0


class EndedError(Exception):
    """The owner ended the visit; its word."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class NotSeedingError(Exception):
    """The server said something else than an answer; its message."""

    def __init__(self, message: protocol.ToViewer) -> None:
        super().__init__(type(message).__name__)
        self.message = message


class WrongPinError(Exception):
    """The answer is not the owner's."""


class Viewer:
    """One visit of one link."""

    def __init__(
        self,
        link: str | links.Link,
        *,
        secret: bytes | None = None,
        pong: bool = True,
        ack_every: int = ACK_EVERY,
        server_url: str = "",
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`secret` in the place of the link's; `pong` False: plays dead; `ack_every` 0: never acknowledges.

        `server_url` in the place of the link's; `deadline_s` for the connection to open.
        """
        self._deadline_s = deadline_s
        self.link = links.parse(link) if isinstance(link, str) else link
        self.secret = self.link.secret if secret is None else secret
        self.signalled: list[protocol.ToViewer] = []
        """What the server said, besides the answer and candidates."""
        self.payload_bytes = 0
        """Of file data that has arrived."""
        self.failed: list[Failed] = []
        self.waited = False
        self.manifest: asyncio.Future[Manifest] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self.pings = 0
        self.bodies: dict[int, bytearray] = {0: bytearray()}
        """What is held, by file; of the first one also what the owner sends before it is asked."""
        self.control: RTCDataChannel
        self.data: RTCDataChannel
        self.socket: ClientConnection
        self._server_url = server_url or self.link.base_url
        self._pong = pong
        self._ack_every = ack_every
        self._requests = itertools.count(1)
        self._request = 0
        self._file = 0
        self._acked = 0
        self._arrived = asyncio.Event()
        self._signalled_more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.vanish()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    # Opening

    async def open(self) -> None:
        """Signal, connect, say hello. Raises NotSeedingError, WrongPinError, TimeoutError."""
        await self.connect()
        self.say(Hello(1, "Viewer 1", "Test"))

    async def connect(self) -> None:
        """Signal and connect, and say nothing."""
        await self.dial()
        answer = await self.ask()
        await self.accept(answer)

    async def dial(self) -> None:
        """Open the socket and prepare the offer."""
        opening = asyncio.Event()
        self.control = self.pc.createDataChannel("control", negotiated=True, id=0)
        self.data = self.pc.createDataChannel("data", negotiated=True, id=1)
        self.control.on("message", self._on_control)
        self.data.on("message", self._on_data)
        self.control.on("open", opening.set)
        self.control.on("close", self.closed.set)
        self._opening = opening
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.socket = await connect(signalling_url(self._server_url), compression=None, proxy=None)

    async def ask(self) -> protocol.Answer:
        """Send the view; the answer. Raises NotSeedingError for any other reply."""
        view = protocol.View(links.encode_base64url(self.link.id), self.pc.localDescription.sdp)
        await self.socket.send(protocol.encode(view))
        message = await self.hear()
        if not isinstance(message, protocol.Answer):
            raise NotSeedingError(message)
        return message

    async def hear(self) -> protocol.ToViewer:
        """The server's next message."""
        async with asyncio.timeout(DEADLINE_S):
            return protocol.decode_to_viewer(str(await self.socket.recv()))

    async def accept(self, answer: protocol.Answer) -> None:
        """Check the pin and connect."""
        fingerprint = fingerprint_of(answer.sdp)
        if fingerprint[: links.PIN_BYTES] != self.link.pin:
            raise WrongPinError
        sdp = with_password(answer.sdp, self.pc.localDescription.sdp, links.encode_base64url(self.secret))
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self._tasks.append(asyncio.create_task(self._listen(), name="viewer signalling"))
        async with asyncio.timeout(self._deadline_s):
            await self._opening.wait()
        if protocol.NotLetIn() in self.signalled:
            raise NotSeedingError(protocol.NotLetIn())

    async def _listen(self) -> None:
        with contextlib.suppress(Exception):
            async for text in self.socket:
                message = protocol.decode_to_viewer(str(text))
                if isinstance(message, protocol.ViewerCandidate):
                    await self._add_candidate(message.candidate)
                else:
                    self.signalled.append(message)
                    self._signalled_more.set()
                    if isinstance(message, protocol.NotLetIn):
                        self._opening.set()

    async def _add_candidate(self, line: str | None) -> None:
        candidate: RTCIceCandidate | None = None
        if line:
            candidate = candidate_from_sdp(line.removeprefix("candidate:"))
            candidate.sdpMLineIndex = 0
        await self.pc.addIceCandidate(candidate)

    # Talking

    def say(self, message: FromViewer) -> None:
        """One control message."""
        self.control.send(encode(message))

    def say_raw(self, text: str) -> None:
        """Whatever it is, on the control channel."""
        self.control.send(text)

    def get(self, file: int = 0, offset: int = 0) -> int:
        """Ask for a file from an offset on; the request's number."""
        self._await(next(self._requests), file, offset)
        self.say(Get(self._request, file, offset))
        return self._request

    def _await(self, request: int, file: int, offset: int) -> None:
        self._request = request
        self._file = file
        self._acked = offset
        body = self.bodies.setdefault(file, bytearray())
        del body[offset:]

    def ack(self) -> None:
        """Acknowledge everything that is held of the current file."""
        self._acked = self.held
        self.say(Ack(self._request, self._acked))

    @property
    def held(self) -> int:
        """Bytes held of the current file."""
        return len(self.bodies[self._file])

    # Waiting

    async def files(self) -> Manifest:
        """The manifest. Raises EndedError."""
        return await self._or_ended(self.manifest)

    async def fetch(self, file: int = 0, offset: int = 0, until: int | None = None) -> bytes:
        """Ask, and wait until so many bytes of the file are held (None: all). Raises EndedError."""
        manifest = await self.files()
        wanted = manifest.files[file].size if until is None else until
        self.get(file, offset)
        await self.hold(wanted)
        if self._ack_every:
            self.ack()
        return bytes(self.bodies[file])

    async def hold(self, wanted: int) -> None:
        """Wait until so many bytes of the current file are held. Raises EndedError."""
        while self.held < wanted:
            self._arrived.clear()
            await self._or_ended(asyncio.ensure_future(self._arrived.wait()))

    async def fetch_all(self) -> list[bytes]:
        """Every file."""
        manifest = await self.files()
        return [await self.fetch(file) for file in range(len(manifest.files))]

    async def hear_signalled(self, kind: type) -> None:
        """Wait until the server has said a message of that type."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(isinstance(message, kind) for message in self.signalled):
                self._signalled_more.clear()
                await self._signalled_more.wait()

    async def the_end(self) -> str:
        """The owner's last word."""
        async with asyncio.timeout(DEADLINE_S):
            return await asyncio.shield(self.ended)

    async def _or_ended(self, wanted: asyncio.Future[T]) -> T:
        async with asyncio.timeout(DEADLINE_S):
            futures: set[asyncio.Future[Any]] = {wanted, self.ended}
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return wanted.result()
        raise EndedError(self.ended.result())

    # Leaving

    async def leave(self) -> None:
        """Say bye, and close."""
        if not self.closed.is_set() and self.control.readyState == "open":
            self.say(Bye())
            await asyncio.sleep(0)
        await self.vanish()

    async def vanish(self) -> None:
        """Close everything without a word."""
        await self.hang_up()
        await self.pc.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def hang_up(self) -> None:
        """Close the signalling socket only."""
        if hasattr(self, "socket"):
            await self.socket.close()

    def die(self) -> None:
        """Nothing leaves any more and nothing is read, as when the browser's process is killed."""
        assert self.pc.sctp is not None
        for protocol_ in self.pc.sctp.transport.transport._connection._protocols:
            protocol_.transport.abort()
        self.socket.transport.abort()

    # Hearing

    def _on_control(self, text: str) -> None:
        match decode_from_owner(text):
            case Waiting():
                self.waited = True
            case Manifest() as manifest:
                self.manifest.set_result(manifest)
            case Failed() as failed:
                self.failed.append(failed)
                self._arrived.set()
            case Ping():
                self.pings += 1
                if self._pong:
                    self.say(Pong())
            case Ended(reason):
                self.ended.set_result(reason)

    def _on_data(self, message: bytes) -> None:
        request, offset, payload = unpack(message)
        self.payload_bytes += len(payload)
        if request != self._request:
            return
        body = self.bodies[self._file]
        assert offset == len(body), "payloads are contiguous"
        body += payload
        self._arrived.set()
        if self._ack_every and self.held - self._acked >= self._ack_every:
            self.ack()


def fingerprint_of(sdp: str) -> bytes:
    """The one sha-256 fingerprint of an answer; raises WrongPinError where there is not exactly one."""
    lines = [line.strip() for line in sdp.splitlines() if line.startswith("a=fingerprint:")]
    if len(lines) != 1 or not lines[0].lower().startswith("a=fingerprint:sha-256 "):
        raise WrongPinError
    return bytes.fromhex(lines[0].split(" ", 1)[1].replace(":", ""))
