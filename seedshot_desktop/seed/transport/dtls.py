"""DTLS for one viewer: aiortc's transport without SRTP, and silent on demand."""

from __future__ import annotations

from aiortc import RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters

from seedshot_desktop.seed.transport.certificate import Certificate
from seedshot_desktop.seed.transport.sdp import Offer


class Dtls(RTCDtlsTransport):
    """We begin the handshake (``a=setup:active``); the viewer's certificate must match its offer."""

    def __init__(self, ice: RTCIceTransport, certificate: Certificate) -> None:
        super().__init__(ice, [certificate.rtc])
        self._set_role("client")

    async def handshake(self, offer: Offer) -> bool:
        """Secure the path; True when the viewer is who its offer says."""
        fingerprints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in offer.fingerprints]
        await self.start(RTCDtlsParameters(fingerprints=fingerprints, role="server"))
        return self.state == "connected"

    def _setup_srtp(self) -> None:
        """There is no media: no SRTP session is made, and SRTP datagrams never come this far."""
