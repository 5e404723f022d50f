"""Tasks that somebody owns: named, kept, ended together; one that fails is logged in one place."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger("seedshot_desktop.seed")


class Tasks:
    """A set of running tasks."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def own(
        self, work: Coroutine[Any, Any, None], name: str, on_failure: Callable[[], None] | None = None
    ) -> asyncio.Task[None]:
        """Run `work`; `on_failure` is called should it raise."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(lambda done: self._done(done, on_failure))
        return task

    def named(self, name: str) -> set[asyncio.Task[None]]:
        """Those that still run under `name`."""
        return {task for task in self._running if task.get_name() == name and not task.done()}

    async def cancel(self) -> None:
        """End them all, and wait until they have ended."""
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[None], on_failure: Callable[[], None] | None) -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("the task %s failed: %s at %s", task.get_name(), type(error).__name__, place_of(error))
        if on_failure is not None:
            on_failure()


def place_of(error: BaseException) -> str:
    """Where it was raised; never its text, which may hold a name or an address."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "an unknown place"


async def wait(event: asyncio.Event, timeout_s: float) -> None:
    """Until `event`, for at most `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass  # nobody called
