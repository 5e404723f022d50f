"""Places for viewers who knock: how many there are, and who gives way to whom."""

from __future__ import annotations

from dataclasses import replace

from signal_server.knocks import Knocks
from signal_server.limits import Bucket, Buckets, Limits, Rate

OWNER, OTHER = 1, 2


def knocks(per_owner: int = 4, per_address: int = 3) -> Knocks:
    limits = replace(Limits(), knocking_per_owner=per_owner, knocking_per_address=per_address, knock_s=30.0)
    return Knocks(limits)


def test_an_address_has_only_so_many_places_at_one_owner() -> None:
    crowd = knocks()
    for viewer in (11, 12, 13):
        assert crowd.has_room(OWNER, "a")
        crowd.add(OWNER, viewer, "a", 0)
    assert not crowd.has_room(OWNER, "a")
    assert crowd.has_room(OWNER, "b")
    assert crowd.has_room(OTHER, "a")
    crowd.remove(12)
    assert crowd.has_room(OWNER, "a")


def test_while_all_places_are_taken_the_oldest_of_the_largest_crowd_gives_way() -> None:
    crowd = knocks()
    for viewer, address in ((11, "b"), (12, "a"), (13, "a"), (14, "a")):
        assert crowd.in_the_way(OWNER) is None
        crowd.add(OWNER, viewer, address, 0)
    assert crowd.has_room(OWNER, "c")
    assert crowd.in_the_way(OWNER) == 12


def test_nobody_gives_way_to_an_address_that_would_then_hold_as_many() -> None:
    crowd = knocks()
    for viewer, address in ((11, "a"), (12, "a"), (13, "b"), (14, "c")):
        crowd.add(OWNER, viewer, address, 0)
    assert not crowd.has_room(OWNER, "b")
    assert crowd.has_room(OWNER, "d")
    crowd.remove(11)
    crowd.add(OWNER, 15, "d", 0)
    assert not crowd.has_room(OWNER, "e"), "four addresses with one viewer each are equal"


def test_who_knocks_for_too_long_is_named_the_oldest_first() -> None:
    crowd = knocks()
    crowd.add(OWNER, 11, "a", 0)
    crowd.add(OTHER, 12, "a", 10)
    assert crowd.overdue(29.9) is None
    assert crowd.overdue(30) == 11
    crowd.remove(11)
    assert crowd.overdue(30) is None
    assert crowd.overdue(40) == 12


def test_nothing_is_kept_of_who_has_left() -> None:
    crowd = knocks()
    crowd.add(OWNER, 11, "a", 0)
    crowd.remove(11)
    crowd.remove(11)
    assert len(crowd) == 0
    assert 11 not in crowd
    assert crowd._crowds == {}


def test_each_key_has_a_bucket_of_its_own_that_is_forgotten_once_it_is_full_again() -> None:
    buckets = Buckets(Rate(per_s=1, burst=2), most=10)
    assert [buckets.take("a", 0), buckets.take("a", 0), buckets.take("a", 0)] == [True, True, False]
    assert buckets.take("b", 1)
    assert [buckets.take("a", 1), buckets.take("a", 1)] == [True, False]
    buckets.forget_full(2.9)
    assert len(buckets) == 2
    buckets.forget_full(3)
    assert len(buckets) == 0
    full, kept = Bucket(Rate(per_s=1, burst=2), 3), Buckets(Rate(per_s=1, burst=2), most=10)
    assert [full.take(3) for _ in range(3)] == [kept.take("a", 3) for _ in range(3)]


def test_only_so_many_buckets_are_kept_and_the_longest_unused_goes_first() -> None:
    buckets = Buckets(Rate(per_s=0.001, burst=1), most=2)
    for key in ("a", "b"):
        assert buckets.take(key, 0)
    assert not buckets.take("a", 0)
    assert buckets.take("c", 0)
    assert len(buckets) == 2
    assert not buckets.take("a", 0)
    assert buckets.take("b", 0), "its bucket had been forgotten"
