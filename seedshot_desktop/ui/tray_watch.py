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
from PySide6.QtDBus import (
    QDBus,
    QDBusConnection,
    QDBusMessage,
    QDBusPendingCallWatcher,
    QDBusServiceWatcher,
    QDBusVariant,
)
from PySide6.QtWidgets import QSystemTrayIcon

from seedshot_desktop.ui.notes_service import SERVICE
from seedshot_desktop.ui.x11_tray import X11Tray

_WATCHER, _PATH = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
_HOST = "IsStatusNotifierHostRegistered"
_HOST_CAME, _HOST_WENT = "StatusNotifierHostRegistered", "StatusNotifierHostUnregistered"
_RESTART_MS = 5000
"""A panel that crashed or was updated is back by then."""
_ANSWER_MS = 500
"""For the service to say at the start whether it has a host; it is asked again where it takes longer."""


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
            if self._there:
                self._x11_no_more()
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
            self._services.serviceUnregistered.connect(self._on_no_host)
            for signal, slot in ((_HOST_CAME, SLOT("_on_host()")), (_HOST_WENT, SLOT("_on_host_gone()"))):
                bus.connect(_WATCHER, _PATH, _WATCHER, signal, self, slot)  # type: ignore[call-overload]  # stub: bytes
        if not self._there:
            self._ask()
            self._x11().watch(self._on_found)

    def _x11(self) -> X11Tray:
        if self._selection is None:
            self._selection = X11Tray(self)
        return self._selection

    def _x11_no_more(self) -> None:
        if self._selection is not None:
            self._selection.close()
            self._selection.deleteLater()
            self._selection = None

    def _ask(self) -> None:
        """Whether there is a host; the answer comes when it comes."""
        asked = QDBusPendingCallWatcher(QDBusConnection.sessionBus().asyncCall(_question()), self)
        asked.finished.connect(self._on_answer)

    def _on_answer(self, asked: QDBusPendingCallWatcher) -> None:
        if _is_yes(asked.reply()):
            self._on_host()
        else:
            self._on_no_host()
        asked.deleteLater()

    def _on_service(self) -> None:
        """The service has come, perhaps with a host already; else the host will be announced."""
        self._ask()

    @Slot()
    def _on_host_gone(self) -> None:
        """A panel has gone, perhaps not the only one; on KDE the service outlives it."""
        self._ask()

    @Slot()
    def _on_host(self) -> None:
        self._by_bus = self._by_bus or not self._there
        self._on_found()

    def _on_found(self) -> None:
        self._grace.stop()
        if not self._there:
            self._there = True
            self._x11_no_more()
            self.appeared.emit()

    def _on_no_host(self) -> None:
        if self._there and self._by_bus and not self._grace.isActive():
            self._grace.start()

    def _on_gone(self) -> None:
        self._there = False
        self.vanished.emit()


def _on_bus() -> bool:
    """Whether somebody draws icons that are told of over D-Bus."""
    return _is_yes(QDBusConnection.sessionBus().call(_question(), QDBus.CallMode.Block, _ANSWER_MS))


def _question() -> QDBusMessage:
    question = QDBusMessage.createMethodCall(_WATCHER, _PATH, "org.freedesktop.DBus.Properties", "Get")
    question.setArguments([_WATCHER, _HOST])
    question.setAutoStartService(False)
    return question


def _is_yes(reply: QDBusMessage) -> bool:
    """An error's argument is its text: no answer to the question."""
    if reply.type() is not QDBusMessage.MessageType.ReplyMessage or not reply.arguments():
        return False
    value = reply.arguments()[0]
    return bool(value.variant() if isinstance(value, QDBusVariant) else value)


def _registered(service: str) -> bool:
    """Whether `service` runs."""
    bus = QDBusConnection.sessionBus()
    return bus.isConnected() and bool(bus.interface().isServiceRegistered(service).value())
