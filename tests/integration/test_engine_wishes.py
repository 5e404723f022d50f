"""What a viewer asks for together with its secret, over real peer connections: no byte more, and none too early."""

from __future__ import annotations

from seedshot_desktop.seed.messages import Viewed, ViewerJoined, ViewerProgressed
from seedshot_desktop.seed.transfer import Wish
from tests.support.owner import Owner, content, picture
from tests.support.viewer import Viewer
from tests.support.waiting import until

FIRST_VISIT = Wish(1, 0, 0, lone_picture=True)


async def test_a_lone_picture_follows_its_manifest_unasked() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(300_000))
        async with Viewer(share.link, wish=FIRST_VISIT) as viewer:
            assert (await viewer.files()).request == 1
            await viewer.hold(300_000)
            viewer.ack()
            assert bytes(viewer.bodies[0]) == content(300_000)
            await owner.saw(Viewed)
        joined = owner.events.index(owner.all(ViewerJoined)[0])
        assert joined < owner.events.index(owner.all(ViewerProgressed)[0]), "first it joins, then it receives"


async def test_a_picture_that_is_still_being_encoded_follows_when_it_is_there() -> None:
    async with Owner() as owner:
        share = await owner.share(ready=False)
        async with Viewer(share.link, wish=FIRST_VISIT) as viewer:
            await until(lambda: viewer.waited, "waiting")
            share.provide(picture(5000))
            assert (await viewer.files()).request == 1
            await viewer.hold(5000)
            assert bytes(viewer.bodies[0]) == content(5000)


async def test_of_several_files_nothing_is_sent_unasked() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(50_000), picture(60_000))
        async with Viewer(share.link, wish=FIRST_VISIT) as viewer:
            assert (await viewer.files()).request is None
            assert await viewer.fetch(1) == content(60_000)
            assert viewer.payload_bytes == 60_000


async def test_who_comes_back_gets_the_rest_with_the_manifest() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(50_000), picture(2_000_000))
        async with Viewer(share.link, wish=Wish(1, 1, 1_999_000, lone_picture=False)) as viewer:
            viewer.bodies[1][:] = content(2_000_000)[:1_999_000]
            await viewer.hold(2_000_000)
            assert bytes(viewer.bodies[1]) == content(2_000_000)
            assert viewer.payload_bytes == 1000, "not a byte twice"


async def test_a_stranger_gets_nothing_for_its_wish() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(5000))
        async with Viewer(share.link, secret=bytes(16), wish=FIRST_VISIT) as stranger:
            assert await stranger.the_end() == "refused"
            assert stranger.payload_bytes == 0
            assert not stranger.manifest.done()


async def test_a_wish_for_more_than_there_is_was_never_made() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(5000))
        async with Viewer(share.link, wish=Wish(1, 0, 5001, lone_picture=False)) as viewer:
            assert (await viewer.files()).request is None
            assert await viewer.fetch(0) == content(5000)
            assert viewer.payload_bytes == 5000
