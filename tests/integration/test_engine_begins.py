"""What the owner sends before anyone asks for it, over real peer connections: no byte more, and to nobody else."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.messages import Viewed, ViewerJoined, ViewerProgressed
from tests.support.owner import Owner, content, picture
from tests.support.viewer import NotSeedingError, Viewer
from tests.support.waiting import until


async def test_a_lone_picture_comes_unasked() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(300_000))
        async with Viewer(share.link) as viewer:
            assert (await viewer.files()).begun
            await viewer.hold(300_000)
            viewer.ack()
            assert bytes(viewer.bodies[0]) == content(300_000)
            await owner.saw(Viewed)
        joined = owner.events.index(owner.all(ViewerJoined)[0])
        assert joined < owner.events.index(owner.all(ViewerProgressed)[0]), "first it joins, then it receives"


async def test_the_first_packet_that_may_carry_data_carries_the_manifest_and_the_picture() -> None:
    """The packet of the COOKIE ECHO: the viewer has said nothing yet, and its own channels are not open."""
    async with Owner() as owner:
        share = await owner.share(picture(300_000))
        viewer = Viewer(share.link)
        try:
            await viewer.dial()
            seen: list[tuple[bool, int]] = []
            viewer.data.on("message", lambda _: seen.append((viewer.manifest.done(), viewer.payload_bytes)))
            await viewer.accept(await viewer.ask())
            await viewer.files()
            await until(lambda: bool(seen), "the beginning of the picture")
            assert owner.all(ViewerJoined) == [], "it has not said hello"
        finally:
            await viewer.vanish()


async def test_a_picture_that_is_still_being_encoded_follows_when_it_is_there() -> None:
    async with Owner() as owner:
        share = await owner.share(ready=False)
        async with Viewer(share.link) as viewer:
            await until(lambda: viewer.waited, "waiting")
            share.provide(picture(5000))
            assert (await viewer.files()).begun
            await viewer.hold(5000)
            assert bytes(viewer.bodies[0]) == content(5000)


async def test_of_several_files_nothing_is_sent_unasked() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(50_000), picture(60_000))
        async with Viewer(share.link) as viewer:
            assert not (await viewer.files()).begun
            assert await viewer.fetch(1) == content(60_000)
            assert viewer.payload_bytes == 60_000


async def test_who_comes_back_gets_the_rest_and_little_besides() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(2_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.files()
            viewer.bodies[0][:] = content(2_000_000)[:1_999_000]
            viewer.get(0, 1_999_000)
            await viewer.hold(2_000_000)
            assert bytes(viewer.bodies[0]) == content(2_000_000)
            assert viewer.payload_bytes < 1_000_000, "the beginning was on its way, and is not sent to its end"


async def test_a_stranger_is_told_by_the_server_and_gets_nothing() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(5000))
        stranger = Viewer(share.link, secret=bytes(16))
        with pytest.raises(NotSeedingError, match="NotLetIn"):
            await stranger.open()
        assert stranger.payload_bytes == 0
        assert not stranger.manifest.done()
        assert owner.all(ViewerJoined) == []
        await stranger.vanish()
