"""Whether this desktop has a tray, now or later; told by the desktop, never asked in a loop.

A tray is a host at a D-Bus service (StatusNotifierWatcher: KDE, GNOME with an
extension, many panels) or the owner of an X11 selection (freedesktop.org's
System Tray Protocol: older panels). The service may be there before anybody
draws icons: at the start of a session it is. Qt looks for a host once in a
process's life, so Qt must not be asked before one of the two is there.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import SLOT, QObject, QTimer, Signal, Slot
from PySide6.QtDBus import QDBus, QDBusConnection, QDBusMessage, QDBusServiceWatcher, QDBusVariant
from PySide6.QtWidgets import QSystemTrayIcon

from seedshot_desktop.ui.desktop_notes import SERVICE
from seedshot_desktop.ui.x11_tray import X11Tray

_WATCHER, _PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
_HOST = "IsStatusNotifierHostRegistered"
_HOST_SIGNAL = "StatusNotifierHostRegistered"
_RESTART_MS = 5000
"""A panel that crashed or was updated is back by then."""
_ANSWER_MS = 500
"""For the service to say whether it has a host; Qt asks it the same, and waits longer."""


class TrayWatch(QObject):
    """Answers once, then watches: a tray appears, the D-Bus kind goes away for longer than a panel's restart takes."""

    appeared = Signal()
    """A tray is there now, for the first time or again."""
    vanished = Signal()
    """It is gone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services: QDBusServiceWatcher | None = None
        self._selection: X11Tray | None = None
        self._there = False
        self._by_bus = False
        self._grace = QTimer(self, singleShot=True, interval=_RESTART_MS)
        self._grace.timeout.connect(self._on_gone)

    @property
    def by_bus(self) -> bool:
        """Whether the tray that was found is told of icons over D-Bus; Qt stays with the first kind."""
        return self._by_bus

    def available(self) -> bool:
        """Whether there is a tray now."""
        if not sys.platform.startswith("linux"):
            self._there = QSystemTrayIcon.isSystemTrayAvailable()
        else:
            self._by_bus = _on_bus()
            self._there = self._by_bus or self._x11().owned()
        return self._there

    def desktop_notifies(self) -> bool:
        """Whether the desktop shows notices; one with a tray on D-Bus does, perhaps by a service yet to be started."""
        return not sys.platform.startswith("linux") or self._by_bus or _registered(SERVICE)

    def notes_by_bus(self) -> bool:
        """Whether it is told of them over D-Bus."""
        return sys.platform.startswith("linux")

    def start(self) -> None:
        """Watch from now on."""
        if not sys.platform.startswith("linux"):
            return
        bus = QDBusConnection.sessionBus()
        if bus.isConnected():
            mode = QDBusServiceWatcher.WatchModeFlag.WatchForOwnerChange
            self._services = QDBusServiceWatcher(_WATCHER, bus, mode, self)
            self._services.serviceRegistered.connect(self._on_service)
            self._services.serviceUnregistered.connect(self._on_service_gone)
            slot = SLOT("_on_host()")
            bus.connect(_WATCHER, _PATH, _WATCHER, _HOST_SIGNAL, self, slot)  # type: ignore[call-overload]  # stub: bytes
        if not self._there:
            self._x11().watch(self._on_found)

    def _x11(self) -> X11Tray:
        if self._selection is None:
            self._selection = X11Tray(self)
        return self._selection

    def _on_service(self) -> None:
        """The service has come, perhaps with a host already; else the host will be announced."""
        if _on_bus():
            self._on_host()

    @Slot()
    def _on_host(self) -> None:
        self._by_bus = self._by_bus or not self._there
        self._on_found()

    def _on_found(self) -> None:
        self._grace.stop()
        if not self._there:
            self._there = True
            self._x11().close()
            self.appeared.emit()

    def _on_service_gone(self) -> None:
        if self._there and self._by_bus:
            self._grace.start()

    def _on_gone(self) -> None:
        self._there = False
        self.vanished.emit()


def _on_bus() -> bool:
    """Whether somebody draws icons that are told of over D-Bus."""
    if not _registered(_WATCHER):
        return False
    question = QDBusMessage.createMethodCall(_WATCHER, _PATH, "org.freedesktop.DBus.Properties", "Get")
    question.setArguments([_WATCHER, _HOST])
    answer = QDBusConnection.sessionBus().call(question, QDBus.CallMode.Block, _ANSWER_MS).arguments()
    value = answer[0] if answer else False
    return bool(value.variant() if isinstance(value, QDBusVariant) else value)


def _registered(service: str) -> bool:
    """Whether `service` runs."""
    bus = QDBusConnection.sessionBus()
    return bus.isConnected() and bool(bus.interface().isServiceRegistered(service).value())
