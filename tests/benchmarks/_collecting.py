"""Rows as they come, so that what has been measured outlives what fails after it."""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from tests.netlab.namespaces import LabError
from tests.support.measuring import MeasuringError, Row

FAILED, CANNOT = 1, 2

Found = Iterable[Row] | Awaitable[Iterable[Row]] | AsyncIterator[Row]


def collect(found: Found, measured: list[Row]) -> int:
    """Add what a benchmark finds to `measured`, as far as it gets; the exit code, after a word on standard error."""

    def work() -> int:
        if isinstance(found, AsyncIterator):
            asyncio.run(_take(found, measured))
        elif inspect.isawaitable(found):
            measured.extend(asyncio.run(_wait(found)))
        else:
            for row in found:  # one by one: what came before a failure stays
                measured.append(row)
        return 0

    return guarded(work)


def guarded(work: Callable[[], int]) -> int:
    """What `work` returns, or the exit code for how it failed."""
    try:
        return work()
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT
    except MeasuringError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except (Exception, SystemExit):
        traceback.print_exc()
        return FAILED


async def _take(found: AsyncIterator[Row], measured: list[Row]) -> None:
    async for row in found:
        measured.append(row)


async def _wait(found: Awaitable[Iterable[Row]]) -> Iterable[Row]:
    return await found
