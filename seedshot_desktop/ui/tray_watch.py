"""Whether this desktop has a tray, now or later; told by the desktop, never asked in a loop.

A tray is a D-Bus service (StatusNotifierWatcher: KDE, GNOME with an extension,
many panels) or the owner of an X11 selection (freedesktop.org's System Tray
Protocol: older panels). Qt looks for the first once in a process's life, so Qt
must not be asked before one of the two is there.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtDBus import QDBusConnection, QDBusServiceWatcher
from PySide6.QtWidgets import QSystemTrayIcon

from seedshot_desktop.ui.x11_tray import X11Tray

_WATCHER = "org.kde.StatusNotifierWatcher"


class TrayWatch(QObject):
    """Answers once, or watches until a tray appears."""

    appeared = Signal()
    """A tray is there now; emitted once after ``start``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bus_watch: QDBusServiceWatcher | None = None
        self._selection: X11Tray | None = None
        self._found = False

    def available(self) -> bool:
        """Whether there is a tray now."""
        if not sys.platform.startswith("linux"):
            return QSystemTrayIcon.isSystemTrayAvailable()
        return _on_bus(_WATCHER) or self._x11().owned()

    def desktop_notifies(self) -> bool:
        """Whether notifications of the tray icon are shown by the desktop and not by Qt itself."""
        return not sys.platform.startswith("linux") or _on_bus(_WATCHER)

    def start(self) -> None:
        """Watch from now on."""
        if not sys.platform.startswith("linux"):
            return
        bus = QDBusConnection.sessionBus()
        if bus.isConnected():
            mode = QDBusServiceWatcher.WatchModeFlag.WatchForRegistration
            self._bus_watch = QDBusServiceWatcher(_WATCHER, bus, mode, self)
            self._bus_watch.serviceRegistered.connect(self._on_found)
        self._x11().watch(self._on_found)

    def _x11(self) -> X11Tray:
        if self._selection is None:
            self._selection = X11Tray(self)
        return self._selection

    def _on_found(self) -> None:
        if self._found:
            return
        self._found = True
        if self._bus_watch is not None:
            self._bus_watch.deleteLater()
            self._bus_watch = None
        self._x11().close()
        self.appeared.emit()


def _on_bus(service: str) -> bool:
    bus = QDBusConnection.sessionBus()
    return bus.isConnected() and bool(bus.interface().isServiceRegistered(service).value())
