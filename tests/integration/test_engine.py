"""The real engine, the real signalling server and real peer connections: sharing, watching, taking back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    BaseUrlChanged,
    ChangeLimits,
    CheckNetwork,
    CommandFailed,
    Configure,
    DiskFile,
    EndReason,
    EngineOptions,
    FileFailed,
    Keys,
    Limits,
    MemoryFile,
    RevokeAll,
    Seed,
    ServerState,
    Shared,
    ShareEnded,
    StatusChanged,
    Stop,
    Stopped,
    Viewed,
    ViewerJoined,
    ViewerLeft,
    ViewerProgressed,
    ViewerState,
)
from seedshot_desktop.seed.visit import HIGH_WATER
from signal_server import protocol
from tests.support.owner import Owner, content, picture
from tests.support.viewer import EndedError, NotSeedingError, Viewer
from tests.support.waiting import until


async def test_a_picture_arrives_whole_and_the_owner_sees_it_arrive() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(300_000))
        async with Viewer(share.link) as viewer:
            manifest = await viewer.files()
            assert [(file.name, file.size, file.media_type) for file in manifest.files] == [
                ("Screenshot.png", 300_000, "image/png")
            ]
            assert await viewer.fetch() == content(300_000)
            viewed = await owner.saw(Viewed)
            assert (viewed.share, viewed.views) == (share.id, 1)
            joined = await owner.saw(ViewerJoined)
            assert (joined.browser, joined.system, joined.direct) == ("Viewer 1", "Test", True)
            assert owner.all(ViewerProgressed)[-1].held == 300_000
            status = share.status
            assert status is not None
            assert [item.state for item in status.viewers] == [ViewerState.COMPLETE]
            assert (status.views, status.bytes_sent, status.preparing) == (1, 300_000, False)
        left = await owner.saw(ViewerLeft)
        assert (left.reason, left.held, left.total) == (EndReason.CLOSED, 300_000, 300_000)
        status = share.status
        assert status is not None
        assert status.viewers == ()
        assert [item.left_reason for item in status.departed] == [EndReason.CLOSED]


async def test_several_files_one_of_them_empty(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(content(3_000_000))
    (tmp_path / "empty").write_bytes(b"")
    files = [DiskFile(name, "", str(tmp_path / name)) for name in ("big", "empty")]
    async with Owner() as owner:
        share = await owner.share(files[0], files[1], picture(1))
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch_all() == [content(3_000_000), b"", content(1)]
            await owner.saw(Viewed)


async def test_a_viewer_waits_inside_the_page_while_the_picture_is_encoded() -> None:
    async with Owner() as owner:
        share = await owner.share(ready=False)
        async with Viewer(share.link) as viewer:
            await until(lambda: viewer.waited, "waiting")
            assert share.status is not None
            assert share.status.preparing
            share.provide(picture(5000))
            assert await viewer.fetch() == content(5000)


async def test_a_broken_connection_goes_on_at_its_offset() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(2_000_000))
        first = Viewer(share.link)
        await first.open()
        await first.fetch(until=700_000)
        held = bytes(first.bodies[0])
        await first.vanish()
        async with Viewer(share.link) as second:
            await second.files()
            second.bodies[0] = bytearray(held)
            assert await second.fetch(offset=len(held)) == content(2_000_000)
            twice = second.payload_bytes - (2_000_000 - len(held))
            assert twice < HIGH_WATER // 2, "no more twice than was on its way before it could ask"
            await owner.saw(Viewed)


async def test_revoking_in_the_middle_stops_the_bytes_tells_the_page_and_latecomers() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(60_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=1_000_000)
            share.revoke()
            assert await viewer.the_end() == "revoked"
            at_the_end = viewer.payload_bytes
            await asyncio.wait_for(viewer.closed.wait(), 5)
            await viewer.hear_signalled(protocol.Revoked)
            assert viewer.payload_bytes == at_the_end, "no byte after the last word"
            assert at_the_end < 60_000_000
        assert (await owner.saw(ShareEnded)).reason is EndReason.REVOKED
        assert (await owner.saw(ViewerLeft)).reason is EndReason.REVOKED
        assert share.status is None
        with pytest.raises(NotSeedingError) as told:
            async with Viewer(share.link):
                pass
        assert told.value.message == protocol.Revoked()


async def test_one_viewer_is_sent_away_and_the_others_stay() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000))
        async with Viewer(share.link) as one, Viewer(share.link) as other:
            await one.fetch_all()
            name = (await owner.saw(ViewerJoined)).viewer
            await other.fetch_all()
            share.dismiss(name)
            assert await one.the_end() == "dismissed"
            assert (await owner.saw(ViewerLeft)).reason is EndReason.DISMISSED
            assert await other.fetch() == content(1000)


async def test_ten_viewers_at_once() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(200_000))

        async def visit() -> bytes:
            async with Viewer(share.link) as viewer:
                return await viewer.fetch()

        assert set(await asyncio.gather(*(visit() for _ in range(10)))) == {content(200_000)}
        await owner.saw(Viewed, times=10)
        await owner.saw(ViewerLeft, times=10)


async def test_a_viewer_that_never_reads_costs_the_others_nothing() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(20_000_000))
        async with Viewer(share.link, ack_every=0) as stalled:
            await stalled.files()
            stalled.get()
            await stalled.hold(1)
            async with Viewer(share.link) as other:
                assert len(await other.fetch(until=2_000_000)) >= 2_000_000
            assert stalled.payload_bytes <= 8 * 1024 * 1024, "never more than the window"


# Limits


async def test_two_viewers_race_for_the_last_view() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(400_000), limits=Limits(max_views=1))

        async def visit() -> str:
            async with Viewer(share.link) as viewer:
                try:
                    await viewer.fetch_all()
                except EndedError as ended:
                    assert viewer.payload_bytes == 0
                    return ended.word
                await owner.saw(Viewed)
                return "seen"

        assert sorted(await asyncio.gather(visit(), visit())) in (["full", "seen"], ["expired", "seen"])
        assert len(owner.all(Viewed)) == 1
        assert (await owner.saw(ShareEnded)).reason is EndReason.USED_UP
        with pytest.raises(NotSeedingError) as told:
            async with Viewer(share.link):
                pass
        assert told.value.message == protocol.Expired()


async def test_an_aborted_load_uses_no_view_up() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(3_000_000), limits=Limits(max_views=1))
        async with Viewer(share.link) as first:
            await first.fetch(until=100_000)
        await owner.saw(ViewerLeft)
        async with Viewer(share.link) as second:
            assert await second.fetch() == content(3_000_000)
            await owner.saw(Viewed)
            assert share.status is not None
            assert share.status.ended is EndReason.USED_UP
            async with Viewer(share.link) as latecomer:
                assert await latecomer.the_end() == "expired"
            assert not second.ended.done(), "whoever has it keeps it until they leave"


async def test_a_share_expires_and_every_page_is_told() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000), limits=Limits(expires_s=1.0))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            assert await viewer.the_end() == "expired"
        assert (await owner.saw(ShareEnded)).reason is EndReason.EXPIRED
        with pytest.raises(NotSeedingError) as told:
            async with Viewer(share.link):
                pass
        assert told.value.message == protocol.Expired()


async def test_a_share_whose_time_ran_out_while_the_machine_slept_is_over_when_it_wakes() -> None:
    asleep = 0.0
    async with Owner(clock=lambda: time.monotonic() + asleep) as owner:
        share = await owner.share(picture(1000), limits=Limits(expires_s=3600))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            asleep = 3601.0
            owner.command(CheckNetwork())
            assert await viewer.the_end() == "expired"


async def test_limits_change_while_it_is_live() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            await owner.saw(Viewed)
            owner.command(ChangeLimits(share.id, Limits(max_views=1)))
            async with Viewer(share.link) as latecomer:
                assert await latecomer.the_end() == "expired"
            owner.command(ChangeLimits(share.id, Limits(expires_s=0.0, max_views=1)))
            assert await viewer.the_end() == "expired"
            assert (await owner.saw(ShareEnded)).reason is EndReason.EXPIRED


async def test_more_views_open_a_share_again_while_somebody_still_looks_at_it() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000), limits=Limits(max_views=1))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            await owner.saw(Viewed)
            async with Viewer(share.link) as latecomer:
                assert await latecomer.the_end() == "expired"
            owner.command(ChangeLimits(share.id, Limits(max_views=2)))
            assert share.status is not None
            assert share.status.ended is None
            async with Viewer(share.link) as latecomer:
                assert await latecomer.fetch() == content(1000)
                await owner.saw(Viewed, times=2)
            assert not viewer.ended.done()


async def test_no_more_viewers_than_the_owner_takes() -> None:
    async with Owner(EngineOptions(listen_host="127.0.0.1", listen_port=0, max_viewers=1)) as owner:
        share = await owner.share(picture(1000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            with pytest.raises(NotSeedingError) as told:
                async with Viewer(share.link):
                    pass
            assert told.value.message == protocol.NoRoom()


# Files on disk


async def test_a_file_that_changes_while_it_is_seeded_is_told_and_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "report.bin"
    path.write_bytes(content(40_000_000))
    async with Owner() as owner:
        share = await owner.share(DiskFile("report.bin", "", str(path)), picture(5))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=500_000)
            path.write_bytes(bytes(40_000_000))
            failed = await owner.saw(FileFailed)
            assert failed.name == "report.bin"
            assert "changed" in failed.problem
            await until(lambda: viewer.failed, "the page is told")
            assert (viewer.failed[0].file, viewer.failed[0].reason) == (0, "changed")
            held = bytes(viewer.bodies[0])
            assert held == content(40_000_000)[: len(held)]
            assert await viewer.fetch(1) == content(5), "the other file still comes"


async def test_a_file_that_vanishes_is_told_to_those_who_ask_later(tmp_path: Path) -> None:
    path = tmp_path / "gone.bin"
    path.write_bytes(content(1000))
    async with Owner() as owner:
        share = await owner.share(DiskFile("gone.bin", "", str(path)))
        await until(lambda: share.status and not share.status.preparing, "the file is pinned")
        path.unlink()
        async with Viewer(share.link) as viewer:
            await viewer.files()
            viewer.get()
            await until(lambda: viewer.failed, "the page is told")
            assert viewer.failed[0].reason == "vanished"
        assert share.status is not None
        assert "moved or deleted" in share.status.files[0].problem


@pytest.mark.parametrize(("make", "words"), [("missing", "not there"), ("folder", "is a folder")])
async def test_what_cannot_be_shared_is_said_and_its_link_is_taken_back(tmp_path: Path, make: str, words: str) -> None:
    path = tmp_path / "thing"
    if make == "folder":
        path.mkdir()
    async with Owner() as owner:
        keys = link.mint()
        wire = Keys(keys.token, keys.secret, keys.certificate, keys.private_key)
        owner.command(Seed(wire, "thing", files=(DiskFile("thing", "", str(path)),)))
        failed = await owner.saw(CommandFailed)
        assert failed.share == keys.share
        assert words in failed.problem
        assert (await owner.saw(ShareEnded)).share == keys.share


async def test_a_picture_that_could_not_be_made_is_not_said_to_be_taken_back() -> None:
    async with Owner() as owner:
        share = await owner.share(ready=False)
        async with Viewer(share.link) as viewer:
            await until(lambda: viewer.waited, "waiting")
            share.provide()
            assert await viewer.the_end() == "unreadable"
        assert (await owner.saw(ShareEnded)).reason is EndReason.BROKEN
        with pytest.raises(NotSeedingError):
            async with Viewer(share.link):
                pass
        assert not owner.all(CommandFailed)


async def test_keys_that_are_none_are_refused() -> None:
    async with Owner() as owner:
        owner.command(Seed(Keys(b"t" * 16, b"s" * 16, b"c", b"k"), "x", files=(MemoryFile("a", "", b"a"),)))
        await owner.saw(CommandFailed)


# Its end


async def test_quitting_tells_every_page_within_two_seconds() -> None:
    async with Owner() as owner:
        shares = [await owner.share(picture(30_000_000)) for _ in range(3)]
        viewers = [Viewer(share.link) for share in shares]
        for viewer in viewers:
            await viewer.open()
            await viewer.fetch(until=100_000)
        began = time.monotonic()
        owner.command(Stop())
        await owner.saw(Stopped)
        await owner.ended()
        took = time.monotonic() - began
        assert [await viewer.the_end() for viewer in viewers] == ["revoked"] * 3
        assert took < 2.5
        for viewer in viewers:
            await viewer.vanish()


async def test_an_engine_that_is_cancelled_hangs_up() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(50_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=100_000)
            await owner.kill()
            await asyncio.wait_for(viewer.closed.wait(), 5)
            assert viewer.payload_bytes < 50_000_000
            assert not viewer.ended.done(), "nothing was taken back: the owner is gone"
            assert not any(isinstance(message, protocol.Revoked) for message in viewer.signalled)
            assert owner.all(Stopped) == []


async def test_revoking_everything_leaves_the_engine_ready_for_more() -> None:
    async with Owner() as owner:
        first, second = await owner.share(picture(10)), await owner.share(picture(10))
        owner.command(RevokeAll())
        await owner.saw(ShareEnded, times=2)
        assert first.status is second.status is None
        share = await owner.share(picture(10))
        async with Viewer(share.link) as viewer:
            assert await viewer.fetch() == content(10)


async def test_viewers_whose_browser_was_killed_are_missed_within_seconds() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch_all()
            began = time.monotonic()
            viewer.die()
            left = await owner.saw(ViewerLeft)
            assert left.reason is EndReason.LOST
            assert time.monotonic() - began < 5


async def test_a_page_that_lost_only_its_signalling_socket_is_not_dropped() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(8_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=100_000)
            await viewer.hang_up()
            await until(lambda: viewer.pings == 1, "a ping")
            assert await viewer.fetch() == content(8_000_000)
            await owner.saw(Viewed)
            assert owner.all(ViewerLeft) == []


async def test_the_picture_of_everything_comes_at_most_five_times_a_second_and_last() -> None:
    async with Owner() as owner:
        began = time.monotonic()
        share = await owner.share(picture(10_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch()
            await owner.saw(Viewed)
        await owner.saw(ViewerLeft)
        last = await owner.saw(
            StatusChanged, lambda event: bool(event.status.shares[:1] and event.status.shares[0].departed)
        )
        assert last.status.shares[0].departed[0].held == 10_000_000
        assert last.status.server is ServerState.ONLINE
        assert len(owner.all(StatusChanged)) <= 5 * (time.monotonic() - began) + 2


async def test_a_new_server_is_told_of_every_share() -> None:
    async with Owner() as owner:
        share = await owner.share(picture(1000))
        owner.command(Configure(EngineOptions(listen_host="127.0.0.1", listen_port=0, advertised_host="owner.example")))
        await owner.saw(Shared, times=2)
        moved = await owner.saw(BaseUrlChanged)
        name, _, port = moved.base_url.rpartition(":")
        assert (name, owner.base_url) == ("http://owner.example", moved.base_url)
        async with Viewer(share.link, server_url=f"http://127.0.0.1:{port}") as viewer:
            assert await viewer.fetch() == content(1000)
        owner.command(CheckNetwork())
        assert owner.base_url == moved.base_url


async def test_an_upload_limit_holds_over_all_viewers() -> None:
    options = EngineOptions(listen_host="127.0.0.1", listen_port=0, upload_limit=400_000)
    async with Owner(options) as owner:
        share = await owner.share(picture(400_000))

        async def visit() -> None:
            async with Viewer(share.link) as viewer:
                await viewer.fetch()

        began = time.monotonic()
        await asyncio.gather(visit(), visit())
        assert 1.9 < time.monotonic() - began < 8


async def test_a_limit_that_is_changed_in_the_settings_holds_for_viewers_who_are_there() -> None:
    options = EngineOptions(listen_host="127.0.0.1", listen_port=0, share_upload_limit=20_000)
    async with Owner(options) as owner:
        share = await owner.share(picture(1_000_000))
        async with Viewer(share.link, ack_every=1000) as viewer:
            await viewer.files()
            fetching = asyncio.create_task(viewer.fetch())
            await until(lambda: any(event.held for event in owner.all(ViewerProgressed)), "the first bytes")
            assert owner.all(ViewerProgressed)[-1].held < 100_000
            owner.command(Configure(msgspec.structs.replace(options, share_upload_limit=0)))
            async with asyncio.timeout(10):
                assert await fetching == content(1_000_000)


async def test_a_revoke_waits_for_no_limit() -> None:
    options = EngineOptions(listen_host="127.0.0.1", listen_port=0, upload_limit=2_000)
    async with Owner(options) as owner:
        share = await owner.share(picture(1_000_000))
        async with Viewer(share.link) as viewer:
            await viewer.fetch(until=1000)
            began = time.monotonic()
            share.revoke()
            assert await viewer.the_end() == "revoked"
            assert time.monotonic() - began < 0.5
            await asyncio.wait_for(viewer.closed.wait(), 5)
