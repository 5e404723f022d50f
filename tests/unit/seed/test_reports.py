"""What the engine says: in order, never from inside the call that caused it, and not too often."""

from __future__ import annotations

import asyncio

from seedshot_desktop.seed.messages import EngineStatus, Event, ServerState, Shared, StatusChanged
from seedshot_desktop.seed.reports import INTERVAL_S, Reports

PICTURE = EngineStatus(ServerState.ONLINE, "http://h", "", ())


async def test_events_keep_their_order_and_wait_for_the_loop() -> None:
    said: list[Event] = []
    reports = Reports(said.append, lambda: PICTURE)
    reports.say(Shared("a"))
    reports.say(Shared("b"))
    assert said == []
    await asyncio.sleep(0)
    assert said == [Shared("a"), Shared("b")]


async def test_an_event_that_causes_another_comes_before_it() -> None:
    said: list[Event] = []

    def emit(event: Event) -> None:
        said.append(event)
        if event == Shared("a"):
            reports.say(Shared("c"))

    reports = Reports(emit, lambda: PICTURE)
    reports.say(Shared("a"))
    reports.say(Shared("b"))
    reports.close()
    assert said == [Shared("a"), Shared("b"), Shared("c")]


async def test_many_changes_make_one_picture_and_the_last_one_is_shown() -> None:
    said: list[Event] = []
    shown = asyncio.Event()

    def emit(event: Event) -> None:
        said.append(event)
        shown.set()

    number = 0

    def picture() -> EngineStatus:
        return EngineStatus(ServerState.ONLINE, str(number), "", ())

    reports = Reports(emit, picture)
    loop = asyncio.get_running_loop()
    times = []
    for number in range(1, 4):  # noqa: B007 - `picture` reads it
        for _ in range(50):
            reports.touch()
        shown.clear()
        await asyncio.wait_for(shown.wait(), 2)
        times.append(loop.time())
    assert [event.status.base_url for event in said if isinstance(event, StatusChanged)] == ["1", "2", "3"]
    assert times[2] - times[0] >= 2 * INTERVAL_S - 0.02
    reports.close()
