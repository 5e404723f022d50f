"""How long a busy machine let a loop stand still: what a test of a rate must not take for slowness of the product."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_STEP_S = 0.002


class StandStill:
    """Counts while ``standing_still`` runs."""

    def __init__(self, slack_s: float) -> None:
        self.seconds = 0.0
        """All pauses together, each without its first `slack_s`."""
        self._slack_s = slack_s
        self._loop = asyncio.get_running_loop()
        self._looked_at = self._loop.time()
        self._timer = self._loop.call_later(_STEP_S, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        self.seconds += max(0.0, now - self._looked_at - _STEP_S - self._slack_s)
        self._looked_at = now
        self._timer = self._loop.call_later(_STEP_S, self._look)

    def close(self) -> None:
        """Count no more."""
        self._look()
        self._timer.cancel()


@contextmanager
def standing_still(slack_s: float) -> Iterator[StandStill]:
    """Counts how long the running loop stands still in pauses longer than `slack_s`; read it afterwards."""
    counter = StandStill(slack_s)
    try:
        yield counter
    finally:
        counter.close()
