"""One viewer connection, from its offer to its end.

Put together from aiortc's ICE, DTLS and SCTP objects without
RTCPeerConnection: the certificate is the share's, the answer is our own, two
channels are negotiated without a handshake, and no step waits for a server
that may not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from enum import Enum
from typing import Any, Protocol

from aioice import Candidate
from aiortc import RTCIceParameters, RTCIceTransport
from aiortc.rtcsctptransport import WEBRTC_BINARY, WEBRTC_STRING

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport.association import CONTROL, DATA, Association
from seedshot_desktop.seed.transport.candidates import format_candidate, is_hidden, parse_candidate
from seedshot_desktop.seed.transport.certificate import Certificate
from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.gathering import IceOptions, Servers
from seedshot_desktop.seed.transport.ice import Gatherer
from seedshot_desktop.seed.transport.limits import RateLimit
from seedshot_desktop.seed.transport.sdp import MAX_CANDIDATES, Offer, answer_password, format_answer, parse_offer

CONNECT_TIMEOUT_S = 20.0
END_OF_CANDIDATES_S = 10.0
"""When we stop expecting candidates, so that a path that cannot be found is reported."""
FLUSH_TIMEOUT_S = 0.5
FLUSH_OPENING_S = 1.5
"""The same where the channels are just being opened."""
STRANGER_S = 1.0
"""After a check that is not signed with the secret: for one that is."""
UNREACHABLE = "the viewer can no longer be reached"
STRANGER = "the viewer does not know the secret"
"""The reason of CLOSED where somebody answered our answer and could not sign a check."""
MAX_MESSAGE = 65536


class PeerState(Enum):
    """Where a connection stands; it only ever moves forward."""

    NEW = "new"
    CONNECTING = "connecting"
    OPEN = "open"
    """The viewer has shown that it knows the secret and is who its offer says: what is sent now leaves with the first
    packet that may carry it, half a round trip before the viewer's own channels can be used."""
    CLOSED = "closed"


class PeerCallbacks(Protocol):
    """What a peer reports, always from the event loop and never from inside one of its methods."""

    def on_state(self, state: PeerState, reason: str) -> None:
        """The state changed; `reason` is for a log and "" unless the state is CLOSED."""

    def on_control(self, text: str) -> None:
        """A control message of at most 16 KiB."""

    def on_candidate(self, candidate: str | None) -> None:
        """A candidate to be signalled to the viewer; None: that was all."""

    def on_writable(self) -> None:
        """``buffered_amount`` fell under 128 KiB, or to nothing."""


class Peer:
    """The owner's end of one connection: answers one offer, sends, ends.

    `secret` is the link's, in base64url: only who knows it gets as far as DTLS (see ``sdp.answer_password``).
    It sends no faster than every one of `limits` allows, whatever it is that is sent; only control messages never
    wait for them.
    """

    def __init__(
        self,
        *,
        certificate: Certificate,
        secret: str,
        ice: IceOptions,
        callbacks: PeerCallbacks,
        limits: Sequence[RateLimit] = (),
    ) -> None:
        self._certificate = certificate
        self._secret = secret
        self._options = ice
        self._callbacks = callbacks
        self._loop = asyncio.get_running_loop()
        self._state = PeerState.NEW
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: list[asyncio.TimerHandle] = []
        self._gatherer = Gatherer()
        self._agent = self._gatherer.agent
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = Dtls(self._ice, self._agent, certificate)
        self._association = Association(
            self._dtls,
            on_established=self._established,
            on_closed=self._lost,
            on_message=self._received,
            on_writable=lambda: self._tell(self._callbacks.on_writable),
            limits=limits,
        )
        self._agent.on_stranger = self._met_stranger
        self._agent.on_lost = lambda: self._lost(UNREACHABLE)
        self._signalled = 0
        self._has_met_stranger = False
        self._teardown: asyncio.Task[None] | None = None

    @property
    def state(self) -> PeerState:
        """Where the connection stands."""
        return self._state

    @property
    def buffered_amount(self) -> int:
        """Bytes of data messages that were handed over and have not been sent yet."""
        return self._association.buffered

    @property
    def path(self) -> str | None:
        """``direct``, ``relayed``, or None while there is no path."""
        relayed = self._agent.relayed
        return None if relayed is None else "relayed" if relayed else "direct"

    @property
    def refused(self) -> int:
        """Datagrams and candidates that were not taken."""
        return self._agent.refused

    # Opening

    async def answer(self, offer_sdp: str) -> str:
        """Our answer with this machine's own addresses; connecting goes on by itself.

        Raises TransportError where the offer cannot be used; the peer is then closed.
        """
        if self._state is not PeerState.NEW:
            raise TransportError("This connection has answered its offer already.")
        try:
            offer = parse_offer(offer_sdp)
            self._enter(PeerState.CONNECTING)
            self._agent.protect(answer_password(self._secret, offer))
            hosts = await self._agent.gather_hosts()
        except TransportError:
            self._finish("the offer could not be used")
            raise
        if self._is_closed():
            raise TransportError("The connection was closed while it was being answered.")
        if not hosts:
            self._finish("this machine has no network address")
            raise TransportError("This computer has no network address. Connect it to a network.")
        self._begin(offer)
        return self._format(offer, hosts)

    def add_candidate(self, candidate: str | None) -> None:
        """A candidate that the viewer trickled; one that cannot be used is counted and forgotten.

        The end of candidates (None) is taken by the clock alone: a browser that
        hides its addresses says it at once, and is then learnt from its checks.
        """
        if candidate is None or self._state is not PeerState.CONNECTING:
            return
        parsed = parse_candidate(candidate)
        if parsed is None or self._signalled >= 2 * MAX_CANDIDATES:
            self._agent.refused += candidate.strip() != ""
            return
        self._add(parsed)

    def _begin(self, offer: Offer) -> None:
        for candidate in offer.candidates:
            self._add(candidate)
        self._own(self._connect(offer), "peer connect")
        self._timers.append(self._loop.call_later(CONNECT_TIMEOUT_S, self._late))
        self._timers.append(self._loop.call_later(END_OF_CANDIDATES_S, self._end_candidates))
        if self._asks_servers:
            self._own(self._trickle(), "peer trickle")

    @property
    def _asks_servers(self) -> bool:
        return bool(self._options.stun_urls or self._options.turn_urls)

    def _format(self, offer: Offer, hosts: list[Candidate]) -> str:
        return format_answer(
            offer,
            username=self._agent.local_username,
            fingerprint=self._certificate.fingerprint,
            candidates=hosts,
            complete=not self._asks_servers,
        )

    def _add(self, candidate: Candidate) -> None:
        self._signalled += 1
        name = "peer name" if is_hidden(candidate) else "peer candidate"
        self._own(self._add_candidate(candidate), name)

    async def _add_candidate(self, candidate: Candidate) -> None:
        """aioice resolves hidden names itself, for up to a second; nobody waits for it."""
        try:
            await self._agent.add_remote_candidate(candidate)
        except (ValueError, OSError):
            self._agent.refused += 1

    def _end_candidates(self) -> None:
        self._own(self._agent.add_remote_candidate(None), "peer end of candidates")

    async def _trickle(self) -> None:
        said = self._callbacks.on_candidate
        servers = Servers(self._agent, lambda found: self._tell(said, format_candidate(found)))
        await servers.ask(self._options)
        self._tell(self._callbacks.on_candidate, None)

    async def _connect(self, offer: Offer) -> None:
        await self._ice.start(RTCIceParameters(usernameFragment=offer.username, password=offer.password))
        if self._ice.state != "completed":
            self._lost("no path to the viewer was found")
            return
        self._ice.on("statechange", lambda: self._watch(self._ice.state, UNREACHABLE))
        began = self._loop.time()
        if not await self._dtls.handshake(offer, self._association.receive):
            self._lost("the connection could not be secured")
            return
        if self._is_closed():
            return  # it has ended while the last flight was on its way
        self._dtls.on("statechange", lambda: self._watch(self._dtls.state, "the viewer closed the connection"))
        self._enter(PeerState.OPEN)
        self._association.open(offer.sctp_port, offer.max_message, self._loop.time() - began)

    def _established(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _met_stranger(self) -> None:
        if not self._has_met_stranger:
            self._has_met_stranger = True
            self._timers.append(self._loop.call_later(STRANGER_S, self._judge_stranger))

    def _judge_stranger(self) -> None:
        if not self._agent.is_proven:
            self._lost(STRANGER)

    def _late(self) -> None:
        self._lost("the connection took too long to open")

    def _watch(self, state: str, reason: str) -> None:
        if state in {"failed", "closed"}:
            self._lost(reason)

    # Sending and receiving

    def send_control(self, text: str) -> None:
        """Queue a control message; silently nothing once the connection is over."""
        self._send(CONTROL, WEBRTC_STRING, text.encode())

    def send_data(self, message: bytes) -> None:
        """Queue a data message of at most 64 KiB; silently nothing once the connection is over."""
        self._send(DATA, WEBRTC_BINARY, message)

    def _send(self, stream: int, protocol: int, message: bytes) -> None:
        if not 0 < len(message) <= MAX_MESSAGE:
            raise ValueError("a message has 1 to 65536 bytes")
        if self._state is PeerState.OPEN:
            self._association.send(stream, protocol, message)

    def _received(self, message: bytes) -> None:
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._lost("the viewer broke the protocol: control text that is not UTF-8")
            return
        self._tell(self._callbacks.on_control, text)

    # Ending

    async def close(self, *, flush: bool = False) -> None:
        """End the connection and wait until nothing of it is left.

        With `flush`, control messages are given half a second to arrive, or a
        second more where the channels are just being opened. Of data messages
        nothing more is sent, not even what was lost.
        """
        if flush and self._state is PeerState.OPEN:
            self._association.freeze_data()
            await self._flushed()
        if self._state is not PeerState.CLOSED:
            await self._say_goodbye()
        self._finish("closed here")
        if self._teardown is not None and self._teardown is not asyncio.current_task():
            await asyncio.shield(self._teardown)

    def discard_data(self) -> None:
        """Forget the data messages of which nothing has been sent: nobody wants them any more."""
        if self._state is PeerState.OPEN:
            self._association.discard_data()

    def stop_data(self) -> None:
        """From here on nothing more of data messages leaves, not even what was lost; control messages still do.

        Before the channels are open, what was said and has not left is forgotten too: file names are in it.
        """
        if self._state is PeerState.OPEN:
            self._association.forget_unsaid()
            self._association.freeze_data()

    def abort(self) -> None:
        """End the connection at once: from here on this program gives the system not one byte more to send."""
        self._agent.drop()
        self._finish("closed here")

    async def _flushed(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_TIMEOUT_S if self._association.established else FLUSH_OPENING_S):
                await self._association.drained()
        except TimeoutError:
            pass  # the viewer is slow or gone; it learns the end from its own timers

    async def _say_goodbye(self) -> None:
        """SCTP's ABORT and DTLS's close_notify, so that the page knows at once."""
        try:
            await self._association.goodbye()
            await self._dtls.stop()
        except ConnectionError:
            pass  # there is no path to say it on

    def _lost(self, reason: str) -> None:
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if self._state is PeerState.CLOSED:
            return
        self._agent.silence()
        self._association.silence()
        for timer in self._timers:
            timer.cancel()
        self._enter(PeerState.CLOSED, reason)
        self._teardown = asyncio.create_task(self._tear_down(), name="peer teardown")

    async def _tear_down(self) -> None:
        """Close the sockets and end the tasks."""
        await self._dtls.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ice.stop()

    # Helpers

    def _is_closed(self) -> bool:
        return self._state is PeerState.CLOSED

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(self._to_its_end(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Nobody waits for it: that it failed would be told to nobody, and the connection would hang."""
        try:
            await work
        except Exception as error:
            self._lost(f"the connection failed: {type(error).__name__}")

    def _enter(self, state: PeerState, reason: str = "") -> None:
        self._state = state
        self._tell(self._callbacks.on_state, state, reason)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        self._loop.call_soon(callback, *args)
