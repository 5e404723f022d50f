"""A connection of our own to the X server, by ctypes over the libxcb that every X11 program has loaded anyway.

What the calls of a room are is the room's business; connecting, the default
screen, and giving back what libxcb has allocated are the same for all.
Sources: xcb.h, xproto.h; the X Window System Protocol, section 8.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from ctypes import POINTER, Structure, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from functools import cache
from typing import Any

Signatures = Mapping[str, tuple[Any, list[Any]]]
"""For each function of a library its result and its arguments."""


class XError(Exception):
    """The X server cannot be reached, or the connection to it broke; says why."""


class Cookie(Structure):
    """The number of a request, by which its answer is asked for."""

    _fields_ = (("sequence", ctypes.c_uint),)


class Setup(Structure):
    """The head of xcb_setup_t, up to the key codes."""

    _fields_ = (
        ("head", c_uint8 * 30),
        ("image_byte_order", c_uint8),
        ("bitmap_format", c_uint8 * 3),
        ("min_keycode", c_uint8),
        ("max_keycode", c_uint8),
    )


class Screen(Structure):
    """The head of xcb_screen_t, up to the depth of the root window."""

    _fields_ = (
        ("root", c_uint32),
        ("colours", c_uint32 * 4),
        ("size", c_uint16 * 6),
        ("root_visual", c_uint32),
        ("backing_stores", c_uint8),
        ("save_unders", c_uint8),
        ("root_depth", c_uint8),
    )


class _Screens(Structure):
    _fields_ = (("data", POINTER(Screen)), ("rem", c_int), ("index", c_int))


_CALLS: Signatures = {
    "xcb_connect": (c_void_p, [c_char_p, POINTER(c_int)]),
    "xcb_connection_has_error": (c_int, [c_void_p]),
    "xcb_disconnect": (None, [c_void_p]),
    "xcb_flush": (c_int, [c_void_p]),
    "xcb_get_file_descriptor": (c_int, [c_void_p]),
    "xcb_get_setup": (c_void_p, [c_void_p]),
    "xcb_poll_for_event": (c_void_p, [c_void_p]),
    "xcb_request_check": (c_void_p, [c_void_p, Cookie]),
    "xcb_screen_next": (None, [POINTER(_Screens)]),
    "xcb_setup_roots_iterator": (_Screens, [c_void_p]),
}


class XConnection:
    """To one X server; `setup` and `screen`, its default one, are read when it opens."""

    def __init__(self, calls: Signatures, display: str | None = None) -> None:
        """Connect to `display`, or to $DISPLAY; `calls` are those of libxcb that the room makes. Raises XError."""
        self._xcb = load("libxcb.so.1", {**_CALLS, **calls})
        number = c_int(0)
        name = os.fsencode(display) if display else None
        self._connection: int | None = self._xcb.xcb_connect(name, ctypes.byref(number))
        if self.broken:
            self.close()
            raise XError("the display cannot be reached")
        setup = self._xcb.xcb_get_setup(self._connection)
        self.setup = Setup.from_buffer_copy(ctypes.cast(setup, POINTER(Setup)).contents)
        self.screen_number = number.value
        self.screen = self._find_screen(setup, number.value)

    def _find_screen(self, setup: int, number: int) -> Screen:
        screens = self._xcb.xcb_setup_roots_iterator(setup)
        for _ in range(number):
            self._xcb.xcb_screen_next(ctypes.byref(screens))
        return Screen.from_buffer_copy(screens.data[0])

    @property
    def fileno(self) -> int:
        """Readable when events may have come, and when the connection broke."""
        return int(self._xcb.xcb_get_file_descriptor(self._open()))

    @property
    def broken(self) -> bool:
        """True when the server is gone; every call fails from then on."""
        return self._connection is None or bool(self._xcb.xcb_connection_has_error(self._connection))

    def close(self) -> None:
        """Disconnect; the server lets go of all that was held for this connection."""
        if self._connection is not None:
            self._xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _open(self) -> int:
        if self._connection is None:
            raise XError("the connection to the display is closed")
        return self._connection


def load(name: str, calls: Signatures) -> Any:
    """The shared library `name`, its functions with their signatures; raises XError where it is not installed."""
    try:
        library = ctypes.CDLL(name)
    except OSError:
        raise XError(f"{name} is not installed") from None
    for function, (result, arguments) in calls.items():
        pointer = getattr(library, function)
        pointer.restype, pointer.argtypes = result, arguments
    return library


def free(pointer: int | None) -> None:
    """Answers and events come from malloc; freeing nothing does nothing."""
    _libc().free(pointer)


@cache
def _libc() -> Any:
    library = ctypes.CDLL(None)
    library.free.argtypes, library.free.restype = [c_void_p], None
    return library
