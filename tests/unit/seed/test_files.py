"""Files that are shared: what is pinned, what is refused, what is noticed while reading."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from seedshot_desktop.errors import FileVanishedError, ShareError
from seedshot_desktop.seed.files import (
    BLOCK,
    NOT_PINNED,
    BrokenFileError,
    DiskContent,
    Pin,
    Reader,
    check_manifest,
    open_files,
    version_of,
)
from seedshot_desktop.seed.messages import DiskFile, File, MemoryFile
from seedshot_desktop.seed.transfer import MAX_CONTROL, FileEntry, Manifest, encode

KEY = bytes(range(32))
"""The version key of a share."""


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def disk(path: Path, name: str = "f.bin") -> DiskFile:
    return DiskFile(name, "", str(path))


async def read_all(reader: Reader, size: int, piece: int) -> bytes:
    parts, at = [], 0
    while at < size:
        part = await reader.read(at, min(piece, size - at))
        assert 0 < len(part) <= piece
        parts.append(bytes(part))
        at += len(part)
    return b"".join(parts)


SIZES = [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("where", ["memory", "disk"])
async def test_a_file_is_read_whole(tmp_path: Path, pool: ThreadPoolExecutor, size: int, where: str) -> None:
    data = os.urandom(size)
    path = tmp_path / "f"
    path.write_bytes(data)
    (file,) = open_files((disk(path) if where == "disk" else MemoryFile("f.bin", "", data),), KEY)
    assert file.entry.size == size
    reader = file.content.reader(pool)
    assert await read_all(reader, size, 65524) == data
    assert bytes(await reader.read(size - 1, 10)) == data[-1:], "a seek to the end"
    assert bytes(await reader.read(0, 10)) == data[:10], "and back"
    reader.close()


async def test_no_more_than_two_blocks_of_a_large_file_are_held(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 34)  # 16 GiB, sparse
        file.seek((1 << 33) + 5)
        file.write(b"here")
    (shared,) = open_files((disk(path),), KEY)
    assert shared.entry.size == 1 << 34
    reader = shared.content.reader(pool)
    assert bytes(await reader.read((1 << 33) + 5, 4)) == b"here"
    reader.close()


@pytest.mark.parametrize("when", ["before", "during"])
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("rewrite", "changed"),
        ("truncate", "changed"),
        ("grow", "changed"),
        ("replace", "changed"),
        ("unlink", "vanished"),
    ],
)
async def test_harm_to_a_file_is_noticed(
    tmp_path: Path, pool: ThreadPoolExecutor, when: str, harm: str, reason: str
) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * BLOCK))
    (file,) = open_files((disk(path),), KEY)
    reader = file.content.reader(pool)
    if when == "during":
        await reader.read(0, 100)
    do_harm(path, harm)
    with pytest.raises(BrokenFileError) as broken:
        await reader.read(2 * BLOCK, 100)
    assert broken.value.reason == reason
    reader.close()


def version(file: File, key: bytes = KEY) -> str:
    (shared,) = open_files((file,), key)
    return shared.entry.version


@pytest.mark.parametrize("harm", ["rewrite", "truncate", "grow", "replace"])
def test_a_version_is_that_of_the_bytes_however_often_they_are_pinned(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * BLOCK))
    before = version(disk(path))
    path.read_bytes()
    assert version(disk(path)) == before
    do_harm(path, harm)
    assert version(disk(path)) != before


def test_a_version_is_the_same_in_the_next_engine() -> None:
    """Said in letters, as another process would find it."""
    assert version_of(KEY, 0, Pin(size=5, mtime_ns=1, inode=2, device=3)) == "Gsvoro6F"
    assert version_of(KEY, 0, None) == "X3LLDvbV"


def test_every_fact_of_a_pin_makes_another_version_and_so_do_place_and_key() -> None:
    pins = [Pin(5, 1, 2, 3), Pin(6, 1, 2, 3), Pin(5, 2, 2, 3), Pin(5, 1, 3, 3), Pin(5, 1, 2, 4), None]
    versions = [version_of(key, place, pin) for key in (KEY, bytes(32)) for place in (0, 1) for pin in pins]
    assert len(set(versions)) == len(versions)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{8}", version) for version in (*versions, NOT_PINNED))


def test_what_is_in_memory_keeps_its_version() -> None:
    capture = MemoryFile("a.png", "image/png", b"abc")
    assert version(capture) == version(capture)
    assert version(capture) != version(capture, key=bytes(32)), "of another share it tells nothing"


def do_harm(path: Path, harm: str) -> None:
    match harm:
        case "rewrite":
            before = path.stat().st_mtime_ns
            path.write_bytes(b"x" * (3 * BLOCK))
            os.utime(path, ns=(before, before + 1))
        case "truncate":
            os.truncate(path, 10)
        case "grow":
            with path.open("ab") as file:
                file.write(b"more")
        case "replace":
            status = path.stat()
            other = path.with_name("other")
            other.write_bytes(path.read_bytes())
            os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.replace(other, path)
        case "unlink":
            path.unlink()


async def test_a_file_that_became_a_pipe_does_not_hang_a_reader(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    (file,) = open_files((disk(path),), KEY)
    path.unlink()
    os.mkfifo(path)
    reader = file.content.reader(pool)
    with pytest.raises(BrokenFileError):
        await reader.read(0, 3)
    reader.close()


async def test_a_symbolic_link_is_followed_when_it_is_shared_and_not_after(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    one, other, way = tmp_path / "one", tmp_path / "other", tmp_path / "way"
    one.write_bytes(b"one")
    other.write_bytes(b"two")
    way.symlink_to(one)
    (file,) = open_files((disk(way),), KEY)
    reader = file.content.reader(pool)
    assert bytes(await reader.read(0, 3)) == b"one"
    reader.close()
    way.unlink()
    way.symlink_to(other)
    late = file.content.reader(pool)
    with pytest.raises(BrokenFileError) as broken:
        await late.read(0, 3)
    assert broken.value.reason == "changed"
    late.close()


async def test_a_closed_reader_reads_no_more(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    (file,) = open_files((disk(path),), KEY)
    reader = file.content.reader(pool)
    await reader.read(0, 3)
    reader.close()
    reader.close()
    pool.shutdown(wait=True)
    assert isinstance(file.content, DiskContent)
    assert str(path) not in {os.readlink(f"/proc/self/fd/{fd}") for fd in open_descriptors()}


def open_descriptors() -> list[int]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        if os.path.lexists(f"/proc/self/fd/{name}"):
            found.append(int(name))
    return found


def test_what_cannot_be_shared_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileVanishedError, match=r"is not there any more\. Share it again"):
        open_files((disk(tmp_path / "missing"),), KEY)
    with pytest.raises(ShareError, match="is a folder"):
        open_files((disk(tmp_path),), KEY)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ShareError, match="a device or a pipe"):
        open_files((disk(tmp_path / "pipe"),), KEY)
    with pytest.raises(ShareError, match="a device or a pipe"):
        open_files((disk(Path("/dev/null")),), KEY)
    with pytest.raises(ShareError, match="says that it is empty, and is not"):
        open_files((disk(Path("/proc/self/environ")),), KEY)
    with pytest.raises(ShareError, match="cannot be read"):
        open_files((disk(Path("zero\0byte")),), KEY)
    with pytest.raises(ShareError, match="nothing to share"):
        open_files((), KEY)


def test_more_files_than_a_manifest_holds_are_refused() -> None:
    many = tuple(MemoryFile(f"{index:0100}.png", "image/png", b"") for index in range(200))
    with pytest.raises(ShareError, match="too many"):
        open_files(many, KEY)
    assert len(open_files(many[:80], KEY)) == 80


def test_a_manifest_is_as_long_as_a_page_takes_and_no_longer() -> None:
    entries = [FileEntry(f"{index:0100}.png", 0, "image/png", NOT_PINNED) for index in range(90)]
    fitting = MAX_CONTROL - len(encode(Manifest(tuple(entries))))
    for length, fits in ((fitting, True), (fitting + 1, False)):
        padded = [FileEntry(entries[0].name + "x" * length, 0, "image/png", NOT_PINNED), *entries[1:]]
        with nullcontext() if fits else pytest.raises(ShareError, match="too many"):
            check_manifest(padded)


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (file,) = open_files((disk(tmp_path / "empty"),), KEY)
    assert file.entry.size == 0


async def test_a_reader_closes_its_file_even_while_every_thread_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    (file,) = open_files((disk(path),), KEY)
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        reader = file.content.reader(pool)
        await reader.read(0, 3)
        pool.submit(go_on.wait)
        reader.close()
        assert str(path) not in {os.readlink(f"/proc/self/fd/{fd}") for fd in open_descriptors()}
        go_on.set()
