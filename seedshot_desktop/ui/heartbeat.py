"""Whether the engine still answers: one question at a time, and how many beats it has been silent; pure.

A beat counts only when it came in time. After a suspend, a debugger's pause or
a frozen app it comes late: then the app was not running itself, and the answer
may lie unread in the pipe.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from seedshot_desktop.seed.messages import Ping

BEAT_S = 5.0
"""Between two questions."""
_SILENT_BEATS = 2
"""So many beats in a row without the answer, and the engine stands still."""
_LATE = 1.5
"""A beat after so many times the pause says nothing about the engine."""


class Heartbeat:
    """Told of every beat and every answer; times are seconds of `clock`, which is monotonic."""

    def __init__(self, beat_s: float = BEAT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.beat_s = beat_s
        self._clock = clock
        self._asked = 0
        self._answered = 0
        self._silent = 0
        self._beat_at = clock()

    @property
    def stands_still(self) -> bool:
        """Whether an answer is missing for too long."""
        return self._silent >= _SILENT_BEATS

    def begin(self) -> None:
        """The first beat comes in ``beat_s`` from now; nothing is asked yet."""
        self._answered, self._silent, self._beat_at = self._asked, 0, self._clock()

    def beat(self) -> Ping | None:
        """What to ask at this beat; None while an answer is missing."""
        now = self._clock()
        late = now - self._beat_at > _LATE * self.beat_s
        self._beat_at = now
        if self._answered == self._asked:
            self._asked += 1
            return Ping(self._asked)
        self._silent = 0 if late else self._silent + 1
        return None

    def answered(self, number: int) -> None:
        """The answer to the question `number` came; one to an older question says nothing."""
        if number == self._asked:
            self._answered, self._silent = number, 0
