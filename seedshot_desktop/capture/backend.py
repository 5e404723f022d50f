"""Picks the way to the pixels that works on this desktop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from seedshot_desktop.capture.frame import Frame
from seedshot_desktop.errors import CaptureError


class Backend(Protocol):
    """One way to take pictures of all monitors; open for as long as the app runs."""

    @property
    def name(self) -> str:
        """As ``open_backend`` takes it."""

    def grab(self) -> list[Frame]:
        """A picture of every monitor, taken now; raises CaptureError.

        Waits for the system: call it in a thread. Calls from several threads take turns.
        """

    def wipe(self) -> None:
        """Overwrite what it keeps of earlier pictures and nobody looks at any more; call it in a thread."""

    def close(self) -> None:
        """Let go of the display; closing twice does nothing."""


def _open_x11(environ: Mapping[str, str]) -> Backend:
    _require_display(environ)
    from seedshot_desktop.capture.x11_backend import X11Backend  # noqa: PLC0415  libxcb exists only where X11 does

    return X11Backend()


def _open_mss(environ: Mapping[str, str]) -> Backend:
    if sys.platform not in ("win32", "darwin"):
        _require_display(environ)
    from seedshot_desktop.capture.mss_backend import MssBackend  # noqa: PLC0415  loads the system's graphics libraries

    return MssBackend()


def _require_display(environ: Mapping[str, str]) -> None:
    if not environ.get("DISPLAY"):
        raise CaptureError("there is no display, DISPLAY is not set")


_BACKENDS: dict[str, Callable[[Mapping[str, str]], Backend]] = {"x11": _open_x11, "mss": _open_mss}


def backend_names(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The backends worth trying on this desktop, the best first.

    Under Wayland the X11 side of the desktop shows black where Wayland's windows
    are, so a picture of it would be a lie: a backend has to be named to be used there.
    """
    if sys.platform in ("win32", "darwin"):
        return ("mss",)
    return () if environ.get("WAYLAND_DISPLAY") else ("x11", "mss")


def open_backend(name: str | None = None, environ: Mapping[str, str] = os.environ) -> Backend:
    """The named backend, or the first that works here, warmed up: its first picture is as quick as the others.

    Takes about 0.1 s: call it in a thread. Raises CaptureError with the reason of every backend that was tried.
    """
    if name is not None and name not in _BACKENDS:
        raise CaptureError(f"There is no capture backend “{name}”. Known: {', '.join(_BACKENDS)}.")
    names = backend_names(environ) if name is None else (name,)
    if not names:
        raise CaptureError(
            "This is a Wayland desktop, where Seedshot cannot take pictures of the screen yet. "
            "Share a picture from the desktop's own tool with `seedshot share FILE`, or log in to an X11 session."
        )
    reasons = []
    for candidate in names:
        try:
            return _BACKENDS[candidate](environ)
        except CaptureError as error:
            reasons.append(f"{candidate}: {error}")
    raise CaptureError(f"No picture of the screen can be taken here ({'; '.join(reasons)}). Try `seedshot doctor`.")
