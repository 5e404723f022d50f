"""How many packets a connection sends before the others of this process come to send.

All connections share one event loop. Where it is what limits them, and no link, everything in flight waits for it, so
who happened to get the larger window would get more. Small bursts in turn share it evenly, as deficit round robin does
a link (Shreedhar and Varghese, SIGCOMM 1995); large ones cost the processor less, so the fewer send, the larger they
are.
"""

from __future__ import annotations

from weakref import WeakSet

LARGEST, SMALLEST = 40, 4
"""Packets: alone, and beside many others."""


class Bursts:
    """Who is sending at present, and how much of it goes at once."""

    def __init__(self) -> None:
        self._sending: WeakSet[object] = WeakSet()

    def begin(self, who: object) -> None:
        """It has something to send, or on its way."""
        self._sending.add(who)

    def end(self, who: object) -> None:
        """It has nothing more."""
        self._sending.discard(who)

    @property
    def packets(self) -> int:
        """How many one may send before the others."""
        return max(SMALLEST, LARGEST // max(1, len(self._sending)))


BURSTS = Bursts()
"""This process's: one event loop sends in it."""
