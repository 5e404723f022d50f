"""Who may connect, and under which name: sockets an address, own host names, the page's own origin. Pure.

Nothing here touches the network or keeps more than a counter for each address
that is connected right now.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from signal_server.limits import Limits

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Gate:
    """Counts connections, half-open ones apart from WebSockets, in all and by address.

    A connection is `enter`ed when it is accepted, `upgrade`d when its request
    asks for a WebSocket, and `leave`s once, from whichever state it is in.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._half_open: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()
        self.half_open = 0
        self.sockets = 0

    def enter(self, key: str) -> bool:
        """May a connection from `key` (see `quota_key`) begin its handshake? It is counted if so."""
        if self.half_open >= self._limits.half_open or self._half_open[key] >= self._limits.half_open_per_address:
            _discard_zero(self._half_open, key)
            return False
        self._half_open[key] += 1
        self.half_open += 1
        return True

    def upgrade(self, key: str, client: str) -> bool:
        """May it become a WebSocket of `client` (the same key, or the one a trusted proxy names)?"""
        if self.sockets >= self._limits.sockets or self._sockets[client] >= self._limits.sockets_per_address:
            _discard_zero(self._sockets, client)
            return False
        self.leave_half_open(key)
        self._sockets[client] += 1
        self.sockets += 1
        return True

    def leave_half_open(self, key: str) -> None:
        """It ended before it became a WebSocket."""
        self._half_open[key] -= 1
        self.half_open -= 1
        _discard_zero(self._half_open, key)

    def leave(self, client: str) -> None:
        """The WebSocket ended."""
        self._sockets[client] -= 1
        self.sockets -= 1
        _discard_zero(self._sockets, client)

    @property
    def addresses(self) -> int:
        """How many addresses are remembered; 0 once everyone has left."""
        return len(self._half_open.keys() | self._sockets.keys())


def _discard_zero(counter: Counter[str], key: str) -> None:
    if counter[key] == 0:
        del counter[key]


def parse_address(text: str) -> Address | None:
    """An address as sockets and headers write it; IPv4 inside IPv6 counts as IPv4, a zone is dropped."""
    try:
        address = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def quota_key(address: Address | None) -> str:
    """What shares one quota: an IPv4 address, or an IPv6 /64, which is what one customer gets."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)


def client_address(peer: Address | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """The client behind the proxies in `trusted`: the last hop in X-Forwarded-For that is not one of them.

    Hops are read from the right, as each was appended by a proxy that is
    trusted; what stands further left is the client's own claim and is not read.
    With no trusted proxy the header means nothing, whatever it says.
    """
    hops = [hop for line in forwarded_for for hop in line.split(",")]
    address = peer
    while hops and address is not None and any(address in network for network in trusted):
        hop = parse_address(hops.pop())
        if hop is None:
            break
        address = hop
    return address


def host_name(host: str) -> str | None:
    """The name in a Host header, lower case and without its port; None when it is no host."""
    try:
        parts = urlsplit(f"//{host}")
        name, _port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.netloc != host or "@" in host or any(mark in host for mark in "/?#\\ \t"):
        return None
    return name.rstrip(".")


def is_own_host(host: str, local: Address | None, allowed: frozenset[str] | None) -> bool:
    """Is `host` (a Host header) a name of this server?

    Its own names are those in `allowed` (None: any name), the address that the
    connection came in on, and ``localhost`` on the loopback. A page that rebinds
    its own domain to this address cannot name any of them (DNS rebinding).
    """
    name = host_name(host)
    if name is None:
        return False
    if allowed is None or name in allowed:
        return True
    if local is None:
        return False
    return parse_address(name) == local or (local.is_loopback and name == "localhost")


def is_plain_address(host: str) -> bool:
    """Is `host` (a Host header) an address outside this computer? Over http, browsers do not trust such an origin."""
    address = parse_address(host_name(host) or "")
    return address is not None and not address.is_loopback


def is_own_origin(origin: str, host: str) -> bool:
    """Is `origin` (an Origin header) the origin of the page that `host` (a Host header) serves?

    The scheme may be either: behind a proxy that ends TLS the server cannot know it.
    """
    try:
        parts = urlsplit(origin)
        here = urlsplit(f"//{host}")
        default = _DEFAULT_PORTS[parts.scheme]
        same_port = (parts.port or default) == (here.port or default)
    except (KeyError, ValueError):
        return False
    bare = origin == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    return bare and same_port and parts.hostname is not None and parts.hostname == here.hostname
