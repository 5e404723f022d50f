"""Fifty viewers at once on the real app: all are let in, listed and served, and its windows stay smooth."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from tests.support.crowded_app import VIEWERS, watch_crowd
from tests.support.desktop import Person
from tests.support.screen import open_screen

FRAME_MS = 1000 / 60


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody who watches the shares window."""
    with open_screen() as screen:
        yield Person(screen)


@pytest.mark.timeout(120)
async def test_fifty_viewers_are_listed_with_their_progress_and_the_window_stays_smooth(person: Person) -> None:
    seen = await watch_crowd(person)
    assert seen.views == VIEWERS
    assert seen.most_moving == VIEWERS, "every bar moved, all at once"
    assert statistics.median(seen.late_ms) < FRAME_MS
    assert statistics.quantiles(seen.busy_ms, n=100)[98] < FRAME_MS, "hardly a beat costs a frame"
    assert max(seen.busy_ms) < 100, "the longest piece of work is one that nobody takes for a hang"
    assert seen.app_mb[1] - seen.app_mb[0] < 15
    assert seen.engine_mb[1] - seen.engine_mb[0] < 75, "about a megabyte and a half each, at most"
