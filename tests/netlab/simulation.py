"""Senders on a simulated link: no socket, no clock, a second of transfer in a blink.

``python -m tests.netlab.simulation`` prints what the sender does on the
benchmark's links.
"""

from __future__ import annotations

import random
import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from seedshot_desktop.seed.transport.limits import RateLimit
from seedshot_desktop.seed.transport.sender import PACKET_OVERHEAD, Sender
from tests.netlab.cubic import PACKET, CubicFlow
from tests.netlab.link import Link, LinkOptions

SACK_SIZE = 110
DELAYED_SACK_S = 0.02
MAX_TSN = 2**32


class Receiver:
    """A receiver as RFC 9260 wants it: SACK for every second packet, at once for a gap, and after a delay."""

    def __init__(self, first_tsn: int, window: int = 5 * 1024 * 1024) -> None:
        self.cumulative = first_tsn - 1
        self.window = window
        self.bytes = 0
        self.duplicates = 0
        self._new_duplicates = 0
        self._ahead: list[tuple[int, int]] = []
        """What has arrived after a gap: first and last TSN of each block, in order."""
        self._unacknowledged = 0
        self.sack_at: float | None = None

    def receive(self, now: float, chunk: bytes) -> bool:
        """Take a DATA chunk; True when a SACK is to be sent at once."""
        _, flags, length, tsn = struct.unpack_from("!BBHL", chunk)
        if not self._add(tsn):
            self.duplicates += 1
            self._new_duplicates += 1
            return True
        self.bytes += length - 16
        self._unacknowledged += 1
        if flags & 0x08 or self._ahead or self._unacknowledged >= 2:
            return True
        self.sack_at = now + DELAYED_SACK_S
        return False

    def _add(self, tsn: int) -> bool:
        """Whether it is new."""
        ahead = self._ahead
        if tsn == self.cumulative + 1:
            joins = bool(ahead) and ahead[0][0] == tsn + 1
            self.cumulative = ahead.pop(0)[1] if joins else tsn
            return True
        place = bisect_right(ahead, (tsn, MAX_TSN))
        if tsn <= self.cumulative or (place and tsn <= ahead[place - 1][1]):
            return False
        first = last = tsn
        if place < len(ahead) and ahead[place][0] == tsn + 1:
            last = ahead.pop(place)[1]
        if place and ahead[place - 1][1] == tsn - 1:
            place -= 1
            first = ahead.pop(place)[0]
        ahead.insert(place, (first, last))
        return True

    def sack(self) -> tuple[int, int, list[tuple[int, int]], int]:
        """Cumulative TSN, window, gap blocks (at most 20, as dcSCTP), duplicates."""
        self._unacknowledged = 0
        self.sack_at = None
        blocks = [(first - self.cumulative, last - self.cumulative) for first, last in self._ahead[:20]]
        duplicates, self._new_duplicates = self._new_duplicates, 0
        return self.cumulative, self.window, blocks, duplicates


@dataclass(frozen=True)
class Spells:
    """Disturbances that come by chance and last between `least_s` and `most_s`, any length as likely as any other."""

    every_s: float
    """In the mean from the end of one to the beginning of the next."""
    least_s: float
    most_s: float

    def of(self, seed: str) -> Spell:
        """One machine's; the same seed has the same ones."""
        return Spell(self, random.Random(seed))


class Spell:
    """Whether one is on; asked at times that never go back."""

    def __init__(self, kind: Spells, chance: random.Random) -> None:
        self._kind = kind
        self._random = chance
        self._begins = chance.expovariate(1 / kind.every_s)
        self._ends = self._begins + chance.uniform(kind.least_s, kind.most_s)

    def ends(self, now: float) -> float:
        """When the one that is on ends; 0 when none is."""
        while now >= self._ends:
            self._begins = self._ends + self._random.expovariate(1 / self._kind.every_s)
            self._ends = self._begins + self._random.uniform(self._kind.least_s, self._kind.most_s)
        return self._ends if now >= self._begins else 0.0


BUSY = Spells(0.1, 0.002, 0.030)
"""A machine that does something else too: now and then a wake-up comes late."""
SLOW_DISK = Spells(1.0, 0.020, 0.150)
"""A disk that is asked by others too: now and then there is nothing to send."""


@dataclass
class Flow:
    """One sender, its receiver, and what happened."""

    sender: Sender
    receiver: Receiver
    total: int
    begins: float = 0.0
    written: int = 0
    finished: float | None = None
    asleep_until: float = 0.0
    """A busy machine: until then neither timers nor acknowledgements reach the sender."""
    next_nap: float = 0.0
    busy: Spell | None = None
    disk: Spell | None = None
    reads_from: float = 0.0
    """Until then the disk has nothing for it."""
    wakes_at: float = 0.0
    """When it has something to do, if no acknowledgement comes before; infinite is not without one."""
    unread: list[tuple[int, int, list[tuple[int, int]], int]] = field(default_factory=list)
    trace: list[tuple[float, int]] = field(default_factory=list)


class Network:
    """Flows that share one bottleneck, and a way back for each that never fills."""

    def __init__(
        self,
        forward: LinkOptions,
        back: LinkOptions,
        seed: int = 1,
        naps: tuple[float, float] | None = None,
        *,
        busy: Spells | None = None,
        disk: Spells | None = None,
    ) -> None:
        """`naps`: how long a sender's process runs and sleeps in turn, in the mean, on a machine that is too busy.

        `busy`: when each sender's process sleeps, on a machine that is not; `disk`: when it has nothing to send.
        """
        self._naps = naps
        self._busy = busy
        self._disk = disk
        self._seed = seed
        self._random = random.Random(seed)
        self.now = 0.0
        self.forward: Link[tuple[int, object]] = Link(forward, seed)
        self.back: Link[tuple[int, object]] = Link(back, seed + 1)
        self.flows: list[Flow] = []
        self.others: list[CubicFlow] = []

    def add(self, total: int, begins: float = 0.0, *, payload: int = 1160, limits: Sequence[RateLimit] = ()) -> Flow:
        """A transfer of `total` bytes; the handshake has measured the round trip."""
        rtt = self.forward.options.delay_s + self.back.options.delay_s
        hint = max(rtt, 0.001)
        first = 1000 * self._seed + len(self.flows)  # it is also what spreads a flow's probing over time
        sender = Sender(first, now=begins, window=5 * 1024 * 1024, rtt_hint=hint, payload=payload, limits=limits)
        flow = Flow(sender, Receiver(first), total, begins)
        flow.busy = self._busy.of(f"busy {first}") if self._busy else None
        flow.disk = self._disk.of(f"disk {first}") if self._disk else None
        self.flows.append(flow)
        return flow

    def run(self, until: float, tick: float = 0.001) -> None:
        """Go on until every flow is finished, or the time is `until`."""
        for flow in self.flows:
            flow.wakes_at = 0.0  # whoever runs this may have changed something meanwhile
        while self.now < until and any(flow.finished is None for flow in self.flows):
            for index, flow in enumerate(self.flows):
                if self.now < flow.begins or self._sleeps(flow):
                    continue
                if flow.unread or self.now >= flow.wakes_at:
                    self._send(index, flow)
                    flow.wakes_at = self._wakes(flow, tick)
            for index, other in enumerate(self.others):
                if self.now >= other.wakes_at:
                    for number in other.sendable(self.now):
                        self.forward.send(self.now, (-1 - index, number), PACKET)
            self._deliver()
            self.now = self._next(until)

    def _sleeps(self, flow: Flow) -> bool:
        if self._naps is not None and self.now >= flow.next_nap:
            runs_s, sleeps_s = self._naps
            flow.asleep_until = self.now + self._random.expovariate(1 / sleeps_s)
            flow.next_nap = flow.asleep_until + self._random.expovariate(1 / runs_s)
        if flow.busy is not None:
            flow.asleep_until = flow.busy.ends(self.now)
        return self.now < flow.asleep_until

    def _send(self, index: int, flow: Flow) -> None:
        sender = flow.sender
        if flow.unread:  # read together, as the association does
            cumulative, window, gaps, _ = flow.unread[-1]
            sender.on_sack(self.now, cumulative, window, gaps, sum(sack[3] for sack in flow.unread))
            flow.unread.clear()
        flow.reads_from = flow.disk.ends(self.now) if flow.disk is not None else 0.0
        while self.now >= flow.reads_from and flow.written < flow.total and sender.buffered < 256 * 1024:
            size = min(65536, flow.total - flow.written)
            sender.write(1, 53, bytes(size))
            flow.written += size
        deadline = sender.deadline(self.now)
        if deadline is not None and deadline <= self.now + 1e-9:
            sender.on_timer(self.now)
        while (chunk := sender.poll(self.now)) is not None:
            self.forward.send(self.now, (index, chunk), len(chunk) + PACKET_OVERHEAD)

    def _deliver(self) -> None:
        for index, chunk in self.forward.arrivals(self.now):
            if index < 0:
                self.back.send(self.now, (index, chunk), 60)
                continue
            flow = self.flows[index]
            assert isinstance(chunk, bytes)
            if flow.receiver.receive(self.now, chunk):
                self.back.send(self.now, (index, flow.receiver.sack()), SACK_SIZE)
            if flow.receiver.bytes >= flow.total and flow.finished is None:
                flow.finished = self.now
        for index, flow in enumerate(self.flows):
            if flow.receiver.sack_at is not None and flow.receiver.sack_at <= self.now:
                self.back.send(self.now, (index, flow.receiver.sack()), SACK_SIZE)
        for index, sack in self.back.arrivals(self.now):
            if isinstance(sack, int):
                if -index <= len(self.others):  # who has gone hears nothing any more
                    self.others[-1 - index].on_ack(self.now, sack)
                continue
            assert isinstance(sack, tuple)
            flow = self.flows[index]
            if flow.unread and sack[0] < flow.unread[-1][0]:
                continue  # overtaken by one that says more
            flow.unread.append(sack)

    def _wakes(self, flow: Flow, tick: float) -> float:
        deadline = flow.sender.deadline(self.now)
        if deadline is None:
            deadline = float("inf")
        elif deadline <= self.now:
            deadline = self.now + tick  # a timer of an event loop is never exact
        return min(deadline, flow.reads_from) if self.now < flow.reads_from else deadline

    def _next(self, until: float) -> float:
        times = [until]
        for link in (self.forward, self.back):
            arrival = link.next_arrival()
            if arrival is not None:
                times.append(arrival)
        for flow in self.flows:
            if self.now < flow.begins:
                times.append(flow.begins)
            elif self.now < flow.asleep_until:
                times.append(flow.asleep_until)
            else:
                times.append(self.now if flow.unread else flow.wakes_at)
            if flow.receiver.sack_at is not None:
                times.append(flow.receiver.sack_at)
        return max(min(times), self.now)


MBIT = 1_000_000
ROWS = [
    ("25 ms 1 % 50 Mbit 500 KB", 10_000_000, LinkOptions(0.025, loss=0.01, rate=50 * MBIT, queue=500_000)),
    ("25 ms 0 % 100 Mbit 1000 KB", 10_000_000, LinkOptions(0.025, rate=100 * MBIT, queue=1_000_000)),
    ("10 ms 0 % 100 Mbit 100 KB", 10_000_000, LinkOptions(0.010, rate=100 * MBIT, queue=100_000)),
    ("75 ms 0.5 % 20 Mbit 250 KB", 5_000_000, LinkOptions(0.075, loss=0.005, rate=20 * MBIT, queue=250_000)),
    ("25 ms 0 % 50 Mbit picture", 1_000_000, LinkOptions(0.025, rate=50 * MBIT, queue=500_000)),
]


def main() -> None:
    """Print the benchmark's links as simulated."""
    for name, size, options in ROWS:
        rates = []
        for seed in range(1, 8):
            network = Network(options, options, seed)
            flow = network.add(size)
            network.run(120)
            assert flow.finished is not None, name
            rates.append((size * 8 / flow.finished / MBIT, flow.finished, flow.sender, network))
        rates.sort(key=lambda item: item[1])
        middle = rates[len(rates) // 2]
        sender = middle[2]
        print(
            f"{name:32} {middle[0]:6.1f} Mbit/s ({rates[-1][0]:.1f} to {rates[0][0]:.1f})  {middle[1]:.3f} s  "
            f"retransmitted {sender.retransmitted} spurious {sender.spurious} timeouts {sender.timeouts} "
            f"dropped {middle[3].forward.dropped} lost {middle[3].forward.lost}"
        )


if __name__ == "__main__":
    main()
