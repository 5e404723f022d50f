"""What becomes of a connection whose DTLS has broken, without a network."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from types import SimpleNamespace
from typing import cast

import pytest
from aioice import ice
from aiortc import RTCIceTransport
from aiortc.rtcdtlstransport import State
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from OpenSSL import SSL

from seedshot_desktop.seed.transport.datagrams import Path
from seedshot_desktop.seed.transport.dtls import Dtls
from seedshot_desktop.seed.transport.ice import Gatherer
from seedshot_desktop.seed.transport.records import open_records
from tests.support.rtc_viewer import make_certificate
from tests.unit.seed.transport.test_records import handshake

ALERT, HANDSHAKE, UNKNOWN = 21, 22, 99


def expand(secret: bytes, seed: bytes, size: int) -> bytes:
    """TLS 1.2's P_SHA256 (RFC 5246, section 5)."""
    at, out = seed, b""
    while len(out) < size:
        at = hmac.digest(secret, at, hashlib.sha256)
        out += hmac.digest(secret, at + seed, hashlib.sha256)
    return out[:size]


def sealed(viewer: SSL.Connection, kind: int, plain: bytes) -> bytes:
    """A record of any type, with the viewer's own key (AES-128-GCM, RFC 5288)."""
    assert viewer.get_cipher_name() == "ECDHE-ECDSA-AES128-GCM-SHA256"
    randoms = (viewer.server_random() or b"") + (viewer.client_random() or b"")
    keys = expand(viewer.master_key() or b"", b"key expansion" + randoms, 40)
    sequence = bytes((0, 1, 0, 0, 0, 0, 4, 0))
    head = bytes((kind, 0xFE, 0xFD))
    body = AESGCM(keys[:16]).encrypt(keys[32:36] + sequence, plain, sequence + head + len(plain).to_bytes(2, "big"))
    return head + sequence + (8 + len(body)).to_bytes(2, "big") + sequence + body


def connection(left: list[bytes]) -> tuple[Dtls, SSL.Connection]:
    """A connection that stands, whose datagrams and packets go into `left`, and its viewer's end."""
    gatherer = Gatherer()
    dtls = Dtls(RTCIceTransport(gatherer), gatherer.agent, make_certificate())
    ours, theirs = handshake()
    wire = SimpleNamespace(sendto=lambda data, addr: left.append(data))
    gatherer.agent.path = Path(cast(ice.StunProtocol, SimpleNamespace(transport=wire)), ("198.51.100.7", 9))
    dtls._ssl, dtls._records, dtls._on_packet = ours, open_records(ours), left.append
    dtls._set_state(State.CONNECTED)
    return dtls, theirs


async def test_a_fatal_alert_ends_the_connection_at_once() -> None:
    dtls, theirs = connection([])
    dtls.receive(sealed(theirs, ALERT, b"\x02\x0a"))
    assert dtls.state == "closed"


async def test_a_warning_or_a_forged_record_ends_nothing() -> None:
    left: list[bytes] = []
    dtls, theirs = connection(left)
    dtls.receive(sealed(theirs, ALERT, b"\x01\x64"))
    dtls.receive(b"\x17\xfe\xfd" + bytes(8) + b"\0\x20" + bytes(32))
    dtls.receive(b"\x15\xfe\xfd" + bytes(8) + b"\0\x02\x02\x0a")
    assert dtls.state == "connected"
    dtls.transmit([b"it goes on"])
    assert left


@pytest.mark.parametrize("record", [(HANDSHAKE, b"\x63" * 40), (UNKNOWN, b"nonsense")])
async def test_nonsense_under_the_right_key_ends_the_connection(record: tuple[int, bytes]) -> None:
    left: list[bytes] = []
    dtls, theirs = connection(left)
    dtls.receive(sealed(theirs, *record))
    left.clear()
    dtls.transmit([b"this finds OpenSSL broken"])
    assert dtls.transmit_whole(b"so does this"), "it is not its size that is wrong"
    assert left == []
    assert dtls.state == "connected", "nobody is told from inside a call"
    await asyncio.sleep(0)
    assert dtls.state == "closed"
