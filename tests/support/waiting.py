"""Wait for something to become true, with a deadline that says what did not.

What can announce itself is awaited (`within`); what cannot, such as the state
of another program, is asked again and again (`until`, and `wait_until` outside
a loop).
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

DEADLINE_S = 10.0
"""Far above what anything here takes, far below a test's time limit."""
_INTERVAL_S = 0.02


class TooLateError(AssertionError):
    """The deadline passed; the message names what was waited for and what was seen last."""


async def within(awaitable: Awaitable[T], what: str, deadline_s: float = DEADLINE_S) -> T:
    """The result of `awaitable`; raises TooLateError after `deadline_s` seconds."""
    try:
        async with asyncio.timeout(deadline_s):
            return await awaitable
    except TimeoutError as error:
        raise TooLateError(f"{what}: not within {deadline_s:g} s") from error


@overload
async def until(
    ask: Callable[[], Awaitable[T | None]],
    what: str,
    deadline_s: float = DEADLINE_S,
    *,
    interval_s: float = _INTERVAL_S,
) -> T: ...


@overload
async def until(
    ask: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S, *, interval_s: float = _INTERVAL_S
) -> T: ...


async def until(
    ask: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S, *, interval_s: float = _INTERVAL_S
) -> Any:
    """The first true answer of `ask`, which may be a coroutine function; raises TooLateError.

    `interval_s` is for a question that costs whoever is asked something.
    """
    end = time.monotonic() + deadline_s
    while True:
        answer = ask()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > end:
            raise TooLateError(f"{what}: not within {deadline_s:g} s; last seen: {value!r}")
        await asyncio.sleep(interval_s)


def wait_until(ask: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S) -> T:
    """As `until`, where no loop runs."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while not (value := ask()):
        if time.monotonic() > end:
            raise TooLateError(f"{what}: not within {deadline_s:g} s; last seen: {value!r}")
        pause.wait(_INTERVAL_S)
    return value
