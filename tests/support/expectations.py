"""What a test may leave behind: no warning that it did not expect, no thread, no child process, no task."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

OURS = ("seedshot_desktop", "signal_server", "asyncio")
"""Loggers whose warnings fail a test; asyncio's tells of exceptions that nobody caught."""
_GRACE_S = 2.0
"""What was told to end may need a moment."""


class LogWatch(logging.Handler):
    """Keeps the warnings of our own loggers; those that a test has declared are taken out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._records: list[logging.LogRecord] = []
        self._expected: list[re.Pattern[str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep `record` when it is ours."""
        if record.name.partition(".")[0] in OURS:
            self._records.append(record)

    def expect(self, pattern: str) -> None:
        """A warning whose text contains the regular expression `pattern` will come, once or more."""
        self._expected.append(re.compile(pattern))

    def problems(self) -> list[str]:
        """Every warning that nobody expected, and every expectation that was not met."""
        found = []
        unmet = set(self._expected)
        for record in self._records:
            text = f"{record.getMessage()}\n{record.exc_text or ''}"
            met = {pattern for pattern in self._expected if pattern.search(text)}
            unmet -= met
            if not met:
                found.append(f"{record.levelname} from {record.name}: {_describe(record)}")
        return found + [f"no warning matched {pattern.pattern!r}" for pattern in unmet]


def _describe(record: logging.LogRecord) -> str:
    return logging.Formatter("%(message)s").format(record)


@contextmanager
def watched_log() -> Iterator[LogWatch]:
    """Watch all loggers; afterwards raise AssertionError for what was not expected."""
    watch = LogWatch()
    root = logging.getLogger()
    root.addHandler(watch)
    try:
        yield watch
    finally:
        root.removeHandler(watch)
    problems = watch.problems()
    assert not problems, "a warning nobody expected (declare it with expected_log.expect):\n" + "\n".join(problems)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Raise AssertionError when a thread or a child process outlives the block."""
    threads, children = _threads(), _children()
    yield
    left = _remaining(lambda: _threads() - threads)
    assert not left, f"threads were left running: {sorted(thread.name for thread in left)}"
    alive = _remaining(lambda: _children() - children)
    assert not alive, f"child processes were left running: {sorted(map(_command, alive))}"


def other_tasks() -> set[asyncio.Task[object]]:
    """The running loop's tasks but the current one."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def _remaining(ask: Callable[[], set[T]]) -> set[T]:
    """What `ask` still finds when the time of grace is over; empty as soon as it finds nothing."""
    end = time.monotonic() + _GRACE_S
    pause = threading.Event()
    while (left := ask()) and time.monotonic() < end:
        pause.wait(0.01)
    return left


def _threads() -> set[threading.Thread]:
    """Those that would keep the program from ending; a loop ends its own helpers when it is closed."""
    return {t for t in threading.enumerate() if not t.daemon and not t.name.startswith("asyncio_")}


def _children() -> set[int]:
    """Ids of this process's children that still run; empty where there is no /proc."""
    found: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            found.update(map(int, listing.read_text().split()))
        except OSError:
            continue  # that thread has just ended
    return {process for process in found if _state(process) not in {"Z", ""}}


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")[:120]
    except OSError:
        return str(process)
