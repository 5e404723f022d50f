"""Messages that wait to be sent, and the DATA chunks they are cut into (pure)."""

from __future__ import annotations

import struct
from collections import deque

from seedshot_desktop.seed.transport.inbound import FIRST, LAST, TSN_MODULO

IMMEDIATE = 0x08
"""The I bit: acknowledge without delay (RFC 7053)."""
CHUNK_HEADER = 16
_HEADER = struct.Struct("!BBHLHHL")
_PADDING = (b"", bytes(1), bytes(2), bytes(3))


def immediate(chunk: bytes) -> bytes:
    """The same DATA chunk, asking to be acknowledged without delay."""
    return bytes((chunk[0], chunk[1] | IMMEDIATE)) + chunk[2:]


class Message:
    """One message, and how far it has been cut."""

    __slots__ = ("at", "data", "end", "protocol", "sequence", "stream")

    def __init__(self, stream: int, protocol: int, data: bytes) -> None:
        self.stream = stream
        self.protocol = protocol
        self.data = data
        self.sequence = 0
        self.at = 0
        """How far it has been cut."""
        self.end = len(data)

    @property
    def left(self) -> int:
        """Bytes that have not been cut off yet."""
        return self.end - self.at


class Outbox:
    """Two queues, of which the urgent one goes first; a message that has begun is finished before another."""

    def __init__(self) -> None:
        self._urgent: deque[Message] = deque()
        self._waiting: deque[Message] = deque()
        self._current: Message | None = None
        self._sequences: dict[int, int] = {}
        self._frozen = False
        self.buffered = 0
        """Bytes of messages that are not urgent and have not been cut yet."""

    def write(self, stream: int, protocol: int, data: bytes, *, urgent: bool) -> None:
        """Queue a message; once frozen, only urgent ones."""
        if urgent:
            self._urgent.append(Message(stream, protocol, data))
        elif not self._frozen:
            self._waiting.append(Message(stream, protocol, data))
            self.buffered += len(data)

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._urgent or self._waiting or self._current)

    @property
    def urgent(self) -> int:
        """Urgent messages that have not begun."""
        return len(self._urgent)

    def head(self) -> Message | None:
        """The message that the next chunk will be of."""
        if self._current is not None:
            return self._current
        queue = self._urgent or self._waiting
        return queue[0] if queue else None

    def cut(self, tsn: int, size: int) -> bytes:
        """A chunk of `size` bytes off the head (RFC 9260, section 3.3.1), padded to four bytes."""
        message = self._current or self._begin()
        at = message.at
        message.at = end = at + size
        flags = FIRST if at == 0 else 0
        if end == message.end:
            self._current = None
            flags |= LAST | (0 if self._urgent or self._waiting else IMMEDIATE)
        if message.stream:
            self.buffered -= size
        header = _HEADER.pack(
            0, flags, CHUNK_HEADER + size, tsn % TSN_MODULO, message.stream, message.sequence, message.protocol
        )
        chunk = header + message.data[at:end]
        return chunk + _PADDING[-size & 3] if size & 3 else chunk

    def discard(self) -> None:
        """Forget what is not urgent and has not begun."""
        self._waiting.clear()
        self.buffered = self._current.left if self._current is not None and self._current.stream else 0

    def freeze(self, stream: int) -> None:
        """Forget all that is not urgent, and what is left of a message of `stream` that has begun."""
        self._frozen = True
        self._waiting.clear()
        self.buffered = 0
        if self._current is not None and self._current.stream == stream:
            self._current = None

    def _begin(self) -> Message:
        self._current = message = (self._urgent or self._waiting).popleft()
        message.sequence = self._sequences.get(message.stream, 0)
        self._sequences[message.stream] = (message.sequence + 1) & 0xFFFF
        return message
