"""What is said before the association is established; it leaves with the COOKIE ECHO, as far as that goes (pure)."""

from __future__ import annotations

import struct

from seedshot_desktop.seed.transport.outbox import CHUNK_HEADER
from seedshot_desktop.seed.transport.sender import Sender

ECHO_PACKET = 1188
"""Bytes of the packet that carries COOKIE ECHO, and data with it as far as it goes: what every path carries."""
COMMON_HEADER = 12
LEAST_WITH_ECHO = 64
"""User bytes that are worth to be a chunk of that packet."""
_STREAM_AT = 8
"""Where a DATA chunk names its stream (RFC 9260, section 3.3.1)."""
_STREAM = struct.Struct("!H")


class Early:
    """Messages until there is a sender, and the chunks that went with the COOKIE ECHO."""

    def __init__(self) -> None:
        self._messages: list[tuple[int, int, bytes]] = []
        self._chunks: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, stream: int, protocol: int, message: bytes) -> None:
        """Keep a message until there is somebody to send it to."""
        self._messages.append((stream, protocol, message))

    def bytes_of(self, stream: int) -> int:
        """Bytes of that stream's messages that wait."""
        return sum(len(message) for its, _, message in self._messages if its == stream)

    def forget(self, stream: int | None = None) -> None:
        """Forget what waits: nothing of it has left. Of one stream, or of all."""
        self._messages = [message for message in self._messages if stream not in {None, message[0]}]

    def freeze(self, stream: int) -> None:
        """Nothing of that stream goes with a COOKIE ECHO that is sent again."""
        self.forget(stream)
        if self._chunks is not None:
            self._chunks = [chunk for chunk in self._chunks if _STREAM.unpack_from(chunk, _STREAM_AT)[0] != stream]

    def hand_over(self, sender: Sender, urgent: int) -> None:
        """Give everything that waits to `sender`; messages of stream `urgent` go first."""
        for stream, protocol, message in self._messages:
            sender.write(stream, protocol, message, urgent=stream == urgent)
        self._messages.clear()

    def ride(self, echo: bytes, sender: Sender, now: float) -> bytes:
        """The COOKIE ECHO chunk `echo` with data behind it.

        No other packet may be sent until it is answered (RFC 9260, section 5.1, C). Sent once more, it is the same
        again, but for what must not be sent any more.
        """
        if self._chunks is None:
            self._chunks = _fill(sender, ECHO_PACKET - COMMON_HEADER - len(echo), now)
        else:
            sender.repeated(now)
        return echo + b"".join(self._chunks)


def _fill(sender: Sender, room: int, now: float) -> list[bytes]:
    """The first chunks, as far as there is room for them."""
    payload = sender.payload
    chunks: list[bytes] = []
    while room - CHUNK_HEADER >= LEAST_WITH_ECHO:
        sender.payload = min(payload, room - CHUNK_HEADER)
        if (chunk := sender.poll(now)) is None:
            break
        chunks.append(chunk)
        room -= len(chunk)
    sender.payload = payload
    return chunks
