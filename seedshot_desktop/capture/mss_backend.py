"""Pixels through python-mss: X11, Windows and macOS."""

from __future__ import annotations

import sys
import threading

import mss
from mss.exception import ScreenShotError
from mss.models import Monitor as MssMonitor
from mss.screenshot import ScreenShot

from seedshot_desktop.capture.frame import Frame, Monitor
from seedshot_desktop.errors import CaptureError


class MssBackend:
    """One long-lived mss instance: opening one costs 40 ms, a picture of a 4K monitor 6 ms."""

    name = "mss"

    def __init__(self) -> None:
        """Connect and take one picture, which is the slow one; raises CaptureError."""
        _ask_for_physical_pixels()
        self._lock = threading.Lock()
        self._mss: mss.MSS | None = None
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
                raise CaptureError(_reason(error)) from error

    def close(self) -> None:
        """See ``Backend.close``."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._mss is not None:
            self._mss.close()
            self._mss = None

    def _grab_all(self) -> list[Frame]:
        everything, *monitors = self._look()
        screens = self._mss or mss.MSS()
        self._mss = screens
        # An X server without RandR names no single monitor, only the whole.
        return [_frame(monitor, screens.grab(monitor)) for monitor in monitors or [everything]]

    def _look(self) -> list[MssMonitor]:
        """The monitors as they are now. An instance never looks twice, so a new one does (0.7 ms)."""
        with mss.MSS() as scout:
            monitors = scout.monitors
        if self._mss is not None and self._mss.monitors != monitors:
            self._drop()
        return monitors


def _frame(monitor: MssMonitor, shot: ScreenShot) -> Frame:
    """On macOS monitors are measured in points and the picture is larger; its size is the truth everywhere."""
    scale = shot.width / monitor["width"]
    name = str(monitor.get("output") or monitor.get("name") or "")
    x, y = round(monitor["left"] * scale), round(monitor["top"] * scale)
    return Frame(Monitor(name, x, y, shot.width, shot.height), shot.raw)


def _ask_for_physical_pixels() -> None:
    """mss on macOS halves Retina pictures unless its image options are cleared."""
    if sys.platform == "darwin":
        import mss.darwin  # noqa: PLC0415

        mss.darwin.IMAGE_OPTIONS = 0


def _reason(error: Exception) -> str:
    """One line of what mss says."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
