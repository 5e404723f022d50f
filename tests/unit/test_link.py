"""A share's link: what it holds, what it refuses, what it never prints."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.errors import LinkError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.link import Link
from signal_server import protocol

BASE = "http://192.0.2.7:21880"
FRAGMENT = "AQAAAAAAAAAAAAABAQEBAQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAg"
LINK = Link(BASE, bytes(10), b"\x01" * 16, b"\x02" * 16)


def test_the_text_of_a_link_is_as_documented() -> None:
    assert str(LINK) == f"{BASE}/#{FRAGMENT}"
    assert link.parse(str(LINK)) == LINK


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_every_link_is_parsed_back(id: bytes, secret: bytes, pin: bytes) -> None:
    made = Link("https://seedshot.example", id, secret, pin)
    assert link.parse(f"  {made}\n") == made


def test_everything_stands_in_the_fragment() -> None:
    keys = link.mint()
    before, _, after = str(keys.link(f"{BASE}/")).partition("#")
    assert before == f"{BASE}/"
    assert len(after) == 58


def test_id_and_pin_are_derived_from_what_the_owner_holds() -> None:
    keys = link.mint()
    assert keys.id == hashlib.sha256(keys.token).digest()[:10]
    assert keys.pin == hashlib.sha256(keys.certificate).digest()[:16]
    assert keys.share == protocol.id_of_token(protocol.encode_base64url(keys.token))


def test_the_certificate_and_the_key_belong_together() -> None:
    keys = link.mint()
    certificate = x509.load_der_x509_certificate(keys.certificate)
    key = serialization.load_der_private_key(keys.private_key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.public_key() == key.public_key()
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


def test_the_certificate_says_nothing_about_the_computer() -> None:
    first, second = (x509.load_der_x509_certificate(link.mint().certificate) for _ in range(2))
    assert first.subject != second.subject
    assert first.subject == first.issuer
    assert len(first.extensions) == 0


def test_no_two_shares_have_anything_in_common() -> None:
    first, second = link.mint(), link.mint()
    assert first.token != second.token
    assert first.secret != second.secret
    assert first.private_key != second.private_key


def test_keys_and_secrets_are_not_printed() -> None:
    keys = link.mint()
    for shown in (repr(keys), repr(keys.link(BASE))):
        assert "secret" not in shown
        assert "token" not in shown
        assert "pin" not in shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no web address"),
        ("hello", "no web address"),
        (f"ftp://host/#{FRAGMENT}", "no web address"),
        (f"javascript:alert(1)#{FRAGMENT}", "no web address"),
        (f"{BASE}/", "another version|not a whole"),
        (f"{BASE}/#{FRAGMENT[:-1]}", "not a whole"),
        (f"{BASE}/#{FRAGMENT}A", "not a whole"),
        (f"{BASE}/#{FRAGMENT}AAAA", "not a whole"),
        (f"{BASE}/#{FRAGMENT[:-1]}=", "not a whole"),
        (f"{BASE}/#{FRAGMENT[:-1]}h", "not a whole"),
        (f"{BASE}/#{FRAGMENT[:-1]}+", "not a whole"),
        (f"{BASE}/#Ag{FRAGMENT[2:]}", "another version"),
        ("http://[::1/#x", "no web address|not a whole"),
    ],
)
def test_what_is_no_link_is_refused_with_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(LinkError, match=problem):
        link.parse(text)


@pytest.mark.parametrize("text", ["A", "AA=", "A A", "A\n", "QQ==", "QR", "ä"])
def test_base64url_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        link.decode_base64url(text)


@given(st.binary(max_size=64))
def test_base64url_goes_both_ways(data: bytes) -> None:
    assert link.decode_base64url(link.encode_base64url(data)) == data
