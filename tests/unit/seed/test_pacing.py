"""Rates, with time by hand."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.pacing import Rate


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
