"""The few calls of libxcb that holding one key takes, on a connection of their own.

ctypes over the libxcb that every X11 program has loaded anyway: no
dependency, no build step, and no X request of another client ever passes here.
Sources: xcb.h, xproto.h; the X Window System Protocol, sections 8 and 10.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

KEY_PRESS = 2
KEY_RELEASE = 3
MAPPING_NOTIFY = 34
MAPPING_POINTER = 2
BAD_ACCESS = 10

_CURRENT_TIME = 0
_GRAB_MODE_ASYNC = 1


class XcbError(Exception):
    """The display cannot be reached, or the connection to it broke."""


class _Cookie(Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Setup(Structure):
    """The head of xcb_setup_t, up to the key codes."""

    _fields_ = (
        ("head", c_uint8 * 34),
        ("min_keycode", c_uint8),
        ("max_keycode", c_uint8),
    )


class _Iterator(Structure):
    _fields_ = (("data", POINTER(c_uint32)), ("rem", c_int), ("index", c_int))


class _Error(Structure):
    _fields_ = (("response_type", c_uint8), ("error_code", c_uint8))


@dataclass(frozen=True)
class Event:
    """One event of the server, as far as it matters here."""

    kind: int
    """KEY_PRESS, KEY_RELEASE, MAPPING_NOTIFY, or a type that nobody asked for."""
    keycode: int
    mapping: int
    """Of a MAPPING_NOTIFY: what changed."""


@dataclass(frozen=True)
class Keymap:
    """What the keyboard means now."""

    first_keycode: int
    keysyms: tuple[tuple[int, ...], ...]
    """For each key code its symbols: group 1 plain, group 1 shifted, group 2 plain, …; 0 where there is none."""
    modifiers: tuple[tuple[int, ...], ...]
    """For each of the eight modifier bits (Shift, Lock, Control, Mod1 … Mod5) the key codes that set it."""


class Connection:
    """A connection to the X server, which is asked for single keys of the root window."""

    def __init__(self, display: str | None = None) -> None:
        """Connect to `display`, or to $DISPLAY; raises XcbError."""
        self._xcb = _library()
        self._libc_free = ctypes.CDLL(None).free
        self._libc_free.argtypes = [c_void_p]
        self._libc_free.restype = None
        screen = c_int(0)
        self._connection: int | None = self._xcb.xcb_connect(
            display.encode() if display else None, ctypes.byref(screen)
        )
        if self._xcb.xcb_connection_has_error(self._connection):
            self.close()
            raise XcbError("the display cannot be reached")
        setup = self._xcb.xcb_get_setup(self._connection)
        head = ctypes.cast(setup, POINTER(_Setup)).contents
        self._keycodes = (int(head.min_keycode), int(head.max_keycode))
        self._root = self._find_root(setup, screen.value)

    def _find_root(self, setup: int, screen: int) -> int:
        iterator = self._xcb.xcb_setup_roots_iterator(setup)
        for _ in range(screen):
            self._xcb.xcb_screen_next(ctypes.byref(iterator))
        return int(iterator.data[0])  # xcb_screen_t begins with the root window's id

    @property
    def fileno(self) -> int:
        """Readable when events may have come, and when the connection broke."""
        return int(self._xcb.xcb_get_file_descriptor(self._open()))

    @property
    def broken(self) -> bool:
        """True when the server is gone; every call fails from then on."""
        return self._connection is None or bool(self._xcb.xcb_connection_has_error(self._connection))

    def keymap(self) -> Keymap:
        """Ask what the keys mean now; raises XcbError."""
        first, last = self._keycodes
        per_keycode, keysyms = self._keyboard_mapping(first, last - first + 1)
        per_modifier, keycodes = self._modifier_mapping()
        return Keymap(first, _rows(keysyms, per_keycode), _rows(keycodes, per_modifier))

    def _keyboard_mapping(self, first: int, count: int) -> tuple[int, list[int]]:
        cookie = self._xcb.xcb_get_keyboard_mapping(self._open(), first, count)
        reply = self._reply(self._xcb.xcb_get_keyboard_mapping_reply, cookie)
        try:
            length = self._xcb.xcb_get_keyboard_mapping_keysyms_length(reply)
            symbols = self._xcb.xcb_get_keyboard_mapping_keysyms(reply)
            return _second_byte(reply), list(symbols[:length])
        finally:
            self._libc_free(reply)

    def _modifier_mapping(self) -> tuple[int, list[int]]:
        cookie = self._xcb.xcb_get_modifier_mapping(self._open())
        reply = self._reply(self._xcb.xcb_get_modifier_mapping_reply, cookie)
        try:
            length = self._xcb.xcb_get_modifier_mapping_keycodes_length(reply)
            keycodes = self._xcb.xcb_get_modifier_mapping_keycodes(reply)
            return _second_byte(reply), list(keycodes[:length])
        finally:
            self._libc_free(reply)

    def _reply(self, function: Any, cookie: _Cookie) -> int:
        reply = function(self._open(), cookie, None)
        if not reply:
            raise XcbError("the connection to the display broke")
        return int(reply)

    def grab_keys(self, keys: list[tuple[int, int]]) -> int:
        """Ask for each (key code, modifier mask) on the root window; gives 0, or the first X error code.

        The requests go out together and are answered in one round trip.
        Raises XcbError.
        """
        grab = self._xcb.xcb_grab_key_checked
        cookies = [
            grab(self._open(), 0, self._root, mask, keycode, _GRAB_MODE_ASYNC, _GRAB_MODE_ASYNC)
            for keycode, mask in keys
        ]
        codes = [self._check(cookie) for cookie in cookies]
        if self.broken:
            raise XcbError("the connection to the display broke")
        return next((code for code in codes if code), 0)

    def ungrab_keys(self, keys: list[tuple[int, int]]) -> None:
        """Give each (key code, modifier mask) back."""
        for keycode, mask in keys:
            self._xcb.xcb_ungrab_key(self._open(), keycode, self._root, mask)
        self._xcb.xcb_flush(self._open())

    def release_keyboard(self) -> None:
        """End the keyboard grab that a press of a held key began, so that no following key comes here."""
        self._xcb.xcb_ungrab_keyboard(self._open(), _CURRENT_TIME)
        self._xcb.xcb_flush(self._open())

    def _check(self, cookie: _Cookie) -> int:
        error = self._xcb.xcb_request_check(self._open(), cookie)
        if not error:
            return 0
        code = int(ctypes.cast(error, POINTER(_Error)).contents.error_code)
        self._libc_free(error)
        return code

    def next_event(self) -> Event | None:
        """The next event that has come, or None; never waits."""
        if self._connection is None:
            return None
        pointer = self._xcb.xcb_poll_for_event(self._connection)
        if not pointer:
            return None
        try:
            raw = ctypes.cast(pointer, POINTER(c_uint8))
            return Event(raw[0] & 0x7F, raw[1], raw[4])
        finally:
            self._libc_free(pointer)

    def close(self) -> None:
        """Disconnect; the server gives back every key that was held."""
        if self._connection is not None:
            self._xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _open(self) -> int:
        if self._connection is None:
            raise XcbError("the connection to the display is closed")
        return self._connection


def _rows(values: list[int], width: int) -> tuple[tuple[int, ...], ...]:
    if not width:
        return ()
    return tuple(tuple(values[start : start + width]) for start in range(0, len(values), width))


def _second_byte(reply: int) -> int:
    """The reply's byte for small numbers: symbols for each key code, key codes for each modifier."""
    return int(ctypes.cast(reply, POINTER(c_uint8))[1])


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "xcb_connect": (c_void_p, [c_char_p, POINTER(c_int)]),
    "xcb_connection_has_error": (c_int, [c_void_p]),
    "xcb_disconnect": (None, [c_void_p]),
    "xcb_flush": (c_int, [c_void_p]),
    "xcb_get_file_descriptor": (c_int, [c_void_p]),
    "xcb_get_setup": (c_void_p, [c_void_p]),
    "xcb_setup_roots_iterator": (_Iterator, [c_void_p]),
    "xcb_screen_next": (None, [POINTER(_Iterator)]),
    "xcb_poll_for_event": (c_void_p, [c_void_p]),
    "xcb_request_check": (c_void_p, [c_void_p, _Cookie]),
    "xcb_get_keyboard_mapping": (_Cookie, [c_void_p, c_uint8, c_uint8]),
    "xcb_get_keyboard_mapping_reply": (c_void_p, [c_void_p, _Cookie, c_void_p]),
    "xcb_get_keyboard_mapping_keysyms": (POINTER(c_uint32), [c_void_p]),
    "xcb_get_keyboard_mapping_keysyms_length": (c_int, [c_void_p]),
    "xcb_get_modifier_mapping": (_Cookie, [c_void_p]),
    "xcb_get_modifier_mapping_reply": (c_void_p, [c_void_p, _Cookie, c_void_p]),
    "xcb_get_modifier_mapping_keycodes": (POINTER(c_uint8), [c_void_p]),
    "xcb_get_modifier_mapping_keycodes_length": (c_int, [c_void_p]),
    "xcb_grab_key_checked": (_Cookie, [c_void_p, c_uint8, c_uint32, c_uint16, c_uint8, c_uint8, c_uint8]),
    "xcb_ungrab_key": (_Cookie, [c_void_p, c_uint8, c_uint32, c_uint16]),
    "xcb_ungrab_keyboard": (_Cookie, [c_void_p, c_uint32]),
}


def _library() -> Any:
    """libxcb with its signatures; raises XcbError where it is not installed."""
    name = ctypes.util.find_library("xcb") or "libxcb.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        raise XcbError("libxcb is not installed") from None
    for function, (result, arguments) in _SIGNATURES.items():
        pointer = getattr(library, function)
        pointer.restype, pointer.argtypes = result, arguments
    return library
