"""How large packets may be: the path's MTU, found by probing (DPLPMTUD, RFC 8899; pure, time as an argument).

Data begins at a size that every path carries. Once a transfer is long enough to profit, a probe is sent: a HEARTBEAT
with a nonce, padded by a PAD chunk (RFC 4820) to what a usual link carries, which nobody may fragment. Its answer is
short, so the way back does not matter, and only an answer makes data larger. A probe that is lost proves nothing, and
is no sign of congestion: it is counted by pacing and limits, and never in flight.

What could make this a black hole to fall into is a path that grows narrower later, where nobody says so: chunks that
have been cut cannot be cut again. So over IPv4 large data may be fragmented on its way, and a probe of its size, sent
now and then, tells when it would have to be. And everywhere, where large packets are lost and none arrives, pairs of
heartbeats are sent the way data is: one as large as data, and behind it one of the base size. When small ones have
been answered three times and no large one, large packets do not pass: new chunks are of the base size, and where what
was cut does not arrive in parts soon, the connection ends and says so; the next one begins small. Random loss hardly
ever gets as far as a pair, as a single large packet that arrives ends the suspicion, and it would have to take the
large one and spare the small one three times. An outage takes both.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

from seedshot_desktop.seed.transport.heartbeats import Probe, heartbeat, nonce_of
from seedshot_desktop.seed.transport.large_losses import BASE_PAYLOAD, Doubt
from seedshot_desktop.seed.transport.outbox import CHUNK_HEADER

HEADERS = 12 + 37 + 8
"""SCTP's common header, DTLS 1.2's record with AES-GCM, UDP."""
USUAL_MTUS = (1500, 1492, 1480, 1460, 1420, 1400, 1350)
"""Ethernet, PPPoE, IP in IP, clouds, WireGuard, other tunnels; less is hardly more than what we begin with."""
ROUNDS = 3
"""How often a size is probed before it counts as too large (MAX_PROBES)."""
PATIENCE_S = 1.0
"""The least time that an answer is waited for (PROBE_TIMER)."""
RAISE_S = 600.0
"""When to look whether the path has become wider (PMTU_RAISE_TIMER)."""
CONFIRM_S = 5.0
"""How often what was found is probed again: fragments on the way would go unnoticed."""
CONFIRMING_CHUNKS = 8
"""A probe that is not answered says something where so much data has been acknowledged since."""
LEAST_ACKNOWLEDGED = 64
"""Chunks: a shorter transfer does not pay for a probe."""
LEAST_WAITING = 64 * 1024
"""Bytes that wait to be sent: there is something left to profit."""
NEVER = float("inf")


def payload_of(mtu: int, ip_header: int) -> int:
    """User bytes of a chunk whose packet is no larger than `mtu`; a multiple of four, so that nothing is padded."""
    return (mtu - ip_header - HEADERS - CHUNK_HEADER) & ~3


class Search:
    """Finds the largest of the usual sizes that is answered.

    The largest goes first and alone, as it mostly passes. Where it is not answered in time, all go in one row, so that
    the best of them is known a round trip later; what is larger than that is tried once more.
    """

    def __init__(self, ip_header: int | None, draw: Callable[[int], bytes]) -> None:
        """`ip_header`: its bytes; None: nothing is to be probed."""
        self.payload = BASE_PAYLOAD
        """What has been answered."""
        self.due = 0.0
        """When `poll` may have something, as soon as data flows."""
        self._usual = [] if ip_header is None else [payload_of(mtu, ip_header) for mtu in USUAL_MTUS]
        self._draw = draw
        self._too_large = NEVER
        self._round = 0
        self._row: deque[int] = deque()
        self._asked: dict[bytes, int] = {}
        self._rests = False
        self._raise_at = NEVER
        self._asked_at = 0.0
        self._acknowledged = 0
        self._missing = 0

    def poll(self, now: float, acknowledged: int, patience_s: float) -> Probe | None:
        """The next probe; call it again until there is none."""
        if now < self.due:
            return None
        patience_s = max(patience_s, PATIENCE_S)
        if self._rests and now < self._raise_at:
            return self._confirm(now, acknowledged, patience_s)
        self._rests = False
        if not self._row and not self._next_round():
            self._rest(now)
            return None
        probe = self._probe(self._row.popleft())
        if not self._row:
            self.due = now + patience_s
        return probe

    def _probe(self, payload: int) -> Probe:
        nonce = self._draw(8)
        self._asked[nonce] = payload
        return Probe(heartbeat(nonce, payload), payload, True)

    def _confirm(self, now: float, acknowledged: int, patience_s: float) -> Probe | None:
        """Does what data is sent in still pass in one piece?"""
        if self._asked and acknowledged - self._acknowledged >= CONFIRMING_CHUNKS:
            self._missing += 1
        if self._missing >= ROUNDS:
            self.lower()
            return None
        self._asked.clear()
        self._asked_at, self._acknowledged = now, acknowledged
        self.due = now + patience_s
        return self._probe(self.payload)

    def _next_round(self) -> bool:
        sizes = self._left()
        if not sizes or self._round >= ROUNDS:
            return False
        self._round += 1
        self._row.extend(sizes if self._round > 1 else sizes[:1])
        return True

    def _left(self) -> list[int]:
        return [size for size in self._usual if self.payload < size < self._too_large]

    def _rest(self, now: float) -> None:
        """Everything has been tried: look again in ten minutes, if there is anything larger at all."""
        self._begin_anew()
        self._too_large = NEVER
        self._rests = True
        self._raise_at = now + RAISE_S if self._left() else NEVER
        self.due = now + CONFIRM_S if self.payload > BASE_PAYLOAD else self._raise_at

    def _begin_anew(self) -> None:
        self._asked.clear()
        self._row.clear()
        self._round = self._missing = 0

    def refused(self, now: float, probe: Probe) -> None:
        """This machine does not send so large a packet: a smaller one is next, at once."""
        if probe.payload <= self.payload:
            self.lower()
            return
        self._too_large = min(self._too_large, probe.payload)
        self._row = deque(size for size in self._row if size < self._too_large)
        if self._round == 1:
            self._round = 0
        self.due = now

    def answered(self, nonce: bytes) -> None:
        """A heartbeat came back: one of ours, if we remember it."""
        payload = self._asked.pop(nonce, 0)
        if self._rests and payload:
            self._missing = 0
            self.due = min(self._asked_at + CONFIRM_S, self._raise_at)
        if payload <= self.payload:
            return
        self.payload = payload
        self._row = deque(size for size in self._row if size > payload)
        if not self._left():
            self.due = 0.0

    def lower(self) -> None:
        """What data was sent in does not pass any more: back to the base, and look below it."""
        if self.payload > BASE_PAYLOAD:
            self._too_large = self.payload
        self.payload = BASE_PAYLOAD
        self._begin_anew()
        self._rests = False
        self.due = 0.0


class PathMtu:
    """The payload of new chunks on one path, and the heartbeats that find it and keep it true."""

    def __init__(self, ip_header: int, *, probes: bool, draw: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """`probes`: whether packets can be sent here that nobody may fragment."""
        self._search = Search(ip_header if probes else None, draw)
        self._doubt = Doubt(draw)
        self._largest = BASE_PAYLOAD

    @property
    def payload(self) -> int:
        """User bytes of a new chunk."""
        return self._search.payload

    def follows(self, largest: int) -> None:
        """On another path before, chunks of up to `largest` bytes have been cut, which this one must carry too."""
        self._largest = max(self._largest, largest)

    @property
    def largest(self) -> int:
        """User bytes of the largest chunk that may be on its way."""
        return self._largest

    @property
    def due(self) -> float:
        """Before, `poll` has nothing."""
        return 0.0 if self._doubt.due else self._search.due

    def poll(self, now: float, *, acknowledged: int, waiting: int, patience_s: float) -> Probe | None:
        """The next heartbeat to be sent, until None.

        `acknowledged` chunks of the connection, `waiting` bytes to be sent; an answer may take `patience_s`.
        """
        if (probe := self._doubt.poll()) is not None:
            return probe
        if acknowledged < LEAST_ACKNOWLEDGED or waiting < LEAST_WAITING:
            return None
        return self._search.poll(now, acknowledged, patience_s)

    def refused(self, now: float, probe: Probe) -> None:
        """This machine does not send a packet of that size."""
        self._search.refused(now, probe)

    def suspect(self) -> None:
        """Large packets are lost and none arrives."""
        if self._largest > BASE_PAYLOAD:
            self._doubt.raised(self._largest)

    def trust(self) -> None:
        """A large packet has arrived after all."""
        self._doubt.settle()

    def answered(self, body: bytes) -> bool:
        """A HEARTBEAT ACK with this body; True: large packets do not pass any more, and data is small from now on."""
        nonce = nonce_of(body)
        if self._doubt.answered(nonce, self._largest):
            self._search.lower()
            return True
        self._search.answered(nonce)
        self._largest = max(self._largest, self._search.payload)
        return False

    def narrowed(self) -> None:
        """This machine has learnt that the path has become narrower."""
        self._search.lower()
