"""Messages as bytes, and how they stand in the pipes between the app and the engine's process; pure."""

from __future__ import annotations

from typing import Any

import msgspec

from seedshot_desktop.seed.messages.commands import Command
from seedshot_desktop.seed.messages.events import Event

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
