"""A share's DTLS certificate, whose SHA-256 is what the link pins."""

from __future__ import annotations

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import certificate_digest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from seedshot_desktop.errors import TransportError


class Certificate:
    """An X.509 certificate and its P-256 key; one serves every peer of a share."""

    def __init__(self, rtc: RTCCertificate, fingerprint: str) -> None:
        self.rtc = rtc
        """What aiortc's DTLS transport takes."""
        self.fingerprint = fingerprint
        """SHA-256 as in SDP: upper-case hex pairs joined by colons (RFC 8122, section 5)."""

    @classmethod
    def from_der(cls, certificate: bytes, private_key: bytes) -> Certificate:
        """From the certificate's DER and the key's PKCS #8 DER; raises TransportError."""
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            key = serialization.load_der_private_key(private_key, password=None)
        except (ValueError, TypeError) as error:
            raise TransportError("The share's keys cannot be read. Share the file again.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != parsed.public_key():
            raise TransportError("The share's certificate and key do not belong together. Share the file again.")
        return cls(RTCCertificate(key=key, cert=parsed), certificate_digest(parsed, "sha-256"))
