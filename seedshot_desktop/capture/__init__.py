"""Pixels of the screen: the door of the capture room.

Everything is in physical pixels of the virtual desktop, whose origin may lie
left of or above (0, 0)'s monitor. Qt and its scaled coordinates have no say here.
"""

from __future__ import annotations

from seedshot_desktop.capture.backend import Backend, backend_names, open_backend
from seedshot_desktop.capture.frame import Frame, Monitor, Region, cut
from seedshot_desktop.errors import CaptureError

__all__ = ["Backend", "CaptureError", "Frame", "Monitor", "Region", "backend_names", "cut", "open_backend"]
