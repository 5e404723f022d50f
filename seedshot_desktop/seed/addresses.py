"""Under which address other computers reach this one, and its clock. Nothing here sends a packet."""

from __future__ import annotations

import socket
import time

_PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Documentation addresses (RFC 5737, RFC 3849): connecting a UDP socket to them only asks the routing table."""
_EVERY = {"", "0.0.0.0", "::", "[::]"}  # noqa: S104 - compared with, not bound to
LOOPBACK = "127.0.0.1"
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""Counts sleep: BOOTTIME on Linux, MONOTONIC on macOS; Windows' monotonic clock does so by itself."""


def clock() -> float:
    """Seconds that go on while the machine sleeps, so that a share expires when it was said to."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def default_route_address() -> str | None:
    """This computer's address on its default route, IPv4 first; None without a network."""
    for family, probe in _PROBES:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((probe, 9))
                return str(sock.getsockname()[0])
        except OSError:
            continue
    return None


def is_every(listen_host: str) -> bool:
    """Whether `listen_host` means every address of this computer."""
    return listen_host in _EVERY


def base_url_of(host: str, port: int) -> str:
    """``http://host:port``, with brackets where IPv6 needs them."""
    bare = host.strip("[]")
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"
