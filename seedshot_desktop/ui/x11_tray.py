"""Who owns the X11 system tray, and word of it when somebody takes it over (freedesktop.org System Tray Protocol).

The tray is whoever owns the selection ``_NET_SYSTEM_TRAY_Sn``; a new owner
sends a ``MANAGER`` client message to the root window (ICCCM, section 2.8). Qt
hears it too but does not pass it on, so a connection of our own listens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, Structure, c_char_p, c_uint8, c_uint16, c_uint32, c_void_p

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QGuiApplication

from seedshot_desktop.x_connection import Cookie, Signatures, XConnection, XError, free

_CLIENT_MESSAGE = 33
_EVENT_MASK = 1 << 11  # xcb_cw_t: CW_EVENT_MASK
_STRUCTURE_NOTIFY = 1 << 17


class _Reply(Structure):
    """The reply to both InternAtom and GetSelectionOwner."""

    _fields_ = (("head", c_uint8 * 8), ("value", c_uint32))


class _ClientMessage(Structure):
    _fields_ = (
        ("kind", c_uint8),
        ("format", c_uint8),
        ("sequence", c_uint16),
        ("window", c_uint32),
        ("type", c_uint32),
        ("data", c_uint32 * 5),
    )


_CALLS: Signatures = {
    "xcb_change_window_attributes": (Cookie, [c_void_p, c_uint32, c_uint32, POINTER(c_uint32 * 1)]),
    "xcb_get_selection_owner": (Cookie, [c_void_p, c_uint32]),
    "xcb_get_selection_owner_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_intern_atom": (Cookie, [c_void_p, c_uint8, c_uint16, c_char_p]),
    "xcb_intern_atom_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
}


class _Connection(XConnection):
    """Asks for the tray's owner, and hears of a new one."""

    def __init__(self) -> None:
        super().__init__(_CALLS)
        self._tray = self._atom(f"_NET_SYSTEM_TRAY_S{self.screen_number}")
        self._manager = self._atom("MANAGER")

    def owner(self) -> int:
        """The window that is the tray; 0 where there is none."""
        cookie = self._xcb.xcb_get_selection_owner(self._open(), self._tray)
        return _taken(self._xcb.xcb_get_selection_owner_reply(self._open(), cookie, None))

    def listen(self) -> None:
        """Have the server tell of every new owner."""
        mask = (c_uint32 * 1)(_STRUCTURE_NOTIFY)
        self._xcb.xcb_change_window_attributes(self._open(), self.screen.root, _EVENT_MASK, mask)
        self._xcb.xcb_flush(self._open())

    def appeared(self) -> bool:
        """Whether one of the events that have come tells of a new tray; takes them all."""
        found = False
        while event := self._xcb.xcb_poll_for_event(self._open()):
            message = ctypes.cast(event, POINTER(_ClientMessage)).contents
            is_ours = message.kind & 0x7F == _CLIENT_MESSAGE and message.type == self._manager
            found = found or (is_ours and message.data[1] == self._tray)
            free(event)
        return found

    def _atom(self, name: str) -> int:
        cookie = self._xcb.xcb_intern_atom(self._open(), 0, len(name), name.encode())
        return _taken(self._xcb.xcb_intern_atom_reply(self._open(), cookie, None))


class X11Tray(QObject):
    """The tray of Qt's own X display; none where Qt draws on anything else."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifier: QSocketNotifier | None = None
        self._appeared: Callable[[], None] = lambda: None
        self._connection = _connect() if QGuiApplication.platformName() == "xcb" else None

    def owned(self) -> bool:
        """Whether there is a tray now."""
        return self._connection is not None and bool(self._connection.owner())

    def watch(self, appeared: Callable[[], None]) -> None:
        """Call `appeared` when somebody becomes the tray."""
        if self._connection is None:
            return
        self._appeared = appeared
        self._connection.listen()
        self._notifier = QSocketNotifier(self._connection.fileno, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._read()  # what came before the descriptor was watched

    def close(self) -> None:
        """Hear nothing more."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self) -> None:
        if self._connection is None:
            return
        if self._connection.appeared():
            self._appeared()
        elif self._connection.broken:
            self.close()


def _connect() -> _Connection | None:
    try:
        return _Connection()
    except XError:
        return None


def _taken(reply: int | None) -> int:
    """The value in `reply`, whose memory is given back; 0 where the server is gone."""
    if not reply:
        return 0
    value = int(ctypes.cast(reply, POINTER(_Reply)).contents.value)
    free(reply)
    return value
