"""The bytes of shared files: in memory, or on disk, pinned when they were shared and read off the loop.

A file on disk is pinned by size, modification time, inode and device. Each
block that is read is believed only if the file is still the pinned one after
the read. What is pinned has a version that viewers are told, as an engine that
is started again pins anew, and a page then goes on where it was. So a viewer
never gets a mixture of two versions.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from seedshot_desktop.errors import FileVanishedError, ShareError
from seedshot_desktop.seed.link import encode_base64url
from seedshot_desktop.seed.messages import DiskFile, File, FileStatus, MemoryFile
from seedshot_desktop.seed.names import safe_media_type, safe_name
from seedshot_desktop.seed.transfer import MAX_CONTROL, MAX_PAYLOAD, FailReason, FileEntry, Manifest, encode

BLOCK = 4 * MAX_PAYLOAD
"""Bytes read from a disk at a time; one such block is held for each viewer, and one more is read ahead."""
VERSION_BYTES = 6
"""8 characters: the first packet has little room, and of 2**48 changes one goes unseen."""
NOT_PINNED = "-" * 8
"""As long as any version of ours."""

_WHY: dict[FailReason, str] = {
    "vanished": "was moved or deleted. Put it back and share it again.",
    "changed": "has changed since it was shared. Share it again.",
    "unreadable": "can no longer be read. Check the disk it is on, then share it again.",
}


class BrokenFileError(Exception):
    """A pinned file cannot be served any more."""

    def __init__(self, reason: FailReason) -> None:
        super().__init__(reason)
        self.reason: FailReason = reason


@dataclass(frozen=True, slots=True)
class Pin:
    """What makes a file on disk the one that was shared."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, status: os.stat_result) -> Pin:
        """The pin of what `status` describes."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


def version_of(key: bytes, place: int, pin: Pin | None) -> str:
    """The version of what a share has at `place`; `key` is its ``version_key``, at most 64 bytes.

    No viewer has that key, so none can find out by trying which inode or time it is that a version stands for.
    Without a `pin` the bytes are in memory: none but these are ever shared there, in this engine or a later one.
    """
    facts = (place,) if pin is None else (place, pin.size, pin.mtime_ns, pin.inode, pin.device)
    return encode_base64url(hashlib.blake2b(repr(facts).encode(), key=key, digest_size=VERSION_BYTES).digest())


class MemoryContent:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    def reader(self, pool: Executor) -> Reader:
        """For one viewer."""
        return MemoryReader(self._data)


class DiskContent:
    """A file on disk, opened by each reader for itself."""

    def __init__(self, path: str, pin: Pin) -> None:
        self.path = path
        self.pin = pin

    def reader(self, pool: Executor) -> Reader:
        """For one viewer; reads in `pool`."""
        return DiskReader(self, pool)


class Reader(Protocol):
    """One viewer's way to the bytes of one file."""

    async def read(self, offset: int, length: int) -> memoryview:
        """From 1 to `length` bytes at `offset`; raises BrokenFileError."""

    def close(self) -> None:
        """Let go of everything; may be called again."""


class MemoryReader(Reader):
    """Slices, never copies."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    async def read(self, offset: int, length: int) -> memoryview:
        return self._data[offset : offset + length]

    def close(self) -> None:
        self._data = memoryview(b"")


class DiskReader(Reader):
    """A block at hand and the next one on its way; never more than two, however large the file."""

    def __init__(self, content: DiskContent, pool: Executor) -> None:
        self._size = content.pin.size
        self._handle = _Handle(content)
        self._pool = pool
        self._start = 0
        self._block = b""
        self._ahead: tuple[int, asyncio.Future[bytes]] | None = None

    async def read(self, offset: int, length: int) -> memoryview:
        if not self._start <= offset < self._start + len(self._block):
            self._block, self._start = await self._fetch(offset), offset
        at = offset - self._start
        if self._ahead is None and at >= len(self._block) // 2:
            self._read_ahead(self._start + len(self._block))
        return memoryview(self._block)[at : at + length]

    def close(self) -> None:
        self._block = b""
        self._drop_ahead()
        self._handle.close()

    async def _fetch(self, offset: int) -> bytes:
        if self._ahead is not None and self._ahead[0] != offset:
            self._drop_ahead()
        future = self._ahead[1] if self._ahead is not None else self._submit(offset)
        self._ahead = None
        return await future

    def _read_ahead(self, offset: int) -> None:
        if offset < self._size:
            self._ahead = (offset, self._submit(offset))

    def _submit(self, offset: int) -> asyncio.Future[bytes]:
        length = min(BLOCK, self._size - offset)
        return asyncio.get_running_loop().run_in_executor(self._pool, self._handle.read, offset, length)

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            future = self._ahead[1]
            future.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody waits for it
            future.cancel()
            self._ahead = None


class _Handle:
    """An open file, used from threads, one at a time."""

    def __init__(self, content: DiskContent) -> None:
        self._content = content
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._closed = False

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes of the pinned file; raises BrokenFileError."""
        try:
            with self._lock:
                return self._read(offset, length)
        except FileNotFoundError as error:
            raise BrokenFileError("vanished") from error
        except OSError as error:
            raise BrokenFileError("unreadable") from error
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """Never waits: a read that is under way closes the file when it is done."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                if self._file is not None:
                    self._file.close()
                    self._file = None
            finally:
                self._lock.release()

    def _read(self, offset: int, length: int) -> bytes:
        if self._closed:
            raise BrokenFileError("unreadable")
        if self._file is None:
            self._file = open_plainly(self._content.path)
        self._file.seek(offset)
        data = _read_fully(self._file, length)
        self._check(self._file)
        if len(data) != length:
            raise BrokenFileError("changed")
        return data

    def _check(self, file: BinaryIO) -> None:
        """After the read: is what was read, and what stands at the path, still what was shared?"""
        pin, held = self._content.pin, os.fstat(file.fileno())
        same = (held.st_size, held.st_mtime_ns) == (pin.size, pin.mtime_ns)
        if not same or Pin.of(os.stat(self._content.path)) != pin:
            raise BrokenFileError("changed")


def open_plainly(path: str) -> BinaryIO:
    """Open for reading, unbuffered; never waits, should a pipe stand where a file was."""
    flags = getattr(os, "O_NONBLOCK", 0)
    return open(path, "rb", buffering=0, opener=lambda name, mode: os.open(name, mode | flags))


def _read_fully(file: BinaryIO, length: int) -> bytes:
    """`length` bytes, fewer at the end of the file; a raw read may return less than was asked for."""
    data = file.read(length)
    if len(data) == length or not data:
        return data
    parts = [data]
    while (missing := length - sum(map(len, parts))) and (data := file.read(missing)):
        parts.append(data)
    return b"".join(parts)


# What is shared


class SharedFile:
    """One file of a share: what viewers are told of it, and where its bytes are."""

    def __init__(self, entry: FileEntry, content: MemoryContent | DiskContent) -> None:
        self.entry = entry
        self.content = content
        self.problem = ""
        self.failure: FailReason | None = None
        """Why it cannot be served any more; None while it can."""

    def fail(self, reason: FailReason) -> str:
        """It cannot be served any more; the sentence for its owner."""
        self.failure = reason
        self.problem = f"“{self.entry.name}” {_WHY[reason]}"
        return self.problem

    def status(self) -> FileStatus:
        """As lists show it."""
        return FileStatus(self.entry.name, self.entry.size, self.entry.media_type, self.problem)


def open_files(files: tuple[File, ...], version_key: bytes) -> tuple[SharedFile, ...]:
    """Look at `files` and pin those on disk; blocks, so call it in a thread. Raises ShareError.

    `version_key` is that of their share, see ``version_of``.
    """
    if not files:
        raise ShareError("There is nothing to share: no file was named.")
    opened = tuple(_open(file, version_key, place) for place, file in enumerate(files))
    check_manifest([file.entry for file in opened])
    return opened


def manifest_of(files: tuple[SharedFile, ...]) -> Manifest:
    """What viewers are told."""
    return Manifest(tuple(file.entry for file in files))


def entry_of(name: str, media_type: str, size: int, version: str = NOT_PINNED) -> FileEntry:
    """What viewers are told of a file that its owner calls `name`; without a version only as long as what they are."""
    shown = safe_name(name)
    return FileEntry(shown, size, safe_media_type(media_type, shown), version)


def check_manifest(entries: Sequence[FileEntry]) -> None:
    """Whether viewers can be told of all these files in one message; raises ShareError."""
    manifest = Manifest(tuple(entries), begun=len(entries) == 1)
    if len(encode(manifest).encode()) > MAX_CONTROL:
        raise ShareError(
            f"These {len(entries)} files are too many for one share: the list of their names is longer than the "
            f"{MAX_CONTROL // 1024} KiB that a page takes. Put them into an archive and share that."
        )


def _open(file: File, version_key: bytes, place: int) -> SharedFile:
    if isinstance(file, MemoryFile):
        version = version_of(version_key, place, None)
        return SharedFile(entry_of(file.name, file.media_type, len(file.data), version), MemoryContent(file.data))
    pin = _pin(file, safe_name(file.name))
    version = version_of(version_key, place, pin)
    return SharedFile(entry_of(file.name, file.media_type, pin.size, version), DiskContent(file.path, pin))


def _pin(file: DiskFile, name: str) -> Pin:
    """Symbolic links are followed: what they lead to now is what is shared."""
    try:
        status = os.stat(file.path)
        if stat.S_ISDIR(status.st_mode):
            raise ShareError(f"“{name}” is a folder. Share the files in it, or an archive of it.")
        if not stat.S_ISREG(status.st_mode):
            raise ShareError(f"“{name}” is not a file but a device or a pipe. Copy what it holds into a file.")
        with open_plainly(file.path) as opened:
            pin = Pin.of(os.fstat(opened.fileno()))
            if pin.size == 0 and opened.read(1) != b"":
                raise ShareError(
                    f"“{name}” says that it is empty, and is not: the system makes it up as it is read, or it is "
                    "being written. Copy what it holds into a file, and share that."
                )
            return pin
    except FileNotFoundError as error:
        raise FileVanishedError(f"“{name}” is not there any more. Share it again from where it is now.") from error
    except PermissionError as error:
        raise ShareError(f"“{name}” may not be read by you. Change its permissions, or share a copy.") from error
    except (OSError, ValueError) as error:
        raise ShareError(f"“{name}” cannot be read. Check the disk it is on.") from error
