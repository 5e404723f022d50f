"""What the engine says, and how often: events in order, progress and the whole picture at most five times a second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from seedshot_desktop.seed.messages import EngineStatus, Event, StatusChanged, ViewerProgressed
from seedshot_desktop.seed.visit import Visit

INTERVAL_S = 0.2
SETTLE_S = 0.5
"""After the last progress, the rate is told again until it has fallen to 0."""


class Reports:
    """Hands events to `emit`, always from the loop and never from inside the call that caused them."""

    def __init__(self, emit: Callable[[Event], None], picture: Callable[[], EngineStatus]) -> None:
        self._emit = emit
        self._picture = picture
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[Event] = deque()
        self._flush: asyncio.Handle | None = None
        self._status_at = -INTERVAL_S
        self._status_timer: asyncio.TimerHandle | None = None
        self._progress_at: dict[Visit, float] = {}
        self._progress_timers: dict[Visit, asyncio.TimerHandle] = {}

    def say(self, event: Event) -> None:
        """Emit `event`, after everything said before."""
        self._outbox.append(event)
        if self._flush is None:
            self._flush = self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Emit now what has been said."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        while self._outbox:
            self._emit(self._outbox.popleft())

    # The whole picture

    def touch(self) -> None:
        """Something that lists show has changed."""
        if self._status_timer is None:
            delay = max(0.0, self._status_at + INTERVAL_S - self._loop.time())
            self._status_timer = self._loop.call_later(delay, self.show)

    def show(self) -> None:
        """Emit the whole picture now."""
        if self._status_timer is not None:
            self._status_timer.cancel()
            self._status_timer = None
        self._status_at = self._loop.time()
        self.say(StatusChanged(self._picture()))

    # One viewer's progress

    def progressed(self, visit: Visit) -> None:
        """That viewer holds more."""
        self.touch()
        due = self._progress_at.get(visit, -INTERVAL_S) + INTERVAL_S
        if due <= self._loop.time():
            self.tell_progress(visit)
        else:
            self._arm(visit, due - self._loop.time())

    def tell_progress(self, visit: Visit) -> None:
        """Emit that viewer's progress now."""
        self._disarm(visit)
        self._progress_at[visit] = self._loop.time()
        rate = visit.rate
        self.say(ViewerProgressed(visit.share, visit.viewer, visit.session.held, visit.session.total, rate))
        self.touch()
        if rate > 0:
            self._arm(visit, SETTLE_S)

    def forget(self, visit: Visit) -> None:
        """That viewer has left."""
        self._disarm(visit)
        self._progress_at.pop(visit, None)

    def close(self) -> None:
        """Emit what is left, and no more."""
        for timer in self._progress_timers.values():
            timer.cancel()
        self._progress_timers.clear()
        if self._status_timer is not None:
            self._status_timer.cancel()
        self.flush()

    def _arm(self, visit: Visit, delay: float) -> None:
        timer = self._progress_timers.get(visit)
        when = self._loop.time() + delay
        if timer is None or timer.when() > when:
            self._disarm(visit)
            self._progress_timers[visit] = self._loop.call_at(when, self.tell_progress, visit)

    def _disarm(self, visit: Visit) -> None:
        timer = self._progress_timers.pop(visit, None)
        if timer is not None:
            timer.cancel()
