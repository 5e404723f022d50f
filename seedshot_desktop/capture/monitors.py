"""Where the monitors are now."""

from __future__ import annotations

import mss
from mss.exception import ScreenShotError
from mss.models import Monitor as MssMonitor

from seedshot_desktop.capture.frame import Monitor
from seedshot_desktop.errors import CaptureError


def look() -> list[MssMonitor]:
    """As mss describes them. An instance of it never looks twice, so a new one does: 0.7 ms. Raises CaptureError."""
    try:
        with mss.MSS() as scout:
            everything, *monitors = scout.monitors
    except (ScreenShotError, OSError) as error:
        raise CaptureError(reason(error)) from error
    # An X server without RandR names no single monitor, only the whole.
    return monitors or [everything]


def describe(monitor: MssMonitor, width: int, height: int) -> Monitor:
    """The same in physical pixels, for a picture of that size.

    macOS measures monitors in points and its pictures are larger; elsewhere the two agree.
    """
    scale = width / monitor["width"]
    name = str(monitor.get("output") or monitor.get("name") or "")
    return Monitor(name, round(monitor["left"] * scale), round(monitor["top"] * scale), width, height)


def reason(error: Exception) -> str:
    """One line of what mss says."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
