"""Rooms as traces: who says what, and what everybody hears."""

from __future__ import annotations

import pytest

from signal_server.limits import Limits, Rate
from signal_server.members import Send
from signal_server.protocol import (
    Answer,
    AnyMessage,
    CloseCode,
    Draining,
    EndedReason,
    Error,
    ErrorCode,
    Expired,
    Full,
    Joined,
    Left,
    NoRoom,
    Offer,
    Offline,
    Online,
    Over,
    OwnerAnswer,
    OwnerCandidate,
    Refused,
    Revoked,
    Seed,
    Seeding,
    ServerMessage,
    Stopped,
    Unknown,
    Unseed,
    View,
    ViewerCandidate,
    encode,
    id_of_token,
)
from signal_server.rooms import Rooms
from tests.support.rooms_stage import (
    ANNA,
    BERT,
    CARL,
    ID,
    NOTHING,
    OTHER,
    OWNER,
    TOKEN,
    Stage,
    errors,
    refused,
    token,
)

# The ordinary way


def test_a_pair_is_made_and_forwarded_to() -> None:
    stage = Stage()
    assert stage.seeds() == [(OWNER, Seeding(ID))]
    assert stage.views(ANNA) == [(OWNER, Offer(ID, "v1", "offer of 11"))]
    assert stage.says(ANNA, ViewerCandidate("a")) == [(OWNER, OwnerCandidate(ID, "v1", "a"))]
    assert stage.says(OWNER, OwnerAnswer(ID, "v1", "answer")) == [(ANNA, Answer("answer"))]
    assert stage.says(OWNER, OwnerCandidate(ID, "v1", None)) == [(ANNA, ViewerCandidate(None))]
    assert stage.says(ANNA, ViewerCandidate(None)) == [(OWNER, OwnerCandidate(ID, "v1", None))]
    assert stage.leaves(ANNA) == [(OWNER, Left(ID, "v1"))]
    assert stage.leaves(OWNER) == []


def test_an_owner_is_told_of_the_stun_servers_with_every_share() -> None:
    stage = Stage()
    stage.rooms.stun = ("stun:*:21880",)
    assert stage.seeds() == stage.seeds() == [(OWNER, Seeding(ID, ("stun:*:21880",)))]


def test_what_is_said_to_one_viewer_is_heard_by_no_other() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.views(BERT)
    assert stage.says(OWNER, OwnerAnswer(ID, "v2", "for bert")) == [(BERT, Answer("for bert"))]


def test_a_second_view_replaces_the_first() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    assert stage.views(ANNA) == [(OWNER, Left(ID, "v1")), (OWNER, Offer(ID, "v2", "offer of 11"))]
    assert errors(stage.says(OWNER, OwnerAnswer(ID, "v1", "late"))) == refused(OWNER, ErrorCode.NO_SUCH_VIEWER)


def test_a_viewer_may_turn_to_another_share() -> None:
    stage = Stage()
    stage.seeds(OWNER, token(1))
    stage.seeds(OTHER, token(2))
    stage.views(ANNA)
    second = id_of_token(token(2))
    assert stage.views(ANNA, second) == [(OWNER, Left(ID, "v1")), (OTHER, Offer(second, "v2", "offer of 11"))]
    assert stage.says(ANNA, ViewerCandidate("c")) == [(OTHER, OwnerCandidate(second, "v2", "c"))]


def test_seeding_twice_on_one_socket_changes_nothing() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    assert stage.seeds() == [(OWNER, Seeding(ID))]
    assert stage.rooms.counts().shares == 1
    assert stage.leaves(ANNA) == [(OWNER, Left(ID, "v1"))]


# Waiting


def test_an_unknown_share_heals_when_its_owner_comes() -> None:
    stage = Stage()
    assert stage.views(ANNA) == [(ANNA, Unknown())]
    assert stage.views(BERT) == [(BERT, Unknown())]
    assert stage.seeds() == [(OWNER, Seeding(ID)), (ANNA, Online()), (BERT, Online())]
    assert stage.views(BERT) == [(OWNER, Offer(ID, "v1", "offer of 12"))]


def test_a_lost_owner_is_offline_and_a_pair_outlives_the_socket() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.says(OWNER, Joined(ID, "v1"))
    assert stage.leaves(OWNER) == [(ANNA, Offline())]
    assert stage.views(BERT) == [(BERT, Offline())]
    assert stage.says(ANNA, ViewerCandidate("nobody hears this")) == []
    assert stage.seeds(OTHER) == [(OTHER, Seeding(ID)), (ANNA, Online()), (BERT, Online())]
    assert stage.rooms.counts().offline == 0
    assert stage.says(ANNA, ViewerCandidate("c")) == [(OTHER, OwnerCandidate(ID, "v1", "c"))]
    assert stage.leaves(ANNA) == [(OTHER, Left(ID, "v1"))]


def test_offline_becomes_unknown_after_a_while() -> None:
    stage = Stage(offline_s=60)
    stage.seeds()
    stage.leaves(OWNER)
    stage.passes(59.9)
    assert stage.views(ANNA) == [(ANNA, Offline())]
    stage.passes(0.1)
    assert stage.views(BERT) == [(BERT, Unknown())]
    assert stage.seeds() == [(OWNER, Seeding(ID)), (ANNA, Online()), (BERT, Online())]


def test_only_so_many_offline_shares_are_remembered() -> None:
    stage = Stage(offline_shares=2)
    for number in (1, 2, 3):
        stage.seeds(number, token(number))
        stage.leaves(number)
    assert stage.views(ANNA, id_of_token(token(1))) == [(ANNA, Unknown())]
    assert stage.views(BERT, id_of_token(token(2))) == [(BERT, Offline())]
    assert stage.rooms.counts().offline == 2


def test_a_viewer_who_waits_no_longer_is_not_nudged() -> None:
    stage = Stage()
    stage.views(ANNA)
    stage.leaves(ANNA)
    assert stage.seeds() == [(OWNER, Seeding(ID))]


# Taking over


def test_the_newest_socket_that_shows_the_token_answers_for_the_share() -> None:
    stage = Stage()
    stage.seeds(OWNER)
    stage.views(ANNA)
    stage.says(OWNER, Joined(ID, "v1"))
    told, seeding = stage.seeds(OTHER)
    assert told == (OWNER, Error(ErrorCode.NOT_YOURS, "a newer connection answers for that share", ID))
    assert seeding == (OTHER, Seeding(ID))
    assert errors(stage.says(OWNER, Unseed(ID, EndedReason.REVOKED))) == refused(OWNER, ErrorCode.NOT_YOURS)
    assert stage.leaves(OWNER) == []
    assert stage.views(BERT) == [(OTHER, Offer(ID, "v2", "offer of 12"))]
    assert stage.leaves(ANNA) == [(OTHER, Left(ID, "v1"))]


def test_a_share_is_not_taken_by_who_knows_its_id_only() -> None:
    stage = Stage()
    stage.seeds(OWNER)
    stage.seeds(OTHER, token(2))
    for message in (
        Unseed(ID, EndedReason.REVOKED),
        Full(ID, "v1"),
        Joined(ID, "v1"),
        Refused(ID, "v1"),
        Over(ID, "v1"),
        OwnerAnswer(ID, "v1", "x"),
        OwnerCandidate(ID, "v1", "x"),
    ):
        assert errors(stage.says(OTHER, message)) == refused(OTHER, ErrorCode.NOT_YOURS)
    assert stage.views(ANNA) == [(OWNER, Offer(ID, "v1", "offer of 11"))]


# The end of a share


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (EndedReason.REVOKED, Revoked()),
        (EndedReason.EXPIRED, Expired()),
        (EndedReason.STOPPED, Stopped()),
    ],
    ids=["revoked", "expired", "stopped"],
)
def test_the_end_is_told_to_who_looks_who_waits_and_who_comes_late(reason: EndedReason, told: ServerMessage) -> None:
    stage = Stage(viewers_per_share=1)
    stage.seeds()
    stage.views(ANNA)
    assert stage.views(BERT) == [(BERT, NoRoom())]
    assert stage.says(OWNER, Unseed(ID, reason)) == [(ANNA, told), (BERT, told)]
    assert stage.views(CARL) == [(CARL, told)]
    assert stage.says(ANNA, ViewerCandidate("late")) == []
    assert stage.leaves(ANNA) == []


def test_an_ended_share_is_never_seeded_again_while_the_tombstone_stands() -> None:
    stage = Stage(tombstone_s=3600)
    stage.seeds()
    stage.says(OWNER, Unseed(ID, EndedReason.REVOKED))
    assert stage.seeds(OTHER) == [(OTHER, Error(ErrorCode.REVOKED, "that share was ended; make a new one", ID))]
    stage.passes(3599)
    assert errors(stage.seeds()) == refused(OWNER, ErrorCode.REVOKED)
    stage.passes(1)
    assert stage.views(ANNA) == [(ANNA, Unknown())]
    assert stage.rooms.counts().tombstones == 0


def test_tombstones_are_bounded_and_the_oldest_goes_first() -> None:
    stage = Stage(tombstones=2)
    for number in (1, 2, 3):
        stage.seeds(OWNER, token(number))
        stage.says(OWNER, Unseed(id_of_token(token(number)), EndedReason.REVOKED))
    assert stage.rooms.counts().tombstones == 2
    assert stage.views(ANNA, id_of_token(token(1))) == [(ANNA, Unknown())]
    assert stage.views(BERT, id_of_token(token(2))) == [(BERT, Revoked())]


# Room


def test_one_who_waits_gets_the_place_that_falls_free_in_order_of_arrival() -> None:
    stage = Stage(viewers_per_share=1)
    stage.seeds()
    stage.views(ANNA)
    assert stage.views(BERT) == [(BERT, NoRoom())]
    assert stage.views(CARL) == [(CARL, NoRoom())]
    assert stage.leaves(ANNA) == [(OWNER, Left(ID, "v1")), (BERT, Online())]
    assert stage.views(BERT) == [(OWNER, Offer(ID, "v2", "offer of 12"))]
    assert stage.rooms.counts().waiting == 1


def test_the_owners_own_limit_makes_viewers_wait_and_they_are_asked_one_by_one() -> None:
    stage = Stage(room_retry_s=5)
    stage.seeds()
    stage.views(ANNA)
    stage.views(BERT)
    assert stage.says(OWNER, Full(ID, "v1")) == [(ANNA, NoRoom())]
    assert stage.says(OWNER, Full(ID, "v2")) == [(BERT, NoRoom())]
    assert stage.passes(4.9) == []
    assert stage.passes(0.1) == [(ANNA, Online())]
    assert stage.passes(5) == [(BERT, Online())]
    assert stage.passes(5) == []


def test_nobody_is_asked_while_there_is_no_place() -> None:
    stage = Stage(viewers_per_share=1, room_retry_s=5)
    stage.seeds()
    stage.views(ANNA)
    stage.views(BERT)
    assert stage.passes(5) == []
    assert stage.leaves(ANNA)[-1] == (BERT, Online())


@pytest.mark.parametrize("end", ["unseed", "owner leaves", "viewer leaves"])
def test_nobody_is_asked_for_a_share_that_is_gone(end: str) -> None:
    stage = Stage(viewers_per_share=1, room_retry_s=5)
    stage.seeds()
    stage.views(ANNA)
    stage.views(BERT)
    if end == "unseed":
        stage.says(OWNER, Unseed(ID, EndedReason.REVOKED))
    else:
        stage.leaves(OWNER if end == "owner leaves" else BERT)
    assert stage.passes(5) == []


# Limits


def test_an_owner_has_only_so_many_shares() -> None:
    stage = Stage(shares_per_owner=2)
    stage.seeds(OWNER, token(1))
    stage.seeds(OWNER, token(2))
    assert errors(stage.seeds(OWNER, token(3))) == refused(OWNER, ErrorCode.TOO_MANY_SHARES)
    assert stage.seeds(OWNER, token(2)) == [(OWNER, Seeding(id_of_token(token(2))))]
    stage.says(OWNER, Unseed(id_of_token(token(1)), EndedReason.EXPIRED))
    assert stage.seeds(OWNER, token(3)) == [(OWNER, Seeding(id_of_token(token(3))))]


def test_the_server_has_only_so_many_shares_but_one_can_always_move() -> None:
    stage = Stage(shares=1)
    stage.seeds(OWNER, token(1))
    assert errors(stage.seeds(OTHER, token(2))) == refused(OTHER, ErrorCode.TOO_MANY_SHARES)
    assert stage.seeds(OTHER, token(1))[-1] == (OTHER, Seeding(ID))


def test_a_refused_share_leaves_no_trace() -> None:
    stage = Stage(shares_per_owner=1)
    stage.seeds(OWNER, token(1))
    stage.seeds(OWNER, token(2))
    stage.leaves(OWNER)
    stage.passes(Limits().offline_s)
    assert stage.rooms.counts() == NOTHING


def test_a_flood_is_told_to_slow_down_and_then_closed() -> None:
    stage = Stage(viewer_messages=Rate(per_s=1, burst=3), faults=Rate(per_s=0, burst=2))
    stage.seeds()
    assert stage.views(ANNA) == [(OWNER, Offer(ID, "v1", "offer of 11"))]
    for _ in range(2):
        assert len(stage.says(ANNA, ViewerCandidate("c"))) == 1
    assert errors(stage.says(ANNA, ViewerCandidate("c"))) == refused(ANNA, ErrorCode.TOO_FAST)
    stage.passes(1)
    assert stage.says(ANNA, ViewerCandidate("c")) == [(OWNER, OwnerCandidate(ID, "v1", "c"))]
    assert errors(stage.says(ANNA, ViewerCandidate("c"))) == refused(ANNA, ErrorCode.TOO_FAST)
    assert stage.says(ANNA, ViewerCandidate("c")) == [(ANNA, ("closed", CloseCode.POLICY)), (OWNER, Left(ID, "v1"))]


def test_offers_have_a_rate_of_their_own() -> None:
    stage = Stage(views=Rate(per_s=0.5, burst=2))
    stage.seeds()
    stage.views(ANNA)
    stage.views(ANNA)
    assert errors(stage.views(ANNA)) == refused(ANNA, ErrorCode.TOO_FAST)
    stage.passes(2)
    assert stage.views(ANNA) == [(OWNER, Left(ID, "v2")), (OWNER, Offer(ID, "v3", "offer of 11"))]


def test_an_owner_may_register_all_its_shares_at_once() -> None:
    stage = Stage()
    heard = [stage.seeds(OWNER, token(number)) for number in range(Limits().shares_per_owner)]
    assert not [entry for entry in heard if errors(entry)]


@pytest.mark.parametrize("said", ["", "{", b"\x00\x01", '{"type":"x"}', '{"type":"seed","token":"short"}'])
def test_repeated_errors_close_the_socket(said: str | bytes) -> None:
    stage = Stage(faults=Rate(per_s=0.1, burst=3))
    for _ in range(3):
        assert len(errors(stage.says(ANNA, said))) == 1
    assert stage.says(ANNA, said) == [(ANNA, ("closed", CloseCode.POLICY))]
    assert stage.says(BERT, said) != []
    assert stage.rooms.receive(ANNA, encode(Seed(TOKEN)), stage.now) == []


def test_faults_are_forgiven_in_time() -> None:
    stage = Stage(faults=Rate(per_s=0.1, burst=1))
    stage.seeds()
    for _ in range(5):
        assert errors(stage.says(OWNER, "{")) == refused(OWNER, ErrorCode.MALFORMED)
        stage.passes(10)


def test_the_races_of_an_honest_owner_are_no_faults() -> None:
    stage = Stage(faults=Rate(per_s=0, burst=1))
    stage.seeds()
    for _ in range(20):
        assert errors(stage.says(OWNER, OwnerCandidate(ID, "gone", "c"))) == refused(OWNER, ErrorCode.NO_SUCH_VIEWER)


@pytest.mark.parametrize(
    ("first", "second"), [(Seed(TOKEN), View(ID, "offer")), (View(ID, "offer"), Seed(TOKEN))], ids=["owner", "viewer"]
)
def test_a_socket_speaks_for_one_side_only(first: AnyMessage, second: AnyMessage) -> None:
    stage = Stage()
    stage.says(ANNA, first)
    assert errors(stage.says(ANNA, second)) == refused(ANNA, ErrorCode.WRONG_ROLE)


def test_a_silent_socket_is_closed_and_garbage_does_not_count_as_speech() -> None:
    stage = Stage(first_message_s=5)
    stage.connects(ANNA)
    stage.says(BERT, "garbage")
    stage.seeds()
    stage.passes(4.9)
    stage.connects(CARL)
    assert stage.passes(0.1) == [(ANNA, ("closed", CloseCode.GOING_AWAY)), (BERT, ("closed", CloseCode.GOING_AWAY))]
    assert stage.passes(4.8) == []
    assert stage.passes(0.2) == [(CARL, ("closed", CloseCode.GOING_AWAY))]


# The instance


def test_draining_is_told_to_everyone() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.connects(BERT)
    assert stage.rooms.drain() == [Send(socket, Draining()) for socket in (OWNER, ANNA, BERT)]


def test_everything_is_forgotten_in_the_end() -> None:
    stage = Stage()
    stage.seeds(OWNER, token(1))
    stage.seeds(OWNER, token(2))
    for viewer in (ANNA, BERT):
        stage.views(viewer)
    stage.views(CARL, id_of_token(token(9)))
    stage.says(OWNER, Unseed(id_of_token(token(2)), EndedReason.REVOKED))
    for socket in (ANNA, OWNER, BERT, CARL):
        stage.leaves(socket)
    stage.passes(Limits().tombstone_s)
    assert stage.rooms.counts() == NOTHING
    assert stage.rooms.is_empty


def test_a_name_that_is_taken_is_minted_again() -> None:
    names = iter(["same", "same", "other"])
    rooms = Rooms(Limits(), mint=lambda: next(names))
    for socket in (OWNER, ANNA, BERT):
        rooms.connect(socket, "", 0)
    rooms.receive(OWNER, encode(Seed(TOKEN)), 0)
    offers = [rooms.receive(viewer, encode(View(ID, "o")), 0) for viewer in (ANNA, BERT)]
    assert offers == [[Send(OWNER, Offer(ID, "same", "o"))], [Send(OWNER, Offer(ID, "other", "o"))]]


def test_minted_names_fit_the_protocol_and_differ() -> None:
    stage = Stage()
    rooms = Rooms(Limits())
    rooms.connect(OWNER, "", stage.now)
    rooms.receive(OWNER, encode(Seed(TOKEN)), stage.now)
    names = set()
    for socket in range(100, 150):
        rooms.connect(socket, str(socket), stage.now)
        (action,) = rooms.receive(socket, encode(View(ID, "o")), stage.now)
        assert isinstance(action, Send)
        assert isinstance(action.message, Offer)
        assert 8 <= len(action.message.viewer) <= 32
        names.add(action.message.viewer)
    assert len(names) == 50
