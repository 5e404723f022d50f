"""Who has shown nothing, and who shows it late: records from elsewhere, and a viewer found by its candidates."""

from __future__ import annotations

import socket
from typing import Any

from seedshot_desktop.seed.transport import IceOptions, Peer, PeerState
from tests.support.answers import SECRET, owner_address
from tests.support.rtc_viewer import AiortcViewer, Owner, make_certificate
from tests.support.waiting import until, within

RECORD = bytes.fromhex("17fefd 0001 0000000000ff 0030") + bytes(48)
"""DTLS application data of the epoch that is in use, as long as its head says (RFC 6347, section 4.1)."""


async def test_a_record_from_an_address_that_has_shown_nothing_never_gets_to_dtls() -> None:
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    try:
        answer = await peer.answer(await viewer.offer())
        await viewer.accept(answer)
        await owner.reached(PeerState.OPEN)
        await within(viewer.open.wait(), "the viewer's channels")
        taken = overhear_dtls(peer)
        before = peer.refused
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(RECORD, owner_address(answer))
            await until(lambda: RECORD in taken or peer.refused > before, "the stranger's record")
        assert RECORD not in taken
        viewer.control.send("still here")
        assert await within(owner.control.get(), "the viewer's word") == "still here"
        assert taken, "the viewer's own records do pass"
    finally:
        await peer.close()
        await viewer.close()


def overhear_dtls(peer: Peer) -> list[bytes]:
    """The datagrams that DTLS is given from now on."""
    taken: list[bytes] = []
    sink = peer._agent.sink
    assert sink is not None

    def overheard(datagram: bytes) -> None:
        taken.append(datagram)
        sink(datagram)

    peer._agent.sink = overheard
    return taken


async def test_a_viewer_whose_candidates_all_come_later_is_found_by_them() -> None:
    """It says nothing by itself until our check has come: it can be learnt from what it has trickled alone."""
    owner, viewer = Owner(), AiortcViewer()
    peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=owner)
    wait_to_be_asked(viewer)
    try:
        offer = (await viewer.offer()).split("\r\n")
        candidates = [line.removeprefix("a=") for line in offer if line.startswith("a=candidate:")]
        assert candidates
        await viewer.accept(await peer.answer("\r\n".join(line for line in offer if "candidate" not in line)))
        for candidate in candidates:
            peer.add_candidate(candidate)
        await owner.reached(PeerState.OPEN, 5)
        await within(viewer.open.wait(), "the viewer's channels")
    finally:
        await peer.close()
        await viewer.close()


def wait_to_be_asked(viewer: AiortcViewer) -> None:
    """The viewer begins no check before one has come to it."""
    sctp = viewer.connection.sctp
    assert sctp is not None
    agent: Any = sctp.transport.transport._connection
    begin_check, take_request = agent._check_periodic, agent.request_received
    asked = False

    def request_received(*request: Any) -> None:
        nonlocal asked
        asked = True
        take_request(*request)

    agent.request_received = request_received
    agent._check_periodic = lambda: begin_check() if asked else True
