"""``python -m tests.support.watched_app FILE``: the app, with a pulse in its GUI thread and an eye on its window.

A timer of 10 ms beats on the thread that draws; whatever keeps that thread busy
makes a beat late. FILE gets a line of JSON, a ``Look``, five times a second.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from seedshot_desktop import app
from seedshot_desktop.seed.messages import ViewerState, ViewerStatus
from seedshot_desktop.ui import startup
from seedshot_desktop.ui.keyed_model import ROW_ROLE
from seedshot_desktop.ui.shares_window import SharesWindow

BEAT_MS = 10
_LOOK_MS = 200
_MEASURE = 20_000
"""Additions: about a millisecond of a processor that has itself to itself."""


@dataclass(frozen=True)
class Look:
    """What was seen since the last one."""

    late_ms: list[float]
    """By how much each beat came late."""
    busy_ms: list[float]
    """How much processor time the GUI thread used since the beat before: what the app alone is to blame for."""
    measure_ms: float
    """How much of it a fixed piece of work took: how fast this processor is at present."""
    listed: int
    """Viewers in the shares window who have not left."""
    moving: int
    """Of these, viewers whose bar is neither empty nor full."""
    complete: int
    """Of these, viewers who have it all."""


def looks(path: Path) -> list[Look]:
    """Every look in the file so far."""
    text = path.read_text() if path.exists() else ""
    return [Look(**json.loads(line)) for line in text.splitlines(keepends=True) if line.endswith("\n")]


class Pulse(QObject):
    """Beats, looks, writes."""

    def __init__(self, path: str, parent: QObject) -> None:
        super().__init__(parent)
        self._file = Path(path).open("w", buffering=1)  # noqa: SIM115 - open as long as the app
        self._beat_at = time.perf_counter()
        self._used = time.thread_time()
        self._late: list[float] = []
        self._busy: list[float] = []
        for interval, deed in ((BEAT_MS, self._beat), (_LOOK_MS, self._look)):
            timer = QTimer(self, interval=interval, timerType=Qt.TimerType.PreciseTimer)
            timer.timeout.connect(deed)
            timer.start()

    def _beat(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        self._late.append(round(max(0.0, (now - self._beat_at) * 1000 - BEAT_MS), 2))
        self._busy.append(round((used - self._used) * 1000, 2))
        self._beat_at, self._used = now, used

    def _look(self) -> None:
        viewers = [row for row in _rows() if isinstance(row, ViewerStatus) and row.state is not ViewerState.LEFT]
        complete = sum(viewer.held == viewer.total for viewer in viewers)
        moving = sum(0 < viewer.held < viewer.total for viewer in viewers)
        look = Look(self._late, self._busy, self._measure(), len(viewers), moving, complete)
        self._file.write(json.dumps(asdict(look)) + "\n")
        self._late, self._busy = [], []

    def _measure(self) -> float:
        begun, total = time.thread_time(), 0
        for number in range(_MEASURE):
            total += number
        took = time.thread_time() - begun
        self._used += took  # that was not the app
        return round(took * 1000, 3)


def _rows() -> list[object]:
    """The rows of the visitors' list, where the window is open."""
    windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, SharesWindow)]
    if not windows or not windows[0].isVisible():
        return []
    model = windows[0].details.visitors.model()
    return [model.index(number, 0).data(ROW_ROLE) for number in range(model.rowCount())]


def main(path: str) -> int:
    """The app, watched."""
    plain = startup.application

    def watched() -> startup.Application:
        made = plain()
        Pulse(path, made)
        return made

    startup.application = watched
    return app.main()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
