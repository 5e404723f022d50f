"""Every way in which a connection ends: one clean state, one reason, nothing left; and every error of an answer."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable

import pytest
from aiortc.rtcsctptransport import DataChunk
from google_crc32c import value as crc32c

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed.transport import STRANGER, IceOptions, Peer, PeerState, ice, loss_timer
from seedshot_desktop.seed.transport import peer as peer_module
from tests.support.answers import SECRET, with_password
from tests.support.links import fall_silent
from tests.support.open_files import open_files
from tests.support.rtc_viewer import AiortcViewer, Owner, make_certificate
from tests.support.waiting import until, within


class Stage:
    """A viewer, and the owner's end of its connection, which has not begun."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.owner, self.viewer = Owner(), AiortcViewer()
        self.peer = Peer(certificate=make_certificate(), secret=SECRET, ice=IceOptions(), callbacks=self.owner)

    async def opened(self) -> None:
        await self.viewer.accept(await self.peer.answer(await self.viewer.offer()))
        await self.owner.reached(PeerState.OPEN)

    async def talking(self) -> None:
        await self.opened()
        await within(self.viewer.open.wait(), "the viewer's channels")

    async def say(self, chunks: bytes) -> None:
        """One packet of these chunks from the viewer, with the right tag and checksum."""
        sctp = self.viewer.connection.sctp
        assert sctp is not None
        header = struct.pack("!HHL", 5000, 5000, sctp._remote_verification_tag)
        checksum = crc32c(header + bytes(4) + chunks).to_bytes(4, "little")
        await sctp.transport._send_data(header + checksum + chunks)

    async def say_control(self, text: bytes) -> None:
        sctp = self.viewer.connection.sctp
        assert sctp is not None
        chunk = DataChunk(flags=3)
        chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = sctp._local_tsn, 0, 51, text
        await sctp._send_chunk(chunk)


async def it_takes_too_long(stage: Stage) -> None:
    stage.patch.setattr(peer_module, "CONNECT_TIMEOUT_S", 0.1)
    await stage.peer.answer(await stage.viewer.offer())


async def the_viewer_is_nowhere(stage: Stage) -> None:
    stage.patch.setattr(peer_module, "END_OF_CANDIDATES_S", 0.05)
    offer = (await stage.viewer.offer()).split("\r\n")
    await stage.peer.answer("\r\n".join(line for line in offer if "candidate" not in line))


async def there_is_no_network(stage: Stage) -> None:
    async def open_host(*_: object) -> None:
        """As where every address has gone."""

    stage.patch.setattr(ice, "open_host", open_host)
    with pytest.raises(TransportError, match="has no network address"):
        await stage.peer.answer(await stage.viewer.offer())


async def the_offer_is_none(stage: Stage) -> None:
    with pytest.raises(TransportError, match="cannot be used"):
        await stage.peer.answer("v=0\r\n")


async def it_is_closed_while_it_is_being_answered(stage: Stage) -> None:
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def open_host(*_: object) -> None:
        asked.set()
        await may_go_on.wait()

    stage.patch.setattr(ice, "open_host", open_host)
    answering = asyncio.create_task(stage.peer.answer(await stage.viewer.offer()))
    await within(asked.wait(), "the first socket")
    stage.peer.abort()
    may_go_on.set()
    with pytest.raises(TransportError, match="closed while it was being answered"):
        await answering


async def it_is_answered_twice_and_closed(stage: Stage) -> None:
    await stage.talking()
    with pytest.raises(TransportError, match="answered its offer already"):
        await stage.peer.answer(await stage.viewer.offer())
    stage.peer.send_control("still here")
    assert await within(stage.viewer.messages.get(), "the owner's word") == "still here"
    await stage.peer.close()


async def it_is_aborted_before_it_begins(stage: Stage) -> None:
    stage.peer.abort()
    with pytest.raises(TransportError, match="answered its offer already"):
        await stage.peer.answer(await stage.viewer.offer())


async def the_viewer_cannot_sign(stage: Stage) -> None:
    await stage.viewer.accept(await stage.peer.answer(await stage.viewer.offer()), "x" * len(SECRET))


async def the_viewer_has_another_certificate(stage: Stage) -> None:
    wrong = ":".join(["AA"] * 32)
    offer = re.sub(r"a=fingerprint:sha-256 .*", f"a=fingerprint:sha-256 {wrong}\r", await stage.viewer.offer())
    offer = re.sub(r"a=fingerprint:sha-(384|512) .*\r\n", "", offer)
    await stage.viewer.accept(with_password(await stage.peer.answer(offer), offer))


async def the_viewer_leaves(stage: Stage) -> None:
    await stage.talking()
    await stage.viewer.close()


async def the_viewer_closes_a_channel(stage: Stage) -> None:
    await stage.talking()
    stage.viewer.data.close()


async def the_viewer_falls_silent(stage: Stage) -> None:
    stage.patch.setattr(loss_timer, "GIVE_UP_S", 0.2)
    await stage.talking()
    fall_silent(stage.viewer.connection)
    stage.peer.send_data(bytes(5000))


async def the_viewer_takes_nothing(stage: Stage) -> None:
    await stage.talking()
    fall_silent(stage.viewer.connection)
    for _ in range(2000):
        stage.peer.send_control("are you there?")


async def too_much_is_said_too_early(stage: Stage) -> None:
    await stage.opened()
    for _ in range(2000):
        stage.peer.send_control("are you there?")


async def a_chunk_is_cut_off(stage: Stage) -> None:
    await stage.talking()
    await stage.say(struct.pack("!BBHL", DataChunk.type, 3, 8, 0))


async def a_chunk_is_longer_than_its_packet(stage: Stage) -> None:
    await stage.talking()
    await stage.say(struct.pack("!BBHL", DataChunk.type, 3, 800, 0))


async def control_text_is_not_text(stage: Stage) -> None:
    await stage.talking()
    await stage.say_control(b"\xff\xfe")


ENDS: list[tuple[str, Callable[[Stage], Awaitable[None]]]] = [
    ("the connection took too long to open", it_takes_too_long),
    ("no path to the viewer was found", the_viewer_is_nowhere),
    ("this machine has no network address", there_is_no_network),
    ("the offer could not be used", the_offer_is_none),
    ("closed here", it_is_closed_while_it_is_being_answered),
    ("closed here", it_is_answered_twice_and_closed),
    ("closed here", it_is_aborted_before_it_begins),
    (STRANGER, the_viewer_cannot_sign),
    ("the connection could not be secured", the_viewer_has_another_certificate),
    ("the viewer closed the connection", the_viewer_leaves),
    ("the viewer closed its channels", the_viewer_closes_a_channel),
    ("the viewer can no longer be reached", the_viewer_falls_silent),
    ("the viewer takes no control messages", the_viewer_takes_nothing),
    ("too much was to be said before the association was established", too_much_is_said_too_early),
    ("the viewer broke the protocol: a malformed chunk", a_chunk_is_cut_off),
    ("the viewer broke the protocol: a chunk of a wrong length", a_chunk_is_longer_than_its_packet),
    ("the viewer broke the protocol: control text that is not UTF-8", control_text_is_not_text),
]
IN_ORDER = [PeerState.CONNECTING, PeerState.OPEN, PeerState.CLOSED]


@pytest.mark.parametrize(("reason", "end"), ENDS, ids=[end.__name__ for _, end in ENDS])
async def test_an_end_has_one_reason_and_leaves_nothing(
    reason: str, end: Callable[[Stage], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_files()
    stage = Stage(monkeypatch)
    peer, owner = stage.peer, stage.owner
    try:
        await end(stage)
        assert await owner.reached(PeerState.CLOSED, 5) == reason
        assert peer.state is PeerState.CLOSED
        peer.send_control("too late")
        peer.send_data(b"too late")
        peer.add_candidate("candidate:1 1 udp 1 198.51.100.7 9 typ host")
        peer.abort()
        assert (peer.buffered_amount, peer.path) == (0, None)
        with pytest.raises(TransportError, match="answered its offer already"):
            await peer.answer("v=0\r\n")
    finally:
        await peer.close(flush=True)
        await stage.viewer.close()
    states = [state for state, _ in owner.states]
    assert states == [state for state in IN_ORDER if state in states], "forward, and each of them once"
    assert [why for state, why in owner.states if state is not PeerState.CLOSED] == [""] * (len(states) - 1)
    await until(lambda: open_files() <= files, "the end of its sockets")


async def test_closing_twice_at_once_waits_for_one_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    await stage.talking()
    await asyncio.gather(stage.peer.close(), stage.peer.close(flush=True))
    await stage.viewer.close()
    assert [state for state, _ in stage.owner.states] == IN_ORDER
