"""Whether the engine still answers: one question at a time, and how many beats it has been silent; pure.

A beat counts only when it came in time. After a suspend, a debugger's pause or
a frozen app it comes late: then the app was not running itself, and the answer
may lie unread in the pipe.
"""

from __future__ import annotations

from seedshot_desktop.seed.messages import Ping

BEAT_S = 5.0
"""Between two questions."""
_SILENT_BEATS = 2
"""So many beats in a row without the answer, and the engine stands still."""
_LATE = 1.5
"""A beat after so many times the pause says nothing about the engine."""


class Heartbeat:
    """Told of every beat and every answer; times are seconds of a monotonic clock."""

    def __init__(self, beat_s: float = BEAT_S) -> None:
        self._beat_s = beat_s
        self._asked = 0
        self._answered = 0
        self._silent = 0
        self._beat_at = 0.0

    @property
    def stands_still(self) -> bool:
        """Whether an answer is missing for too long."""
        return self._silent >= _SILENT_BEATS

    def begin(self, now: float) -> None:
        """The first beat follows; nothing is asked yet."""
        self._answered, self._silent, self._beat_at = self._asked, 0, now

    def beat(self, now: float) -> Ping | None:
        """What to ask at this beat; None while an answer is missing."""
        late = now - self._beat_at > _LATE * self._beat_s
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
