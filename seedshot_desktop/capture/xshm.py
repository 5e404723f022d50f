"""A connection to the X server that copies parts of the screen into shared memory (libxcb and libxcb-shm).

mss asks the server in the same way and then copies the picture into fresh
memory. Fresh memory is what costs: 33 MB of it, a 4K picture, are 8100 page
faults, 12 ms on a warm machine and 100 ms on a virtual one that must ask its
host. Here the server writes straight into memory that was used before.
Sources: xcb/shm.h; the MIT Shared Memory Extension 1.2.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from ctypes import POINTER, c_int, c_int16, c_uint8, c_uint16, c_uint32, c_void_p

from seedshot_desktop.x_connection import Cookie, Signatures, XConnection, XError, free, load

_ALL_PLANES = 0xFFFFFFFF
_Z_PIXMAP = 2
_TRUE_COLOURS = 4
_LEAST_SIGNIFICANT_FIRST = 0


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


class Connection(XConnection):
    """To the X server of $DISPLAY, for pictures of its root window."""

    def __init__(self) -> None:
        """Connect; raises XError where the server is remote, or shows other than 24-bit colours."""
        self._shm = load("libxcb-shm.so.0", _SHM_CALLS)
        super().__init__(_CALLS)
        try:
            self._check_screen()
            self._check_version()
        except BaseException:
            self.close()
            raise

    def _check_screen(self) -> None:
        depth = self.screen.root_depth
        if depth not in (24, 32) or self.setup.image_byte_order != _LEAST_SIGNIFICANT_FIRST:
            raise XError(f"the screen shows {depth}-bit colours")

    def _check_version(self) -> None:
        """Handing over a file descriptor takes version 1.2, of 2012; the query itself fails without the extension."""
        extension = ctypes.addressof(c_uint8.in_dll(self._shm, "xcb_shm_id"))
        data = self._xcb.xcb_get_extension_data(self._connection, extension)
        if not data or not ctypes.cast(data, POINTER(c_uint8))[8]:
            raise XError("the server does not share memory")
        reply = self._shm.xcb_shm_query_version_reply(
            self._connection, self._shm.xcb_shm_query_version(self._connection), None
        )
        if not reply:
            raise XError("the server does not share memory")
        words = ctypes.cast(reply, POINTER(c_uint16))
        version = (words[4], words[5])
        free(reply)
        if version < (1, 2):
            raise XError("the server shares memory in an old way only")

    def segment(self, size: int) -> Segment:
        """Memory for `size` bytes; raises XError where the server runs on another machine."""
        descriptor = os.memfd_create("seedshot-screen", os.MFD_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            memory = mmap.mmap(descriptor, size)
        except (OSError, ValueError):
            os.close(descriptor)
            raise XError("there is no memory for a picture of the screen") from None
        number = int(self._xcb.xcb_generate_id(self._open()))
        # xcb closes the descriptor, whatever comes of it.
        cookie = self._shm.xcb_shm_attach_fd_checked(self._open(), number, descriptor, 0)
        error = self._xcb.xcb_request_check(self._open(), cookie)
        if error:
            free(error)
            memory.close()
            raise XError("the server is on another machine")
        return Segment(number, size, memory)

    def detach(self, segment: Segment) -> None:
        """Tell the server that it no longer needs the segment."""
        self._shm.xcb_shm_detach(self._open(), segment.number)
        self._xcb.xcb_flush(self._open())

    def copy(self, segment: Segment, x: int, y: int, width: int, height: int) -> memoryview:
        """Have that part of the screen written into `segment`, and give a view of it; raises XError.

        Rows from the top, blue, green, red and an unused byte for each pixel.
        """
        cookie = self._shm.xcb_shm_get_image(
            self._open(), self.screen.root, x, y, width, height, _ALL_PLANES, _Z_PIXMAP, segment.number, 0
        )
        error = c_void_p()
        reply = self._shm.xcb_shm_get_image_reply(self._open(), cookie, ctypes.byref(error))
        if not reply:
            free(error.value)
            raise XError("the server refused a picture of that part of the screen")
        free(reply)
        return segment.view(width * height * 4)


_CALLS: Signatures = {
    "xcb_generate_id": (c_uint32, [c_void_p]),
    "xcb_get_extension_data": (c_void_p, [c_void_p, c_void_p]),
}

_SHM_CALLS: Signatures = {
    "xcb_shm_attach_fd_checked": (Cookie, [c_void_p, c_uint32, c_int, c_uint8]),
    "xcb_shm_detach": (Cookie, [c_void_p, c_uint32]),
    "xcb_shm_get_image": (
        Cookie,
        [c_void_p, c_uint32, c_int16, c_int16, c_uint16, c_uint16, c_uint32, c_uint8, c_uint32, c_uint32],
    ),
    "xcb_shm_get_image_reply": (c_void_p, [c_void_p, Cookie, POINTER(c_void_p)]),
    "xcb_shm_query_version": (Cookie, [c_void_p]),
    "xcb_shm_query_version_reply": (c_void_p, [c_void_p, Cookie, c_void_p]),
}
