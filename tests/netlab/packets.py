"""What a router does with an IPv4 packet that is larger than its next link carries (pure)."""

from __future__ import annotations

import struct

HEADER = 20
"""Nobody here sends options."""
_ICMP = 1
_MORE = 0x2000
_DO_NOT = 0x4000


def may_be_fragmented(packet: bytes) -> bool:
    """An IPv4 packet without DF."""
    return packet[0] >> 4 == 4 and not int.from_bytes(packet[6:8], "big") & _DO_NOT


def fragments(packet: bytes, mtu: int) -> list[bytes]:
    """`packet` in parts of at most `mtu` bytes (RFC 791, section 3.2)."""
    step = (mtu - HEADER) & ~7
    at_first = int.from_bytes(packet[6:8], "big")
    body = packet[HEADER:]
    parts = []
    for at in range(0, len(body), step):
        more = _MORE if at + step < len(body) else at_first & _MORE
        part = body[at : at + step]
        offset = (at_first & 0x1FFF) + at // 8
        parts.append(_with_header(packet, more | offset, part))
    return parts


def _with_header(packet: bytes, flags: int, body: bytes) -> bytes:
    head = packet[:2] + struct.pack("!H", HEADER + len(body)) + packet[4:6] + struct.pack("!H", flags)
    head += packet[8:10] + b"\0\0" + packet[12:HEADER]
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + body


def too_big(packet: bytes, mtu: int) -> bytes:
    """What the sender of an IPv4 packet is told: fragmentation needed, and DF set (RFC 1191, section 4)."""
    quoted = packet[: HEADER + 8]
    message = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quoted
    message = message[:2] + struct.pack("!H", _checksum(message)) + message[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, HEADER + len(message), 0, 0, 64, _ICMP, 0) + packet[16:20] + packet[12:16]
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + message


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
