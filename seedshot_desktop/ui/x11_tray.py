"""Who owns the X11 system tray, and word of it when somebody takes it over (freedesktop.org System Tray Protocol).

The tray is whoever owns the selection ``_NET_SYSTEM_TRAY_Sn``; a new owner
sends a ``MANAGER`` client message to the root window (ICCCM, section 2.8). Qt
hears it too but does not pass it on, so a connection of our own listens.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QGuiApplication

_CLIENT_MESSAGE = 33
_EVENT_MASK = 1 << 11  # xcb_cw_t: CW_EVENT_MASK
_STRUCTURE_NOTIFY = 1 << 17


class _Reply(Structure):
    """The reply to both InternAtom and GetSelectionOwner."""

    _fields_ = (("head", c_uint8 * 8), ("value", c_uint32))


class _Screens(Structure):
    _fields_ = (("first", POINTER(c_uint32)), ("rem", c_int), ("index", c_int))


class _ClientMessage(Structure):
    _fields_ = (
        ("kind", c_uint8),
        ("format", c_uint8),
        ("sequence", c_uint16),
        ("window", c_uint32),
        ("type", c_uint32),
        ("data", c_uint32 * 5),
    )


class X11Tray(QObject):
    """The tray of Qt's own X display; none where Qt draws on anything else."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifier: QSocketNotifier | None = None
        self._appeared: Callable[[], None] = lambda: None
        self._connection: int | None = None
        if QGuiApplication.platformName() == "xcb":
            self._connect()

    def owned(self) -> bool:
        """Whether there is a tray now."""
        if self._connection is None:
            return False
        cookie = _xcb.xcb_get_selection_owner(self._connection, self._tray)
        return bool(_taken(_xcb.xcb_get_selection_owner_reply(self._connection, cookie, None)))

    def watch(self, appeared: Callable[[], None]) -> None:
        """Call `appeared` when somebody becomes the tray."""
        if self._connection is None:
            return
        self._appeared = appeared
        mask = (c_uint32 * 1)(_STRUCTURE_NOTIFY)
        _xcb.xcb_change_window_attributes(self._connection, self._root, _EVENT_MASK, mask)
        _xcb.xcb_flush(self._connection)
        descriptor = _xcb.xcb_get_file_descriptor(self._connection)
        self._notifier = QSocketNotifier(descriptor, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._read()  # what came before the descriptor was watched

    def close(self) -> None:
        """Hear nothing more."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            _xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _connect(self) -> None:
        _load()
        number = c_int()
        connection = _xcb.xcb_connect(None, ctypes.byref(number))
        if _xcb.xcb_connection_has_error(connection):
            _xcb.xcb_disconnect(connection)
            return
        self._connection = connection
        self._root = _xcb.xcb_setup_roots_iterator(_xcb.xcb_get_setup(connection)).first[0]
        self._tray = self._atom(f"_NET_SYSTEM_TRAY_S{number.value}")
        self._manager = self._atom("MANAGER")

    def _atom(self, name: str) -> int:
        cookie = _xcb.xcb_intern_atom(self._connection, 0, len(name), name.encode())
        return _taken(_xcb.xcb_intern_atom_reply(self._connection, cookie, None))

    def _read(self) -> None:
        """Every event that has come."""
        appeared = False
        while self._connection is not None and (event := _xcb.xcb_poll_for_event(self._connection)):
            message = ctypes.cast(event, POINTER(_ClientMessage)).contents
            is_ours = message.kind & 0x7F == _CLIENT_MESSAGE and message.type == self._manager
            appeared = appeared or (is_ours and message.data[1] == self._tray)
            _libc.free(event)
        if appeared:
            self._appeared()
        elif self._connection is not None and _xcb.xcb_connection_has_error(self._connection):
            self.close()


def _taken(reply: int | None) -> int:
    """The value in `reply`, whose memory is given back; 0 where the server is gone."""
    if not reply:
        return 0
    value = int(ctypes.cast(reply, POINTER(_Reply)).contents.value)
    _libc.free(reply)
    return value


_xcb: ctypes.CDLL
_libc: ctypes.CDLL


def _load() -> None:
    """The two libraries, with the types of what is called."""
    global _xcb, _libc
    _xcb, _libc = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL(None)
    _libc.free.argtypes, _libc.free.restype = [c_void_p], None
    for name, result, arguments in (
        ("xcb_connect", c_void_p, [c_char_p, POINTER(c_int)]),
        ("xcb_connection_has_error", c_int, [c_void_p]),
        ("xcb_disconnect", None, [c_void_p]),
        ("xcb_get_file_descriptor", c_int, [c_void_p]),
        ("xcb_get_setup", c_void_p, [c_void_p]),
        ("xcb_setup_roots_iterator", _Screens, [c_void_p]),
        ("xcb_intern_atom", c_uint32, [c_void_p, c_uint8, c_uint16, c_char_p]),
        ("xcb_intern_atom_reply", c_void_p, [c_void_p, c_uint32, c_void_p]),
        ("xcb_get_selection_owner", c_uint32, [c_void_p, c_uint32]),
        ("xcb_get_selection_owner_reply", c_void_p, [c_void_p, c_uint32, c_void_p]),
        ("xcb_change_window_attributes", c_uint32, [c_void_p, c_uint32, c_uint32, POINTER(c_uint32 * 1)]),
        ("xcb_flush", c_int, [c_void_p]),
        ("xcb_poll_for_event", c_void_p, [c_void_p]),
    ):
        function = getattr(_xcb, name)
        function.restype, function.argtypes = result, arguments
