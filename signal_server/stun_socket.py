"""The UDP socket beside the TCP port, on which `stun` answers; it remembers next to nothing and logs no question."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import sys
import time
from typing import Any, cast

from signal_server import listen, stun
from signal_server.gate import parse_address, quota_key
from signal_server.limits import Buckets, Limits

log = logging.getLogger("signal_server")

_AT_ONCE = 16
"""Datagrams that are read in one go: then it is the turn of the WebSockets on the same loop."""
_PKTINFO_BYTES = 20
"""An IPv6 address and the number of an interface (RFC 3542, section 6.1)."""


class StunSocket:
    """Answers on one UDP port, both families where the TCP port takes both.

    On a machine with several addresses an answer has to come from the one that was asked, or the asker's router
    drops it. A socket that is bound to one address sends from it; one that is bound to all of them is told by the
    system which one it was, on Linux for both families, on macOS for IPv6. Elsewhere, and on an IPv4-only machine,
    the system's routes choose.
    """

    def __init__(self, limits: Limits) -> None:
        self._taken = Buckets(limits.stun_per_address, limits.remembered_addresses)
        self._sock: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int) -> bool:
        """Answer on `host` ("": every address) and `port` from now on; False, and a line in the log, if it cannot."""
        try:
            sock = listen.open_datagram_socket(host, port)
        except listen.ListenError as error:
            log.warning("STUN is off, and links between two home networks may not work. %s", error)
            return False
        loop = asyncio.get_running_loop()
        if sys.platform != "win32" and _says_where_it_was_asked(sock):
            self._sock = sock
            loop.add_reader(sock, self._read, sock)
        else:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: _Plain(self), sock=sock)
        return True

    def close(self) -> None:
        """Answer no longer; may be called again."""
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self._sock = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def answer(self, question: bytes, address: tuple[Any, ...]) -> bytes | None:
        """What is sent back to `address`, if anything: who asks too often may be somebody whom others pretend to be."""
        reply = stun.answer(question, address[0], address[1])
        if reply is None or not self._taken.take(quota_key(parse_address(address[0])), time.monotonic()):
            return None
        return reply

    if sys.platform != "win32":

        def _read(self, sock: socket.socket) -> None:
            for _ in range(_AT_ONCE):
                try:
                    question, notes, _flags, address = sock.recvmsg(
                        stun.MAX_QUESTION + 1, socket.CMSG_SPACE(_PKTINFO_BYTES)
                    )
                except OSError:
                    return  # nothing more to read, or an error about what was sent before
                reply = self.answer(question, address)
                if reply is None:
                    continue
                try:
                    sock.sendmsg([reply], _from_where_it_was_asked(notes), 0, address)
                except OSError:
                    pass  # the buffer is full, or the way is gone: who wants to know asks again


class _Plain(asyncio.DatagramProtocol):
    """Where the loop reads."""

    def __init__(self, server: StunSocket) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is the loop's now."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """A question, or anything else."""
        reply = self._server.answer(data, addr)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


if sys.platform != "win32":

    def _says_where_it_was_asked(sock: socket.socket) -> bool:
        """Whether the system says with each datagram to which of our addresses it came."""
        if sock.family != socket.AF_INET6:
            return False
        try:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        except (OSError, AttributeError):
            return False  # a system that does not know it
        return True

    def _from_where_it_was_asked(notes: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """The address alone; the interface is for the routes to choose, unless it is part of the address."""
        found = []
        for level, kind, data in notes:
            if (level, kind, len(data)) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO_BYTES):
                is_link_local = ipaddress.IPv6Address(data[:16]).is_link_local
                found.append((level, kind, data if is_link_local else data[:16] + bytes(4)))
        return found
