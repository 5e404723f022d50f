"""Upload limits and rates, with time by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedshot_desktop.seed.pacing import Bucket, Rate


def test_no_limit_waits_for_nothing() -> None:
    bucket = Bucket(0)
    assert [bucket.take(10**9, 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_senders_are_served_in_the_order_in_which_they_ask() -> None:
    bucket = Bucket(1000)
    waits = [bucket.take(500, 100.0) for _ in range(4)]
    assert waits == pytest.approx([0.0, 0.45, 0.95, 1.45])


def test_a_pause_saves_up_next_to_nothing() -> None:
    bucket = Bucket(1000)
    bucket.take(1000, 0.0)
    assert bucket.take(1000, 3600.0) == 0.0
    assert bucket.take(1000, 3600.0) == pytest.approx(0.95)


def test_a_new_limit_counts_from_now() -> None:
    bucket = Bucket(0)
    bucket.take(10**9, 5.0)
    bucket.rate = 1000
    assert bucket.take(100, 5.0) == 0.0
    assert bucket.take(100, 5.0) == pytest.approx(0.05)


@given(st.integers(1, 10**7), st.lists(st.tuples(st.integers(1, 65536), st.floats(0, 2)), min_size=1, max_size=50))
def test_over_any_time_no_more_leaves_than_the_limit(rate: int, asked: list[tuple[int, float]]) -> None:
    bucket, now, sent, end = Bucket(rate), 0.0, 0, 0.0
    for size, pause in asked:
        now += pause
        end = max(end, now + bucket.take(size, now))
        sent += size
    largest = max(size for size, _ in asked)
    assert sent <= rate * (end + 0.06) + largest


def test_a_steady_rate_is_told_as_it_is() -> None:
    rate = Rate()
    for step in range(100):
        rate.add(step * 1000, step * 0.05)
    assert rate.at(4.95) == pytest.approx(20_000, rel=0.06)


def test_a_rate_falls_to_nothing_when_nothing_comes() -> None:
    rate = Rate()
    rate.add(0, 0.0)
    rate.add(100_000, 1.0)
    assert rate.at(1.0) == pytest.approx(100_000)
    assert rate.at(1.9) < 60_000
    assert rate.at(10.0) == 0.0


def test_a_burst_in_one_instant_is_not_endless() -> None:
    rate = Rate()
    rate.add(0, 1.0)
    rate.add(1_000_000, 1.0)
    assert rate.at(1.0) <= 10_000_000
