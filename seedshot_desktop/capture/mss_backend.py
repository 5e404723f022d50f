"""Pixels through python-mss: Windows, macOS, and X11 servers that share no memory."""

from __future__ import annotations

import sys
import threading

import mss
from mss.exception import ScreenShotError
from mss.models import Monitor as MssMonitor
from mss.screenshot import ScreenShot

from seedshot_desktop.capture.frame import Frame
from seedshot_desktop.capture.monitors import describe, look, reason
from seedshot_desktop.errors import CaptureError


class MssBackend:
    """One long-lived mss instance: opening one costs 40 ms, a picture of a 4K monitor 6 ms."""

    name = "mss"

    def __init__(self) -> None:
        """Connect and take one picture, which is the slow one; raises CaptureError."""
        _ask_for_physical_pixels()
        self._lock = threading.Lock()
        self._mss: mss.MSS | None = None
        self._monitors: list[MssMonitor] = []
        self.grab()

    def grab(self) -> list[Frame]:
        """See ``Backend.grab``."""
        with self._lock:
            try:
                return self._grab_all()
            except (ScreenShotError, OSError):
                # The screens changed while we looked, or the display was restarted: a new instance sees what is now.
                self._drop()
            try:
                return self._grab_all()
            except (ScreenShotError, OSError) as error:
                self._drop()
                raise CaptureError(reason(error)) from error

    def wipe(self) -> None:
        """See ``Backend.wipe``: every picture has memory of its own, which went with it."""

    def close(self) -> None:
        """See ``Backend.close``."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._mss is not None:
            self._mss.close()
            self._mss = None

    def _grab_all(self) -> list[Frame]:
        monitors = look()
        if monitors != self._monitors:
            self._drop()
        screens = self._mss or mss.MSS()
        self._mss, self._monitors = screens, monitors
        return [_frame(monitor, screens.grab(monitor)) for monitor in monitors]


def _frame(monitor: MssMonitor, shot: ScreenShot) -> Frame:
    return Frame(describe(monitor, shot.width, shot.height), shot.raw)


def _ask_for_physical_pixels() -> None:
    """mss on macOS halves Retina pictures unless its image options are cleared."""
    if sys.platform == "darwin":
        import mss.darwin  # noqa: PLC0415

        mss.darwin.IMAGE_OPTIONS = 0
