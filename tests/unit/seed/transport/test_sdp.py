"""The viewer's offer and our answer, as text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport.candidates import may_reach, parse_candidate
from seedshot_desktop.seed.transport.sdp import MAX_OFFER_CHARS, answer_password, format_answer, parse_offer

FINGERPRINT = ":".join(["AB"] * 32)
PASSWORDS = Path(__file__).parents[3] / "wire" / "password.json"
CHROMIUM = f"""v=0
o=- 3306552481269084550 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=candidate:2745650957 1 udp 2113937151 d4c77748-afe9-4d84-b408-1f62130b620f.local 52622 typ host generation 0
a=candidate:1 1 udp 1677729535 198.51.100.7 52622 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=candidate:2 1 tcp 1518280447 198.51.100.7 9 typ host tcptype active
a=ice-ufrag:8MK8
a=ice-pwd:JqTNyCQ/4fPCHGxx4NL7THg+
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:0
a=sctp-port:5000
a=max-message-size:262144
"""
FIREFOX = f"""v=0
o=mozilla...THIS_IS_SDPARTA-99.0 1234 0 IN IP4 0.0.0.0
s=-
t=0 0
a=fingerprint:sha-256 {FINGERPRINT}
a=group:BUNDLE 0
a=ice-options:trickle
a=msid-semantic:WMS *
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=sendrecv
a=end-of-candidates
a=ice-pwd:0123456789abcdef0123456789abcdef
a=ice-ufrag:0a1b2c3d
a=mid:0
a=setup:actpass
a=sctp-port:5000
a=max-message-size:1073741823
"""


def test_an_offer_of_chromium() -> None:
    offer = parse_offer(CHROMIUM.replace("\n", "\r\n"))
    assert (offer.mid, offer.username, offer.password) == ("0", "8MK8", "JqTNyCQ/4fPCHGxx4NL7THg+")
    assert offer.fingerprints == (("sha-256", FINGERPRINT),)
    assert (offer.sctp_port, offer.max_message) == (5000, 262144)
    assert [candidate.host[-6:] for candidate in offer.candidates] == [".local", ".100.7"]


def test_an_offer_of_firefox() -> None:
    offer = parse_offer(FIREFOX)
    assert (offer.username, offer.max_message, offer.candidates) == ("0a1b2c3d", 1073741823, ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("m=application 9 UDP/DTLS/SCTP", "m=application 9 DTLS/SCTP"),
        ("webrtc-datachannel", "webrtc-datachannel 1"),
        ("c=IN", "m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=setup:actpass", "a=setup:actpass\na=setup:active"),
        ("a=ice-ufrag:8MK8", "a=ice-ufrag:8MK"),
        ("a=ice-ufrag:8MK8", "a=ice-ufrag:8M K8"),
        ("a=ice-pwd:JqTNyCQ/4fPCHGxx4NL7THg+", "a=ice-pwd:short"),
        ("a=ice-pwd:JqTNyCQ/4fPCHGxx4NL7THg+", "a=ice-pwd:" + "x" * 257),
        (f"a=fingerprint:sha-256 {FINGERPRINT}", ""),
        (f"a=fingerprint:sha-256 {FINGERPRINT}", f"a=fingerprint:sha-1 {FINGERPRINT}"),
        (f"a=fingerprint:sha-256 {FINGERPRINT}", f"a=fingerprint:sha-512 {FINGERPRINT}"),
        (f"a=fingerprint:sha-256 {FINGERPRINT}", "a=fingerprint:sha-256 zz"),
        ("a=sctp-port:5000", "a=sctp-port:0"),
        ("a=sctp-port:5000", "a=sctp-port:65536"),
        ("a=sctp-port:5000", "a=sctp-port:٥"),
        ("a=sctp-port:5000", ""),
        ("a=max-message-size:262144", "a=max-message-size:-1"),
        ("a=mid:0", "a=mid:" + "x" * 33),
        ("a=mid:0", "a=mid:a b"),
        ("s=-", "s=-" + "\na=x" * 200),
        ("s=-", "s=" + "x" * MAX_OFFER_CHARS),
        ("a=ice-options:trickle", "a=candidate:1 1 udp 1 198.51.100.7 9 typ host\n" * 21),
    ],
)
def test_an_offer_that_is_not_a_browsers_is_refused(old: str, new: str) -> None:
    assert old in CHROMIUM
    with pytest.raises(TransportError, match="cannot be used"):
        parse_offer(CHROMIUM.replace(old, new))


def test_a_refusal_repeats_nothing_of_the_offer() -> None:
    with pytest.raises(TransportError) as caught:
        parse_offer(CHROMIUM.replace("a=ice-pwd:", "a=ice-pwd:!secret!"))
    assert "secret" not in str(caught.value)


def test_our_answer_has_one_section_and_one_fingerprint() -> None:
    ours = parse_candidate("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host")
    assert ours is not None
    answer = format_answer(
        parse_offer(CHROMIUM),
        username="user",
        fingerprint=FINGERPRINT,
        candidates=[ours],
        complete=True,
    )
    lines = answer.split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    assert [line for line in lines if "fingerprint" in line] == [f"a=fingerprint:sha-256 {FINGERPRINT}"]
    assert "ice-pwd" not in answer, "both ends make it for themselves"
    for line in (
        "a=setup:passive",
        "a=ice-options:trickle",
        "a=mid:0",
        "a=max-message-size:16384",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
        "a=end-of-candidates",
    ):
        assert line in lines


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("192.168.1.7", True),
        ("10.0.0.1", True),
        ("100.64.0.9", True),
        ("198.51.100.1", True),
        ("fd00::2", True),
        ("2001:db8::1", True),
        ("127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("2002:c633:6407::1", True),
        ("100.100.100.200", False),
        ("fd00:ec2::254", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("224.0.0.251", False),
        ("ff02::fb", False),
        ("0.0.0.0", False),
        ("::", False),
        ("255.255.255.255", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_where_checks_may_be_sent(host: str, reachable: bool) -> None:
    assert may_reach(host) is reachable


@pytest.mark.parametrize(
    "line",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 198.51.100.7 0 typ host",
        "candidate:1 1 udp 1 198.51.100.7 65536 typ host",
        "candidate:1 1 udp x 198.51.100.7 9 typ host",
        "candidate:1 2 udp 1 198.51.100.7 9 typ host",
        "candidate:1 1 tcp 1 198.51.100.7 9 typ host",
        "candidate:1 1 udp 1 198.51.100.7 9 typ prflx",
        "candidate:! 1 udp 1 198.51.100.7 9 typ host",
        "candidate:1 1 udp 1 evil.example 9 typ host",
        "candidate:1 1 udp 1 a.b.local 9 typ host",
        "candidate:1 1 udp 1 198.51.100.7 9 typ host " + "x" * 512,
        "candidate:1 1 udp 1 198.51.100.٧ 9 typ host",
    ],
)
def test_a_candidate_that_cannot_be_used(line: str) -> None:
    assert parse_candidate(line) is None


@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:"])
def test_a_candidate_that_can_be_used(prefix: str) -> None:
    candidate = parse_candidate(prefix + "1 1 UDP 2130706431 198.51.100.7 9 typ host generation 0 ufrag x")
    assert candidate is not None
    assert (candidate.host, candidate.port) == ("198.51.100.7", 9)


@pytest.mark.parametrize("example", json.loads(PASSWORDS.read_text())["examples"], ids=lambda example: example["name"])
def test_the_password_is_made_of_the_secret_and_the_viewers_certificate(example: dict[str, str]) -> None:
    offer = parse_offer(re.sub("a=fingerprint:sha-256 .*", f"a=fingerprint:sha-256 {example['fingerprint']}", CHROMIUM))
    assert answer_password(example["secret"], offer) == example["password"]


def test_an_offer_says_which_certificate_its_password_is_made_of() -> None:
    line = f"a=fingerprint:sha-256 {FINGERPRINT}"
    other = FINGERPRINT[:-2] + ("00" if FINGERPRINT[-2:] != "00" else "01")
    for lines in ("a=fingerprint:sha-512 " + ":".join(["AA"] * 64), f"{line}\r\na=fingerprint:sha-256 {other}"):
        with pytest.raises(TransportError, match="not exactly one fingerprint of SHA-256"):
            parse_offer(re.sub("a=fingerprint:sha-256 [^\r\n]*", lines, CHROMIUM))
