"""Commands into the seeding engine and events out of it: the only door of the engine.

Commands are verbs, events are past tense. All are frozen, small, and
serialised with MessagePack when the engine runs in a process of its own.
A share is named by ``share``, its id as base64url (14 characters); a viewer by
the name that the signalling server gave it, which never outlives its visit.
No event carries a secret, a key, a token or a viewer's address.

Times are seconds since the epoch; durations are seconds; sizes are bytes;
rates are bytes per second.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of every command and every event; ``tag`` is the class's name."""


class Value(msgspec.Struct, frozen=True):
    """Base of the values inside messages."""


# Values in commands


class Keys(Value, frozen=True):
    """A share's keys, see ``link.ShareKeys``."""

    token: bytes
    secret: bytes
    certificate: bytes
    private_key: bytes

    def __repr__(self) -> str:
        """Never the keys: a log line or a crash report may print this."""
        return "Keys(…)"


class MemoryFile(msgspec.Struct, frozen=True, tag=True):
    """A file that exists in memory only: a capture, or what came on standard input."""

    name: str
    media_type: str
    data: bytes

    def __repr__(self) -> str:
        """Without the content, and without the name, which may say something about a person."""
        return f"MemoryFile({len(self.data)} bytes)"


class DiskFile(msgspec.Struct, frozen=True, tag=True):
    """A file on disk, read while it is seeded, never copied."""

    name: str
    media_type: str
    path: str
    """Absolute."""

    def __repr__(self) -> str:
        """Without the path, which often holds a person's name."""
        return "DiskFile(…)"


File = MemoryFile | DiskFile


class Limits(Value, frozen=True):
    """When a share ends by itself."""

    expires_s: float | None = None
    """Seconds from its start; None: never."""
    max_views: int | None = None
    """Complete views; None: any number."""


class EngineOptions(Value, frozen=True):
    """How the engine meets the network."""

    server_url: str = ""
    """Base URL of a signalling server, http(s); "" runs the embedded one."""
    listen_host: str = ""
    """Where the embedded server listens; "" is every address, "127.0.0.1" this computer only."""
    listen_port: int = 21880
    """The embedded server's port; the next free one if it is taken, 0 for any."""
    advertised_host: str = ""
    """The name or address in links; "" is the address of the default route."""
    stun_urls: tuple[str, ...] = ()
    """Asked for the public address, never waited for."""
    turn_urls: tuple[str, ...] = ()
    """Relays, with ``turn_username`` and ``turn_password``."""
    turn_username: str = ""
    turn_password: str = ""
    max_viewers: int = 50
    """Viewers of one share at once; more are told that it is full."""
    upload_limit: int = 0
    """Bytes per second over all shares; 0 is no limit."""
    share_upload_limit: int = 0
    """Bytes per second for each share; 0 is no limit."""


# Commands


class Seed(Message, frozen=True):
    """Register a share and answer its viewers from now on; its files may follow in ``Provide``."""

    keys: Keys
    label: str
    """What the owner reads in lists; never leaves the machine."""
    limits: Limits = Limits()
    files: tuple[File, ...] | None = None
    """None: a capture is still being encoded; viewers wait inside the page."""


class Provide(Message, frozen=True):
    """The files of a share that was announced without them."""

    share: str
    files: tuple[File, ...]


class Revoke(Message, frozen=True):
    """End a share now: no further byte leaves."""

    share: str


class RevokeAll(Message, frozen=True):
    """End every share now."""


class Unseed(Message, frozen=True):
    """A share of an engine before this one has ended: the server is told, should it not know yet."""

    token: bytes
    reason: EndReason

    def __repr__(self) -> str:
        """Never the token: a log line or a crash report may print this."""
        return f"Unseed({self.reason.name})"


class DismissViewer(Message, frozen=True):
    """Send one viewer away; the link still works for the others."""

    share: str
    viewer: str


class ChangeLimits(Message, frozen=True):
    """New limits for a live share; one that is past them already ends at once."""

    share: str
    limits: Limits
    """``expires_s`` still counts from the share's start, ``max_views`` counts the views so far."""


class Configure(Message, frozen=True):
    """New options; shares stay, and are registered again where the server changed."""

    options: EngineOptions


class CheckNetwork(Message, frozen=True):
    """The machine woke, or its addresses changed: look at once instead of waiting for a timer."""


class Ping(Message, frozen=True):
    """Say ``Ponged`` with the same number at once: an engine that does not is taken to stand still."""

    number: int


class Stop(Message, frozen=True):
    """Revoke everything, say so to every page, and end."""


Command = (
    Seed | Provide | Revoke | RevokeAll | Unseed | DismissViewer | ChangeLimits | Configure | CheckNetwork | Ping | Stop
)


# Values in events


class ServerState(Enum):
    """Where the engine stands with its signalling server."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"


class ViewerState(Enum):
    """Where one viewer stands."""

    CONNECTING = "connecting"
    """An offer came; the secret has not been shown yet. Not listed to the owner by default."""
    WAITING = "waiting"
    """Admitted; the capture is still being encoded, or nothing was asked for yet."""
    RECEIVING = "receiving"
    COMPLETE = "complete"
    """Has acknowledged every byte."""
    LEFT = "left"


class EndReason(Enum):
    """Why a share ended, or a viewer left."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    USED_UP = "used_up"
    """The share had its number of views."""
    DISMISSED = "dismissed"
    """The owner sent this viewer away."""
    CLOSED = "closed"
    """The viewer closed the page."""
    LOST = "lost"
    """The connection broke, or never came about."""
    STALLED = "stalled"
    """The viewer acknowledged nothing for too long."""
    REFUSED = "refused"
    """The viewer broke the protocol or showed a wrong secret."""


class FileStatus(Value, frozen=True):
    """One file of a share, as lists show it."""

    name: str
    size: int
    media_type: str
    problem: str = ""
    """"" or a sentence for the owner: it vanished, it changed, it cannot be read."""


class ViewerStatus(Value, frozen=True):
    """One visit of one viewer, frozen."""

    viewer: str
    state: ViewerState
    browser: str
    """As the page says, e.g. ``Firefox 153``; "" when unknown. Untrusted text, at most 64 characters."""
    system: str
    """As the page says, e.g. ``Windows``; untrusted text, at most 64 characters."""
    direct: bool | None
    """True on a direct path, False through a relay, None while unknown."""
    held: int
    """Bytes of all files that the viewer has acknowledged."""
    total: int
    """Bytes of all files."""
    rate: float
    """Acknowledged bytes per second, smoothed over about two seconds."""
    joined_at: float
    left_at: float | None = None
    left_reason: EndReason | None = None


class ShareStatus(Value, frozen=True):
    """One share, frozen: what the tray and the windows draw."""

    share: str
    label: str
    created_at: float
    files: tuple[FileStatus, ...]
    preparing: bool
    """Still being encoded."""
    expires_at: float | None
    max_views: int | None
    views: int
    """Complete views so far."""
    bytes_sent: int
    """File bytes acknowledged by all viewers together."""
    viewers: tuple[ViewerStatus, ...]
    """Who is here now, in order of arrival."""
    departed: tuple[ViewerStatus, ...]
    """Who has left, latest first; the last 50."""
    ended: EndReason | None = None
    """None while it is live. USED_UP shares stay listed until their last viewer leaves."""


class EngineStatus(Value, frozen=True):
    """All that there is to draw, frozen."""

    server: ServerState
    base_url: str
    """The page's address in links minted now; "" until it is known."""
    server_problem: str
    """"" or a sentence: why the server cannot be used, and what happens next."""
    shares: tuple[ShareStatus, ...]
    """Live shares, newest first."""


# Events


class EngineStarted(Message, frozen=True):
    """The engine takes commands."""

    base_url: str
    """Links may be minted with it from now on: the embedded server listens, or one was named."""


class BaseUrlChanged(Message, frozen=True):
    """Links minted from now on start with this; the machine's address or the settings changed."""

    base_url: str


class Shared(Message, frozen=True):
    """The server knows the share: its link works. Sent again after a reconnection."""

    share: str


class ServerLost(Message, frozen=True):
    """The signalling server is out of reach; the engine keeps trying."""

    reason: str
    retry_s: float


class ServerBack(Message, frozen=True):
    """The signalling server answers again; every live share is being registered."""


class ViewerJoined(Message, frozen=True):
    """A viewer has shown the secret."""

    share: str
    viewer: str
    browser: str
    system: str
    direct: bool | None


class ViewerProgressed(Message, frozen=True):
    """How far a viewer is; at most five a second for each viewer, and always the last."""

    share: str
    viewer: str
    held: int
    total: int
    rate: float


class ViewerLeft(Message, frozen=True):
    """An admitted viewer is gone."""

    share: str
    viewer: str
    reason: EndReason
    held: int
    total: int


class Viewed(Message, frozen=True):
    """A viewer has acknowledged every byte: one complete view."""

    share: str
    viewer: str
    views: int
    """Complete views of the share so far, this one included."""


class ShareEnded(Message, frozen=True):
    """A share is over; its memory is freed."""

    share: str
    reason: EndReason


class FileFailed(Message, frozen=True):
    """A shared file vanished, changed or cannot be read; viewers are told."""

    share: str
    name: str
    problem: str


class CommandFailed(Message, frozen=True):
    """A command could not be carried out; a sentence says why and what to do."""

    problem: str
    share: str = ""


class EngineFailed(Message, frozen=True):
    """The engine cannot go on, or could not start; a sentence says why and what to do."""

    problem: str


class StatusChanged(Message, frozen=True):
    """The whole picture; at most five a second, and always the last state."""

    status: EngineStatus


class Ponged(Message, frozen=True):
    """The answer to the ``Ping`` of that number: the engine's loop goes round."""

    number: int


class Stopped(Message, frozen=True):
    """Every page was told; the engine is about to end."""


Event = (
    EngineStarted
    | BaseUrlChanged
    | Shared
    | ServerLost
    | ServerBack
    | ViewerJoined
    | ViewerProgressed
    | ViewerLeft
    | Viewed
    | ShareEnded
    | FileFailed
    | CommandFailed
    | EngineFailed
    | StatusChanged
    | Ponged
    | Stopped
)

_encoder = msgspec.msgpack.Encoder()
_command_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Command)
_event_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Event)


def encode(message: Command | Event) -> bytes:
    """MessagePack of one message."""
    return _encoder.encode(message)


def decode_command(data: bytes) -> Command:
    """The command in `data`; raises msgspec.DecodeError for anything else."""
    command: Command = _command_decoder.decode(data)
    return command


def decode_event(data: bytes) -> Event:
    """The event in `data`; raises msgspec.DecodeError for anything else."""
    event: Event = _event_decoder.decode(data)
    return event


# Frames: how messages stand in the pipes between the app and the engine's process

MAX_FRAME = 256 * 1024 * 1024
"""Bytes of one message; a capture of many large monitors fits, a length read from garbage does not."""
_LENGTH_BYTES = 4


class FrameError(Exception):
    """The stream does not hold frames; nothing after this can be read."""


def frame(message: Command | Event) -> bytes:
    """`message` with its length before it: 4 bytes, big-endian, then MessagePack."""
    data = encode(message)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


class FrameDecoder:
    """Cuts a stream of bytes into the MessagePack of whole messages; pure."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Every message that `data` completes; raises FrameError on a length that none can have."""
        self._buffer += data
        found: list[bytes] = []
        start = 0
        while (size := self._size_at(start)) is not None and len(self._buffer) >= start + _LENGTH_BYTES + size:
            start += _LENGTH_BYTES
            found.append(bytes(self._buffer[start : start + size]))
            start += size
        del self._buffer[:start]
        return found

    def _size_at(self, start: int) -> int | None:
        """The length that stands at `start`; None while it is not all there."""
        head = self._buffer[start : start + _LENGTH_BYTES]
        if len(head) < _LENGTH_BYTES:
            return None
        size = int.from_bytes(head, "big")
        if size > MAX_FRAME:
            raise FrameError("a frame is longer than any message")
        return size
