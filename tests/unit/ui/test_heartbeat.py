"""Whether the engine stands still: beats with and without answers, and beats that came late."""

from __future__ import annotations

import pytest

from seedshot_desktop.seed.messages import Ping
from seedshot_desktop.ui.heartbeat import Heartbeat


class Beats:
    """A heart that beats every ten seconds of a clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.heart = Heartbeat(10.0)
        self.heart.begin(self.now)

    def after(self, seconds: float) -> Ping | None:
        self.now += seconds
        return self.heart.beat(self.now)


@pytest.fixture
def beats() -> Beats:
    return Beats()


def test_each_answer_lets_the_next_question_follow(beats: Beats) -> None:
    for number in (1, 2, 3):
        assert beats.after(10) == Ping(number)
        beats.heart.answered(number)
        assert not beats.heart.stands_still


def test_two_beats_without_an_answer_are_a_standstill(beats: Beats) -> None:
    assert beats.after(10) == Ping(1)
    assert beats.after(10) is None
    assert not beats.heart.stands_still
    assert beats.after(10) is None
    assert beats.heart.stands_still


def test_a_slow_answer_begins_anew(beats: Beats) -> None:
    beats.after(10)
    beats.after(10)
    beats.heart.answered(1)
    assert beats.after(10) == Ping(2)
    beats.after(10)
    assert not beats.heart.stands_still


def test_an_answer_to_another_question_is_none(beats: Beats) -> None:
    beats.after(10)
    beats.heart.answered(0)
    beats.heart.answered(2)
    beats.after(10)
    beats.after(10)
    assert beats.heart.stands_still


@pytest.mark.parametrize("away_s", [15.1, 60.0, 86_400.0])
def test_an_app_that_was_away_itself_begins_to_count_anew(beats: Beats, away_s: float) -> None:
    beats.after(10)
    beats.after(10)
    beats.after(away_s)
    beats.after(10)
    assert not beats.heart.stands_still
    beats.after(10)
    assert beats.heart.stands_still


def test_an_app_that_is_stopped_again_and_again_never_blames_the_engine(beats: Beats) -> None:
    beats.after(10)
    for _ in range(20):
        beats.after(10)
        beats.after(40)
    assert not beats.heart.stands_still


def test_a_new_engine_owes_nothing(beats: Beats) -> None:
    beats.after(10)
    beats.after(10)
    beats.heart.begin(beats.now)
    assert beats.after(10) == Ping(2)
    assert not beats.heart.stands_still
