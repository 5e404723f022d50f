"""What ``seedshot share`` is given: files on disk, or standard input, which is held in memory."""

from __future__ import annotations

import io
import mimetypes
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from seedshot_desktop.errors import ShareError
from seedshot_desktop.quantities import format_size, printable
from seedshot_desktop.seed.files import check_manifest, entry_of
from seedshot_desktop.seed.messages import DiskFile, MemoryFile

STANDARD_INPUT = "-"
STANDARD_INPUT_LIMIT = 1024**3
"""Bytes of standard input that are taken: it is kept in memory, never on disk."""
MAX_FILE = 3 * 1024**3 // 2
"""Bytes of one file that the viewer's page takes: it holds a file in memory until it is saved."""
MAX_FILES = 1000
"""Files that are looked at before it is said that they are too many; see ``files.check_manifest``."""

_CHUNK = 1024 * 1024
_UNKNOWN = "application/octet-stream"


class Stream(Protocol):
    """What standard input is read from."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes; nothing at the end."""


def disk_files(paths: Sequence[str], piped: str | None = None) -> tuple[DiskFile, ...]:
    """The files at `paths`, looked at but not read; `piped` is the name of what comes on standard input after them.

    Raises ShareError for the first that cannot be shared, and where they are too many together.
    """
    if len(paths) > MAX_FILES:
        raise ShareError(
            f"These {len(paths)} files are too many for one share. Put them into an archive and share that."
        )
    found = [_disk_file(path) for path in paths]
    entries = [entry_of(file.name, file.media_type, size) for file, size in found]
    if piped is not None:
        entries.append(entry_of(piped, media_type(piped), STANDARD_INPUT_LIMIT))
    check_manifest(entries)
    return tuple(file for file, _ in found)


def memory_file(name: str, data: bytes) -> MemoryFile:
    """What came on standard input, under the name that viewers see."""
    return MemoryFile(name, media_type(name), data)


def media_type(name: str) -> str:
    """The type that `name` speaks of; the viewer's page looks at the bytes before it believes it."""
    return mimetypes.guess_type(name, strict=False)[0] or _UNKNOWN


def open_standard_input() -> io.RawIOBase:
    """Standard input without the buffer of ``sys.stdin``, whose lock a thread that waits here would keep to the end."""
    descriptor = sys.stdin.fileno()
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)
    return io.FileIO(descriptor, closefd=False)


def read_standard_input(stream: Stream, limit: int = STANDARD_INPUT_LIMIT) -> bytes:
    """All of `stream`; raises ShareError when it is empty, longer than `limit`, or breaks."""
    held = io.BytesIO()  # its getvalue hands its buffer over without a copy
    try:
        while piece := stream.read(_CHUNK):
            held.write(piece)
            if held.tell() > limit:
                raise ShareError(
                    f"Standard input is longer than {limit // 1024**2} MiB, which is what Seedshot holds in memory. "
                    "Write it to a file and share that."
                )
    except OSError as error:
        raise ShareError(f"Standard input could not be read: {error.strerror}.") from error
    if not held.tell():
        raise ShareError("Standard input was empty: there is nothing to share.")
    return held.getvalue()


def _disk_file(text: str) -> tuple[DiskFile, int]:
    """The file and its size, in bytes."""
    path = Path(text)
    try:
        status = path.stat()
        mode = status.st_mode
        if stat.S_ISREG(mode):
            with path.open("rb"):
                pass
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ShareError(f"{printable(text, 200)} cannot be shared: {_reason(error)}.") from error
    if stat.S_ISDIR(mode):
        raise ShareError(f"{printable(text, 200)} is a folder. Name the files in it, or share an archive of it.")
    if not stat.S_ISREG(mode):
        name = printable(text, 200)
        raise ShareError(f"{name} is not a file. To share what comes out of it: seedshot share - < {name}")
    if status.st_size > MAX_FILE:
        size, most = format_size(status.st_size), format_size(MAX_FILE)
        raise ShareError(
            f"{printable(text, 200)} is {size}: pages take files of up to {most} so far. "
            "Share a smaller copy, or split it into parts."
        )
    absolute = os.path.abspath(path)  # symbolic links stay: their name is what the person typed
    name = os.fsencode(os.path.basename(absolute)).decode("utf-8", "replace")
    return DiskFile(name, media_type(name), absolute), status.st_size


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "you may not read it"
    return (error.strerror if isinstance(error, OSError) else None) or "its name is not one of a file"
