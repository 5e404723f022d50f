"""Heartbeats that are as long as data is, and what comes back of them (pure)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEARTBEAT = struct.Struct("!BBHHH8s")
_CHUNK = struct.Struct("!BBH")
_INFO = struct.Struct("!HH8s")
_INFO_TYPE = 1
_PAD_TYPE = 0x84


def heartbeat(nonce: bytes, payload: int) -> bytes:
    """HEARTBEAT and PAD that together are as long as a DATA chunk of `payload` bytes."""
    beat = _HEARTBEAT.pack(4, 0, _HEARTBEAT.size, _INFO_TYPE, _INFO.size, nonce)
    return beat + _CHUNK.pack(_PAD_TYPE, 0, payload).ljust(payload, b"\0")


def nonce_of(body: bytes) -> bytes:
    """The nonce in the body of a HEARTBEAT ACK; empty where it holds nothing of ours."""
    if len(body) < _INFO.size:
        return b""
    kind, length, nonce = _INFO.unpack_from(body)
    return nonce if (kind, length) == (_INFO_TYPE, _INFO.size) else b""


@dataclass(frozen=True, slots=True)
class Probe:
    """One heartbeat to be sent."""

    chunks: bytes
    """What follows the common header."""
    payload: int
    """Data of so many bytes in a chunk is as large."""
    whole: bool
    """It must arrive in one piece or not at all; else it goes the way data goes."""
