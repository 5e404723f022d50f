"""The events and the actions of a viewer's ``session``: what happened, in the past tense, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from seedshot_desktop.seed.messages import EndReason
from seedshot_desktop.seed.transfer import EndedWord, FailReason, Manifest, Read

# Events


@dataclass(frozen=True, slots=True)
class Opened:
    """The viewer knows the secret and is who its offer says: what is said now is the first that it hears."""


@dataclass(frozen=True, slots=True)
class ControlReceived:
    """A control message came."""

    text: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The share has room; `manifest` is None while its files are being prepared."""

    manifest: Manifest | None
    reserved: bool = False
    """A view of a limited share is kept for this viewer."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The share has no room, or is over."""

    word: EndedWord


@dataclass(frozen=True, slots=True)
class FilesReady:
    """The files that were being prepared are there."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ChunkRead:
    """The bytes that ``next_chunk`` asked for."""

    read: Read
    payload: bytes | memoryview


@dataclass(frozen=True, slots=True)
class FileBroke:
    """A file cannot be served any more."""

    file: int
    reason: FailReason


@dataclass(frozen=True, slots=True)
class ShareOver:
    """The share ended."""

    reason: EndReason
    failure: FailReason = "unreadable"
    """Where it is BROKEN: why."""


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The owner sends this viewer away."""


@dataclass(frozen=True, slots=True)
class SocketLeft:
    """The viewer's signalling socket closed, or it asked anew under another name."""


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """The transport is gone; `clean` where the viewer's browser closed it, `stranger` where it knew no secret."""

    clean: bool = False
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Look at the clock: ``deadline`` has come."""


Event = (
    Opened
    | ControlReceived
    | Admitted
    | TurnedAway
    | FilesReady
    | ChunkRead
    | FileBroke
    | ShareOver
    | Dismissed
    | SocketLeft
    | ConnectionClosed
    | TimePassed
)


# Actions


@dataclass(frozen=True, slots=True)
class SendControl:
    """Send this on the control channel."""

    text: str


@dataclass(frozen=True, slots=True)
class SendData:
    """Send this on the data channel."""

    message: bytes


@dataclass(frozen=True, slots=True)
class DiscardData:
    """What was to be sent on the data channel, and has not begun to leave, is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Knock:
    """Ask the share for room; answer with Admitted or TurnedAway."""


@dataclass(frozen=True, slots=True)
class NoteGreeting:
    """The viewer has said who it is."""

    browser: str
    system: str


@dataclass(frozen=True, slots=True)
class NoteProgress:
    """The viewer holds more than before, or asks again: look at ``held`` and whether there is more to send."""


@dataclass(frozen=True, slots=True)
class NoteComplete:
    """Every byte is acknowledged, for the first time in this visit; look at ``counts`` whether it is a view.

    Comes a second time where a visit that was no view turns into one: answer with ShareOver if none is left.
    """


@dataclass(frozen=True, slots=True)
class Close:
    """The visit is over: the last action there is."""

    reason: EndReason | None
    """None where the viewer was never admitted through no fault of its own (full, expired before)."""
    flush: bool
    """A last control message should still leave."""


Action = SendControl | SendData | DiscardData | Knock | NoteGreeting | NoteProgress | NoteComplete | Close
