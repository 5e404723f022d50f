"""The URLs of STUN servers, read (pure)."""

from __future__ import annotations

import re

_STUN_URL = re.compile(r"stuns?:(?:\[(?P<address>[^\]]+)\]|(?P<name>[^\[\]:?]+))(?::(?P<port>[0-9]{1,5}))?(?:\?.*)?")


def stun_server(url: str) -> tuple[str, int]:
    """Host and port of ``stun:host[:port]`` (RFC 7064), an IPv6 address without its brackets; raises ValueError."""
    parts = _STUN_URL.fullmatch(url)
    if parts is None:
        raise ValueError("no URL of a STUN server")
    port = int(parts["port"] or (5349 if url.startswith("stuns:") else 3478))
    if not 0 < port < 65536:
        raise ValueError("no port")
    return parts["address"] or parts["name"], port
