"""What the server takes before it says no: every limit, with its unit and why it stands where it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket's shape: `burst` at once, then `per_s` a second."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one server instance. Durations are seconds, sizes bytes."""

    sockets: int = 10_000
    """WebSockets in all; about 15 KiB each when idle. Further ones are closed with 1013."""
    sockets_per_address: int = 256
    """WebSockets from one address (an IPv6 /64 counts as one): an office behind one address still fits."""
    half_open: int = 4_096
    """Connections in all that are not WebSockets (yet): in a handshake, or fetching a page."""
    half_open_per_address: int = 1_024
    """The same from one address. A browser that opens the page uses six or seven for a few seconds."""
    handshake_bytes: int = 16 * 1024
    """All requests of one connection with their headers; more ends it."""
    keep_alive_s: float = 2.0
    """How long a connection waits for the next request of a page; all in all it lasts `open_s` at most."""
    open_s: float = 10.0
    """From the connection to the end of its request; TLS has as long again before that."""
    close_s: float = 3.0
    """How long a closing handshake may take before the connection is cut."""
    first_message_s: float = 5.0
    """A socket that has said nothing valid by then is closed with 1001."""
    ping_s: float = 20.0
    """Between pings; a socket that does not answer one for as long again is closed."""
    send_buffer: int = 256 * 1024
    """Unsent bytes of one socket; a slower reader is cut, so that nobody waits for it."""
    read_queue: int = 4
    """Frames of one socket that are read ahead of their handling."""
    owner_messages: Rate = Rate(per_s=256, burst=1024)
    """Registers 256 shares and answers their viewers in one go after a reconnection."""
    viewer_messages: Rate = Rate(per_s=16, burst=128)
    """An offer and the candidates of a machine with many interfaces."""
    views: Rate = Rate(per_s=0.5, burst=8)
    """Offers of one viewer: each costs the owner some milliseconds."""
    faults: Rate = Rate(per_s=0.1, burst=8)
    """Messages that no honest client sends; beyond this the socket is closed with 1008."""
    shares: int = 100_000
    """Shares with an owner, in all."""
    shares_per_owner: int = 256
    """Shares on one owner's socket."""
    viewers_per_share: int = 256
    """Viewers of one share at once; more wait and are told `full`."""
    offline_s: float = 3_600.0
    """For so long a lost owner's share is `offline` to who asks; then it is `unknown`."""
    offline_shares: int = 50_000
    """How many such shares are remembered; the oldest are forgotten first."""
    tombstone_s: float = 24 * 3_600.0
    """For so long latecomers hear `revoked` or `expired`; then `unknown`."""
    tombstones: int = 50_000
    """How many are kept; the oldest are dropped first."""
    room_retry_s: float = 5.0
    """How often one viewer who waits for room is asked to try again, should no place fall free."""
    drain_s: float = 1.0
    """How long clients have to leave by themselves once they were told `draining`."""


class Bucket:
    """A token bucket; it starts full."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
