"""Records through OpenSSL itself do what pyOpenSSL's methods do; whether the installed release lets them."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL

from seedshot_desktop.seed.transport import records
from seedshot_desktop.seed.transport.records import DirectRecords, Records, open_records
from tests.support.rtc_viewer import make_certificate

KINDS = [Records, DirectRecords]


def handshake() -> tuple[SSL.Connection, SSL.Connection]:
    """Ours and the viewer's, over a wire in memory."""
    ours, theirs = (
        SSL.Connection(make_certificate().rtc._create_ssl_context(srtp_profiles=SRTP_PROFILES)) for _ in range(2)
    )
    ours.set_accept_state()
    theirs.set_connect_state()
    for _ in range(8):
        for one, other in ((theirs, ours), (ours, theirs)):
            with contextlib.suppress(SSL.WantReadError):
                one.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(16384))
    return ours, theirs


def test_the_installed_release_keeps_openssl_where_it_is_looked_for() -> None:
    """Where this fails, every packet costs half a microsecond more until `records` knows the new place."""
    ours, _ = handshake()
    assert isinstance(open_records(ours), DirectRecords)


@pytest.mark.parametrize("place", ["FUNCTIONS", "ATTRIBUTES"])
def test_a_release_that_keeps_it_elsewhere_is_used_by_its_methods(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, place, (*getattr(records, place), "_moved_elsewhere"))
    ours, theirs = handshake()
    slow = open_records(ours)
    assert not isinstance(slow, DirectRecords)
    theirs.bio_write(slow.seal([b"as before"]))
    assert theirs.recv(2048) == b"as before"


@pytest.mark.parametrize("kind", KINDS)
def test_packets_are_sealed_one_behind_the_other(kind: type[Records]) -> None:
    ours, theirs = handshake()
    packets = [bytes([index]) * 1432 for index in range(40)]
    sealed = kind(ours).seal(packets)
    assert len(sealed) == 40 * (1432 + 37)
    for index in range(40):
        theirs.bio_write(sealed[index * 1469 : (index + 1) * 1469])
        assert theirs.recv(2048) == packets[index]


@pytest.mark.parametrize("kind", KINDS)
def test_packets_are_opened_one_by_one_and_then_there_is_none(kind: type[Records]) -> None:
    ours, theirs = handshake()
    door = kind(ours)
    theirs.send(b"first")
    theirs.send(b"second, which is longer")
    door.put(theirs.bio_read(4096))
    assert door.get() == b"first"
    assert door.get() == b"second, which is longer"
    for _ in range(2):
        with pytest.raises(SSL.WantReadError):
            door.get()


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_record_is_dropped_and_the_next_is_read(kind: type[Records]) -> None:
    ours, theirs = handshake()
    door = kind(ours)
    theirs.send(b"forged on its way")
    record = theirs.bio_read(4096)
    door.put(record[:-1] + bytes([record[-1] ^ 1]))
    with pytest.raises(SSL.Error):
        door.get()
    theirs.send(b"whole")
    door.put(theirs.bio_read(4096))
    assert door.get() == b"whole"


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_is_told_as_the_end(kind: type[Records]) -> None:
    ours, theirs = handshake()
    door = kind(ours)
    theirs.shutdown()
    door.put(theirs.bio_read(4096))
    for _ in range(2):
        with pytest.raises(SSL.ZeroReturnError):
            door.get()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_sealed_after_the_end(kind: type[Records]) -> None:
    ours, _ = handshake()
    ours.shutdown()
    with pytest.raises(SSL.Error):
        kind(ours).seal([b"too late"])
