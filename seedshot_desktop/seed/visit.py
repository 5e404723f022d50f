"""One viewer on the wire: a session, its peer connection, and the pump that feeds it.

The session decides, the visit does: it hands events in, carries actions out,
reads files, keeps to what the transport can take.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.files import BrokenFileError, Reader
from seedshot_desktop.seed.messages import EndReason, ViewerState, ViewerStatus
from seedshot_desktop.seed.pacing import Rate
from seedshot_desktop.seed.session import Session, State
from seedshot_desktop.seed.steps import (
    Action,
    Admitted,
    ChunkRead,
    Close,
    ConnectionClosed,
    ControlReceived,
    DiscardData,
    Event,
    Knock,
    NoteComplete,
    NoteGreeting,
    NoteProgress,
    Opened,
    SendControl,
    SendData,
    TimePassed,
    TurnedAway,
)
from seedshot_desktop.seed.transfer import MAX_PAYLOAD, FailReason, Read
from seedshot_desktop.seed.transport import STRANGER, PeerState, RateLimit

HIGH_WATER = 256 * 1024
"""Bytes in the transport's buffer beyond which nothing is added; it says when they fall under half."""
FIRST_WATER = 48 * 1024
"""The same before the viewer has said hello, and all that is sent until then: about what the transport sends in its
first round trip. Nobody is told of a viewer before its hello, so nobody sees much without one."""
FIRST_CHUNK = 512
"""Payload of the first message of a begun picture: it goes into the packet that may carry data first."""
SMALL_CHUNK = 16 * 1024
"""Payload of a message to a viewer who is slow, or whose speed is not known: progress is seen sooner."""
FAST = 1024 * 1024
"""Bytes a second from which messages are as large as may be."""
LEAST_CHUNK = 1024
"""Under a limit messages are no smaller, unless LONG_S of a viewer's share of it are less."""
LONG_S = 4.0
"""So long a message may take: an honest viewer acknowledges several before it counts as stalled."""
MAX_EARLY_CANDIDATES = 64
CLOSE_TIMEOUT_S = 2.0

_STATES = {
    State.CONNECTING: ViewerState.CONNECTING,
    State.KNOCKING: ViewerState.CONNECTING,
    State.WAITING: ViewerState.WAITING,
    State.RECEIVING: ViewerState.RECEIVING,
    State.COMPLETE: ViewerState.COMPLETE,
    State.ENDED: ViewerState.LEFT,
}


class Peer(Protocol):
    """What a visit needs of ``transport.Peer``."""

    @property
    def buffered_amount(self) -> int: ...
    @property
    def path(self) -> str | None: ...
    async def answer(self, offer_sdp: str) -> str: ...
    def add_candidate(self, candidate: str | None) -> None: ...
    def send_control(self, text: str) -> None: ...
    def send_data(self, message: bytes) -> None: ...
    def discard_data(self) -> None: ...
    def stop_data(self) -> None: ...
    async def close(self, *, flush: bool = False) -> None: ...
    def abort(self) -> None: ...


class House(Protocol):
    """What a visit needs of the engine: answers, and someone to tell."""

    def now(self) -> float:
        """Seconds of the engine's clock."""

    def wall(self) -> float:
        """Seconds since the epoch."""

    def own(
        self, work: Coroutine[Any, Any, None], name: str, on_failure: Callable[[], None] | None = None
    ) -> asyncio.Task[None]:
        """Run `work` as a task that the engine keeps and ends."""

    def admit(self, visit: Visit) -> Admitted | TurnedAway:
        """A viewer is here, who knows the secret: is there room?"""

    def reader(self, visit: Visit, file: int) -> Reader:
        """A way to the bytes of that file."""

    def answered(self, visit: Visit, sdp: str) -> None:
        """Signal this answer."""

    def found_candidate(self, visit: Visit, candidate: str | None) -> None:
        """Signal this candidate."""

    def admitted(self, visit: Visit) -> None:
        """The viewer is let in."""

    def joined(self, visit: Visit) -> None:
        """The viewer has said who it is."""

    def progressed(self, visit: Visit) -> None:
        """The viewer holds more than before."""

    def completed(self, visit: Visit) -> None:
        """The viewer holds everything."""

    def broke(self, visit: Visit, file: int, reason: FailReason) -> None:
        """A file cannot be served any more, to nobody."""

    def left(self, visit: Visit, reason: EndReason | None) -> None:
        """The visit is over."""


class Visit:
    """One viewer of one share; implements transport.PeerCallbacks."""

    def __init__(
        self, *, viewer: str, share: str, signalled_as: str, house: House, limits: Sequence[RateLimit]
    ) -> None:
        self.viewer = viewer
        """Its name in events."""
        self.share = share
        self.signalled_as = signalled_as
        """Its name at the signalling server."""
        self.limits = limits
        """What its connection keeps to."""
        self.joined_at = house.wall()
        self.began_at = house.now()
        self.browser = self.system = ""
        self.session = Session(now=house.now())
        self._house = house
        self._peer: Peer | None = None
        self._answered = False
        self._early: list[str | None] = []
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._reader: tuple[int, Reader] | None = None
        self._rate = Rate()

    # For the engine

    def begin(self, make_peer: Callable[[Visit], Peer], offer: str) -> None:
        """Answer the viewer's offer."""
        self._peer = make_peer(self)
        self._set_timer()
        self._house.own(self._answer(self._peer, offer), "answer", self._failed)

    def add_candidate(self, candidate: str | None) -> None:
        """A candidate of the viewer; kept until the offer before it has been read."""
        if self._answered and self._peer is not None:
            self._peer.add_candidate(candidate)
        elif len(self._early) < MAX_EARLY_CANDIDATES:
            self._early.append(candidate)

    def receive(self, event: Event) -> None:
        """Something happened; everything that follows from it is done when this returns."""
        self._perform(self.session.receive(event, self._house.now()))
        self._set_timer()
        self._use_limits()

    def give_up(self) -> None:
        """Make room: it has not connected for too long."""
        self.receive(ConnectionClosed())

    def status(self, left: EndReason | None = None) -> ViewerStatus:
        """Frozen, for lists."""
        over = self.session.state is State.ENDED
        return ViewerStatus(
            viewer=self.viewer,
            state=_STATES[self.session.state],
            browser=self.browser,
            system=self.system,
            direct=self.direct,
            held=self.session.held,
            total=self.session.total,
            rate=0.0 if over else self.rate,
            joined_at=self.joined_at,
            left_at=self._house.wall() if over else None,
            left_reason=left,
        )

    @property
    def rate(self) -> float:
        """Acknowledged bytes per second."""
        return self._rate.at(self._house.now())

    @property
    def direct(self) -> bool | None:
        """Whether no relay stands between; None while unknown."""
        path = self._peer.path if self._peer is not None else None
        return None if path is None else path == "direct"

    # What the transport reports

    def on_state(self, state: PeerState, reason: str) -> None:
        """transport.PeerCallbacks"""
        if state is PeerState.OPEN:
            self.receive(Opened())
        elif state is PeerState.CLOSED:
            self.receive(ConnectionClosed(reason.startswith("the viewer closed"), stranger=reason == STRANGER))

    def on_control(self, text: str) -> None:
        """transport.PeerCallbacks"""
        self.receive(ControlReceived(text))

    def on_candidate(self, candidate: str | None) -> None:
        """transport.PeerCallbacks"""
        if self.session.state is not State.ENDED:
            self._house.found_candidate(self, candidate)

    def on_writable(self) -> None:
        """transport.PeerCallbacks"""
        self._wake.set()

    # Doing

    async def _answer(self, peer: Peer, offer: str) -> None:
        try:
            sdp = await peer.answer(offer)
        except TransportError:
            self.receive(ConnectionClosed())
            return
        if self.session.state is State.ENDED:
            return
        self._house.answered(self, sdp)
        self._answered = True
        for candidate in self._early:
            peer.add_candidate(candidate)
        self._early.clear()

    def _failed(self) -> None:
        self.receive(ConnectionClosed())

    def _perform(self, actions: list[Action]) -> None:
        peer = self._peer
        assert peer is not None
        if actions and isinstance(actions[-1], Close):
            peer.stop_data()  # before the last word, so that nothing of a file follows it
        for action in actions:
            match action:
                case SendData(message):
                    peer.send_data(message)
                case SendControl(text):
                    peer.send_control(text)
                case DiscardData():
                    peer.discard_data()
                case NoteProgress():
                    self._progress()
                case NoteComplete():
                    self._house.completed(self)
                case Knock():
                    self._knock()
                case NoteGreeting(browser, system):
                    self._meet(browser, system)
                case Close(reason, flush):
                    self._close(peer, reason, flush)

    def _knock(self) -> None:
        verdict = self._house.admit(self)
        if isinstance(verdict, Admitted):
            self._pump = self._house.own(self._feed(), "feed", self._failed)
            self._house.admitted(self)
        self.receive(verdict)

    def _meet(self, browser: str, system: str) -> None:
        self.browser, self.system = browser, system
        self._wake.set()
        if self.session.admitted:
            self._house.joined(self)

    def _progress(self) -> None:
        self._rate.add(self.session.delivered, self._house.now())
        self._wake.set()
        if self.session.greeted:
            self._house.progressed(self)

    def _close(self, peer: Peer, reason: EndReason | None, flush: bool) -> None:
        if self._pump is not None and self._pump is not asyncio.current_task():
            self._pump.cancel()
        self._wake.set()
        self._let_go()
        self._house.own(_close(peer, flush), "close")
        self._house.left(self, reason)

    def _set_timer(self) -> None:
        due = self.session.deadline()
        if due == self._due:
            return
        self._due = due
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            delay = max(0.0, due - self._house.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = self._due = None
        self.receive(TimePassed())

    # Feeding

    async def _feed(self) -> None:
        """Send what the viewer wants as fast as window and transport take it."""
        while self.session.state is not State.ENDED:
            self._wake.clear()
            while (read := self._next_read()) is not None:
                await self._send(read)
            await self._wake.wait()

    def _next_read(self) -> Read | None:
        if self._peer is None or self._peer.buffered_amount >= self._high_water():
            return None
        if not self.session.greeted and self.session.outstanding >= FIRST_WATER:
            return None
        return self.session.next_chunk(self._largest())

    def _largest(self) -> int:
        """Small messages while the viewer is slow, smaller ones still where its share of a limit is small."""
        if not self.session.greeted and not self.session.outstanding:
            return FIRST_CHUNK
        size = MAX_PAYLOAD if self.rate >= FAST else SMALL_CHUNK
        return min(size, self._worth(1 / 8))

    def _high_water(self) -> int:
        """Half a second of a viewer's share of a limit: what it asks for next stands behind that.

        Before its hello, the first round trip's worth: who comes back may want something else.
        """
        return min(HIGH_WATER if self.session.greeted else FIRST_WATER, self._worth(1 / 2))

    def _worth(self, seconds: float) -> int:
        """Bytes of so many seconds under the tightest of the limits, as it is divided now."""
        share = min((limit.share for limit in self.limits), default=float("inf"))
        return int(min(HIGH_WATER, max(share * seconds, min(LEAST_CHUNK, share * LONG_S), 1)))

    def _use_limits(self) -> None:
        for limit in self.limits:
            if self.session.busy:
                limit.users.add(self)
            else:
                limit.users.discard(self)

    async def _send(self, read: Read) -> None:
        try:
            payload = await self._read(read)
        except BrokenFileError as error:
            self._house.broke(self, read.file, error.reason)
            return
        self.receive(ChunkRead(dataclasses.replace(read, length=len(payload)), payload))

    async def _read(self, read: Read) -> memoryview:
        if self._reader is None or self._reader[0] != read.file:
            self._let_go()
            self._reader = (read.file, self._house.reader(self, read.file))
        return await self._reader[1].read(read.offset, read.length)

    def _let_go(self) -> None:
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None


async def _close(peer: Peer, flush: bool) -> None:
    """End the connection, politely for at most two seconds."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await peer.close(flush=flush)
    except TimeoutError:
        pass  # what follows needs nobody's help
    finally:
        peer.abort()
