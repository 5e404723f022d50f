"""The few calls of libxcb that holding one key takes, on a connection of their own.

No dependency, no build step, and no X request of another client ever passes here.
Sources: xcb.h, xproto.h; the X Window System Protocol, sections 8 and 10.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

from seedshot_desktop.x_connection import Cookie, Signatures, XConnection, XError, free

KEY_PRESS = 2
KEY_RELEASE = 3
MAPPING_NOTIFY = 34
MAPPING_POINTER = 2
BAD_ACCESS = 10

_CURRENT_TIME = 0
_GRAB_MODE_ASYNC = 1


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


class Connection(XConnection):
    """A connection to the X server, which is asked for single keys of the root window."""

    def __init__(self, display: str | None = None) -> None:
        """Connect to `display`, or to $DISPLAY; raises XError."""
        super().__init__(_CALLS, display)
        self._keycodes = (int(self.setup.min_keycode), int(self.setup.max_keycode))
        self._root = int(self.screen.root)

    def keymap(self) -> Keymap:
        """Ask what the keys mean now; raises XError."""
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
            free(reply)

    def _modifier_mapping(self) -> tuple[int, list[int]]:
        cookie = self._xcb.xcb_get_modifier_mapping(self._open())
        reply = self._reply(self._xcb.xcb_get_modifier_mapping_reply, cookie)
        try:
            length = self._xcb.xcb_get_modifier_mapping_keycodes_length(reply)
            keycodes = self._xcb.xcb_get_modifier_mapping_keycodes(reply)
            return _second_byte(reply), list(keycodes[:length])
        finally:
            free(reply)

    def _reply(self, function: Any, cookie: Cookie) -> int:
        reply = function(self._open(), cookie, None)
        if not reply:
            raise XError("the connection to the display broke")
        return int(reply)

    def grab_keys(self, keys: list[tuple[int, int]]) -> int:
        """Ask for each (key code, modifier mask) on the root window; gives 0, or the first X error code.

        The requests go out together and are answered in one round trip.
        Raises XError.
        """
        grab = self._xcb.xcb_grab_key_checked
        cookies = [
            grab(self._open(), 0, self._root, mask, keycode, _GRAB_MODE_ASYNC, _GRAB_MODE_ASYNC)
            for keycode, mask in keys
        ]
        codes = [self._check(cookie) for cookie in cookies]
        if self.broken:
            raise XError("the connection to the display broke")
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

    def _check(self, cookie: Cookie) -> int:
        error = self._xcb.xcb_request_check(self._open(), cookie)
        if not error:
            return 0
        code = int(ctypes.cast(error, POINTER(_Error)).contents.error_code)
        free(error)
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
            free(pointer)


def _rows(values: list[int], width: int) -> tuple[tuple[int, ...], ...]:
    if not width:
        return ()
    return tuple(tuple(values[start : start + width]) for start in range(0, len(values), width))


def _second_byte(reply: int) -> int:
    """The reply's byte for small numbers: symbols for each key code, key codes for each modifier."""
    return int(ctypes.cast(reply, POINTER(c_uint8))[1])


_CALLS: Signatures = {
    "xcb_get_keyboard_mapping": (Cookie, [c_void_p, c_uint8, c_uint8]),
    "xcb_get_keyboard_mapping_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_get_keyboard_mapping_keysyms": (POINTER(c_uint32), [c_void_p]),
    "xcb_get_keyboard_mapping_keysyms_length": (c_int, [c_void_p]),
    "xcb_get_modifier_mapping": (Cookie, [c_void_p]),
    "xcb_get_modifier_mapping_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
    "xcb_get_modifier_mapping_keycodes": (POINTER(c_uint8), [c_void_p]),
    "xcb_get_modifier_mapping_keycodes_length": (c_int, [c_void_p]),
    "xcb_grab_key_checked": (Cookie, [c_void_p, c_uint8, c_uint32, c_uint16, c_uint8, c_uint8, c_uint8]),
    "xcb_ungrab_key": (Cookie, [c_void_p, c_uint8, c_uint32, c_uint16]),
    "xcb_ungrab_keyboard": (Cookie, [c_void_p, c_uint32]),
}
