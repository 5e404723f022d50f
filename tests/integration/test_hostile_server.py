"""A signalling server that lies gets no secret and not one byte of a file, whatever it tries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import EngineOptions, MemoryFile, Viewed, ViewerJoined
from signal_server import protocol
from tests.support.hostile_server import ATTACKS, WRONG_PIN, Attack, HostileServer, ReplayOffer
from tests.support.owner import Owner, content, picture
from tests.support.viewer import NotSeedingError, Viewer, WrongPinError

SIZE = 100_000
HOSTILE = json.loads((Path(__file__).parents[1] / "wire" / "transfer.json").read_text("utf-8"))["hostile"]


def owner_at(server: HostileServer) -> Owner:
    return Owner(EngineOptions(server_url=server.base_url))


async def test_the_same_server_without_an_attack_lets_the_picture_through() -> None:
    async with HostileServer(Attack) as server, owner_at(server) as owner:
        share = await owner.share(picture(SIZE))
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(SIZE)
        assert server.overheard == []


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_viewer_is_not_deceived(name: str) -> None:
    async with HostileServer(ATTACKS[name]) as server, owner_at(server) as owner:
        share = await owner.share(picture(SIZE))
        honest = 0
        if name == "replays an answer":
            async with Viewer(share.link) as first:
                assert await first.fetch() == content(SIZE)
            honest = 1
        with pytest.raises(WrongPinError if name in WRONG_PIN else TimeoutError):
            async with Viewer(share.link, deadline_s=2.0):
                pass
        assert server.overheard == []
        assert server.loot == b""
        assert len(owner.all(ViewerJoined)) == honest


async def test_replayed_offers_let_nobody_in_and_harm_nobody() -> None:
    async with HostileServer(ReplayOffer) as server, owner_at(server) as owner:
        share = await owner.share(picture(SIZE))
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(SIZE)
            await owner.saw(Viewed)
            assert len(owner.all(ViewerJoined)) == 1


def as_the_server_knows_it(server: HostileServer, share_id: str) -> link.Link:
    """What the server can make of a share: its id, and guesses."""
    id = link.decode_base64url(share_id)
    return link.Link(server.base_url, id, secret=bytes(16), pin=bytes(16))


class Intruder(Viewer):
    """The server as a viewer of its own: it believes whatever answers."""

    async def accept(self, answer: protocol.Answer) -> None:
        lines = [line for line in answer.sdp.splitlines() if line.startswith("a=fingerprint:")]
        pin = bytes.fromhex(lines[0].split(" ")[1].replace(":", ""))[: link.PIN_BYTES]
        self.link = link.Link(self.link.base_url, self.link.id, self.link.secret, pin)
        await super().accept(answer)


FIRST_WORDS = [item["text"] for item in HOSTILE if item["direction"] == "viewer-to-owner" and item["text"]] + [
    '{"type":"get","request":1,"file":0,"offset":0}',
    '{"type":"ack","request":0,"held":0}',
]


async def test_the_server_as_a_viewer_gets_not_one_byte() -> None:
    async with HostileServer(Attack) as server, owner_at(server) as owner:
        share = await owner.share(picture(SIZE))
        assert server.tokens == [link.encode_base64url(share.keys.token)]
        intruder = Intruder(as_the_server_knows_it(server, share.id))
        try:
            with pytest.raises(NotSeedingError, match="NotLetIn"):
                await intruder.connect()
            assert intruder.control.readyState == "connecting", "it does not come as far as the channels"
            assert not intruder.manifest.done()
            assert intruder.payload_bytes == 0
        finally:
            await intruder.vanish()
        assert owner.all(ViewerJoined) == []
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(SIZE), "an honest viewer is none the worse for it"


async def test_who_knows_the_link_and_breaks_the_protocol_is_sent_away() -> None:
    async with HostileServer(Attack) as server, owner_at(server) as owner:
        share = await owner.share(MemoryFile("notes.pdf", "application/pdf", content(SIZE)))
        for words in FIRST_WORDS:
            if len(words.encode("utf-8", "replace")) > protocol.MAX_MESSAGE:
                continue
            viewer = Viewer(share.link)
            try:
                await viewer.connect()
                viewer.say_raw(words)
                assert await viewer.the_end() == "refused", words
                assert viewer.payload_bytes == 0
            finally:
                await viewer.vanish()
        assert owner.all(ViewerJoined) == []


async def test_the_server_can_send_an_honest_viewer_away_but_never_takes_a_living_one() -> None:
    async with HostileServer(Attack) as server, owner_at(server) as owner:
        share = await owner.share(picture(4_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=50_000)
            for name in list(server.guests):
                await server.tell_owner(protocol.Left(share.id, name))
            assert await viewer.fetch() == content(4_000_000)
            assert viewer.pings == 1
