"""What is tried on the display, each in a process of its own: ``python -m seedshot_desktop.doctor.probes NAME``.

Prints one line of JSON, see ``probe_runner.Answer``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

from seedshot_desktop.doctor.probe_runner import Answer
from seedshot_desktop.errors import HotkeyTakenError, SeedshotError


def qt() -> Answer:
    """Can Qt open the display?"""
    from PySide6.QtCore import qVersion  # noqa: PLC0415 - each probe loads its own libraries
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415

    from seedshot_desktop.ui.startup import display_problem  # noqa: PLC0415

    if problem := display_problem():
        return Answer(works=False, details=problem)
    application = QGuiApplication(sys.argv[:1])
    screens = [
        f"{screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():.0%}".replace("%", " %")
        for screen in application.screens()
    ]
    return Answer(works=True, details=f"Qt {qVersion()} on {application.platformName()}: {', '.join(screens)}")


def tray() -> Answer:
    """Is there somewhere to put the icon?"""
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from seedshot_desktop.ui.startup import display_problem  # noqa: PLC0415
    from seedshot_desktop.ui.tray_watch import TrayWatch  # noqa: PLC0415

    if problem := display_problem():
        return Answer(works=False, details=problem)
    application = QApplication(sys.argv[:1])
    watch = TrayWatch(application)
    if watch.available():
        kind = "by D-Bus (StatusNotifierItem)" if watch.by_bus else "by X11 (XEmbed)"
        return Answer(works=True, details=f"there is one, {kind}" if sys.platform == "linux" else "there is one")
    advice = "A small window does its work. On GNOME, the extension AppIndicator adds a tray."
    return Answer(works=False, details="this desktop has none", advice=advice)


def hotkey(combo: str = "Ctrl+Shift+2") -> Answer:
    """Can the combination be held? It is given back at once."""
    from seedshot_desktop.hotkey import open_hotkey, parse_combo  # noqa: PLC0415

    async def hold() -> None:
        open_hotkey(parse_combo(combo), lambda: None).close()

    try:
        asyncio.run(hold())
    except HotkeyTakenError as error:
        return Answer(works=False, details=str(error), taken=True)
    except SeedshotError as error:
        return Answer(works=False, details=str(error))
    return Answer(works=True, details=f"{combo} is free")


def capture() -> Answer:
    """Can a picture be taken? It is looked at for being black, and thrown away."""
    from seedshot_desktop.capture import open_backend  # noqa: PLC0415

    try:
        backend = open_backend()
        started = time.perf_counter()
        frames = backend.grab()
        took_ms = (time.perf_counter() - started) * 1000
        backend.close()
    except SeedshotError as error:
        return Answer(works=False, details=str(error))
    sizes = ", ".join(f"{frame.monitor.width}x{frame.monitor.height}" for frame in frames)
    details = f"{backend.name}: {sizes} in {took_ms:.0f} ms"
    if not any(_has_light(frame.pixels) for frame in frames):
        advice = "Every pixel is black: the screen is empty, or the system hides it."
        if sys.platform == "darwin":
            advice += " Allow screen recording under System Settings, Privacy & Security."
        return Answer(works=False, details=details, advice=advice)
    return Answer(works=True, details=details)


def _has_light(pixels: bytes | bytearray | memoryview) -> bool:
    """Whether any pixel is not black; the fourth byte of a pixel means nothing."""
    return any(any(pixels[channel::4]) for channel in range(3))


_PROBES: dict[str, Callable[..., Answer]] = {"qt": qt, "tray": tray, "hotkey": hotkey, "capture": capture}


def main() -> None:
    """Run the probe that the command line names."""
    answer = _PROBES[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")


if __name__ == "__main__":
    main()
