"""Mint, format and parse a share's link; pure but for the randomness of ``mint``.

``https://HOST/#F`` where F is base64url without padding of::

    version (1 byte, 0x01) | id (10) | secret (16) | pin (16)

Everything stands in the fragment, which browsers never send. ``id`` is the
start of the SHA-256 of the owner token, ``pin`` the start of the SHA-256 of the
share's DTLS certificate (DER), which is what SDP carries as
``a=fingerprint:sha-256`` (RFC 8122).
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seedshot_desktop.errors import LinkError

VERSION = 1
TOKEN_BYTES = 16
ID_BYTES = 10
SECRET_BYTES = 16
PIN_BYTES = 16
_CERTIFICATE_LIFE = datetime.timedelta(days=365)
_CLOCK_SKEW = datetime.timedelta(days=1)
_NO_ADDRESS = "This is not a Seedshot link: it has no web address. Copy the whole link again."


def encode_base64url(data: bytes) -> str:
    """base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """The bytes of unpadded base64url; ValueError for anything not in its one canonical form."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error
    if encode_base64url(data) != text:
        raise ValueError("not base64url in its canonical form")
    return data


@dataclass(frozen=True, slots=True)
class Link:
    """What a viewer is given: where to ask, what to show, whom to believe."""

    base_url: str
    """Scheme, host and port of the page, without a trailing slash: ``http://192.0.2.7:21880``."""
    id: bytes
    """10 bytes; addresses the share at the signalling server."""
    secret: bytes = field(repr=False)
    """16 bytes; shown to the owner, and only inside the pinned channel."""
    pin: bytes = field(repr=False)
    """16 bytes; the certificate's SHA-256 begins with them."""

    def __str__(self) -> str:
        """The text that goes to the clipboard."""
        fragment = bytes([VERSION]) + self.id + self.secret + self.pin
        return f"{self.base_url}/#{encode_base64url(fragment)}"


@dataclass(frozen=True, slots=True)
class ShareKeys:
    """What the owner keeps: proofs and keys of one share, in memory only, gone with the share."""

    token: bytes = field(repr=False)
    """16 bytes; whoever shows them to a signalling server owns the id."""
    secret: bytes = field(repr=False)
    """16 bytes; what a viewer has to show."""
    certificate: bytes = field(repr=False)
    """The DTLS certificate, DER."""
    private_key: bytes = field(repr=False)
    """Its P-256 key, PKCS #8 DER."""

    @property
    def id(self) -> bytes:
        """The share's id, 10 bytes, derived from the token."""
        return hashlib.sha256(self.token).digest()[:ID_BYTES]

    @property
    def pin(self) -> bytes:
        """The certificate's pin, 16 bytes."""
        return hashlib.sha256(self.certificate).digest()[:PIN_BYTES]

    @property
    def share(self) -> str:
        """The id as base64url: the name of the share in messages, on the wire and in lists."""
        return encode_base64url(self.id)

    def link(self, base_url: str) -> Link:
        """The share's link at the page under `base_url`."""
        return Link(base_url.rstrip("/"), self.id, self.secret, self.pin)


def mint() -> ShareKeys:
    """New keys for one share: well under a millisecond, no disk, no network."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, secrets.token_hex(8))])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _CERTIFICATE_LIFE)
        .sign(key, hashes.SHA256())
    )
    return ShareKeys(
        token=secrets.token_bytes(TOKEN_BYTES),
        secret=secrets.token_bytes(SECRET_BYTES),
        certificate=certificate.public_bytes(serialization.Encoding.DER),
        private_key=key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def parse(text: str) -> Link:
    """The link in `text`; raises LinkError when it is not one."""
    try:
        parts = urlsplit(text.strip())
    except ValueError as error:  # an address like http://[::1
        raise LinkError(_NO_ADDRESS) from error
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise LinkError(_NO_ADDRESS)
    try:
        data = decode_base64url(parts.fragment)
    except ValueError as error:
        raise LinkError("This is not a whole Seedshot link. Copy the whole link again.") from error
    if not data or data[0] != VERSION:
        raise LinkError("This link was made by another version of Seedshot. Update Seedshot, or ask for a new link.")
    if len(data) != 1 + ID_BYTES + SECRET_BYTES + PIN_BYTES:
        raise LinkError("This is not a whole Seedshot link. Copy the whole link again.")
    id_end = 1 + ID_BYTES
    secret_end = id_end + SECRET_BYTES
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Link(base, data[1:id_end], data[id_end:secret_end], data[secret_end:])
