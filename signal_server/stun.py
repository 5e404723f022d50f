"""STUN Binding requests and their answers (RFC 8489): from which address and port did this come? Pure.

It is a basic server (section 12), over UDP, and nothing else of STUN: no
authentication, no ICE, no errors. Whatever is not such a question gets no
answer at all. The RFC would tell who sends an attribute that must be understood
and is not (420, section 6.3.1); no client of ours does, and what answers
strangers as little as possible is of the least use to them.
"""

from __future__ import annotations

import binascii
import ipaddress
import struct

MAX_QUESTION = 548
"""Bytes: what fits into 576 with its headers (section 6.1). Browsers send 20 to 60."""
MOST_ADDED = 24
"""Bytes that an answer is longer than its question, at most."""

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_REQUEST, _RESPONSE = 0x0001, 0x0101
"""Of the method Binding (section 5); both begin with the two zero bits."""
_COOKIE = 0x2112A442
_XOR_MAPPED_ADDRESS, _FINGERPRINT = 0x0020, 0x8028
_OPTIONAL = 0x8000
"""Attributes from here on need not be understood (section 14)."""
_FINGERPRINT_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E


def answer(question: bytes, host: str, port: int) -> bytes | None:
    """The answer to a datagram that came from `host` (as sockets write it) and `port`; None: it gets none.

    IPv4 inside IPv6 counts as IPv4. Who sends a FINGERPRINT gets one (section 7).
    """
    if not _HEADER.size <= len(question) <= MAX_QUESTION or not 0 < port < 65536:
        return None
    kind, length, cookie, transaction = _HEADER.unpack_from(question)
    if (kind, cookie, length) != (_REQUEST, _COOKIE, len(question) - _HEADER.size) or length % 4:
        return None
    types = _attribute_types(question)
    if types is None or any(attribute < _OPTIONAL for attribute in types):
        return None
    has_fingerprint = _FINGERPRINT in types
    if has_fingerprint and not _is_fingerprint_right(question, types):
        return None
    mapped = _xor_mapped_address(host, port, transaction)
    return mapped and _response(transaction, mapped, has_fingerprint)


def _attribute_types(question: bytes) -> list[int] | None:
    """In order; None where a length leads beyond the end (section 14)."""
    types = []
    at = _HEADER.size
    while at < len(question):
        attribute, length = _ATTRIBUTE.unpack_from(question, at)
        at += _ATTRIBUTE.size + (length + 3) // 4 * 4
        types.append(attribute)
    return types if at == len(question) else None


def _is_fingerprint_right(question: bytes, types: list[int]) -> bool:
    """It is the last attribute, and a CRC-32 of all that stands before it (section 14.7)."""
    body, last = question[:-_FINGERPRINT_BYTES], question[-_FINGERPRINT_BYTES:]
    return types.index(_FINGERPRINT) == len(types) - 1 and last == _fingerprint(body)


def _fingerprint(message: bytes) -> bytes:
    """For a message whose header counts it already."""
    return struct.pack("!HHI", _FINGERPRINT, 4, binascii.crc32(message) ^ _FINGERPRINT_XOR)


def _xor_mapped_address(host: str, port: int, transaction: bytes) -> bytes | None:
    """The attribute (section 14.2), or None for what is no address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    address = getattr(address, "ipv4_mapped", None) or address
    family, size = (0x01, 4) if address.version == 4 else (0x02, 16)
    mask = (_COOKIE.to_bytes(4, "big") + transaction)[:size]
    hidden = bytes(one ^ other for one, other in zip(address.packed, mask, strict=True))
    return struct.pack("!HHBBH", _XOR_MAPPED_ADDRESS, 4 + size, 0, family, port ^ _COOKIE >> 16) + hidden


def _response(transaction: bytes, attributes: bytes, with_fingerprint: bool) -> bytes:
    length = len(attributes) + _FINGERPRINT_BYTES * with_fingerprint
    message = _HEADER.pack(_RESPONSE, length, _COOKIE, transaction) + attributes
    return message + _fingerprint(message) if with_fingerprint else message
