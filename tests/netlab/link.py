"""One direction of an emulated link: rate, queue, delay, jitter, loss, reordering (pure, time as an argument).

The same model carries packets between two namespaces and simulated senders in
memory, so what a simulation says can be checked on a wire.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass
from typing import Generic, TypeVar

Packet = TypeVar("Packet")


@dataclass(frozen=True)
class LinkOptions:
    """What one direction of a link does to packets."""

    delay_s: float = 0.0
    """Propagation, one way."""
    jitter_s: float = 0.0
    """Uniform extra delay between 0 and this; the order is kept."""
    loss: float = 0.0
    """Share of packets lost at random, after the queue."""
    reorder: float = 0.0
    """Share of packets that skip ahead by half of the delay."""
    rate: float = 0.0
    """Bits per second; 0 is no limit."""
    queue: int = 1_000_000
    """Bytes that may wait for the rate; what comes on top is dropped."""
    mtu: int = 0
    """Bytes of the largest packet that is carried; 0 is any."""
    narrows_after: int = 0
    """From when on it is `narrows_to` instead: so many bytes have been carried; 0 is never."""
    narrows_to: int = 0
    narrow: str = "hole"
    """What happens to a larger IPv4 packet, see ``packets``: ``hole``, it vanishes; ``router``, it is fragmented, or
    its sender is told where it may not be; ``mute``, as a router whose word does not come through."""


class Link(Generic[Packet]):
    """Takes packets in and says which of them arrive, and when."""

    def __init__(self, options: LinkOptions, seed: int = 1) -> None:
        self.options = options
        self._random = random.Random(seed)
        self._free_at = 0.0
        self._last_arrival = 0.0
        self._waiting: list[tuple[float, int, Packet]] = []
        self._count = itertools.count()
        self.dropped = 0
        """Packets that found the queue full."""
        self.lost = 0
        """Packets lost at random."""
        self.carried = 0
        """Bytes that went through."""
        self.too_large = 0
        """Packets that were larger than what is carried, and were not."""
        self.largest = 0
        """Bytes of the largest packet that went through."""

    @property
    def mtu(self) -> float:
        """Bytes of the largest packet that is carried now."""
        options = self.options
        narrowed = options.narrows_after and self.carried >= options.narrows_after
        return (options.narrows_to if narrowed else options.mtu) or float("inf")

    def queued(self, now: float) -> float:
        """Bytes that wait for the rate."""
        return max(0.0, self._free_at - now) * self.options.rate / 8

    def send(self, now: float, packet: Packet, size: int) -> None:
        """A packet of `size` bytes enters."""
        options = self.options
        if size > self.mtu:
            self.too_large += 1
            return
        leaves = now
        if options.rate:
            if self.queued(now) + size > options.queue:
                self.dropped += 1
                return
            self._free_at = leaves = max(now, self._free_at) + size * 8 / options.rate
        if self._random.random() < options.loss:
            self.lost += 1
            return
        self.carried += size
        self.largest = max(self.largest, size)
        arrival = leaves + options.delay_s
        if options.jitter_s:
            arrival += self._random.random() * options.jitter_s
        if options.reorder and self._random.random() < options.reorder:
            arrival -= options.delay_s / 2
        else:
            arrival = self._last_arrival = max(arrival, self._last_arrival)
        heapq.heappush(self._waiting, (arrival, next(self._count), packet))

    def next_arrival(self) -> float | None:
        """When the next packet arrives; None when none is under way."""
        return self._waiting[0][0] if self._waiting else None

    def arrivals(self, now: float) -> list[Packet]:
        """The packets that have arrived by `now`, in order."""
        found = []
        while self._waiting and self._waiting[0][0] <= now:
            found.append(heapq.heappop(self._waiting)[2])
        return found
