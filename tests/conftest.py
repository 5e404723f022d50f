"""What holds for every test: unexpected warnings fail it, and it leaves nothing running."""

from __future__ import annotations

import inspect
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support import machine
from tests.support.expectations import LogWatch, nothing_left, other_tasks, watched_log
from tests.support.waiting import until

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell that runs the tests in the background has them ignore Ctrl+C, and whatever they start inherits that."""
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)
    """Under nohup these tests stay when the terminal closes; what they start is as sensitive to it as ever."""

collect_ignore = machine.not_run_here()


@pytest.fixture
def expected_log() -> Iterator[LogWatch]:
    """``expected_log.expect(pattern)`` declares a warning; any other one of ours fails the test."""
    with watched_log() as watch:
        yield watch


@pytest.fixture(autouse=True)
def clean_test(expected_log: LogWatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """The end of every test: no unexpected warning, no thread, child process or task left."""
    _forget_other_loops()
    with nothing_left():
        if inspect.iscoroutinefunction(request.function):
            request.getfixturevalue("no_task_left_over" if _shares_a_loop(request) else "no_task_left")
        yield
    _collect_garbage()


@pytest_asyncio.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Every asynchronous test with a loop of its own: the tasks that it started have ended."""
    yield
    await until(lambda: not other_tasks(), "the end of the test's tasks", 2.0)


@pytest_asyncio.fixture(loop_scope="session")
async def no_task_left_over() -> AsyncIterator[None]:
    """The same on the loop that tests share, where a task that goes on would stand still between two of them."""
    before = other_tasks()
    yield
    await until(lambda: not other_tasks() - before, "the end of the test's tasks", 5.0)


def _shares_a_loop(request: pytest.FixtureRequest) -> bool:
    marker = request.node.get_closest_marker("asyncio")
    return marker is not None and "loop_scope" in marker.kwargs


def _forget_other_loops() -> None:
    """aioice keeps a lock for the thread, taking it that a thread has one loop; here every test has its own."""
    if (ice := sys.modules.get("aioice.ice")) is not None:
        vars(ice._mdns).clear()


def _collect_garbage() -> None:
    """Once Qt is in this process, nothing collects by itself: what was a window must not be freed on another thread."""
    if (garbage := sys.modules.get("seedshot_desktop.ui.garbage")) is not None:
        garbage.collect_due()
