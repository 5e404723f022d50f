"""Whether there is a tray: what is kept open for the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject

from seedshot_desktop.ui import tray_watch
from seedshot_desktop.ui.tray_watch import TrayWatch
from tests.support.qt import application


class Display(QObject):
    """An X display, with a tray or without."""

    def __init__(self, tray: bool) -> None:
        super().__init__()
        self.tray = tray
        self.open = True
        self.appeared: Callable[[], None] | None = None

    def owned(self) -> bool:
        return self.tray

    def watch(self, appeared: Callable[[], None]) -> None:
        self.appeared = appeared

    def close(self) -> None:
        self.open = False


@pytest.mark.parametrize("tray", [True, False])
def test_the_display_is_listened_to_until_there_is_a_tray(monkeypatch: pytest.MonkeyPatch, tray: bool) -> None:
    application()
    display = Display(tray)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(tray_watch, "_on_bus", lambda: False)
    monkeypatch.setattr(tray_watch, "X11Tray", lambda _parent: display)
    watch = TrayWatch()
    assert watch.available() is tray
    watch.start()
    assert display.open is not tray
    assert (display.appeared is None) is tray
    if display.appeared is not None:
        display.appeared()
        assert not display.open
