"""A connection to the X server that copies parts of the screen into shared memory (ctypes over libxcb and libxcb-shm).

mss asks the server in the same way and then copies the picture into fresh
memory. Fresh memory is what costs: 33 MB of it, a 4K picture, are 8100 page
faults, 12 ms on a warm machine and 100 ms on a virtual one that must ask its
host. Here the server writes straight into memory that was used before.
Sources: xcb/shm.h; the MIT Shared Memory Extension 1.2.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
from ctypes import POINTER, Structure, c_char_p, c_int, c_int16, c_uint8, c_uint16, c_uint32, c_void_p
from typing import Any

_ALL_PLANES = 0xFFFFFFFF
_Z_PIXMAP = 2
_TRUE_COLOURS = 4
_LEAST_SIGNIFICANT_FIRST = 0


class XshmError(Exception):
    """The server, or the way to it, cannot do this; says why."""


class _Cookie(Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Setup(Structure):
    """The head of xcb_setup_t, up to the order of bytes in pictures."""

    _fields_ = (("head", c_uint8 * 30), ("image_byte_order", c_uint8))


class _Screen(Structure):
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


class _Iterator(Structure):
    _fields_ = (("data", POINTER(_Screen)), ("rem", c_int), ("index", c_int))


class Segment:
    """Memory that this process and the X server share; made by ``Connection.segment``."""

    def __init__(self, number: int, size: int, memory: mmap.mmap) -> None:
        self.number, self.size, self._memory = number, size, memory

    @property
    def in_use(self) -> bool:
        """Whether anybody still looks at a picture in it, however it was handed on."""
        try:
            self._memory.resize(self.size)  # to the size that it has: refused while a view of it exists, else nothing
        except BufferError:
            return True
        return False

    def view(self, size: int) -> memoryview:
        """The first `size` bytes. Whoever holds it, or anything made of it, keeps the segment in use."""
        return memoryview(self._memory).toreadonly()[:size]

    def wipe(self) -> None:
        """Overwrite the picture in it; the memory stays warm."""
        ctypes.memset((ctypes.c_char * self.size).from_buffer(self._memory), 0, self.size)

    def close(self) -> None:
        """Give the memory back; it must not be in use."""
        self._memory.close()


class Connection:
    """To the X server of $DISPLAY, for pictures of its root window."""

    def __init__(self) -> None:
        """Connect; raises XshmError where the server is remote, or shows other than 24-bit colours."""
        self._xcb, self._shm = _libraries()
        screen_number = c_int(0)
        self._connection: int | None = self._xcb.xcb_connect(None, ctypes.byref(screen_number))
        try:
            if self._xcb.xcb_connection_has_error(self._connection):
                raise XshmError("the display cannot be reached")
            self._root = self._check_screen(screen_number.value)
            self._check_version()
        except BaseException:
            self.close()
            raise

    def _check_screen(self, number: int) -> int:
        setup = self._xcb.xcb_get_setup(self._connection)
        iterator = self._xcb.xcb_setup_roots_iterator(setup)
        for _ in range(number):
            self._xcb.xcb_screen_next(ctypes.byref(iterator))
        screen = iterator.data[0]
        order = ctypes.cast(setup, POINTER(_Setup)).contents.image_byte_order
        if screen.root_depth not in (24, 32) or order != _LEAST_SIGNIFICANT_FIRST:
            raise XshmError(f"the screen shows {screen.root_depth}-bit colours")
        return int(screen.root)

    def _check_version(self) -> None:
        """Handing over a file descriptor takes version 1.2, of 2012; the query itself fails without the extension."""
        extension = ctypes.addressof(c_uint8.in_dll(self._shm, "xcb_shm_id"))
        data = self._xcb.xcb_get_extension_data(self._connection, extension)
        if not data or not ctypes.cast(data, POINTER(c_uint8))[8]:
            raise XshmError("the server does not share memory")
        reply = self._shm.xcb_shm_query_version_reply(
            self._connection, self._shm.xcb_shm_query_version(self._connection), None
        )
        if not reply:
            raise XshmError("the server does not share memory")
        words = ctypes.cast(reply, POINTER(c_uint16))
        version = (words[4], words[5])
        _free(reply)
        if version < (1, 2):
            raise XshmError("the server shares memory in an old way only")

    def segment(self, size: int) -> Segment:
        """Memory for `size` bytes; raises XshmError where the server runs on another machine."""
        descriptor = os.memfd_create("seedshot-screen", os.MFD_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            memory = mmap.mmap(descriptor, size)
        except (OSError, ValueError):
            os.close(descriptor)
            raise XshmError("there is no memory for a picture of the screen") from None
        number = int(self._xcb.xcb_generate_id(self._open()))
        # xcb closes the descriptor, whatever comes of it.
        cookie = self._shm.xcb_shm_attach_fd_checked(self._open(), number, descriptor, 0)
        error = self._xcb.xcb_request_check(self._open(), cookie)
        if error:
            _free(error)
            memory.close()
            raise XshmError("the server is on another machine")
        return Segment(number, size, memory)

    def detach(self, segment: Segment) -> None:
        """Tell the server that it no longer needs the segment."""
        self._shm.xcb_shm_detach(self._open(), segment.number)
        self._xcb.xcb_flush(self._open())

    def copy(self, segment: Segment, x: int, y: int, width: int, height: int) -> memoryview:
        """Have that part of the screen written into `segment`, and give a view of it; raises XshmError.

        Rows from the top, blue, green, red and an unused byte for each pixel.
        """
        cookie = self._shm.xcb_shm_get_image(
            self._open(), self._root, x, y, width, height, _ALL_PLANES, _Z_PIXMAP, segment.number, 0
        )
        error = c_void_p()
        reply = self._shm.xcb_shm_get_image_reply(self._open(), cookie, ctypes.byref(error))
        if not reply:
            _free(error.value)
            raise XshmError("the server refused a picture of that part of the screen")
        _free(reply)
        return segment.view(width * height * 4)

    def close(self) -> None:
        """Disconnect; the server lets go of all segments."""
        if self._connection is not None:
            self._xcb.xcb_disconnect(self._connection)
            self._connection = None

    def _open(self) -> int:
        if self._connection is None:
            raise XshmError("the connection to the display is closed")
        return self._connection


def _free(pointer: int | None) -> None:
    """xcb's answers come from malloc; freeing nothing does nothing."""
    free = ctypes.CDLL(None).free
    free.argtypes, free.restype = [c_void_p], None
    free(pointer)


_XCB: dict[str, tuple[Any, list[Any]]] = {
    "xcb_connect": (c_void_p, [c_char_p, POINTER(c_int)]),
    "xcb_connection_has_error": (c_int, [c_void_p]),
    "xcb_disconnect": (None, [c_void_p]),
    "xcb_flush": (c_int, [c_void_p]),
    "xcb_generate_id": (c_uint32, [c_void_p]),
    "xcb_get_extension_data": (c_void_p, [c_void_p, c_void_p]),
    "xcb_get_setup": (c_void_p, [c_void_p]),
    "xcb_request_check": (c_void_p, [c_void_p, _Cookie]),
    "xcb_screen_next": (None, [POINTER(_Iterator)]),
    "xcb_setup_roots_iterator": (_Iterator, [c_void_p]),
}

_SHM: dict[str, tuple[Any, list[Any]]] = {
    "xcb_shm_attach_fd_checked": (_Cookie, [c_void_p, c_uint32, c_int, c_uint8]),
    "xcb_shm_detach": (_Cookie, [c_void_p, c_uint32]),
    "xcb_shm_get_image": (
        _Cookie,
        [c_void_p, c_uint32, c_int16, c_int16, c_uint16, c_uint16, c_uint32, c_uint8, c_uint32, c_uint32],
    ),
    "xcb_shm_get_image_reply": (c_void_p, [c_void_p, _Cookie, POINTER(c_void_p)]),
    "xcb_shm_query_version": (_Cookie, [c_void_p]),
    "xcb_shm_query_version_reply": (c_void_p, [c_void_p, _Cookie, c_void_p]),
}


def _libraries() -> tuple[Any, Any]:
    """libxcb and libxcb-shm with their signatures; raises XshmError where they are not installed."""
    loaded = []
    for name, fallback, signatures in (("xcb", "libxcb.so.1", _XCB), ("xcb-shm", "libxcb-shm.so.0", _SHM)):
        try:
            library = ctypes.CDLL(ctypes.util.find_library(name) or fallback)
        except OSError:
            raise XshmError(f"{fallback} is not installed") from None
        for function, (result, arguments) in signatures.items():
            pointer = getattr(library, function)
            pointer.restype, pointer.argtypes = result, arguments
        loaded.append(library)
    return loaded[0], loaded[1]
