"""The transfer protocol inside a viewer's two data channels, without any I/O.

Control channel, JSON text, at most 16 KiB a message::

    viewer -> owner   hello {version, browser, system}              first, once
                      get   {request, file, offset}                 supersedes the get before it; from 1 on
                      ack   {request, held}                         every byte of that file below `held` is held
                      stop  {request}                               no more of this request for now
                      pong  {}                                      the page is alive
                      bye   {}                                      the page is closing
    owner -> viewer   waiting  {}                                   admitted, the files are being prepared
                      manifest {files: [{name, size, media_type, version}], begun?}
                      failed   {file, reason}                       that file cannot be served any more
                      ping     {}                                   are you there? answer pong
                      ended    {reason}                             the last message

Who is here knows the secret: the connection comes about with nobody else (see
``transport.sdp.answer_password``). So the owner speaks first, and a round trip is
saved where it begins what every page shows by itself: with ``begun``, file 0, which is
the only one and a picture, is on its way from its beginning, as request 0. A page that
wants something else, as the rest of what it holds, asks for that. It holds nothing of a
file whose version is another than it was: the bytes are others. The channels keep no
common order, so data may come before the manifest: at most WINDOW bytes, as nothing is
acknowledged until then.

Data channel, owner -> viewer: request (u32) | offset (u64) | payload, big-endian,
at most 64 KiB in all; payloads of one request are contiguous from its offset.

What a viewer says is never trusted: a message that breaks the protocol raises
``Violation``, whose one answer is ``ended {refused}``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

VERSION = 1
MAX_CONTROL = 16 * 1024
"""Bytes of one control message, encoded."""
MAX_MESSAGE = 64 * 1024
"""Bytes of one data message, header included: what every browser takes in one piece."""
WINDOW = 8 * 1024 * 1024
"""Payload bytes sent beyond the last acknowledgement, at most."""
PICTURES = frozenset(f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp"))
"""Media types of what a page shows at once, where it is all there is."""
MAX_PICTURE = 128 * 1024 * 1024
"""Bytes of such a picture, at most."""

_HEADER = struct.Struct(">IQ")
HEADER = _HEADER.size
"""Bytes before the payload of a data message."""
MAX_PAYLOAD = MAX_MESSAGE - HEADER

U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
MAX_OFFSET = 2**53 - 1
"""What a JavaScript number holds exactly."""
U53 = Annotated[int, msgspec.Meta(ge=0, le=MAX_OFFSET)]
ShortText = Annotated[str, msgspec.Meta(max_length=64)]
Version = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,16}\Z")]
"""Opaque to a viewer; the alphabet is that of base64url."""


class Violation(Exception):
    """The viewer broke the protocol."""


# Viewer to owner


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello", forbid_unknown_fields=True):
    """Who is looking; the first message, and only once."""

    version: Literal[1]
    browser: ShortText
    system: ShortText


class Get(msgspec.Struct, frozen=True, tag_field="type", tag="get", forbid_unknown_fields=True):
    """Send file number `file` from `offset` on, instead of whatever was asked for before."""

    request: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)]
    file: U32
    offset: U53


class Ack(msgspec.Struct, frozen=True, tag_field="type", tag="ack", forbid_unknown_fields=True):
    """Every byte of that request's file below `held` is held."""

    request: U32
    held: U53


class StopSending(msgspec.Struct, frozen=True, tag_field="type", tag="stop", forbid_unknown_fields=True):
    """No more of this request for now."""

    request: U32


class Pong(msgspec.Struct, frozen=True, tag_field="type", tag="pong", forbid_unknown_fields=True):
    """The page is alive."""


class Bye(msgspec.Struct, frozen=True, tag_field="type", tag="bye", forbid_unknown_fields=True):
    """The page is closing."""


FromViewer = Hello | Get | Ack | StopSending | Pong | Bye


# Owner to viewer


class FileEntry(msgspec.Struct, frozen=True):
    """One file as the viewer is told of it."""

    name: str
    size: U53
    media_type: str
    version: Version
    """The same as long as the bytes are, also over the engine's death: only then may what is held be completed."""


class Waiting(msgspec.Struct, frozen=True, tag_field="type", tag="waiting"):
    """Admitted; the manifest follows when the files are ready."""


class Manifest(msgspec.Struct, frozen=True, tag_field="type", tag="manifest", omit_defaults=True):
    """All that is shared, by number."""

    files: tuple[FileEntry, ...]
    begun: bool = False
    """File 0 is on its way already, from its beginning, as request 0."""

    @property
    def is_lone_picture(self) -> bool:
        """One file, which every page shows without being asked to."""
        if len(self.files) != 1:
            return False
        only = self.files[0]
        return only.media_type in PICTURES and only.size <= MAX_PICTURE


FailReason = Literal["vanished", "changed", "unreadable"]


class Failed(msgspec.Struct, frozen=True, tag_field="type", tag="failed"):
    """That file cannot be served any more."""

    file: U32
    reason: FailReason


class Ping(msgspec.Struct, frozen=True, tag_field="type", tag="ping"):
    """Are you there? Asked when the signalling server says that the page has gone."""


EndedWord = Literal["revoked", "expired", "dismissed", "refused", "full", "stalled"] | FailReason
"""A reason why files fail: none of them can be served any more, and the owner has ended the share."""


class Ended(msgspec.Struct, frozen=True, tag_field="type", tag="ended"):
    """The last message; the connection closes after it."""

    reason: EndedWord


FromOwner = Waiting | Manifest | Failed | Ping | Ended

_encoder = msgspec.json.Encoder()
_viewer_decoder: msgspec.json.Decoder[FromViewer] = msgspec.json.Decoder(FromViewer)
_owner_decoder: msgspec.json.Decoder[FromOwner] = msgspec.json.Decoder(FromOwner)


def encode(message: FromViewer | FromOwner) -> str:
    """The JSON text of a control message."""
    return _encoder.encode(message).decode()


def decode_from_viewer(text: str) -> FromViewer:
    """What a viewer says; raises Violation for anything that is not exactly a message of the protocol."""
    if len(text) > MAX_CONTROL:
        raise Violation("too long")
    try:
        return _viewer_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Violation("not a message of this protocol") from error


def decode_from_owner(text: str) -> FromOwner:
    """What an owner says; unknown fields are passed over, so that an old viewer reads a new owner."""
    try:
        return _owner_decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Violation("not a message of this protocol") from error


def pack(request: int, offset: int, payload: bytes | memoryview) -> bytes:
    """One data message."""
    return b"".join((_HEADER.pack(request, offset), payload))


def unpack(message: bytes) -> tuple[int, int, memoryview]:
    """(request, offset, payload) of a data message; raises Violation for what no owner sends."""
    if not HEADER <= len(message) <= MAX_MESSAGE:
        raise Violation("not a data message")
    request, offset = _HEADER.unpack_from(message)
    if offset > MAX_OFFSET:
        raise Violation("an offset that no browser can count to")
    return request, offset, memoryview(message)[HEADER:]


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes that are to be sent next."""

    request: int
    file: int
    offset: int
    length: int


class Sender:
    """The owner's half of one viewer's transfer: what was asked for, sent and acknowledged.

    Ask ``next_read`` what to read, hand the bytes to ``frame``, send what it
    returns; tell it of every get, ack and stop.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = tuple(sizes)
        self._held = [0] * len(self._sizes)
        self._done = [False] * len(self._sizes)
        self._unservable: set[int] = set()
        self._request = -1
        self._file = 0
        self._sent = 0
        self._acked = 0
        self._sending = False
        self.delivered = 0
        """Bytes that were sent here and acknowledged: what was held before a resumed request does not count."""

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self._sizes)

    @property
    def held(self) -> int:
        """Bytes of all files that the viewer has acknowledged."""
        return sum(self._held)

    @property
    def complete(self) -> bool:
        """Every byte of every file is acknowledged."""
        return all(self._done)

    @property
    def outstanding(self) -> int:
        """Bytes sent for the current request and not acknowledged."""
        return self._sent - self._acked if self._sending else 0

    @property
    def wanted(self) -> int:
        """Bytes of the current request that are still to be sent."""
        return self._sizes[self._file] - self._sent if self._sending else 0

    def begin(self) -> None:
        """Serve file 0 from its beginning, before anyone has asked: request 0."""
        self._request = 0
        self._sending = 0 not in self._unservable

    def get(self, message: Get) -> None:
        """Serve this request from now on; raises Violation."""
        if message.request <= self._request:
            raise Violation("request numbers only grow")
        if message.file >= len(self._sizes) or message.offset > self._sizes[message.file]:
            raise Violation("no such place in the files")
        self._request = message.request
        self._file = message.file
        self._sent = self._acked = message.offset
        self._sending = message.file not in self._unservable

    def ack(self, message: Ack) -> None:
        """Note what the viewer holds; raises Violation for what it cannot hold.

        An acknowledgement of a superseded request is no fault, it may have been
        on its way, and says nothing that is still of use.
        """
        if message.request > self._request:
            raise Violation("that was never asked for")
        if message.request < self._request:
            return
        if not self._acked <= message.held <= self._sent:
            raise Violation("acknowledged what was not sent, or less than before")
        self.delivered += message.held - self._acked
        self._acked = message.held
        self._held[self._file] = max(self._held[self._file], message.held)
        if message.held == self._sizes[self._file]:
            self._done[self._file] = True

    def stop(self, message: StopSending) -> None:
        """Send no more of the current request; raises Violation."""
        if message.request > self._request:
            raise Violation("that was never asked for")
        if message.request == self._request:
            self._sending = False

    def fail(self, file: int) -> None:
        """That file cannot be read any more: nothing of it is sent from now on."""
        self._unservable.add(file)
        if file == self._file:
            self._sending = False

    def next_read(self, largest: int = MAX_PAYLOAD) -> Read | None:
        """What to send next, at most `largest` bytes; None while there is nothing, or the window is shut."""
        if not self._sending or self._request < 0:
            return None
        length = min(largest, self._sizes[self._file] - self._sent)
        if length <= 0 or self._sent - self._acked + length > WINDOW:
            return None
        return Read(self._request, self._file, self._sent, length)

    def frame(self, read: Read, payload: bytes | memoryview) -> bytes | None:
        """The data message for what `next_read` wanted; None when that is no longer what is wanted."""
        wanted = self._sending and read.request == self._request and read.offset == self._sent
        if not wanted or len(payload) != read.length:
            return None
        self._sent += read.length
        return pack(read.request, read.offset, payload)
