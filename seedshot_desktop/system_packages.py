"""What a Debian or Ubuntu has to bring itself: Python's venv, and the libraries that Qt's wheels leave out.

Standard library only. As root they are installed; otherwise the command to type is named.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from seedshot_desktop.errors import SeedshotError

QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""What PySide6's platform plugins for X11 load and do not bring, and the Debian package of each."""


class SystemPackageError(SeedshotError):
    """The system lacks a package; the message says which, and what to type."""


def has_display() -> bool:
    """Whether there is a screen to draw on; on Windows and macOS always."""
    named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("win32", "darwin") or bool(named)


def missing_qt_libraries() -> list[str]:
    """The names of the libraries that Qt would not find here; none on other systems than Linux."""
    return [name for name in QT_LIBRARIES if not loads(name)] if sys.platform == "linux" else []


def ensure_qt_libraries(say: Callable[[str], None]) -> None:
    """Install what Qt needs from the system where there is a screen; raises SystemPackageError."""
    if not has_display():
        return
    missing = missing_qt_libraries()
    if missing:
        _ensure([QT_LIBRARIES[name] for name in missing], "Qt, which draws the windows, needs", say, missing)


def ensure_venv(say: Callable[[str], None]) -> None:
    """Install Python's venv where Debian has split it off; raises SystemPackageError."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    major, minor = sys.version_info[:2]
    _ensure(
        [f"python{major}.{minor}-venv"], "Making a Python environment needs", say, ["the modules venv and ensurepip"]
    )


def _ensure(packages: list[str], why: str, say: Callable[[str], None], names: list[str]) -> None:
    if not shutil.which("apt-get"):
        raise SystemPackageError(f"{why} {', '.join(names)}. Install them with your system's packages and try again.")
    command = f"apt-get install {' '.join(packages)}"
    if os.name != "posix" or os.geteuid() != 0:
        raise SystemPackageError(f"{why} some packages of the system. Type: sudo {command}")
    say(f"{why} some packages of the system; installing {', '.join(packages)} …")
    if not _apt_get("install", *packages) and not (_apt_get("update") and _apt_get("install", *packages)):
        raise SystemPackageError(f"{why} packages that could not be installed. Type: {command}")
    importlib.invalidate_caches()


def _apt_get(verb: str, *packages: str) -> bool:
    options = ["--yes", "--no-install-recommends"] if verb == "install" else []
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", verb, *options, *packages]
    done = subprocess.run(  # noqa: S603 - packages from the table above
        command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def loads(name: str) -> bool:
    """Whether the shared library of that name is installed."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
