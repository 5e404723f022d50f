"""Which addresses of a viewer the owner's machine may send to (pure).

A viewer, or a signalling server that makes one up, can name any address as a
candidate, and an ICE agent sends a check to every one of them (RFC 8445,
section 19.5.1). So only what a browser can really own is taken: unicast
addresses that are neither this machine's loopback nor link-local, where cloud
metadata services live. A viewer on the same machine is learnt from its own
authenticated check instead.
"""

from __future__ import annotations

import ipaddress
import re

from aioice import Candidate

MAX_CANDIDATE_CHARS = 512
_HOSTNAME = re.compile(r"[0-9A-Za-z-]{1,63}\.local")
_FOUNDATION = re.compile(r"[0-9A-Za-z+/]{1,32}")
_TYPES = frozenset({"host", "srflx", "relay"})
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "fd00:ec2::254")))
"""Where clouds whose metadata service is not link-local keep it."""


def parse_candidate(line: str) -> Candidate | None:
    """The UDP candidate in `line` (RFC 8839, section 5.1), or None where it is not one that can be used.

    `line` may begin with ``a=candidate:``, ``candidate:`` or neither.
    """
    text = line.strip().removeprefix("a=").removeprefix("candidate:")
    if len(text) > MAX_CANDIDATE_CHARS or not text.isascii():
        return None
    try:
        candidate = Candidate.from_sdp(text)
    except ValueError:
        return None
    well_formed = (
        candidate.component == 1
        and candidate.transport.lower() == "udp"
        and candidate.type in _TYPES
        and 0 < candidate.port < 65536
        and 0 < candidate.priority < 2**31
        and _FOUNDATION.fullmatch(candidate.foundation) is not None
    )
    return candidate if well_formed and (is_hidden(candidate) or may_reach(candidate.host)) else None


def is_hidden(candidate: Candidate) -> bool:
    """Whether the browser hides the address behind an mDNS name."""
    return _HOSTNAME.fullmatch(candidate.host) is not None


def may_reach(host: str) -> bool:
    """Whether `host` is an address that a signalled candidate may name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = inner or address
    return address not in _METADATA and not (
        address.is_multicast
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_reserved
        or address == ipaddress.IPv4Address("255.255.255.255")
    )


def format_candidate(candidate: Candidate) -> str:
    """``candidate:…`` as RTCIceCandidate.candidate holds it."""
    return f"candidate:{candidate.to_sdp()}"
