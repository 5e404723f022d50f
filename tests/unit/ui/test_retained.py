"""What a new engine is told of the shares that lived in the one before it."""

from __future__ import annotations

import hashlib

import pytest

from seedshot_desktop.seed import link
from seedshot_desktop.seed.messages import (
    ChangeLimits,
    CheckNetwork,
    EndReason,
    Keys,
    Limits,
    MemoryFile,
    Provide,
    Revoke,
    RevokeAll,
    Seed,
    ShareEnded,
    Stop,
    Unseed,
    Viewed,
)
from seedshot_desktop.ui.retained import MAX_ENDED, Retained, share_of

FILES = (MemoryFile("a.png", "image/png", b"pixels"),)


def seed(number: int = 1, **fields: object) -> Seed:
    keys = Keys(bytes([number]) * 16, b"s" * 16, b"certificate", b"key")
    return Seed(keys, "Screenshot", **fields)  # type: ignore[arg-type]


def replayed(retained: Retained, now: float) -> list[Seed]:
    retained.forget_over(now)
    return retained.replay(now)


def test_a_share_is_named_as_its_link_names_it() -> None:
    keys = link.mint()
    assert share_of(Seed(Keys(keys.token, b"", b"", b""), "")) == keys.share
    assert hashlib.sha256(keys.token).digest()[:10] == keys.id


def test_nothing_is_replayed_where_nothing_lives() -> None:
    assert replayed(Retained(), 1000.0) == []


def test_shares_are_replayed_oldest_first_with_their_files() -> None:
    retained = Retained()
    first, second = seed(1), seed(2, files=FILES)
    retained.note_command(first, 1000.0)
    retained.note_command(second, 1001.0)
    retained.note_command(Provide(share_of(first), FILES), 1002.0)
    assert replayed(retained, 1003.0) == [seed(1, files=FILES), second]
    assert len(retained) == 2


def test_files_that_are_provided_are_those_of_the_share_for_good() -> None:
    retained = Retained()
    retained.note_command(seed(), 1000.0)
    for files in (FILES, (MemoryFile("a.png", "image/png", b"others"),)):
        retained.note_command(Provide(share_of(seed()), files), 1001.0)
    assert replayed(retained, 1002.0) == [seed(files=FILES)]


def test_a_capture_still_being_encoded_is_replayed_without_files() -> None:
    retained = Retained()
    retained.note_command(seed(), 1000.0)
    assert replayed(retained, 1000.5) == [seed()]


@pytest.mark.parametrize("ending", ["revoke", "revoke all", "stop", "ended"])
def test_what_is_over_is_forgotten(ending: str) -> None:
    retained = Retained()
    retained.note_command(seed(), 1000.0)
    share = share_of(seed())
    match ending:
        case "revoke":
            retained.note_command(Revoke(share), 1001.0)
        case "revoke all":
            retained.note_command(RevokeAll(), 1001.0)
        case "stop":
            retained.note_command(Stop(), 1001.0)
        case "ended":
            retained.note_event(ShareEnded(share, EndReason.EXPIRED))
    assert len(retained) == 0
    retained.note_command(Provide(share, FILES), 1002.0)
    assert replayed(retained, 1003.0) == []
    over = EndReason.EXPIRED if ending == "ended" else EndReason.REVOKED
    assert retained.ended() == [Unseed(seed().keys.token, over)], "but for the proof that it was ours"


def test_the_rest_of_the_time_is_what_a_new_engine_grants() -> None:
    retained = Retained()
    retained.note_command(seed(limits=Limits(expires_s=600.0)), 1000.0)
    assert replayed(retained, 1200.0)[0].limits == Limits(expires_s=400.0)
    assert replayed(retained, 1300.0)[0].limits == Limits(expires_s=300.0)
    assert retained.forget_over(1600.0) == [share_of(seed())]
    assert retained.replay(1600.0) == []


def test_views_that_were_had_are_not_granted_again() -> None:
    retained = Retained()
    retained.note_command(seed(limits=Limits(max_views=3)), 1000.0)
    share = share_of(seed())
    retained.note_event(Viewed(share, "v1", 1))
    retained.note_event(Viewed(share, "v2", 2))
    assert replayed(retained, 1001.0)[0].limits == Limits(max_views=1)
    retained.note_event(Viewed(share, "v3", 1))
    assert retained.forget_over(1002.0) == [share]


def test_new_limits_take_the_place_of_the_old() -> None:
    retained = Retained()
    retained.note_command(seed(limits=Limits(expires_s=10.0)), 1000.0)
    retained.note_command(ChangeLimits(share_of(seed()), Limits(expires_s=60.0, max_views=5)), 1005.0)
    assert replayed(retained, 1020.0)[0].limits == Limits(expires_s=40.0, max_views=5)


def test_other_commands_change_nothing() -> None:
    retained = Retained()
    retained.note_command(seed(), 1000.0)
    retained.note_command(CheckNetwork(), 1001.0)
    retained.note_event(Viewed("another share", "v1", 7))
    assert replayed(retained, 1002.0) == [seed()]


def test_what_ran_out_has_expired_for_whoever_asks() -> None:
    retained = Retained()
    retained.note_command(seed(limits=Limits(expires_s=10.0)), 1000.0)
    assert replayed(retained, 1020.0) == []
    assert retained.ended() == [Unseed(seed().keys.token, EndReason.EXPIRED)]


def test_a_share_that_lives_again_has_not_ended() -> None:
    retained = Retained()
    retained.note_command(seed(), 1000.0)
    retained.note_command(Revoke(share_of(seed())), 1001.0)
    retained.note_command(seed(), 1002.0)
    assert retained.ended() == []


def test_ended_shares_are_kept_within_bounds_the_latest_ones() -> None:
    retained = Retained()
    for number in range(MAX_ENDED + 3):
        keys = Keys(number.to_bytes(16, "big"), b"s" * 16, b"certificate", b"key")
        retained.note_command(Seed(keys, ""), 1000.0)
        retained.note_command(RevokeAll(), 1000.0)
    tokens = [int.from_bytes(unseed.token, "big") for unseed in retained.ended()]
    assert tokens == list(range(3, MAX_ENDED + 3))


def test_a_token_is_in_no_log_line() -> None:
    assert repr(Unseed(b"t" * 16, EndReason.REVOKED)) == "Unseed(REVOKED)"
