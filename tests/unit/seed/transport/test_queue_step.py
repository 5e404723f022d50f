"""Whose a queue is: the answer of a modelled bottleneck to a step in our flight."""

from __future__ import annotations

import random

import pytest

from seedshot_desktop.seed.transport.queue_step import QueueStep
from seedshot_desktop.seed.transport.samples import Sample

LINK = 6_250_000
"""Bytes per second."""
BASE_S = 0.05


def sample(now: float, flight: float, rtt: float | None, *, rate: float = 1e6, lost: int = 0) -> Sample:
    return Sample(
        now=now,
        delivered=int(now * 1e6),
        newly_acked=1000,
        newly_lost=0,
        in_flight=int(flight),
        rtt=rtt,
        rate=rate,
        interval_delivered=50_000,
        prior_delivered=0,
        app_limited=False,
        tx_in_flight=int(flight),
        lost=lost,
    )


def asked(
    ours: float, theirs: float, *, growth: float = 0.0, noise_s: float = 0.0, most: float = 1e9, answers: float = 0.1
) -> QueueStep:
    """A step on a link with so many bytes of each in flight; theirs grow by `growth` a second.

    What leaves fills the window with its last packet, and so goes above it by less than one.
    """
    step, chance, now = QueueStep(), random.Random(1), 0.0
    while not step.done and now < 2:
        now += 0.002
        after = step.taken
        flight = min(ours, step.flight + 1200)
        rtt = max((flight + theirs + growth * now) / LINK, BASE_S) + chance.uniform(-noise_s, noise_s)
        if not after or now > answers:
            step.add(sample(now, flight, rtt), rtt, most)
    return step


def test_also_with_a_window_of_few_packets() -> None:
    assert asked(20_000, 500_000).share == pytest.approx(0.04, abs=0.01)
    assert asked(6_000, 0).done


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5, 0.65, 0.8, 1.0])
def test_the_share_is_what_the_round_trip_falls_by(share: float) -> None:
    step = asked(500_000 * share, 500_000 * (1 - share))
    assert step.share == pytest.approx(share, abs=0.01)
    assert step.rate == pytest.approx(LINK * share, rel=0.01)


def test_what_theirs_grows_by_meanwhile_is_taken_out() -> None:
    step = asked(250_000, 200_000, growth=200_000)
    assert step.share == pytest.approx(0.52, abs=0.05)


def test_jitter_is_averaged_out() -> None:
    assert asked(250_000, 250_000, noise_s=0.01).share == pytest.approx(0.5, abs=0.1)


def test_a_round_trip_that_does_not_answer_is_nobodys_queue() -> None:
    assert asked(200_000, 0, noise_s=0.0).share == pytest.approx(0.0, abs=0.01)


def test_a_queue_that_runs_empty_tells_what_we_have_at_least() -> None:
    """Three quarters of the link are ours, but only a part of the step was queue."""
    share = asked(270_000, 90_000).share
    assert share is not None
    assert 0.3 < share <= 0.75


def test_it_goes_as_low_as_allowed() -> None:
    assert asked(400_000, 100_000, most=200_000).flight == 200_000
    assert asked(400_000, 100_000, most=390_000).flight == pytest.approx(300_000)


def test_nothing_is_known_before_the_answer() -> None:
    step = QueueStep()
    assert (step.taken, step.flight, step.share) == (False, float("inf"), None)
    for number in range(40):
        step.add(sample(number / 100, 400_000, 0.08), 0.08, 1e9)
    assert step.flight == 300_000
    assert (step.taken, step.done, step.share) == (True, False, None), "what left before the step says nothing"


def test_what_arrives_while_not_all_can_be_named_says_nothing() -> None:
    step = QueueStep()
    for number in range(100):
        step.add(sample(number / 100, 400_000, 0.08, rate=0.0), 0.08, 1e9)
    assert not step.taken


def test_what_was_lost_has_not_waited_in_the_queue() -> None:
    step = QueueStep()
    for number in range(100):
        step.add(sample(number / 100, 500_000, 0.08, lost=100_000), 0.08, 1e9)
    assert step.flight == 300_000


def test_a_queue_that_still_shrinks_is_waited_for() -> None:
    step, now = QueueStep(), 0.0
    while not step.taken:
        now += 0.002
        step.add(sample(now, 400_000, 0.2), 0.2, 1e9)
    taken = now
    while not step.done and now < taken + 2:
        now += 0.002
        rtt = max(0.15, 0.2 - 0.2 * (now - taken))
        step.add(sample(now, 300_000, rtt), rtt, 1e9)
    assert step.share == pytest.approx(1.0, abs=0.06)
    assert now > taken + 0.25


def test_too_small_a_step_says_nothing() -> None:
    step, now = QueueStep(), 0.0
    for flight in (400_000, 396_000):
        for _ in range(100):
            now += 0.002
            step.add(sample(now, flight, 0.08), 0.08, 1e9)
        step.flight = 396_000
    assert step.done
    assert step.share is None
