"""The signalling protocol: JSON text frames on one WebSocket, standard library only.

::

    owner  -> seed {token}                      -> seeding {id, stun} | error
    owner  -> unseed {id, reason}               waiting and watching viewers are told; a tombstone answers latecomers
    owner  -> full {id, viewer}                 the owner takes no more viewers
    owner  -> joined {id, viewer}               that viewer is connected and let in
    owner  -> refused {id, viewer}              that viewer does not know the secret, and is told so
    owner  -> over {id, viewer}                 that visit has ended, let in or not: its place is free
    viewer -> view {id, offer}                  the viewer makes the offer in its first message
    server -> offer {id, viewer, sdp}           to the owner
    owner  -> answer {id, viewer, sdp}          server -> answer {sdp}          to the viewer
    owner  -> candidate {id, viewer, candidate} server -> candidate {candidate} to the viewer
    viewer -> candidate {candidate}             server -> candidate {id, viewer, candidate} to the owner
    server -> left {id, viewer}                 to the owner: the viewer's socket closed, or it sent a new view
    server -> offline | unknown | revoked | expired | stopped | refused | full    to the viewer: what the page shows
    server -> online                            to a viewer that was told offline, unknown or full: send view again
    server -> draining                          to everyone: this instance is going away, connect again
    server -> error {code, detail}              the message before was not taken

A socket is an owner's or a viewer's from its first message on. One owner
socket carries any number of shares; a viewer socket looks at one share at a
time, and a second ``view`` replaces the first. ``candidate`` is a string as in
RTCIceCandidate.candidate, or null for the end of candidates. ``id`` is the
start of SHA-256(token): showing the token proves the ownership, at any server
instance and after any restart. Binary values are unpadded base64url. ``stun`` lists STUN
servers that the owner may ask for its public address, and is left out where
there are none; ``*`` in one stands for the host under which the owner knows
this server. The page has the same list, in its head.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from signal_server import fields
from signal_server.fields import decode_base64url as decode_base64url  # noqa: PLC0414 - others have it from here
from signal_server.fields import encode_base64url as encode_base64url  # noqa: PLC0414

PATH = "/signal"
"""Where the WebSocket is, on the page's own host."""

MAX_MESSAGE = 16 * 1024
"""Bytes of one JSON text frame, encoded; a longer one closes the socket with 1009."""
MAX_SDP = 12 * 1024
"""Characters of an offer or an answer."""
MAX_CANDIDATE = 512
"""Characters of one candidate line."""
TOKEN_BYTES = 16
ID_BYTES = 10
ID_CHARS = 14
MAX_STUN_URLS = 4
"""STUN servers that are told of; each one more makes a browser slower to find its addresses."""
MAX_VIEWER_CHARS = 32
"""A viewer's name, given by the server."""


class ErrorCode(Enum):
    """What was wrong with a message."""

    MALFORMED = "malformed"
    """Not JSON, not an object, a field is missing, too many, or of the wrong kind."""
    UNKNOWN_TYPE = "unknown_type"
    WRONG_ROLE = "wrong_role"
    """An owner's message on a viewer's socket, or the other way about."""
    NOT_YOURS = "not_yours"
    """That id is not seeded on this socket."""
    NO_SUCH_VIEWER = "no_such_viewer"
    TOO_MANY_SHARES = "too_many_shares"
    TOO_FAST = "too_fast"
    """Over the message rate; repeated, the socket is closed."""
    REVOKED = "revoked"
    """The share has a tombstone; it cannot be seeded again."""


class EndedReason(Enum):
    """Why a share is over; what latecomers are told."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    STOPPED = "stopped"
    """The owner's computer cannot go on; why is between it and the viewers it has let in."""


class CloseCode:
    """WebSocket close codes that the server uses (RFC 6455, section 7.4, and the IANA registry)."""

    GOING_AWAY = 1001
    """A viewer or owner was silent for too long."""
    POLICY = 1008
    """Errors were repeated, or a limit was passed."""
    TOO_BIG = 1009
    SERVICE_RESTART = 1012
    """The instance drains; connect again, with jitter."""
    TRY_AGAIN_LATER = 1013
    """Too many sockets, from this address or at all."""


class ProtocolError(Exception):
    """A message that cannot be taken; carries what the sender is told, never what it sent."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


# Owner to server


@dataclass(frozen=True, slots=True)
class Seed:
    """I answer for the share whose id is the hash of this token."""

    token: str = field(repr=False)

    @property
    def id(self) -> str:
        """The share's id, as base64url."""
        return id_of_token(self.token)


@dataclass(frozen=True, slots=True)
class Unseed:
    """That share is over; tell everyone."""

    id: str
    reason: EndedReason


@dataclass(frozen=True, slots=True)
class Full:
    """No place for that viewer now."""

    id: str
    viewer: str


@dataclass(frozen=True, slots=True)
class Joined:
    """That viewer is connected: it is a guest now, and no longer one of those who knock."""

    id: str
    viewer: str


@dataclass(frozen=True, slots=True)
class Refused:
    """That viewer does not know the link's secret: its visit has ended."""

    id: str
    viewer: str


@dataclass(frozen=True, slots=True)
class Over:
    """That visit has ended, whoever ended it; the viewer's socket may stay."""

    id: str
    viewer: str


@dataclass(frozen=True, slots=True)
class OwnerAnswer:
    """The answer to a viewer's offer."""

    id: str
    viewer: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnerCandidate:
    """A candidate of the owner for one viewer; the same shape both ways between owner and server."""

    id: str
    viewer: str
    candidate: str | None = field(repr=False)


# Viewer to server


@dataclass(frozen=True, slots=True)
class View:
    """I want to see that share; here is my offer."""

    id: str
    offer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ViewerCandidate:
    """A candidate of the viewer, or the owner's on its way to the viewer."""

    candidate: str | None = field(repr=False)


# Server to owner


@dataclass(frozen=True, slots=True)
class Seeding:
    """The share is registered: its link works."""

    id: str
    stun: tuple[str, ...] = ()
    """STUN servers, as ``fields.stun_url`` has them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A viewer asks."""

    id: str
    viewer: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """That viewer's socket closed, or it asked anew under another name."""

    id: str
    viewer: str


# Server to viewer


@dataclass(frozen=True, slots=True)
class Answer:
    """The owner's answer."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Offline:
    """The owner was here and is out of reach; `online` follows when it is back."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No owner has shown that id here; `online` follows should one do so."""


@dataclass(frozen=True, slots=True)
class Online:
    """The owner is there (again), or has room (again): send `view` anew."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """The owner took the share back."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The share's time is over or its views are used up."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The owner's computer cannot go on with the share; a viewer it has let in hears why from it."""


@dataclass(frozen=True, slots=True)
class NotLetIn:
    """The owner found that the link is not right."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """As many viewers as the owner or the server takes are looking now; ask again later."""


# Server to either


@dataclass(frozen=True, slots=True)
class Draining:
    """This instance is going away; connect again after a moment."""


@dataclass(frozen=True, slots=True)
class Error:
    """Your last message was not taken."""

    code: ErrorCode
    detail: str
    id: str | None = None


OwnerMessage = Seed | Unseed | Full | Joined | Refused | Over | OwnerAnswer | OwnerCandidate
ViewerMessage = View | ViewerCandidate
ToOwner = Seeding | Offer | OwnerCandidate | Left | Draining | Error
ToViewer = (
    Answer
    | ViewerCandidate
    | Offline
    | Unknown
    | Online
    | Revoked
    | Expired
    | Stopped
    | NotLetIn
    | NoRoom
    | Draining
    | Error
)
ClientMessage = OwnerMessage | ViewerMessage
ServerMessage = ToOwner | ToViewer
AnyMessage = ClientMessage | ServerMessage

_TYPES: dict[type, str] = {
    Seed: "seed",
    Unseed: "unseed",
    Full: "full",
    Joined: "joined",
    Refused: "refused",
    Over: "over",
    OwnerAnswer: "answer",
    OwnerCandidate: "candidate",
    View: "view",
    ViewerCandidate: "candidate",
    Seeding: "seeding",
    Offer: "offer",
    Left: "left",
    Answer: "answer",
    Offline: "offline",
    Unknown: "unknown",
    Online: "online",
    Revoked: "revoked",
    Expired: "expired",
    Stopped: "stopped",
    NotLetIn: "refused",
    NoRoom: "full",
    Draining: "draining",
    Error: "error",
}

_FROM_CLIENT: tuple[type, ...] = (
    Seed,
    Unseed,
    Full,
    Joined,
    Refused,
    Over,
    OwnerAnswer,
    OwnerCandidate,
    View,
    ViewerCandidate,
)
_TO_OWNER: tuple[type, ...] = (Seeding, Offer, OwnerCandidate, Left, Draining, Error)
_TO_VIEWER: tuple[type, ...] = (
    Answer,
    ViewerCandidate,
    Offline,
    Unknown,
    Online,
    Revoked,
    Expired,
    Stopped,
    NotLetIn,
    NoRoom,
    Draining,
    Error,
)


def id_of_token(token: str) -> str:
    """The id that `token` proves the ownership of; ValueError for what is no token."""
    return encode_base64url(hashlib.sha256(decode_base64url(token, TOKEN_BYTES)).digest()[:ID_BYTES])


def encode(message: AnyMessage) -> str:
    """The JSON text of a message."""
    said: dict[str, Any] = {"type": _TYPES[type(message)]}
    for item in dataclasses.fields(message):
        value = getattr(message, item.name)
        if item.default is not dataclasses.MISSING and value == item.default:
            continue
        said[item.name] = value.value if isinstance(value, Enum) else value
    return json.dumps(said, separators=(",", ":"))


def decode_from_client(text: str) -> ClientMessage:
    """What an owner or a viewer says; raises ProtocolError."""
    message: ClientMessage = _decode(text, _FROM_CLIENT)
    return message


def decode_to_owner(text: str) -> ToOwner:
    """What the server says to an owner; raises ProtocolError."""
    message: ToOwner = _decode(text, _TO_OWNER)
    return message


def decode_to_viewer(text: str) -> ToViewer:
    """What the server says to a viewer; raises ProtocolError."""
    message: ToViewer = _decode(text, _TO_VIEWER)
    return message


def _decode(text: str, classes: tuple[type, ...]) -> Any:
    if len(text) > MAX_MESSAGE:
        raise ProtocolError(ErrorCode.MALFORMED, "the message is too long")
    try:
        given = fields.read_object(text)
    except ValueError as error:
        raise ProtocolError(ErrorCode.MALFORMED, f"the message is not {error}") from error
    kind = given.pop("type", None)
    named = [cls for cls in classes if _TYPES[cls] == kind] if isinstance(kind, str) else []
    if not named:
        raise ProtocolError(ErrorCode.UNKNOWN_TYPE, "the message's type is not one of this protocol")
    for cls in named:
        names = {item.name for item in dataclasses.fields(cls)}
        required = {item.name for item in dataclasses.fields(cls) if item.default is dataclasses.MISSING}
        if required <= given.keys() <= names:
            return cls(**{name: _check(name, value) for name, value in given.items()})
    raise ProtocolError(ErrorCode.MALFORMED, "the message's fields are not those of its type")


def _check(name: str, value: object) -> object:
    """`value` where it is what a field called `name` may hold; raises ProtocolError."""
    try:
        return _CHECKS[name](value)
    except (ValueError, TypeError) as error:
        raise ProtocolError(ErrorCode.MALFORMED, f"the field {name} is not what it must be") from error


_CHECKS: dict[str, Callable[[Any], object]] = {
    "token": fields.binary(TOKEN_BYTES),
    "id": fields.binary(ID_BYTES),
    "viewer": fields.text(MAX_VIEWER_CHARS),
    "sdp": fields.text(MAX_SDP),
    "offer": fields.text(MAX_SDP),
    "candidate": fields.line_or_nothing(MAX_CANDIDATE),
    "stun": fields.stun_urls(MAX_STUN_URLS),
    "reason": EndedReason,
    "code": ErrorCode,
    "detail": fields.text(256),
}
