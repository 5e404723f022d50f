"""The harness itself: what it must notice, it notices."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

from tests.support.expectations import LogWatch, nothing_left, watched_log
from tests.support.waiting import TooLateError, until, wait_until, within


def _warn(name: str, text: str) -> None:
    logging.getLogger(name).warning(text)


@pytest.mark.parametrize("name", ["seedshot_desktop", "seedshot_desktop.seed.engine", "signal_server", "asyncio"])
def test_an_unexpected_warning_fails(name: str, expected_log: LogWatch) -> None:
    expected_log.expect("the sky is falling")  # by this test itself, not by the watch that is tried
    with pytest.raises(AssertionError, match="the sky is falling"), watched_log():
        _warn(name, "the sky is falling")


def test_a_declared_warning_passes(expected_log: LogWatch) -> None:
    expected_log.expect("sky")
    with watched_log() as watch:
        watch.expect("sky .* falling")
        for _ in range(2):
            _warn("signal_server", "the sky is falling")


def test_a_declared_warning_that_does_not_come_fails() -> None:
    with pytest.raises(AssertionError, match="no warning matched"), watched_log() as watch:
        watch.expect("sky")


def test_strangers_may_warn() -> None:
    with watched_log():
        _warn("aioice", "the sky is falling")


def test_a_thread_that_is_left_running_fails() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    with pytest.raises(AssertionError, match="threads were left running"), nothing_left():
        thread.start()
    end.set()
    thread.join()


def test_a_child_that_is_left_running_fails() -> None:
    with pytest.raises(AssertionError, match="child processes were left running"), nothing_left():
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    child.communicate()


async def test_waiting_ends_with_what_was_waited_for() -> None:
    answers = iter([0, "", None, 7])
    assert await until(lambda: next(answers), "seven") == 7
    assert await within(asyncio.sleep(0, "now"), "now") == "now"


async def test_waiting_for_too_long_says_what_for() -> None:
    with pytest.raises(TooLateError, match=r"the end of the world: not within 0\.05 s; last seen: 0"):
        await until(lambda: 0, "the end of the world", 0.05)
    with pytest.raises(TooLateError, match="the end of the world"):
        await within(asyncio.Event().wait(), "the end of the world", 0.05)


def test_waiting_without_a_loop_is_the_same() -> None:
    with pytest.raises(TooLateError, match="the end of the world"):
        wait_until(lambda: False, "the end of the world", 0.05)
