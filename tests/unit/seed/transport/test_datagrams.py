"""Bursts of datagrams: cut where sizes change, and sent one by one where the system cannot do better; and datagrams
that must arrive in one piece."""

from __future__ import annotations

import errno
import socket
import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aioice import ice

from seedshot_desktop.seed.transport.datagrams import MAX_SEGMENTS, Path, _end_of_run

ADDRESS = ("198.51.100.7", 9)
ADDRESS_V6 = ("2001:db8::7", 9)
IPV4_DISCOVER, IPV6_DISCOVER = (socket.IPPROTO_IP, 10), (socket.IPPROTO_IPV6, 23)
DONT, WANT, PROBE = 0, 1, 3


class Wire:
    """A transport and its socket in one, which note what leaves them."""

    def __init__(self, failure: OSError | None = None) -> None:
        self.failure = failure
        self.single: list[bytes] = []
        self.bursts: list[tuple[bytes, int]] = []
        self.options: dict[tuple[int, int], int] = {IPV4_DISCOVER: WANT, IPV6_DISCOVER: WANT}
        self.whole: list[tuple[bytes, dict[tuple[int, int], int]]] = []
        """What left by the socket itself, and the options that it left with."""

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        assert addr == ADDRESS
        self.single.append(data)

    def getsockopt(self, level: int, option: int) -> int:
        return self.options[level, option]

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options[level, option] = value

    def sendmsg(self, buffers: list[memoryview], ancillary: list[Any], flags: int, addr: tuple[str, int]) -> int:
        assert (flags, addr) == (0, ADDRESS)
        if self.failure is not None:
            raise self.failure
        [(_, _, size)] = ancillary
        self.bursts.append((bytes(buffers[0]), struct.unpack("H", size)[0]))
        return len(buffers[0])


class Socket(Wire):
    """A socket without a transport."""

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        assert addr in {ADDRESS, ADDRESS_V6}
        if self.failure is not None:
            raise self.failure
        self.whole.append((data, dict(self.options)))


def path_of(wire: Wire, addr: tuple[str, int] = ADDRESS) -> Path:
    return Path(cast(ice.StunProtocol, SimpleNamespace(transport=wire, sock=wire)), addr)


def relayed_path(wire: Wire) -> Path:
    return Path(cast(ice.StunProtocol, SimpleNamespace(transport=wire, sock=None)), ADDRESS)


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
    wire = Wire(BlockingIOError(errno.EAGAIN, "full"))
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


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EMSGSIZE], ids=["IPv4", "IPv6"])
def test_a_segment_that_the_path_no_longer_carries_is_told_and_shorter_ones_still_leave_in_one_call(
    error: int,
) -> None:
    wire = Wire()
    path = path_of(wire)
    path.send_burst(burst([10, 10]), [10, 10])
    wire.failure = OSError(error, "larger than the path's MTU")
    path.send_burst(burst([12, 12]), [12, 12])
    assert path.narrowed
    assert [len(datagram) for datagram in wire.single] == [12, 12], "each by itself, the system fragments it"
    wire.failure = None
    path.send_burst(burst([12, 12]), [12, 12])
    path.send_burst(burst([10, 10]), [10, 10])
    assert [size for _, size in wire.bursts] == [10, 10]
    path.widened()
    path.send_burst(burst([12, 12]), [12, 12])
    assert [size for _, size in wire.bursts] == [10, 10, 12]


def test_an_old_system_says_the_same_of_any_segment_and_is_not_asked_again() -> None:
    wire = Wire(OSError(errno.EINVAL, "what is UDP_SEGMENT"))
    path = path_of(wire)
    path.send_burst(burst([10, 10]), [10, 10])
    assert not path.narrowed
    wire.failure = None
    path.send_burst(burst([10, 10]), [10, 10])
    assert wire.bursts == []


# In one piece


@pytest.mark.parametrize(("addr", "option"), [(ADDRESS, IPV4_DISCOVER), (ADDRESS_V6, IPV6_DISCOVER)])
def test_only_the_datagram_that_must_not_be_fragmented_asks_for_it(
    addr: tuple[str, int], option: tuple[int, int]
) -> None:
    wire = Socket()
    assert path_of(wire, addr).send_whole(b"probe")
    [(data, options)] = wire.whole
    assert (data, options[option]) == (b"probe", PROBE)
    assert wire.options == {IPV4_DISCOVER: WANT, IPV6_DISCOVER: WANT}


def test_what_the_interface_does_not_carry_is_told_and_leaves_no_trace() -> None:
    wire = Socket(OSError(errno.EMSGSIZE, "too long"))
    assert not path_of(wire).send_whole(b"probe")
    assert wire.options[IPV4_DISCOVER] == WANT


def test_a_probe_that_finds_the_buffer_full_is_lost_as_on_the_way() -> None:
    wire = Socket(BlockingIOError(errno.EAGAIN, "full"))
    assert path_of(wire).send_whole(b"probe")
    assert wire.options[IPV4_DISCOVER] == WANT


def test_over_ipv4_large_data_may_be_fragmented_and_its_probes_may_not() -> None:
    wire = Socket()
    path = path_of(wire)
    path.widened()
    assert path.can_fragment
    assert wire.options[IPV4_DISCOVER] == DONT
    assert path.send_whole(b"probe")
    assert wire.whole[0][1][IPV4_DISCOVER] == PROBE
    assert wire.options[IPV4_DISCOVER] == DONT


def test_over_ipv6_nothing_is_fragmented_that_the_system_does_not_fragment_by_itself() -> None:
    wire = Socket()
    path = path_of(wire, ADDRESS_V6)
    path.widened()
    assert not path.can_fragment
    assert wire.options == {IPV4_DISCOVER: WANT, IPV6_DISCOVER: WANT}


def test_a_relay_is_not_probed() -> None:
    wire = Wire()
    path = relayed_path(wire)
    assert not path.can_probe
    assert not path.send_whole(b"probe")
    path.widened()
    assert not path.can_fragment


@pytest.mark.parametrize("name", ["win32", "darwin"])
def test_another_system_is_not_probed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", name)
    wire = Wire()
    path = path_of(wire)
    assert not path.can_probe
    path.send_burst(burst([10, 10, 4]), [10, 10, 4])
    path.widened()
    assert [len(datagram) for datagram in wire.single] == [10, 10, 4], "UDP_SEGMENT may be passed over there"
    assert wire.bursts == []
    assert wire.options[IPV4_DISCOVER] == WANT, "the number is another option's there"


@pytest.mark.parametrize("error", [errno.ENOBUFS, errno.EPERM, errno.ENETUNREACH])
def test_a_network_that_is_lost_for_a_moment_says_nothing_of_sizes(error: int) -> None:
    wire = Socket(OSError(error, "not now"))
    path = path_of(wire)
    assert path.send_whole(b"probe"), "lost as on the way"
    assert wire.options[IPV4_DISCOVER] == WANT
    bursts = Wire(OSError(error, "not now"))
    path = path_of(bursts)
    path.send_burst(burst([10, 10]), [10, 10])
    bursts.failure = None
    path.send_burst(burst([10, 10]), [10, 10])
    assert len(bursts.bursts) == 1, "runs leave in one call again"


def test_a_path_knows_its_ends() -> None:
    protocol = cast(ice.StunProtocol, SimpleNamespace(transport=None, sock=None))
    path = Path(protocol, ADDRESS)
    assert path.leads(protocol, ADDRESS)
    assert not path.leads(protocol, ("198.51.100.7", 10))
    assert not path.leads(cast(ice.StunProtocol, SimpleNamespace()), ADDRESS)


def test_a_real_socket_takes_all_of_it() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs,
    ):
        theirs.bind(("127.0.0.1", 0))
        theirs.settimeout(5)
        path = Path(cast(ice.StunProtocol, SimpleNamespace(transport=ours, sock=ours)), theirs.getsockname())
        assert path.can_probe
        assert path.send_whole(bytes(1472))
        assert len(theirs.recv(4096)) == 1472
        path.widened()
        path.send_burst(bytes(3 * 1472), [1472] * 3)
        assert [len(theirs.recv(4096)) for _ in range(3)] == [1472] * 3
        assert not path.send_whole(bytes(65_508)), "no datagram is as long"
