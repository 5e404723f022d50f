"""The viewer's offer, read strictly, and our answer, written by hand (pure).

Only what a browser's data-channel offer holds is understood (RFC 8829, 8839,
8841, 8842); everything else is either ignored or refused, never passed on.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from aioice import Candidate

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport.candidates import format_candidate, parse_candidate

MAX_OFFER_CHARS = 12 * 1024
MAX_LINES = 200
MAX_CANDIDATES = 20
"""A browser on a machine with many interfaces offers about ten."""
OUR_MAX_MESSAGE = 16 * 1024
"""What a viewer may send in one message: control messages are no longer."""
OUR_SCTP_PORT = 5000
DEFAULT_MAX_MESSAGE = 65536
"""Where the offer says nothing (RFC 8841, section 6.1)."""

_ICE_CHARS = re.compile(r"[0-9A-Za-z+/]+")
_TOKEN = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`{|}~-]{1,32}")
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:){31,63}[0-9A-Fa-f]{2}")
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


@dataclass(frozen=True, slots=True)
class Offer:
    """What is needed of a viewer's offer."""

    mid: str
    username: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    """Algorithm and value; all of them must match the viewer's certificate, and one is sha-256."""
    sctp_port: int
    max_message: int
    """Bytes of the longest message that the viewer takes; 0 is any."""
    candidates: tuple[Candidate, ...]


def parse_offer(text: str) -> Offer:
    """The offer in `text`; raises TransportError where it is not one of a browser with data channels alone."""
    if len(text) > MAX_OFFER_CHARS:
        raise _refused("it is too long")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_LINES or not lines[0].startswith("v=0"):
        raise _refused("it is not a session description")
    _check_media(lines)
    attributes = _attributes(lines)
    if _only(attributes, "setup") not in {"actpass", "active"}:
        raise _refused("the viewer leaves no way to begin DTLS")
    mid = _only(attributes, "mid")
    if not _TOKEN.fullmatch(mid):
        raise _refused("its media identifier is malformed")
    return Offer(
        mid=mid,
        username=_ice_chars(_only(attributes, "ice-ufrag"), 4),
        password=_ice_chars(_only(attributes, "ice-pwd"), 22),
        fingerprints=_fingerprints(attributes.get("fingerprint", [])),
        sctp_port=_number(_only(attributes, "sctp-port"), 1, 65535),
        max_message=_number(attributes.get("max-message-size", [str(DEFAULT_MAX_MESSAGE)])[0], 0, 2**53),
        candidates=_candidates(attributes.get("candidate", [])),
    )


def answer_password(secret: str, offer: Offer) -> str:
    """The ICE password of our answer, which both ends make for themselves and nobody sends.

    It is `secret` (the link's, 22 characters of base64 or base64url) and the digits of the SHA-256 fingerprint of the
    viewer's certificate. A check that is signed with it (RFC 8445, section 7.1; HMAC-SHA1) shows that who sent it
    knows the link, and who checks it again in DTLS has that very certificate: a check that is passed on by
    somebody else is of no use to him.
    """
    digest = next(value for algorithm, value in offer.fingerprints if algorithm == "sha-256")
    return secret.replace("-", "+").replace("_", "/") + digest.replace(":", "")


def format_answer(
    offer: Offer, *, username: str, fingerprint: str, candidates: Sequence[Candidate], complete: bool
) -> str:
    """Our answer: one application section, one fingerprint, and the viewer begins the DTLS handshake.

    It has no ICE password: the viewer adds the line (see `answer_password`). `complete` says that no further
    candidate will be trickled.
    """
    lines = [
        "v=0",
        f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {offer.mid}",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{offer.mid}",
        f"a=ice-ufrag:{username}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:passive",
        f"a=sctp-port:{OUR_SCTP_PORT}",
        f"a=max-message-size:{OUR_MAX_MESSAGE}",
        *(f"a={format_candidate(candidate)}" for candidate in candidates),
    ]
    if complete:
        lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"


def _check_media(lines: Sequence[str]) -> None:
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1:
        raise _refused("it must have one section, for data channels")
    parts = media[0].split()
    if len(parts) != 4 or parts[0] != "m=application" or parts[2:] != ["UDP/DTLS/SCTP", "webrtc-datachannel"]:
        raise _refused("its section is not one of data channels")


def _attributes(lines: Sequence[str]) -> dict[str, list[str]]:
    attributes: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            attributes.setdefault(name, []).append(value.strip())
    return attributes


def _only(attributes: dict[str, list[str]], name: str) -> str:
    """The attribute's value; it may stand for the session and for the section, but must say the same."""
    values = set(attributes.get(name, []))
    if len(values) != 1:
        raise _refused(f"it has not exactly one a={name}")
    return values.pop()


def _ice_chars(value: str, least: int) -> str:
    if not least <= len(value) <= 256 or not _ICE_CHARS.fullmatch(value):
        raise _refused("its ICE credentials are malformed")
    return value


def _number(value: str, least: int, most: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 20 or not least <= int(value) <= most:
        raise _refused("a number in it is out of range")
    return int(value)


def _fingerprints(values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for value in values:
        algorithm, _, digest = value.partition(" ")
        size = _DIGEST_BYTES.get(algorithm.lower())
        if size is None:
            continue
        if not _FINGERPRINT.fullmatch(digest) or len(digest) != 3 * size - 1:
            raise _refused("its fingerprint is malformed")
        found[algorithm.lower(), digest.upper()] = None
    if [algorithm for algorithm, _ in found].count("sha-256") != 1 or len(found) > len(_DIGEST_BYTES):
        raise _refused("it has not exactly one fingerprint of SHA-256")
    return tuple(found)


def _candidates(values: Sequence[str]) -> tuple[Candidate, ...]:
    if len(values) > MAX_CANDIDATES:
        raise _refused("it has too many candidates")
    return tuple(candidate for value in values if (candidate := parse_candidate(value)) is not None)


def _refused(why: str) -> TransportError:
    return TransportError(f"A viewer's offer cannot be used: {why}.")
