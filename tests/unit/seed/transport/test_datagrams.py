"""Bursts of datagrams: cut where sizes change, and sent one by one where the system cannot do better."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aioice import ice

from seedshot_desktop.seed.transport.datagrams import MAX_SEGMENTS, Path, _end_of_run

ADDRESS = ("198.51.100.7", 9)


class Wire:
    """A transport and its socket in one, which note what leaves them."""

    def __init__(self, failure: OSError | None = None) -> None:
        self.failure = failure
        self.single: list[bytes] = []
        self.bursts: list[tuple[bytes, int]] = []

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        assert addr == ADDRESS
        self.single.append(data)

    def sendmsg(self, buffers: list[memoryview], ancillary: list[Any], flags: int, addr: tuple[str, int]) -> int:
        assert (flags, addr) == (0, ADDRESS)
        if self.failure is not None:
            raise self.failure
        [(_, _, size)] = ancillary
        self.bursts.append((bytes(buffers[0]), struct.unpack("H", size)[0]))
        return len(buffers[0])


def path_of(wire: Wire) -> Path:
    return Path(cast(ice.StunProtocol, SimpleNamespace(transport=wire, sock=wire)), ADDRESS)


def burst(sizes: list[int]) -> bytes:
    return b"".join(bytes([index % 256]) * size for index, size in enumerate(sizes))


@pytest.mark.parametrize(
    ("sizes", "ends"),
    [
        ([10], [1]),
        ([10, 10, 10], [3]),
        ([10, 10, 4], [3]),
        ([10, 4, 4], [2, 3]),
        ([4, 10, 10], [1, 3]),
        ([10] * (MAX_SEGMENTS + 2), [MAX_SEGMENTS, MAX_SEGMENTS + 2]),
    ],
)
def test_a_run_is_of_one_size_and_its_last_may_be_shorter(sizes: list[int], ends: list[int]) -> None:
    found = []
    at = 0
    while at < len(sizes):
        at = _end_of_run(sizes, at)
        found.append(at)
    assert found == ends


def test_a_run_leaves_in_one_call() -> None:
    wire = Wire()
    path_of(wire).send_burst(burst([10, 10, 4]), [10, 10, 4])
    assert wire.bursts == [(burst([10, 10, 4]), 10)]
    assert wire.single == []


def test_a_full_buffer_leaves_them_to_the_event_loop_this_once() -> None:
    wire = Wire(BlockingIOError())
    path = path_of(wire)
    path.send_burst(burst([10, 10, 4]), [10, 10, 4])
    assert [len(datagram) for datagram in wire.single] == [10, 10, 4]
    wire.failure = None
    path.send_burst(burst([10, 10]), [10, 10])
    assert len(wire.bursts) == 1


def test_a_system_that_cannot_is_not_asked_again() -> None:
    wire = Wire(OSError(5, "no"))
    path = path_of(wire)
    path.send_burst(burst([10, 10]), [10, 10])
    wire.failure = None
    path.send_burst(burst([10, 10]), [10, 10])
    assert wire.bursts == []
    assert b"".join(wire.single) == 2 * burst([10, 10])
