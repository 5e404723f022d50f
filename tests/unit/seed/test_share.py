"""A share's limits: who is let in, who counts as a view, when it is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.errors import TransportError
from seedshot_desktop.seed import link
from seedshot_desktop.seed.files import open_files
from seedshot_desktop.seed.messages import EndReason, Keys, Limits, MemoryFile
from seedshot_desktop.seed.share import Share
from seedshot_desktop.seed.steps import Admitted, TurnedAway
from seedshot_desktop.seed.transfer import FailReason

MINTED = link.mint()
KEYS = Keys(MINTED.token, MINTED.secret, MINTED.certificate, MINTED.private_key)
NOW = 1000.0
VANISHED: FailReason = "vanished"
CHANGED: FailReason = "changed"


def make(limits: Limits | None = None) -> Share:
    share = Share(KEYS, label="x", limits=limits or Limits(), created_at=50.0, now=NOW)
    share.files = open_files((MemoryFile("a.png", "image/png", b"abc"),), share.version_key)
    return share


def test_it_has_failed_once_none_of_its_files_can_be_served() -> None:
    share = make()
    share.files = open_files(tuple(MemoryFile(name, "", b"abc") for name in ("a", "b")), share.version_key)
    failures = [share.failure]
    for file, reason in ((share.files[1], CHANGED), (share.files[0], VANISHED)):
        file.fail(reason)
        failures.append(share.failure)
    assert failures == [None, None, "vanished"], "while the other can be had, nothing is over"
    share.files = None
    assert share.failure is None, "being prepared is no failure"


def knock(share: Share, viewer: str, now: float = NOW) -> str:
    verdict = share.admit(viewer, max_viewers=3, now=now)
    return verdict.word if isinstance(verdict, TurnedAway) else "in"


def test_its_names_are_those_of_its_link() -> None:
    share = make()
    assert (share.id, share.token, share.secret) == (
        MINTED.share,
        link.encode_base64url(MINTED.token),
        link.encode_base64url(MINTED.secret),
    )


def test_its_version_key_is_found_again_and_not_by_who_has_the_link_or_the_token() -> None:
    other = link.mint()
    mixed = Keys(other.token, other.secret, MINTED.certificate, MINTED.private_key)
    theirs = Keys(MINTED.token, MINTED.secret, other.certificate, other.private_key)
    key, same, another = (
        Share(keys, label="x", limits=Limits(), created_at=50.0, now=NOW).version_key for keys in (KEYS, mixed, theirs)
    )
    assert key == same
    assert key != another


def test_keys_that_do_not_belong_together_are_refused() -> None:
    other = link.mint()
    with pytest.raises(TransportError):
        Share(
            Keys(MINTED.token, MINTED.secret, MINTED.certificate, other.private_key),
            label="x",
            limits=Limits(),
            created_at=0,
            now=0,
        )


def test_as_many_are_let_in_as_the_owner_takes() -> None:
    share = make()
    assert [knock(share, name) for name in "abcd"] == ["in", "in", "in", "full"]
    share.leave("b")
    assert knock(share, "d") == "in"


def test_every_viewer_who_is_let_in_keeps_a_view() -> None:
    share = make(Limits(max_views=2))
    assert share.admit("a", max_viewers=9, now=NOW) == Admitted(share.manifest, reserved=True)
    assert [knock(share, name) for name in "bc"] == ["in", "full"]
    share.leave("a")
    assert knock(share, "c") == "in", "an aborted load gives its view back"
    share.note_complete("b")
    assert share.views == 1
    assert knock(share, "d") == "full"
    share.note_complete("c")
    assert share.ended is EndReason.USED_UP
    assert knock(share, "d") == "expired"
    assert share.guests == 2, "who has it stays"


def test_it_expires_by_the_clock_it_was_given() -> None:
    share = make(Limits(expires_s=10))
    assert knock(share, "a", NOW + 9.9) == "in"
    assert not share.is_expired(NOW + 9.9)
    assert share.is_expired(NOW + 10)
    assert knock(share, "b", NOW + 10) == "expired"
    assert share.status(()).expires_at == 60.0


def test_one_that_was_revoked_says_so_and_lets_everything_go() -> None:
    share = make()
    share.end(EndReason.REVOKED)
    assert knock(share, "a") == "revoked"
    assert share.files is None
    assert share.manifest is None


def test_new_limits_keep_views_for_who_came_first() -> None:
    share = make()
    for name in "abc":
        knock(share, name)
    share.note_complete("a")
    assert share.change_limits(Limits(max_views=2), complete={"a"}) == ["c"]
    assert share.ended is None
    share.leave("c")
    assert knock(share, "d") == "full"
    share.note_complete("b")
    assert share.ended is EndReason.USED_UP


def test_new_limits_below_the_views_use_it_up() -> None:
    share = make()
    knock(share, "a")
    share.note_complete("a")
    assert share.change_limits(Limits(max_views=1), complete={"a"}) == []
    assert share.ended is EndReason.USED_UP


def test_limits_that_are_taken_away_let_everyone_in_again() -> None:
    share = make(Limits(max_views=1))
    knock(share, "a")
    assert knock(share, "b") == "full"
    assert share.change_limits(Limits(), complete=set()) == []
    assert knock(share, "b") == "in"


@given(
    st.integers(1, 3), st.lists(st.tuples(st.sampled_from(["knock", "leave", "complete"]), st.sampled_from("abcdef")))
)
def test_there_are_never_more_complete_views_than_allowed(views: int, script: list[tuple[str, str]]) -> None:
    share = make(Limits(max_views=views))
    receiving: set[str] = set()
    for what, viewer in script:
        if what == "knock" and viewer not in receiving:
            if isinstance(share.admit(viewer, max_viewers=9, now=NOW), Admitted):
                receiving.add(viewer)
        elif what == "leave":
            receiving.discard(viewer)
            share.leave(viewer)
        elif what == "complete" and viewer in receiving:
            receiving.discard(viewer)
            share.note_complete(viewer)
        assert share.views + len(receiving) <= views


@pytest.mark.parametrize("limits", [Limits(max_views=2), Limits()])
def test_more_views_open_a_share_again_that_was_used_up(limits: Limits) -> None:
    share = make(Limits(max_views=1))
    knock(share, "a")
    share.note_complete("a")
    assert knock(share, "b") == "expired"
    assert share.change_limits(limits, complete={"a"}) == []
    assert share.ended is None
    assert knock(share, "b") == "in"
    assert share.note_complete("b")
    assert share.views == 2
    assert share.ended is (EndReason.USED_UP if limits.max_views else None)


def test_views_that_are_no_more_do_not_open_it_again() -> None:
    share = make(Limits(max_views=1))
    knock(share, "a")
    share.note_complete("a")
    share.change_limits(Limits(max_views=1), complete={"a"})
    assert share.ended is EndReason.USED_UP


def test_what_was_taken_back_stays_taken_back_whatever_its_limits() -> None:
    share = make(Limits(max_views=1))
    share.end(EndReason.REVOKED)
    share.change_limits(Limits(max_views=9), complete=set())
    assert share.ended is EndReason.REVOKED


def test_a_view_that_was_given_back_goes_to_whoever_comes_first() -> None:
    share = make(Limits(max_views=1))
    knock(share, "a")
    share.release("a")
    assert knock(share, "b") == "in"
    assert not share.note_complete("a"), "b has the only one"
    assert share.views == 0
    assert share.note_complete("b")
    assert not share.note_complete("a"), "and now it is used up"
    assert share.views == 1
