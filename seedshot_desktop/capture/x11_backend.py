"""Pixels of an X11 desktop through shared memory that stays warm; mss tells where the monitors are."""

from __future__ import annotations

import sys
import threading

from seedshot_desktop.capture.frame import Frame, Monitor
from seedshot_desktop.capture.monitors import describe, look
from seedshot_desktop.capture.xshm import Connection, Segment
from seedshot_desktop.errors import CaptureError
from seedshot_desktop.x_connection import XError


class X11Backend:
    """Takes a picture of a 4K monitor in 3 ms; keeps the memory of the last pictures for the next."""

    name = "x11"

    def __init__(self) -> None:
        """Connect and take one picture, which is the slow one; raises CaptureError."""
        if sys.platform != "linux":  # memory is shared through memfd
            raise CaptureError("this is not Linux")
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._segments: list[Segment] = []
        self.grab()

    def grab(self) -> list[Frame]:
        """See ``Backend.grab``."""
        with self._lock:
            try:
                return self._grab_all()
            except XError:
                # The screens changed while we looked, or the display was restarted: look again, with a new connection.
                self._drop()
            try:
                return self._grab_all()
            except XError as error:
                self._drop()
                raise CaptureError(str(error)) from error

    def wipe(self) -> None:
        """See ``Backend.wipe``."""
        with self._lock:
            for segment in self._segments:
                if not segment.in_use:
                    segment.wipe()

    def close(self) -> None:
        """See ``Backend.close``."""
        with self._lock:
            self._drop()

    def _grab_all(self) -> list[Frame]:
        connection = self._connection or Connection()
        self._connection = connection
        monitors = [describe(monitor, monitor["width"], monitor["height"]) for monitor in look()]
        segments = self._take(connection, [monitor.width * monitor.height * 4 for monitor in monitors])
        return [_frame(connection, *pair) for pair in zip(monitors, segments, strict=True)]

    def _take(self, connection: Connection, sizes: list[int]) -> list[Segment]:
        """A segment for each size that nobody looks at; those that fit are used again, the other free ones let go."""
        free = [segment for segment in self._segments if not segment.in_use]
        taken = []
        for size in sizes:
            segment = next((segment for segment in free if segment.size == size), None)
            if segment is None:
                segment = connection.segment(size)
                self._segments.append(segment)
            else:
                free.remove(segment)
            taken.append(segment)
        for segment in free:
            self._segments.remove(segment)
            connection.detach(segment)
            segment.close()
        return taken

    def _drop(self) -> None:
        """Forget everything; pictures that are still looked at keep their memory."""
        self._segments.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _frame(connection: Connection, monitor: Monitor, segment: Segment) -> Frame:
    pixels = connection.copy(segment, monitor.x, monitor.y, monitor.width, monitor.height)
    return Frame(monitor, pixels)
