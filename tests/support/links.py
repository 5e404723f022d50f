"""What stands between a viewer and the network in a test: nothing at all, or a slow link."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc import RTCPeerConnection

from tests.netlab.link import Link, LinkOptions


def fall_silent(connection: RTCPeerConnection) -> None:
    """From here on the viewer neither reads nor says anything, as a program that has been stopped."""
    for protocol in _sockets(connection):
        protocol.datagram_received = lambda data, addr: None
        protocol.send_data = _send_nothing
        protocol.send_stun = lambda message, addr: None


async def _send_nothing(data: bytes, addr: object) -> None:
    """It is stopped."""


def slow_down(connection: RTCPeerConnection, options: LinkOptions) -> None:
    """What comes to the viewer from here on comes over this link; what it says arrives as it did."""
    for protocol in _sockets(connection):
        protocol.datagram_received = _SlowLink(options, protocol.datagram_received).send


def _sockets(connection: RTCPeerConnection) -> list[Any]:
    assert connection.sctp is not None
    return list(connection.sctp.transport.transport._connection._protocols)


class _SlowLink:
    """Hands datagrams on when they have arrived."""

    def __init__(self, options: LinkOptions, receive: Any) -> None:
        self._link = Link[tuple[bytes, Any]](options)
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes, addr: Any) -> None:
        self._link.send(self._loop.time(), (data, addr), len(data) + 28)
        self._set_timer()

    def _set_timer(self) -> None:
        at = self._link.next_arrival()
        if self._timer is None and at is not None:
            self._timer = self._loop.call_at(at, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        for data, addr in self._link.arrivals(self._loop.time()):
            self._receive(data, addr)
        self._set_timer()
