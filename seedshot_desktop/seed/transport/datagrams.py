"""UDP sockets of one viewer: guarded towards the network, and fast where a burst leaves."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, Protocol

from aioice import Candidate, ice, stun
from aioice.candidate import candidate_foundation, candidate_priority

MAX_DATAGRAM = 2048
RECEIVE_BUFFER = 256 * 1024
SEND_BUFFER = 256 * 1024
"""Bytes that the system is asked to hold (Linux holds twice as many): what is in it can no longer be taken back."""
MAX_SEGMENTS = 40
"""Datagrams in one system call: together under 64 KiB."""
_SOL_UDP = 17
_UDP_SEGMENT = 103
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER = 10, 23
_PMTUDISC_DONT, _PMTUDISC_PROBE = 0, 3
"""Linux: never set DF; always set it, whatever has been learnt of the path."""
_PASSING = frozenset(
    {
        errno.EAGAIN,
        errno.ENOBUFS,
        errno.EPERM,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ECONNREFUSED,
    }
)
"""What a full buffer, a firewall or a lost network say: nothing of sizes, nor of what the system can do."""


class Receiver(Protocol):
    """What a guarded socket reports to."""

    silenced: bool
    refused: int

    def dtls_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A datagram whose first byte says DTLS."""


class GuardedProtocol(ice.StunProtocol):
    """One UDP socket: sorts datagrams by their first byte (RFC 7983) before anything reads them."""

    def __init__(self, receiver: Any) -> None:
        super().__init__(receiver)
        self.guard: Receiver = receiver
        self.sock: socket.socket | None = None
        """The socket itself, where datagrams leave from this machine and not through a relay."""

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        guard = self.guard
        if not isinstance(data, bytes) or not 0 < len(data) <= MAX_DATAGRAM or guard.silenced:
            return
        if 20 <= data[0] <= 63:
            guard.dtls_received(data, (addr[0], addr[1]))
        elif data[0] <= 3:
            try:
                super().datagram_received(data, addr)
            except (ValueError, KeyError, AssertionError, struct.error):
                guard.refused += 1
        else:
            guard.refused += 1

    async def send_data(self, data: bytes, addr: tuple[str, int]) -> None:
        """As aioice has it, but nothing once the peer is silent."""
        if not self.guard.silenced:
            self.transport.sendto(data, addr)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        """As aioice has it, but nothing once the peer is silent."""
        if not self.guard.silenced:
            super().send_stun(message, addr)

    def drop(self) -> None:
        """Close the socket with what waits to be sent on it."""
        if self.sock is not None:
            self.transport.abort()


async def open_host(receiver: Receiver, address: str, place: int = 0) -> GuardedProtocol | None:
    """A socket on one of this machine's addresses, with its candidate; None where it cannot be bound.

    The candidate of the first `place` is preferred (RFC 8445, section 5.1.2.1).
    """
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return None  # this process has no more files, or this machine no IPv6
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.bind((address, 0))
    except OSError:
        sock.close()
        return None  # an address that went away, or is not for us: the others do
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: GuardedProtocol(receiver), sock=sock
    )
    protocol.sock = sock
    protocol.local_candidate = Candidate(
        foundation=candidate_foundation("host", "udp", address),
        component=1,
        transport="udp",
        priority=candidate_priority(1, "host", 65535 - place),
        host=address,
        port=sock.getsockname()[1],
        type="host",
    )
    return protocol


class Path:
    """One of our sockets and the address at the other end."""

    def __init__(self, protocol: ice.StunProtocol, addr: tuple[str, int]) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self._addr = addr
        sock = getattr(protocol, "sock", None)
        self._queue: Any = protocol.transport if sock is not None else None
        """Not through a relay."""
        self._sock: socket.socket | None = sock if sys.platform == "linux" else None
        """The options below are Linux's: another system may know their numbers as something else, or pass over
        UDP_SEGMENT and send a whole run as one datagram."""
        self._segments = self._sock is not None
        self._has_segmented = False
        self._longest_segment = MAX_DATAGRAM
        self._is_v6 = ":" in addr[0]
        self.narrowed = False
        """The system has learnt that the path carries less than was sent; whoever has seen it takes it back."""
        self.can_fragment = False
        """Data that is too large for a narrower path may be fragmented on its way."""

    def leads(self, protocol: ice.StunProtocol, addr: tuple[str, int]) -> bool:
        """Whether this is the path between these two."""
        return self._protocol is protocol and self._addr == addr

    @property
    def ip_header(self) -> int:
        """Bytes of it."""
        return 40 if self._is_v6 else 20

    @property
    def can_probe(self) -> bool:
        """Whether a datagram can be sent that nobody fragments: not through a relay, and on Linux only."""
        return self._sock is not None

    @property
    def is_full(self) -> bool:
        """The system takes nothing more at the moment: what is sent now would wait in the event loop's own queue."""
        return self._queue is not None and self._queue.get_write_buffer_size() > 0

    def send(self, datagram: bytes | memoryview) -> None:
        """One datagram, now."""
        self._transport.sendto(bytes(datagram), self._addr)

    def send_whole(self, datagram: bytes) -> bool:
        """One datagram that must not be fragmented; False: this machine does not send one of that size.

        Where the socket's buffer is full, or there is no route just now, it is lost, as it might be anywhere.
        """
        if self._sock is None:
            return False
        level, option = (
            (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER) if self._is_v6 else (socket.IPPROTO_IP, _IP_MTU_DISCOVER)
        )
        try:
            before = self._sock.getsockopt(level, option)
            self._sock.setsockopt(level, option, _PMTUDISC_PROBE)
            try:
                self._sock.sendto(datagram, self._addr)
            finally:
                self._sock.setsockopt(level, option, before)
        except OSError as error:
            return error.errno in _PASSING  # else EMSGSIZE; and who cannot be asked does not get larger packets
        return True

    def widened(self) -> None:
        """Larger datagrams than before are known to pass, and will be sent.

        Over IPv4 none of them asks not to be fragmented: of datagrams that leave in one call (UDP_SEGMENT) none does
        so anyway, and a path that becomes narrower would carry those and lose the others. Over IPv6 only the sender
        may fragment, and Linux does so only where it has been told of the narrower path.
        """
        self._longest_segment = MAX_DATAGRAM
        if self._is_v6 or self._sock is None:
            return
        try:
            self._sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DONT)
            self.can_fragment = True
        except OSError:
            pass  # another system, where no datagram is ever larger than the base

    def send_burst(self, datagrams: bytes, sizes: Sequence[int]) -> None:
        """Datagrams that lie one behind the other in `datagrams`.

        Where Linux can (UDP_SEGMENT, since 4.18), a run of one size leaves in
        one system call: most of the cost of a small datagram is not its bytes.
        """
        view = memoryview(datagrams)
        at = first = 0
        while first < len(sizes):
            last = _end_of_run(sizes, first)
            length = sum(sizes[first:last])
            self._send_run(view[at : at + length], sizes[first], last - first)
            at, first = at + length, last

    def _send_run(self, run: memoryview, size: int, count: int) -> None:
        if count > 1 and self._segments and size <= self._longest_segment and self._segment(run, size):
            return
        for at in range(0, len(run), size):
            self.send(run[at : at + size])

    def _segment(self, run: memoryview, size: int) -> bool:
        assert self._sock is not None
        try:
            self._sock.sendmsg([run], [(_SOL_UDP, _UDP_SEGMENT, struct.pack("H", size))], 0, self._addr)
        except OSError as error:
            self._cannot_segment(error, size)
            return False  # where the socket's buffer is full, the event loop's own queue takes them
        self._has_segmented = True
        return True

    def _cannot_segment(self, error: OSError, size: int) -> None:
        """Where the system could before, a segment is larger than what the path is now known to carry: a datagram by
        itself is fragmented then."""
        if error.errno in _PASSING:
            return
        if error.errno in {errno.EINVAL, errno.EMSGSIZE} and self._has_segmented:
            self._longest_segment = size - 1
            self.narrowed = True
        else:
            self._segments = False  # this system or this interface cannot


def _end_of_run(sizes: Sequence[int], first: int) -> int:
    """Where a run of equal sizes ends; its last datagram may be shorter."""
    size = sizes[first]
    last = first + 1
    while last < len(sizes) and last - first < MAX_SEGMENTS and sizes[last] == size:
        last += 1
    if last < len(sizes) and last - first < MAX_SEGMENTS and sizes[last] < size:
        last += 1
    return last
