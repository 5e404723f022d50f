"""Rooms under strangers who know no more than an id, and in an office behind one address, as traces."""

from __future__ import annotations

import pytest

from signal_server.limits import Limits, Rate
from signal_server.protocol import (
    AnyMessage,
    CloseCode,
    EndedReason,
    ErrorCode,
    Full,
    Joined,
    Left,
    NoRoom,
    NotLetIn,
    Offer,
    Offline,
    Online,
    Over,
    OwnerAnswer,
    OwnerCandidate,
    Refused,
    Revoked,
    Seeding,
    ServerMessage,
    Unseed,
    ViewerCandidate,
    id_of_token,
)
from tests.support.rooms_stage import ANNA, BERT, CARL, ID, OTHER, OWNER, Heard, Stage, errors, refused, token

LIMITS = Limits()
STRANGER, OFFICE = "192.0.2.1", "198.51.100.7"
FLOOD = range(1000, 1256)
"""All the sockets that one address may have."""


def offers(heard: Heard) -> list[str]:
    return [message.viewer for _, message in heard if isinstance(message, Offer)]


def told(heard: Heard, kind: type[ServerMessage]) -> list[int]:
    return [socket for socket, message in heard if isinstance(message, kind)]


def besieged() -> Stage:
    """Every socket of one address has asked once and says nothing more."""
    stage = Stage()
    stage.seeds()
    for socket in FLOOD:
        stage.views(socket, address=STRANGER)
    return stage


# What the owner says of its visits


def test_a_visit_that_is_over_frees_its_place_though_the_socket_stays() -> None:
    stage = Stage(viewers_per_share=1)
    stage.seeds()
    stage.views(ANNA)
    assert stage.views(BERT) == [(BERT, NoRoom())]
    assert stage.says(OWNER, Over(ID, "v1")) == [(BERT, Online())]
    assert stage.views(BERT) == [(OWNER, Offer(ID, "v2", "offer of 12"))]
    assert stage.says(ANNA, ViewerCandidate("late")) == []
    assert stage.leaves(ANNA) == []


def test_who_does_not_know_the_secret_is_told_and_frees_its_place() -> None:
    stage = Stage(viewers_per_share=1)
    stage.seeds()
    stage.views(ANNA)
    assert stage.views(BERT) == [(BERT, NoRoom())]
    assert stage.says(OWNER, Refused(ID, "v1")) == [(ANNA, NotLetIn()), (BERT, Online())]
    assert errors(stage.says(OWNER, Refused(ID, "v1"))) == refused(OWNER, ErrorCode.NO_SUCH_VIEWER)


def test_who_has_finished_still_hears_that_the_share_is_over() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.says(OWNER, Joined(ID, "v1"))
    stage.says(OWNER, Over(ID, "v1"))
    assert stage.says(OWNER, Unseed(ID, EndedReason.REVOKED)) == [(ANNA, Revoked())]


def test_who_has_finished_hears_of_the_owners_coming_and_going() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.says(OWNER, Over(ID, "v1"))
    assert stage.leaves(OWNER) == [(ANNA, Offline())]
    assert stage.seeds(OTHER) == [(OTHER, Seeding(ID)), (ANNA, Online())]
    assert stage.says(OTHER, Unseed(ID, EndedReason.REVOKED)) == [(ANNA, Revoked())]


def test_a_visit_that_is_over_can_begin_again_on_the_same_socket() -> None:
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    stage.says(OWNER, Over(ID, "v1"))
    assert stage.views(ANNA) == [(OWNER, Offer(ID, "v2", "offer of 11"))]
    assert errors(stage.says(OWNER, Over(ID, "v1"))) == refused(OWNER, ErrorCode.NO_SUCH_VIEWER)


@pytest.mark.parametrize("takes_over", [False, True], ids=["the owner comes back", "a newer socket takes over"])
def test_who_knocked_at_a_socket_that_is_gone_is_asked_again(takes_over: bool) -> None:
    """Nobody would answer that offer any more."""
    stage = Stage()
    stage.seeds()
    stage.views(ANNA)
    heard = [] if takes_over else stage.leaves(OWNER)
    heard += stage.seeds(OTHER)
    assert [message for socket, message in heard if socket == ANNA] == [Offline(), Online()]
    assert stage.views(ANNA) == [(OTHER, Offer(ID, "v2", "offer of 11"))]
    assert stage.leaves(ANNA) == [(OTHER, Left(ID, "v2"))]


def test_an_owner_that_says_nothing_of_a_viewer_has_forgotten_it() -> None:
    stage = Stage(knock_s=30)
    stage.seeds()
    stage.views(ANNA)
    stage.views(BERT)
    stage.says(OWNER, Joined(ID, "v2"))
    assert stage.passes(29.9) == []
    assert stage.passes(0.1) == [(OWNER, Left(ID, "v1"))]
    assert stage.passes(60) == []
    assert stage.leaves(BERT) == [(OWNER, Left(ID, "v2"))]


# A stranger with many sockets


def test_idle_sockets_of_one_address_keep_nobody_else_out() -> None:
    stage = besieged()
    assert stage.rooms.counts().paired == LIMITS.knocking_per_address
    for viewer in (ANNA, BERT, CARL):
        assert len(offers(stage.views(viewer))) == 1


def test_places_that_the_owner_ends_are_not_kept_by_sockets_that_stay() -> None:
    stage = Stage(views_per_address=Rate(per_s=100, burst=1000))
    stage.seeds()
    for socket in FLOOD:
        (name,) = offers(stage.views(socket, address=STRANGER))
        stage.says(OWNER, Over(ID, name))
        stage.passes(0.1)
    assert stage.rooms.counts().paired == 0
    assert len(offers(stage.views(ANNA, address=STRANGER))) == 1


def test_several_crowded_addresses_give_way_to_one_viewer_of_another() -> None:
    stage = Stage()
    stage.seeds()
    for socket in range(1000, 1000 + LIMITS.knocking_per_owner):
        stage.views(socket, address=f"192.0.2.{socket % 4}")
    assert stage.rooms.counts().paired == LIMITS.knocking_per_owner
    assert stage.views(ANNA) == [(OWNER, Left(ID, "v1")), (1000, NoRoom()), (OWNER, Offer(ID, "v65", "offer of 11"))]
    for socket in range(2000, 2256):
        heard = stage.views(socket, address=f"192.0.2.{socket % 4}")
        assert (OWNER, Left(ID, "v65")) not in heard, "she is never in the way of a crowd"
    assert stage.rooms.counts().paired == LIMITS.knocking_per_owner


def test_a_crowd_at_one_share_does_not_close_the_owners_others() -> None:
    stage = Stage()
    ids = [id_of_token(token(number)) for number in (1, 2, 3)]
    for number in (1, 2, 3):
        stage.seeds(OWNER, token(number))
    for socket in FLOOD:
        stage.views(socket, ids[socket % 2], address=f"192.0.2.{socket % 3}")
    assert stage.rooms.counts().paired == LIMITS.knocking_per_owner
    assert len(offers(stage.views(ANNA, ids[2]))) == 1


def test_who_is_let_in_is_in_nobodys_way_and_gives_way_to_nobody() -> None:
    stage = Stage(knocking_per_owner=2, knocking_per_address=2)
    stage.seeds()
    stage.views(ANNA, address=OFFICE)
    stage.says(OWNER, Joined(ID, "v1"))
    for socket in FLOOD:
        assert (ANNA, NoRoom()) not in stage.views(socket, address=f"192.0.2.{socket}")
    assert stage.rooms.counts().paired == 3


def test_offers_of_one_address_have_a_rate_whatever_socket_they_come_from() -> None:
    stage = Stage(views_per_address=Rate(per_s=1, burst=10))
    stage.seeds()
    passed_on = 0
    for socket in FLOOD:
        passed_on += len(offers(stage.views(socket, address=STRANGER)))
        stage.leaves(socket)
    assert passed_on == 10
    assert stage.views(ANNA, address=STRANGER) == [(ANNA, NoRoom())], "a neighbour is not called a flooder"
    assert len(offers(stage.views(BERT))) == 1
    stage.passes(1)
    assert len(offers(stage.views(ANNA, address=STRANGER))) == 1


def test_an_address_may_look_at_many_shares_of_many_owners() -> None:
    stage = Stage(views_per_address=Rate(per_s=0.1, burst=2))
    for number in range(1, 5):
        stage.seeds(number, token(number))
    for number in range(1, 5):
        assert len(offers(stage.views(10 + number, id_of_token(token(number)), address=OFFICE))) == 1


def test_an_owner_is_not_held_to_account_for_what_strangers_make_it_say() -> None:
    """Its own bucket is empty all the time: it answers, sends candidates and ends every visit all the same."""
    stage = Stage(owner_messages=Rate(per_s=0, burst=1), faults=Rate(per_s=0, burst=0))
    stage.seeds()
    for socket in FLOOD:
        for name in offers(stage.views(socket, address=f"192.0.2.{socket}")):
            said: list[AnyMessage] = [OwnerAnswer(ID, name, "x"), *[OwnerCandidate(ID, name, "c")] * 20, Over(ID, name)]
            assert not [error for message in said for error in errors(stage.says(OWNER, message))]
        stage.leaves(socket)


def test_an_owner_that_floods_by_itself_is_still_closed() -> None:
    stage = Stage(owner_messages=Rate(per_s=0, burst=1), faults=Rate(per_s=0, burst=0), replies_per_view=3)
    stage.seeds()
    stage.views(ANNA)
    for _ in range(1 + 3):
        assert stage.says(OWNER, OwnerCandidate(ID, "v1", "c")) == [(ANNA, ViewerCandidate("c"))]
    assert stage.says(OWNER, OwnerCandidate(ID, "v1", "c"))[0] == (OWNER, ("closed", CloseCode.POLICY))


def test_an_offer_takes_only_so_many_candidates_with_it() -> None:
    stage = Stage(candidates_per_view=2)
    stage.seeds()
    for _ in range(2):
        stage.views(ANNA)
        heard = [stage.says(ANNA, ViewerCandidate("c")) for _ in range(3)]
        assert [len(told(entry, OwnerCandidate)) for entry in heard] == [1, 1, 0]


# An office behind one address


def let_in(stage: Stage, heard: Heard) -> Heard:
    """The owner lets in whoever knocks; who is asked again asks again; until nobody has anything to say."""
    everything: Heard = []
    while heard:
        everything += heard
        heard = [
            *[entry for name in offers(heard) for entry in stage.says(OWNER, Joined(ID, name))],
            *[entry for socket in told(heard, Online) for entry in stage.views(socket, address=OFFICE)],
        ]
    return everything


def test_ten_who_open_a_link_at_the_same_moment_are_not_refused() -> None:
    stage = Stage()
    stage.seeds()
    heard = [entry for socket in range(100, 110) for entry in stage.views(socket, address=OFFICE)]
    assert len(offers(heard)) == 10
    assert told(heard, NoRoom) == []


def test_fifty_behind_one_address_look_at_once_and_reload() -> None:
    stage = Stage()
    stage.seeds()
    for round_ in (1, 2):
        sockets = range(100 * round_, 100 * round_ + 50)
        heard = [entry for socket in sockets for entry in stage.views(socket, address=OFFICE)]
        everything = let_in(stage, heard)
        assert len(offers(everything)) == 50, "everyone has been let in, without the clock having moved"
        assert errors(everything) == []
        assert stage.rooms.counts().paired == 50
        for socket in sockets:
            stage.leaves(socket)
    assert stage.rooms.counts().paired == 0


def test_a_page_that_tries_again_by_itself_for_an_hour_is_never_locked_out() -> None:
    """No path to the owner: the page asks every 7.5 s at the soonest, and is answered every time."""
    stage = Stage()
    stage.seeds()
    for _ in range(3600 * 2 // 15):
        (name,) = offers(stage.views(ANNA, address=OFFICE))
        stage.passes(7.5)
        stage.says(OWNER, Over(ID, name))


def test_fifty_who_wait_for_a_place_at_a_full_owner_are_never_called_faulty() -> None:
    """Each page asks every five seconds; the owner says every time that it is full."""
    stage = Stage()
    stage.seeds()
    for _ in range(60):
        for socket in range(100, 150):
            heard = stage.views(socket, address=OFFICE)
            for name in offers(heard):
                heard += stage.says(OWNER, Full(ID, name))
            assert errors(heard) == []
        stage.passes(5)
    stage.passes(40)
    assert len(offers(stage.views(100, address=OFFICE))) == 1
