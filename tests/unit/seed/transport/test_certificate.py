"""A share's certificate out of the bytes that the app keeps: what cannot be used is refused in words for a person."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.transport import Certificate

KEYS, OTHERS = link.mint(), link.mint()
APART = r"do not belong together\. Share the file again\."
UNREADABLE = r"keys cannot be read\. Share the file again\."


def test_the_fingerprint_is_that_of_the_certificate() -> None:
    certificate = Certificate.from_der(KEYS.certificate, KEYS.private_key)
    assert bytes.fromhex(certificate.fingerprint.replace(":", "")) == hashlib.sha256(KEYS.certificate).digest()
    assert certificate.fingerprint == certificate.fingerprint.upper()
    (told,) = [item for item in certificate.rtc.getFingerprints() if item.algorithm == "sha-256"]
    assert told.value.upper() == certificate.fingerprint


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        (KEYS.certificate, OTHERS.private_key, APART),
        (OTHERS.certificate, KEYS.private_key, APART),
        (b"", KEYS.private_key, UNREADABLE),
        (KEYS.certificate, b"", UNREADABLE),
        (KEYS.certificate[:-1], KEYS.private_key, UNREADABLE),
        (KEYS.private_key, KEYS.certificate, UNREADABLE),
    ],
    ids=["another's key", "another's certificate", "no certificate", "no key", "cut off", "the wrong way round"],
)
def test_what_cannot_be_used_is_refused(certificate: bytes, key: bytes, words: str) -> None:
    with pytest.raises(TransportError, match=words):
        Certificate.from_der(certificate, key)


def test_a_pair_of_another_kind_is_refused_though_it_belongs_together() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([]), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(TransportError, match=APART):
        Certificate.from_der(certificate, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
