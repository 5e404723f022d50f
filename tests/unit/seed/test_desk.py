"""The front desk with fake connections: offers, crowds, candidates, feeding, and the books."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from functools import partial

import pytest

from seedshot_desktop.seed.desk import MAX_HALF_OPEN, MAX_HALF_OPEN_PER_SHARE, PATIENCE_S, connect_peer
from seedshot_desktop.seed.messages import (
    EndReason,
    EngineOptions,
    Limits,
    Viewed,
    ViewerJoined,
    ViewerLeft,
    ViewerProgressed,
)
from seedshot_desktop.seed.session import STALL_S
from seedshot_desktop.seed.steps import ShareOver
from seedshot_desktop.seed.transfer import WINDOW
from seedshot_desktop.seed.transport import STRANGER, Peer, PeerState
from seedshot_desktop.seed.visit import FIRST_WATER, HIGH_WATER, SMALL_CHUNK
from signal_server.protocol import Full, Joined, Left, Over, OwnerAnswer, OwnerCandidate, Refused
from tests.support.desk_room import DATA, Room
from tests.support.expectations import LogWatch
from tests.support.fake_peer import FakePeer
from tests.support.waiting import until


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    yield room
    for visit in room.desk.shut(room.share):
        visit.receive(ShareOver(EndReason.REVOKED))
    await room.tasks.cancel()
    room.pool.shutdown()
    room.reports.close()


async def test_an_offer_is_answered_and_early_candidates_are_kept_for_it(room: Room) -> None:
    peer = room.offer("v1")
    assert peer is not None
    room.desk.on_candidate(OwnerCandidate(room.share.id, "v1", "one"))
    room.desk.on_candidate(OwnerCandidate(room.share.id, "stranger", "two"))
    assert peer.candidates == []
    await until(lambda: room.signalled, "the answer")
    assert room.signalled == [OwnerAnswer(room.share.id, "v1", "answer to offer")]
    assert peer.candidates == ["one"]
    room.desk.on_candidate(OwnerCandidate(room.share.id, "v1", None))
    assert peer.candidates == ["one", None]
    peer.visit.on_candidate("ours")
    assert room.signalled[-1] == OwnerCandidate(room.share.id, "v1", "ours")


async def test_a_share_asks_the_servers_of_its_signalling_server_too_each_once(room: Room) -> None:
    peer = room.offer("v1")
    assert peer is not None
    options = EngineOptions(stun_urls=("stun:own.example", "stun:a.example"))
    room.share.stun_urls = ("stun:a.example", "stun:b.example")
    connected = connect_peer(room.share, options, peer.visit)
    assert isinstance(connected, Peer)
    assert connected._options.stun_urls == ("stun:own.example", "stun:a.example", "stun:b.example")
    await connected.close()


async def test_an_offer_that_is_none_leaves_nothing_behind(room: Room) -> None:
    peer = room.offer("v1", sdp="bad")
    assert peer is not None
    await until(lambda: peer.closed, "its end")
    assert room.desk.visits_of(room.share.id) == []
    assert room.all(ViewerLeft) == []


async def test_an_offer_for_nothing_that_is_shared_is_passed_over(room: Room) -> None:
    other = room.add_share(Limits())
    room.desk.shut(other)
    assert room.offer("v1", other) is None


async def test_the_same_offer_again_changes_nothing(room: Room) -> None:
    first = room.admit("v1")
    assert room.offer("v1") is None
    assert not first.closed


async def test_names_from_before_a_servers_restart_stay_unlike_new_ones(room: Room) -> None:
    room.admit("v1")
    room.desk.forget_signalling()
    second = room.admit("v1")
    assert second.visit.viewer == "v1~2"
    room.desk.on_left(Left(room.share.id, "v1"))
    assert second.said[-1] == {"type": "ping"}
    assert {"type": "ping"} not in room.network.peers[0].said


async def test_a_crowd_at_the_door_is_bounded_and_the_hesitant_give_way(room: Room) -> None:
    crowd = [room.offer(f"v{index}") for index in range(MAX_HALF_OPEN_PER_SHARE)]
    assert all(crowd)
    assert room.offer("one too many") is None
    assert room.signalled[-1] == Full(room.share.id, "one too many")
    room.now += PATIENCE_S
    assert room.offer("later") is not None
    oldest = crowd[0]
    assert oldest is not None
    await until(lambda: oldest.closed, "the oldest gives way")
    assert Full(room.share.id, "v0") in room.signalled, "its page need not wait for us"
    assert Over(room.share.id, "v0") not in room.signalled
    assert len(room.desk.visits_of(room.share.id)) == MAX_HALF_OPEN_PER_SHARE


async def test_who_has_no_path_to_us_gives_way_first_and_who_is_connected_never(room: Room) -> None:
    opened = room.offer("v0")
    assert opened is not None
    opened.open()
    crowd = [room.offer(f"v{index}") for index in range(1, MAX_HALF_OPEN_PER_SHARE + 1)]
    with_path, without = crowd[0], crowd[1:]
    assert with_path is not None
    for peer in without:
        assert peer is not None
        peer.path = None
    room.now += PATIENCE_S
    for number, peer in enumerate([*without, with_path]):
        assert room.offer(f"n{number}") is not None
        await until(partial(getattr, peer, "closed"), "it gives way")
        assert not opened.closed
        assert with_path.closed is (peer is with_path)
    assert room.offer("late") is None, "nobody is left who has hesitated for long enough"
    opened.hello()
    assert [event.viewer for event in room.all(ViewerJoined)] == ["v0"]


async def test_crowds_at_two_shares_leave_a_third_its_place_once_they_hesitate(room: Room) -> None:
    shares = [room.share, room.add_share(Limits()), room.add_share(Limits())]
    for share in shares[:2]:
        for index in range(MAX_HALF_OPEN // 2):
            room.offer(f"v{index}", share)
    assert room.offer("early", shares[2]) is None
    room.now += PATIENCE_S
    assert room.offer("honest", shares[2]) is not None
    for share in shares[1:]:
        for visit in room.desk.shut(share):
            visit.receive(ShareOver(EndReason.REVOKED))


async def test_the_server_hears_who_was_let_in_and_of_every_end_that_it_did_not_report(room: Room) -> None:
    guest, silent, broken = room.admit("guest"), room.offer("silent"), room.offer("broken", sdp="bad")
    assert Joined(room.share.id, "guest") in room.signalled
    assert silent is not None
    silent.visit.on_state(PeerState.CLOSED, "no path to the viewer was found")
    guest.say(type="bye")
    await until(lambda: broken and broken.closed, "its end")
    overs = [message.viewer for message in room.signalled if isinstance(message, Over)]
    assert sorted(overs) == ["broken", "guest", "silent"]


async def test_the_server_is_not_told_what_it_said_itself_nor_of_every_viewer_of_a_share_that_is_over(
    room: Room,
) -> None:
    room.offer("gone")
    room.desk.on_left(Left(room.share.id, "gone"))
    guest = room.admit("guest")
    for visit in room.desk.shut(room.share):
        visit.receive(ShareOver(EndReason.REVOKED))
    await until(lambda: guest.closed, "its end")
    assert [message for message in room.signalled if isinstance(message, Over)] == []


async def test_a_stranger_whose_socket_closes_leaves_its_place_at_once(room: Room) -> None:
    peer = room.offer("stranger")
    assert peer is not None
    room.desk.on_left(Left(room.share.id, "stranger"))
    assert room.desk.visits_of(room.share.id) == []
    await until(lambda: peer.closed, "its end")


async def test_who_does_not_know_the_secret_is_told_through_the_server(room: Room) -> None:
    peer = room.offer("stranger")
    assert peer is not None
    peer.visit.on_state(PeerState.CLOSED, STRANGER)
    assert room.signalled[-1] == Refused(room.share.id, "stranger")
    assert room.desk.visits_of(room.share.id) == []
    assert peer.said == []
    assert room.all(ViewerJoined) == room.all(ViewerLeft) == []


async def test_who_leaves_before_its_hello_was_never_told_of_and_keeps_no_place(room: Room) -> None:
    room.desk.configure(EngineOptions(max_viewers=1))
    peer = room.offer("v1")
    assert peer is not None
    peer.open()
    assert peer.said[-1]["type"] == "manifest"
    assert room.offer("v2") is None
    peer.visit.on_state(PeerState.CLOSED, "the viewer closed the connection")
    assert room.offer("v3") is not None
    assert room.all(ViewerJoined) == room.all(ViewerLeft) == []
    assert not room.share.departed


async def test_a_share_with_all_its_viewers_says_so_before_it_connects(room: Room) -> None:
    room.desk.configure(EngineOptions(max_viewers=1))
    first = room.admit("v1")
    assert room.offer("v2") is None
    assert room.signalled[-1] == Full(room.share.id, "v2")
    first.say(type="bye")
    assert room.offer("v3") is not None


async def test_a_transfer_is_fed_as_the_transport_takes_it(room: Room) -> None:
    peer = room.admit("v1")
    assert peer.said[-1]["type"] == "manifest"
    peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: peer.buffered_amount >= HIGH_WATER, "a full buffer")
    assert peer.buffered_amount < HIGH_WATER + 65536
    for _ in range(200):
        if peer.payload_bytes == len(DATA):
            break
        peer.drain()
        await asyncio.sleep(0)
    assert b"".join(message[12:] for message in peer.messages) == DATA
    peer.say(type="ack", request=1, held=len(DATA))
    assert room.all(Viewed)[0].views == 1
    assert room.all(ViewerProgressed)[-1].held == len(DATA)
    assert room.share.bytes_sent == len(DATA)


async def test_no_more_than_the_window_is_sent_unacknowledged(room: Room) -> None:
    share = room.add_share(Limits(), bytes(2 * WINDOW))
    peer = room.admit("v1", share)
    peer.say(type="get", request=1, file=0, offset=0)

    async def fill() -> None:
        before = -1
        while peer.payload_bytes != before:
            before = peer.payload_bytes
            peer.drain()
            for _ in range(5):
                await asyncio.sleep(0)

    await fill()
    assert WINDOW - 65536 < peer.payload_bytes <= WINDOW
    peer.say(type="ack", request=1, held=WINDOW // 2)
    await fill()
    assert WINDOW < peer.payload_bytes <= WINDOW * 3 // 2
    for visit in room.desk.shut(share):
        visit.receive(ShareOver(EndReason.REVOKED))


async def test_who_does_not_say_hello_sees_little(room: Room) -> None:
    """It is told to nobody: the transport may take as much as it likes."""
    peer = room.offer("v1")
    assert peer is not None
    peer.open()
    await until(lambda: peer.payload_bytes >= FIRST_WATER, "the first bytes")
    for _ in range(50):
        peer.drain()
        await asyncio.sleep(0)
    assert peer.payload_bytes < FIRST_WATER + SMALL_CHUNK
    peer.hello()
    await until(lambda: peer.payload_bytes > FIRST_WATER + SMALL_CHUNK, "the rest")
    peer.say(type="ack", request=0, held=peer.payload_bytes)
    assert room.all(ViewerProgressed)[-1].held == peer.payload_bytes


async def test_nothing_is_sent_once_the_share_is_over(room: Room) -> None:
    peer = room.admit("v1")
    peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: peer.messages, "the first bytes")
    sent = len(peer.messages)
    for visit in room.desk.shut(room.share):
        visit.receive(ShareOver(EndReason.REVOKED))
    assert peer.said[-1] == {"type": "ended", "reason": "revoked"}
    peer.drain()
    peer.say(type="get", request=2, file=0, offset=0)
    await until(lambda: peer.closed, "its end")
    assert peer.flushed
    assert peer.data_stopped_after == peer.said.index({"type": "ended", "reason": "revoked"})
    assert len(peer.messages) == sent
    assert room.all(ViewerLeft)[0].reason is EndReason.REVOKED


async def test_a_connection_that_will_not_close_is_cut(room: Room) -> None:
    peer = room.admit("v1")
    peer.hangs = True
    peer.say(type="nonsense")
    assert peer.said[-1] == {"type": "ended", "reason": "refused"}
    await until(lambda: peer.closed, "its end", 3)


async def test_the_last_viewer_of_a_used_up_share_ends_it(room: Room) -> None:
    share = room.add_share(Limits(max_views=1), b"abc")
    peer = room.admit("v1", share)
    peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: peer.messages, "the bytes")
    peer.say(type="ack", request=1, held=3)
    assert share.ended is EndReason.USED_UP
    assert room.used_up == []
    peer.say(type="bye")
    assert room.used_up == [share]


async def test_the_owner_hears_the_end_of_every_visit_it_heard_the_beginning_of(room: Room) -> None:
    peers = [room.admit(f"v{index}") for index in range(5)]
    stranger = room.offer("stranger")
    assert stranger is not None
    stranger.open()
    for peer in [*peers, stranger]:
        peer.say(type="bye")
    assert len(room.all(ViewerJoined)) == len(room.all(ViewerLeft)) == 5
    assert [status.viewer for status in room.share.departed] == ["v4", "v3", "v2", "v1", "v0"]


async def test_under_a_tight_limit_messages_are_small_and_few_wait(room: Room) -> None:
    room.desk.configure(EngineOptions(share_upload_limit=64_000))
    peer = room.admit("v1")
    peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: peer.buffered_amount >= 32_000, "half a second's worth")
    assert max(len(message) for message in peer.messages) <= 8012
    assert peer.buffered_amount <= 32_000 + 8012
    before = len(peer.messages)
    peer.drain()
    await until(lambda: len(peer.messages) >= before + 4, "as much again")


@pytest.mark.parametrize(("limit", "crowd"), [(64_000, 16), (3000, 40), (100_000, 50)])
async def test_a_crowd_under_a_limit_gets_less_at_a_time_so_that_nobody_seems_to_stall(
    room: Room, limit: int, crowd: int
) -> None:
    room.desk.configure(EngineOptions(share_upload_limit=limit))
    peers = [room.admit(f"v{number}") for number in range(crowd)]
    for peer in peers:
        peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: all(peer.messages for peer in peers), "something for everybody")
    for peer in peers:
        peer.messages.clear()
        peer.drain()
    await until(lambda: all(peer.messages for peer in peers), "more for everybody")
    longest = max(peer.buffered_amount for peer in peers) * crowd / limit
    assert longest < STALL_S / 3, "what stands before the next thing that is asked for"
    last = peers.pop()
    for peer in peers[1:]:
        peer.say(type="stop", request=1)
    peers[0].say(type="bye")
    last.messages.clear()
    last.drain()
    alone = min(limit / 8, SMALL_CHUNK) if limit / 8 > 1024 else 1024
    await until(lambda: bool(last.messages), "more for who is left")
    assert len(last.messages[0]) == int(alone) + 12


async def test_connections_keep_to_their_shares_limit_and_to_that_of_all(room: Room) -> None:
    room.desk.configure(EngineOptions(upload_limit=900, share_upload_limit=500))
    other = room.add_share(Limits())
    first, second, third = (room.offer("v1"), room.offer("v2"), room.offer("v1", other))
    assert first is not None
    assert second is not None
    assert third is not None
    assert [limit.rate for limit in first.visit.limits] == [500, 900]
    assert first.visit.limits == second.visit.limits
    assert first.visit.limits[0] is not third.visit.limits[0]
    assert first.visit.limits[1] is third.visit.limits[1]
    room.desk.configure(EngineOptions(upload_limit=800, share_upload_limit=0))
    assert [limit.rate for limit in first.visit.limits] == [0, 800]


async def test_a_share_that_is_over_lets_its_bytes_go(room: Room) -> None:
    data = bytes(300_000)
    before = sys.getrefcount(data)
    share = room.add_share(Limits(), data)
    peer = room.admit("v1", share)
    peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: peer.messages, "the first bytes")
    assert sys.getrefcount(data) > before
    for visit in room.desk.shut(share):
        visit.receive(ShareOver(EndReason.REVOKED))
    share.end(EndReason.REVOKED)
    del visit
    await until(lambda: sys.getrefcount(data) == before, "nobody holds the bytes")


async def test_a_visit_whose_work_fails_ends_alone(
    room: Room, expected_log: LogWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_log.expect("the task feed failed: MemoryError")

    def no_memory(*_: object) -> None:
        raise MemoryError

    broken, healthy = room.admit("v1"), room.admit("v2")
    monkeypatch.setattr(broken, "send_data", no_memory)
    for peer in (broken, healthy):
        peer.say(type="get", request=1, file=0, offset=0)
    await until(lambda: broken.closed, "its end")
    await until(lambda: healthy.messages, "the other's bytes")
    assert [event.viewer for event in room.all(ViewerLeft)] == ["v1"]


def resume(peer: FakePeer) -> None:
    """The page connected again, and holds everything."""
    peer.say(type="get", request=1, file=0, offset=len(DATA))
    peer.say(type="ack", request=1, held=len(DATA))


async def test_a_page_that_connects_again_takes_no_view_from_anybody(room: Room) -> None:
    share = room.add_share(Limits(max_views=2))
    for name in ("v1", "v1 again", "v1 once more"):
        resume(room.admit(name, share))
    assert room.all(Viewed) == []
    assert share.views == 0
    assert room.offer("v2", share) is not None
    assert room.admit("v3", share).said[-1]["type"] == "manifest"


async def test_who_only_said_to_hold_everything_gets_no_byte_when_no_view_is_left(room: Room) -> None:
    share = room.add_share(Limits(max_views=1), b"x" * 1000)
    liar = room.admit("v1", share)
    liar.say(type="get", request=1, file=0, offset=1000)
    liar.say(type="ack", request=1, held=1000)
    honest = room.admit("v2", share)
    liar.say(type="get", request=2, file=0, offset=0)
    assert liar.said[-1] == {"type": "ended", "reason": "expired"}
    honest.say(type="get", request=1, file=0, offset=0)
    await until(lambda: honest.payload_bytes == 1000, "the other's bytes")
    honest.say(type="ack", request=1, held=1000)
    assert [event.viewer for event in room.all(Viewed)] == ["v2"]
    assert liar.messages == []


async def test_who_asks_for_the_bytes_again_takes_the_view_that_is_left(room: Room) -> None:
    share = room.add_share(Limits(max_views=1), b"x" * 1000)
    peer = room.admit("v1", share)
    peer.say(type="get", request=1, file=0, offset=1000)
    peer.say(type="ack", request=1, held=1000)
    peer.say(type="get", request=2, file=0, offset=0)
    assert [event.views for event in room.all(Viewed)] == [1]
    assert share.ended is EndReason.USED_UP
    await until(lambda: peer.payload_bytes == 1000, "its bytes")


async def test_who_leaves_after_the_server_came_back_is_missed_at_once(room: Room) -> None:
    peer = room.admit("v1")
    room.desk.lose_signalling()
    room.desk.on_left(Left(room.share.id, "v1"))
    assert peer.said[-1] == {"type": "ping"}


async def test_a_new_server_may_give_an_old_name_to_somebody_else(room: Room) -> None:
    first = room.admit("v1")
    room.desk.lose_signalling()
    second = room.admit("v1")
    assert second.visit.viewer == "v1~2"
    first.say(type="bye")
    room.desk.on_left(Left(room.share.id, "v1"))
    assert second.said[-1] == {"type": "ping"}, "the name is the second's, whoever left before"
    assert room.offer("v1") is not None
