"""Strict JSON and what may stand in its fields: for the messages of protocol.py. Pure, standard library only.

A check takes what JSON held and returns what the message holds; it raises
ValueError for anything else, and what it raises never repeats what was sent.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any


def read_object(text: str) -> dict[str, Any]:
    """The object that `text` is; ValueError with what it is not: "JSON" or "a JSON object"."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise ValueError("JSON") from error
    if not isinstance(found, dict):
        raise ValueError("a JSON object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Parsers differ in which of two equal names they take, so neither is taken."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice")
    return fields


def text(limit: int) -> Callable[[object], str]:
    """A check for text of 1 to `limit` characters."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise ValueError
        value.encode()  # a lone surrogate cannot be sent on: UnicodeEncodeError is a ValueError
        return value

    return check


def binary(size: int) -> Callable[[object], str]:
    """A check for base64url of exactly `size` bytes."""

    def check(value: object) -> str:
        if not isinstance(value, str) or len(value) > 2 * size:
            raise ValueError
        decode_base64url(value, size)
        return value

    return check


def line_or_nothing(limit: int) -> Callable[[object], str | None]:
    """A check for one line of at most `limit` characters, which may be empty, or null."""

    def check(value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > limit or any(mark in value for mark in "\r\n\0"):
            raise ValueError
        value.encode()
        return value

    return check


_STUN_URL = re.compile(
    r"stun:(?:\*|[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?|\[([0-9A-Fa-f:.]{2,45})\])(?::([1-9][0-9]{0,4}))?"
)
_MAX_STUN_URL = len("stun::65535") + 253
"""Characters: with the longest name that DNS has."""


def stun_url(value: object) -> str:
    """A check for the URL of a STUN server over UDP (RFC 7064); ``*`` is the host at which the server was asked."""
    found = _STUN_URL.fullmatch(value) if isinstance(value, str) and len(value) <= _MAX_STUN_URL else None
    if found is None or int(found[2] or 0) > 65535:
        raise ValueError
    if found[1] is not None:
        ipaddress.IPv6Address(found[1])
    return found[0]


def stun_urls(most: int) -> Callable[[object], tuple[str, ...]]:
    """A check for a list of 1 to `most` of them."""

    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise ValueError
        return tuple(map(stun_url, value))

    return check


def encode_base64url(data: bytes) -> str:
    """Unpadded base64url (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str, size: int) -> bytes:
    """Exactly `size` bytes in their one canonical form; ValueError otherwise."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
    if len(data) != size or encode_base64url(data) != text:
        raise ValueError("not canonical base64url of the right size")
    return data
