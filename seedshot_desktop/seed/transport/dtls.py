"""DTLS for one viewer: aiortc's handshake, then records in and out without a task or a queue between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiortc import RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, State
from OpenSSL import SSL

from seedshot_desktop.seed.transport.certificate import Certificate
from seedshot_desktop.seed.transport.datagrams import Path
from seedshot_desktop.seed.transport.ice import GuardedConnection
from seedshot_desktop.seed.transport.records import MAX_RECORD, Records, open_records
from seedshot_desktop.seed.transport.sdp import Offer

_APPLICATION_DATA = 23
_HEADER = 13


class Dtls(RTCDtlsTransport):
    """The viewer begins the handshake (``a=setup:passive``); its certificate must match its offer.

    So the first flight leaves the viewer in the moment when its own check is
    answered, half a round trip before we could begin; our INIT follows right
    behind the last flight; and lost flights are repeated by the browser, which
    waits for twice the round trip where OpenSSL waits for a second.
    """

    def __init__(self, ice: RTCIceTransport, agent: GuardedConnection, certificate: Certificate) -> None:
        super().__init__(ice, [certificate.rtc])
        self._agent = agent
        self._on_packet: Callable[[bytes], None] | None = None
        self._records: Records | None = None
        self._set_role("server")

    async def handshake(self, offer: Offer, on_packet: Callable[[bytes], None]) -> bool:
        """Secure the path; True when the viewer is who its offer says. Then every packet goes to `on_packet`."""
        fingerprints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in offer.fingerprints]
        await self.start(RTCDtlsParameters(fingerprints=fingerprints, role="client"))
        if self._state is not State.CONNECTED or self._ssl is None:
            return False
        self._records = open_records(self._ssl)
        self._on_packet = on_packet
        self._agent.sink = self.receive
        return True

    def transmit(self, packets: Sequence[bytes]) -> None:
        """Encrypt packets and send them now; nothing once the connection is over."""
        path = self._agent.path
        if self._state is not State.CONNECTED or self._records is None or path is None:
            return
        records = self._seal(self._records, packets)
        if not records:
            return
        if len(packets) == 1:
            path.send(records)
        else:
            path.send_burst(records, _record_sizes(records))

    @property
    def path(self) -> Path | None:
        """Where records go."""
        return self._agent.path

    def transmit_whole(self, packet: bytes) -> bool:
        """Encrypt a packet and send it in a datagram that nobody may fragment; False: it is too large to be sent."""
        path = self._agent.path
        if self._state is not State.CONNECTED or self._records is None or path is None:
            return False
        records = self._seal(self._records, [packet])
        return not records or path.send_whole(records)

    def _seal(self, records: Records, packets: Sequence[bytes]) -> bytes:
        """Their records; nothing, and soon the end, where OpenSSL has given up: a fatal alert came, or nonsense that
        was sealed with the right key."""
        try:
            return records.seal(packets)
        except SSL.Error:
            asyncio.get_running_loop().call_soon(self._set_state, State.CLOSED)  # never from inside the caller
            return b""

    def receive(self, datagram: bytes) -> None:
        """Decrypt one datagram."""
        if self._state is not State.CONNECTED or self._records is None or self._on_packet is None:
            return
        self._records.put(datagram)
        alone = datagram[0] == _APPLICATION_DATA and int.from_bytes(datagram[11:13], "big") + _HEADER == len(datagram)
        while (packet := self._read(self._records)) is not None:
            self._on_packet(packet)
            if alone:
                return
        self._answer()

    def _read(self, records: Records) -> bytes | None:
        try:
            return records.get()
        except SSL.ZeroReturnError:
            self._set_state(State.CLOSED)
        except SSL.Error:
            # Nothing complete, or a forged record: DTLS goes on (RFC 6347, section 4.1.2.7), but for a fatal alert.
            if self._ssl is not None and self._ssl.get_shutdown() & SSL.RECEIVED_SHUTDOWN:
                self._set_state(State.CLOSED)
        return None

    def _answer(self) -> None:
        """What OpenSSL has to say by itself: a flight of the handshake once more, an alert."""
        assert self._ssl is not None
        try:
            records = self._ssl.bio_read(MAX_RECORD)
        except SSL.Error:
            return  # nothing
        if self._agent.path is not None:
            self._agent.path.send(records)

    def _setup_srtp(self) -> None:
        """There is no media: no SRTP session is made, and SRTP datagrams never come this far."""


def _record_sizes(records: bytes) -> list[int]:
    """The sizes of the DTLS 1.2 records that lie one behind the other in `records` (RFC 6347, section 4.1)."""
    sizes = []
    at = 0
    while at < len(records):
        size = _HEADER + int.from_bytes(records[at + 11 : at + 13], "big")
        sizes.append(size)
        at += size
    return sizes
