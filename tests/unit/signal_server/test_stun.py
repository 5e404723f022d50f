"""STUN answers: the RFC's own examples, what must get no answer, and that nothing gets a long one."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from aioice import stun as aioice_stun
from hypothesis import given, settings
from hypothesis import strategies as st

from signal_server.stun import MAX_QUESTION, MOST_ADDED, answer

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
"""Of every message in RFC 5769."""
HEADER = struct.Struct("!HHI12s")
COOKIE = 0x2112A442
ICE_CHECK = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
"""RFC 5769, section 2.1: a request as ICE makes it, whose FINGERPRINT is right."""
MAPPED = {
    "192.0.2.1": "002000080001a147e112a643",
    "2001:db8:1234:5678:11:2233:4455:6677": "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
}
"""XOR-MAPPED-ADDRESS of port 32853, from sections 2.2 and 2.3."""


def attribute(kind: int, value: bytes = b"", length: int | None = None) -> bytes:
    padding = bytes(-len(value) % 4)
    return struct.pack("!HH", kind, len(value) if length is None else length) + value + padding


def question(*attributes: bytes, kind: int = 1, cookie: int = COOKIE, length: int | None = None) -> bytes:
    body = b"".join(attributes)
    return HEADER.pack(kind, len(body) if length is None else length, cookie, TRANSACTION) + body


def fingerprinted(*attributes: bytes) -> bytes:
    """With the FINGERPRINT that aioice makes."""
    message = question(*attributes)
    return question(*attributes, attribute(0x8028, aioice_stun.message_fingerprint(message).to_bytes(4, "big")))


SOFTWARE = attribute(0x8022, b"a client")


@pytest.mark.parametrize("host", MAPPED)
def test_an_address_is_told_as_in_the_rfcs_examples(host: str) -> None:
    mapped = bytes.fromhex(MAPPED[host])
    assert answer(question(), host, 32853) == HEADER.pack(0x0101, len(mapped), COOKIE, TRANSACTION) + mapped


def test_ipv4_inside_ipv6_is_ipv4_and_a_zone_is_none_of_the_address() -> None:
    assert answer(question(), "::ffff:192.0.2.1", 32853) == answer(question(), "192.0.2.1", 32853)
    assert answer(question(), "fe80::1%eth0", 32853) == answer(question(), "fe80::1", 32853)


@pytest.mark.parametrize("host", MAPPED)
def test_aioice_reads_the_answers_and_its_questions_are_answered(host: str) -> None:
    asked = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
    asked.attributes["SOFTWARE"] = "aioice"
    asked.add_fingerprint()
    reply = answer(bytes(asked), host, 40000)
    assert reply is not None
    read = aioice_stun.parse_message(reply)  # checks the FINGERPRINT
    assert (read.message_class, read.transaction_id) == (aioice_stun.Class.RESPONSE, asked.transaction_id)
    assert read.attributes["XOR-MAPPED-ADDRESS"] == (host, 40000)
    assert list(read.attributes) == ["XOR-MAPPED-ADDRESS", "FINGERPRINT"]


def test_who_sends_no_fingerprint_gets_none() -> None:
    reply = answer(question(SOFTWARE), "192.0.2.1", 40000)
    assert reply is not None
    assert "FINGERPRINT" not in aioice_stun.parse_message(reply).attributes


def test_unknown_attributes_that_need_not_be_understood_are_passed_over() -> None:
    for attributes in ([attribute(0xC057, bytes(4))], [attribute(0x8000), SOFTWARE], [SOFTWARE] * 2):
        assert answer(question(*attributes), "192.0.2.1", 40000) is not None
        assert answer(fingerprinted(*attributes), "192.0.2.1", 40000) is not None


SILENCE = {
    "nothing": b"",
    "less than a header": question()[:-1],
    "a check of ICE": ICE_CHECK,
    "an indication": question(kind=0x0011),
    "a response": question(kind=0x0101),
    "an error response": question(kind=0x0111),
    "an allocation": question(kind=0x0003),
    "the classic STUN of RFC 3489": question(cookie=0x12345678),
    "DTLS": bytes([22, 254, 253]) + bytes(30),
    "a bit where STUN has none": question(kind=0x8001),
    "a length beyond the end": question(SOFTWARE, length=len(SOFTWARE) + 4),
    "a length before the end": question(SOFTWARE, length=len(SOFTWARE) - 4),
    "a length that is no multiple of four": question(length=2) + bytes(2),
    "bytes behind the end": question() + bytes(4),
    "an attribute beyond the end": question(attribute(0x8022, b"four", length=5)),
    "the longest attribute": question(attribute(0x8022, b"four", length=0xFFFF)),
    "a user name": question(attribute(0x0006, b"user")),
    "a message's integrity": question(attribute(0x0008, bytes(20))),
    "another address to answer to": question(attribute(0x0003, bytes(4))),
    "another port to answer to": question(attribute(0x0027, bytes(4))),
    "an attribute that must be understood": question(attribute(0x7FFF)),
    "a wrong fingerprint": question(attribute(0x8028, bytes(4))),
    "a short fingerprint": question(attribute(0x8028)),
    "a long fingerprint": question(attribute(0x8028, bytes(8))),
    "a fingerprint in the middle": question(fingerprinted()[20:], SOFTWARE),
    "two fingerprints": question(attribute(0x8028, bytes(4)), attribute(0x8028, bytes(4))),
    "more than a packet": question(attribute(0x8022, bytes(MAX_QUESTION - 20))),
}


@pytest.mark.parametrize("name", SILENCE)
def test_anything_else_gets_no_answer(name: str) -> None:
    assert answer(SILENCE[name], "192.0.2.1", 40000) is None


@pytest.mark.parametrize(
    ("host", "port"), [("", 1), ("name", 1), ("192.0.2", 1), ("192.0.2.1", 0), ("192.0.2.1", 65536)]
)
def test_what_is_no_address_gets_no_answer(host: str, port: int) -> None:
    assert answer(question(), host, port) is None


def test_the_longest_question_is_answered() -> None:
    assert answer(question(attribute(0x8022, bytes(MAX_QUESTION - 24))), "192.0.2.1", 40000) is not None


ADDRESSES = st.tuples(st.ip_addresses().map(str), st.integers(1, 65535))
QUESTIONS = st.lists(
    st.tuples(st.integers(0x8000, 0xFFFF).filter(lambda kind: kind != 0x8028), st.binary(max_size=40)), max_size=5
)


@settings(deadline=None)  # a busy machine is not a failure
@given(QUESTIONS, ADDRESSES, st.booleans())
def test_every_question_is_answered_with_where_it_came_from(
    attributes: list[tuple[int, bytes]], address: tuple[str, int], signs: bool
) -> None:
    asked = (fingerprinted if signs else question)(*(attribute(*one) for one in attributes))
    reply = answer(asked, *address)
    assert reply is not None
    assert len(reply) <= len(asked) + MOST_ADDED
    host, port = aioice_stun.parse_message(reply).attributes["XOR-MAPPED-ADDRESS"]
    plain = ipaddress.ip_address(address[0])
    assert (host, port) == (str(getattr(plain, "ipv4_mapped", None) or plain), address[1])


@settings(deadline=None)
@given(st.data())
def test_whatever_comes_raises_nothing_and_gets_no_more_than_a_little_longer_answer(data: st.DataObject) -> None:
    heads = (b"", question()[:8], question(), question(SOFTWARE), fingerprinted(SOFTWARE), ICE_CHECK)
    start = data.draw(st.sampled_from(heads))
    asked = bytearray(start + data.draw(st.binary(max_size=80)))
    if asked:
        at, flip = data.draw(st.integers(0, len(asked) - 1)), data.draw(st.integers(0, 255))
        asked[at] ^= flip
    reply = answer(bytes(asked), "2001:db8::1", 40000)
    assert reply is None or len(reply) <= len(asked) + MOST_ADDED
