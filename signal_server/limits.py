"""What the server takes before it says no: every limit, with its unit and why it stands where it stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
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
    owner_send_buffer: int = 1024 * 1024
    """The same of an owner's: `knocking_per_owner` offers of the largest size do not cut it."""
    read_queue: int = 4
    """Frames of one socket that are read ahead of their handling."""
    owner_messages: Rate = Rate(per_s=256, burst=1024)
    """Registers 256 shares and answers their viewers in one go after a reconnection."""
    viewer_messages: Rate = Rate(per_s=16, burst=128)
    """An offer and the candidates of a machine with many interfaces."""
    control_frames: Rate = Rate(per_s=16, burst=256)
    """Pings, pongs and fragments of one socket, and all that comes once it is being closed; more cuts it."""
    frames: Rate = Rate(per_s=512, burst=2048)
    """WebSocket frames of any kind of one socket: twice what an owner may say; more cuts it."""
    replies_per_view: int = 32
    """What an owner may say beyond `owner_messages` for each offer passed on to it: strangers make it speak."""
    views: Rate = Rate(per_s=0.5, burst=8)
    """Offers of one viewer: each costs the owner some milliseconds."""
    views_per_address: Rate = Rate(per_s=4, burst=128)
    """Offers for one share from one address that are passed on, whatever socket they come from; others wait. An
    office of 50 behind one address may open a link at once and reload it."""
    remembered_addresses: int = 20_000
    """Addresses, by share, whose `views_per_address` are not all back; the longest unseen are forgotten first."""
    knocking_per_owner: int = 64
    """Viewers in all whom an owner has not let in yet; beyond it, who has many gives way to who has few. It is what
    an owner takes for one share, so that the choice is made here, where addresses are known."""
    knocking_per_address: int = 32
    """The same from one address: the others of a large office follow as these are let in, within a second or so."""
    knock_s: float = 30.0
    """An owner has let a viewer in or ended its visit by then (20 s); if not, it has forgotten it."""
    candidates_per_view: int = 80
    """Candidates of a viewer that are passed on with one offer; a page sends 64 at most."""
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
    """For so long latecomers hear `revoked`, `expired` or `stopped`; then `unknown`."""
    tombstones: int = 50_000
    """How many are kept; the oldest are dropped first."""
    room_retry_s: float = 5.0
    """How often one viewer who waits for room is asked to try again, should no place fall free."""
    stun_per_address: Rate = Rate(per_s=32, burst=512)
    """STUN answers to one address (an IPv6 /64 counts as one). An office asks once for each visit and network card; who
    asks in somebody else's name sends it no more than 2 kB a second."""
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


class Buckets:
    """A bucket for each key that was in use lately: a full one is as good as none, so memory follows the rate."""

    def __init__(self, rate: Rate, most: int) -> None:
        self._rate = rate
        self._most = most
        self._used: OrderedDict[Hashable, tuple[Bucket, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def take(self, key: Hashable, now: float) -> bool:
        """One token of the bucket called `key`, if it has one."""
        self.forget_full(now)
        bucket = self._used.pop(key)[0] if key in self._used else Bucket(self._rate, now)
        self._used[key] = bucket, now
        if len(self._used) > self._most:
            self._used.popitem(last=False)
        return bucket.take(now)

    def forget_full(self, now: float) -> None:
        """Buckets stand in the order of their last use, so only the first ones need a look."""
        refilled = self._rate.burst / self._rate.per_s
        while self._used and now - next(iter(self._used.values()))[1] >= refilled:
            self._used.popitem(last=False)
