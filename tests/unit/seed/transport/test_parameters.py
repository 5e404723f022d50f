"""Parameters of SCTP's control chunks, before aiortc reads them."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtcsctptransport import HeartbeatChunk, InitChunk, ReconfigChunk

from seedshot_desktop.seed.transport.inbound import ViolationError
from seedshot_desktop.seed.transport.parameters import check_parameters


def parameter(length: int, size: int) -> bytes:
    return struct.pack("!HH", 1, length) + bytes(size)


@pytest.mark.parametrize(
    "body", [b"", parameter(4, 0), parameter(7, 4) + parameter(8, 4), parameter(6, 2), parameter(4, 0) + b"\0\0\0"]
)
def test_a_row_of_parameters_passes(body: bytes) -> None:
    check_parameters(HeartbeatChunk.type, body)


@pytest.mark.parametrize("length", [0, 1, 3, 9, 65535])
@pytest.mark.parametrize("before", [b"", parameter(8, 4)])
def test_a_length_that_cannot_be_is_refused(length: int, before: bytes) -> None:
    with pytest.raises(ViolationError):
        check_parameters(HeartbeatChunk.type, before + parameter(length, 4))


def test_what_aiortc_writes_passes() -> None:
    init = InitChunk()
    init.params = [(49152, b""), (32776, bytes([64, 130]))]
    heartbeat = HeartbeatChunk()
    heartbeat.params = [(1, b"12345")]
    reconfig = ReconfigChunk()
    reconfig.params = [(13, bytes(14))]
    for chunk in (init, heartbeat, reconfig):
        check_parameters(chunk.type, chunk.body)
