"""Fifty viewers at once on the real app: all are let in, listed and served, and its windows stay smooth."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from tests.support.crowded_app import VIEWERS, watch_crowd
from tests.support.desktop import Person
from tests.support.screen import open_screen

FRAME, HANG = 20, 120
"""In measures (``watched_app``), where one takes 0.83 ms: 1/60 and 1/10 s. A slow processor is not the window's fault;
the benchmark has the milliseconds."""
APP_MB, ENGINE_MB = 1.0, 4.0
"""For one viewer; several times what is measured (see the benchmark), for allocators keep what they once had."""


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody who watches the shares window."""
    with open_screen() as screen:
        yield Person(screen)


def each(before_and_after: tuple[float, float]) -> float:
    """What one viewer added."""
    return (before_and_after[1] - before_and_after[0]) / VIEWERS


@pytest.mark.timeout(120)
async def test_fifty_viewers_are_listed_with_their_progress_and_the_window_stays_smooth(person: Person) -> None:
    seen = await watch_crowd(person)
    assert seen.views == VIEWERS
    assert seen.most_moving == VIEWERS, "every bar moved, all at once"
    measure = statistics.median(seen.measure_ms)
    assert statistics.quantiles(seen.busy_ms, n=100)[98] < FRAME * measure, "hardly a beat costs a frame"
    assert max(seen.busy_ms) < HANG * measure, "the longest piece of work is one that nobody takes for a hang"
    assert each(seen.app_mb) < APP_MB, "a row in a list"
    assert each(seen.engine_mb) < ENGINE_MB, "a connection and what is on its way: no loop and no process of its own"
