"""One viewer's life, without any I/O: an event in, what to do out, time as an argument.

::

    CONNECTING --Opened--> KNOCKING --Admitted--> WAITING
    WAITING --a lone picture is begun, or get--> RECEIVING --every byte acknowledged--> COMPLETE
    any state --the share ends, a violation, bye, silence, the connection breaks--> ENDED

The caller carries out the actions in their order. After ENDED there are none:
``receive`` and ``next_chunk`` are the one gate that every byte to a viewer goes
through, so an ended share or an ended viewer gets nothing more.
"""

from __future__ import annotations

import unicodedata
from enum import Enum

import msgspec

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.steps import (
    Action,
    Admitted,
    ChunkRead,
    Close,
    ConnectionClosed,
    ControlReceived,
    DiscardData,
    Dismissed,
    Event,
    FileBroke,
    FilesReady,
    Knock,
    NoteComplete,
    NoteGreeting,
    NoteProgress,
    Opened,
    SendControl,
    SendData,
    ShareOver,
    SocketLeft,
    TimePassed,
    TurnedAway,
)
from seedshot_desktop.seed.transfer import (
    MAX_PAYLOAD,
    Ack,
    Bye,
    Ended,
    EndedWord,
    Failed,
    FailReason,
    FromOwner,
    FromViewer,
    Get,
    Hello,
    Manifest,
    Ping,
    Pong,
    Read,
    Sender,
    StopSending,
    Violation,
    Waiting,
    decode_from_viewer,
    encode,
)

CONNECT_S = 10.0
"""From the offer to the connection."""
HELLO_S = 10.0
"""From the connection to the viewer's hello, with the opening of the channels between them. It knows the secret: a
late page may come again."""
STALL_S = 30.0
"""Without an acknowledgement while bytes are outstanding."""
RESERVED_IDLE_S = 60.0
"""Without any progress while a view of a limited share is kept for this viewer."""
DOUBT_S = 3.0
"""For an answer to a ping once the viewer's signalling socket has closed."""
MESSAGE_RATE = 4000.0
"""Control messages a second that are still an honest page: acknowledgements of a fast loopback transfer."""
MESSAGE_BURST = 4000.0


class State(Enum):
    """Where the visit stands."""

    CONNECTING = "connecting"
    KNOCKING = "knocking"
    """Connected; the share decides whether there is room."""
    WAITING = "waiting"
    RECEIVING = "receiving"
    COMPLETE = "complete"
    ENDED = "ended"


_ADMITTED = {State.WAITING, State.RECEIVING, State.COMPLETE}
_HALF_OPEN = {State.CONNECTING, State.KNOCKING}


_WORDS: dict[EndReason, EndedWord] = {
    EndReason.REVOKED: "revoked",
    EndReason.EXPIRED: "expired",
    EndReason.USED_UP: "expired",
    EndReason.DISMISSED: "dismissed",
    EndReason.STALLED: "stalled",
    EndReason.REFUSED: "refused",
}


class Session:
    """One viewer of one share."""

    def __init__(self, *, now: float) -> None:
        self.state = State.CONNECTING
        self.admitted = False
        """Was admitted at some time: it had a place."""
        self.greeted = False
        """Has said hello: its coming has been told, and its leaving is worth telling."""
        self.counts = False
        """Is a view: it is complete, and not by claims alone, as that of a page that only connected again."""
        self._sender: Sender | None = None
        self._broken: dict[int, FailReason] = {}
        self._reserved = False
        self._since = now
        self._progress_at = now
        self._doubted_at: float | None = None
        self._allowance = MESSAGE_BURST
        self._allowance_at = now

    @property
    def held(self) -> int:
        """Bytes of all files that the viewer has acknowledged."""
        return self._sender.held if self._sender else 0

    @property
    def delivered(self) -> int:
        """Bytes sent in this visit and acknowledged."""
        return self._sender.delivered if self._sender else 0

    @property
    def total(self) -> int:
        """Bytes of all files; 0 while they are being prepared."""
        return self._sender.total if self._sender else 0

    @property
    def half_open(self) -> bool:
        """Has not been admitted yet."""
        return self.state in _HALF_OPEN

    @property
    def outstanding(self) -> int:
        """Bytes sent and not acknowledged."""
        return self._sender.outstanding if self._sender else 0

    @property
    def busy(self) -> bool:
        """Something is to be sent, or on its way."""
        sender = self._sender
        return self.state in _ADMITTED and sender is not None and bool(sender.outstanding or sender.wanted)

    def next_chunk(self, largest: int = MAX_PAYLOAD) -> Read | None:
        """What to read and bring back as ChunkRead; None while nothing is wanted."""
        if self.state not in _ADMITTED or self._sender is None:
            return None
        return self._sender.next_read(largest)

    def deadline(self) -> float | None:
        """When TimePassed is due; None while nothing is waited for."""
        due = [time for time, _ in self._deadlines()]
        return min(due) if due else None

    def receive(self, event: Event, now: float) -> list[Action]:
        """What to do about `event`; the state is the new one when this returns."""
        if self.state is State.ENDED:
            return []
        match event:
            case ControlReceived(text):
                return self._control(text, now)
            case ChunkRead(read, payload):
                return self._chunk(read, payload, now)
            case Opened():
                return self._opened(now)
            case Admitted(manifest, reserved):
                return self._let_in(manifest, reserved, now)
            case FilesReady(manifest):
                return self._show(manifest, now) if self.state is State.WAITING and self._sender is None else []
            case FileBroke(file, reason):
                return self._break(file, reason)
            case SocketLeft():
                return self._doubt(now)
            case TimePassed():
                return self._look_at_clock(now)
            case TurnedAway() | ShareOver() | Dismissed() | ConnectionClosed():
                return self._ended_by(event)

    # Being let in

    def _opened(self, now: float) -> list[Action]:
        if self.state is not State.CONNECTING:
            return []
        self.state = State.KNOCKING
        self._since = now
        return [Knock()]

    def _greet(self, message: FromViewer) -> list[Action]:
        if not isinstance(message, Hello):
            raise Violation("hello must come first")
        self.greeted = True
        return [NoteGreeting(clean_text(message.browser), clean_text(message.system))]

    def _let_in(self, manifest: Manifest | None, reserved: bool, now: float) -> list[Action]:
        if self.state is not State.KNOCKING:
            return []
        self.state = State.WAITING
        self.admitted = True
        self._reserved = reserved
        self._progress_at = now
        return [_say(Waiting())] if manifest is None else self._show(manifest, now)

    def _show(self, manifest: Manifest, now: float) -> list[Action]:
        self._sender = Sender([file.size for file in manifest.files])
        for file in self._broken:
            self._sender.fail(file)
        self._progress_at = now
        if manifest.is_lone_picture and not self._broken:
            self._sender.begin()
            self.state = State.RECEIVING
            return [_say(msgspec.structs.replace(manifest, begun=True)), NoteProgress()]
        return [_say(manifest), *(_say(Failed(file, reason)) for file, reason in self._broken.items())]

    # What the viewer says

    def _control(self, text: str, now: float) -> list[Action]:
        try:
            self._count_message(now)
            message = decode_from_viewer(text)
            self._believe(message, now)
            return self._said(message, now)
        except Violation:
            return self._end(EndReason.REFUSED, "refused")

    def _believe(self, message: FromViewer, now: float) -> None:
        """A pong ends the doubt; so does what can no longer have been on its way before the ping."""
        if self._doubted_at is not None and (isinstance(message, Pong) or now - self._doubted_at >= DOUBT_S / 3):
            self._doubted_at = None

    def _count_message(self, now: float) -> None:
        refill = (now - self._allowance_at) * MESSAGE_RATE
        self._allowance = min(MESSAGE_BURST, self._allowance + refill) - 1
        self._allowance_at = now
        if self._allowance < 0:
            raise Violation("more messages than any page sends")

    def _said(self, message: FromViewer, now: float) -> list[Action]:
        if isinstance(message, Bye):
            return self._end(EndReason.CLOSED, None)
        if not self.greeted:
            return self._greet(message)
        if self.state in _HALF_OPEN:
            raise Violation("nothing more may be said before the answer")
        return self._asked(message, now)

    def _asked(self, message: FromViewer, now: float) -> list[Action]:
        if isinstance(message, Pong):
            return []
        if self._sender is None or isinstance(message, Hello):
            raise Violation("out of order")
        match message:
            case Get():
                return self._get(self._sender, message, now)
            case Ack():
                return self._ack(self._sender, message, now)
            case StopSending():
                wanted = bool(self._sender.outstanding)
                self._sender.stop(message)
                return [DiscardData()] if wanted and not self._sender.outstanding else []
        return []

    def _get(self, sender: Sender, message: Get, now: float) -> list[Action]:
        stale: list[Action] = [DiscardData()] if sender.outstanding else []
        sender.get(message)
        if message.file in self._broken:
            return stale  # it has crossed what was said when the file broke: no viewer can have more said by asking
        if self.state is State.WAITING:
            self.state = State.RECEIVING
        self._progress_at = now
        if self.state is State.COMPLETE and not self.counts and sender.wanted:
            self.counts = True  # it wants what it said it held: before the first byte leaves, this is a view after all
            return [*stale, NoteProgress(), NoteComplete()]
        return [*stale, NoteProgress()]

    def _ack(self, sender: Sender, message: Ack, now: float) -> list[Action]:
        before = (sender.outstanding, sender.complete)
        sender.ack(message)
        if (sender.outstanding, sender.complete) != before:
            self._progress_at = now
        if self.state is State.RECEIVING and sender.complete:
            self.state = State.COMPLETE
            self._reserved = False
            self.counts = sender.delivered > 0 or sender.total == 0
            return [NoteProgress(), NoteComplete()]
        return [NoteProgress()]

    # What is sent

    def _chunk(self, read: Read, payload: bytes | memoryview, now: float) -> list[Action]:
        if self.state not in _ADMITTED or self._sender is None:
            return []
        idle = not self._sender.outstanding
        message = self._sender.frame(read, payload)
        if message is None:
            return []
        if idle:
            self._progress_at = now
        return [SendData(message)]

    def _break(self, file: int, reason: FailReason) -> list[Action]:
        if file in self._broken:
            return []
        self._broken[file] = reason
        if self._sender is None:
            return []
        self._sender.fail(file)
        return [_say(Failed(file, reason))]

    # Its end

    def _ended_by(self, event: TurnedAway | ShareOver | Dismissed | ConnectionClosed) -> list[Action]:
        match event:
            case TurnedAway(word):
                return self._end(None, word)
            case ShareOver(reason, failure):
                return self._end(reason, failure if reason is EndReason.BROKEN else _WORDS[reason])
            case Dismissed():
                return self._end(EndReason.DISMISSED, "dismissed")
            case ConnectionClosed(stranger=True):
                return self._end(EndReason.REFUSED, None)
            case ConnectionClosed(clean):
                return self._end(EndReason.CLOSED if clean else EndReason.LOST, None)

    def _doubt(self, now: float) -> list[Action]:
        if self.state is State.CONNECTING:
            return self._end(EndReason.LOST, None)
        if self._doubted_at is not None or not self.admitted:
            return []
        self._doubted_at = now
        return [_say(Ping())]

    def _deadlines(self) -> list[tuple[float, EndReason]]:
        due: list[tuple[float, EndReason]] = []
        match self.state:
            case State.ENDED:
                return []
            case State.CONNECTING:
                due.append((self._since + CONNECT_S, EndReason.LOST))
            case _ if not self.greeted:
                due.append((self._since + HELLO_S, EndReason.LOST))
            case _ if self.outstanding:
                due.append((self._progress_at + STALL_S, EndReason.STALLED))
        if self._reserved and self._sender is not None:
            due.append((self._progress_at + RESERVED_IDLE_S, EndReason.STALLED))
        if self._doubted_at is not None:
            due.append((self._doubted_at + DOUBT_S, EndReason.LOST))
        return due

    def _look_at_clock(self, now: float) -> list[Action]:
        due = sorted((item for item in self._deadlines() if item[0] <= now), key=lambda item: item[0])
        if not due:
            return []
        reason = due[0][1]
        return self._end(reason, _WORDS.get(reason))

    def _end(self, reason: EndReason | None, word: EndedWord | None) -> list[Action]:
        connected = self.state is not State.CONNECTING
        self.state = State.ENDED
        self._doubted_at = None
        self._reserved = False
        if word is None or not connected:
            return [Close(reason, flush=False)]
        return [_say(Ended(word)), Close(reason, flush=True)]


def _say(message: FromOwner) -> SendControl:
    return SendControl(encode(message))


def clean_text(text: str, limit: int = 64) -> str:
    """`text` of a stranger as one line that cannot disguise itself: no control, format or bidirectional marks."""
    kept = (mark for mark in text if unicodedata.category(mark)[0] != "C" and mark not in "\u2028\u2029")
    return "".join(kept).strip()[:limit]
